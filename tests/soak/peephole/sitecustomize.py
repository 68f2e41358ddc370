"""Lets the soak look into the gateway's process: on SIGUSR2 it writes how many tasks there are into a file.

Python imports this by itself, as the soak puts its folder on PYTHONPATH; the gateway is started as any user does.
"""

import asyncio
import os
import signal
from pathlib import Path
from types import FrameType


def count_tasks(number: int, frame: FrameType | None) -> None:
    """Write the number of tasks of the loop that runs; in one step, or the soak might read half of it."""
    target = Path(os.environ["SOAK_PEEPHOLE"])
    new = target.with_suffix(".new")
    new.write_text(str(len(asyncio.all_tasks())), encoding="ascii")
    new.rename(target)


if "SOAK_PEEPHOLE" in os.environ:
    signal.signal(signal.SIGUSR2, count_tasks)

"""What the process takes of the machine, by the names that Prometheus has for it. Linux tells it in /proc."""

import os
import time
from pathlib import Path
from typing import Final

from gateway.meters import Readings, only

PROC: Final = Path("/proc/self")


def vitals() -> Readings:
    """Read processor time, memory and open files; where the system does not tell, they are left out."""
    found: Readings = {"process_cpu_seconds": only(time.process_time())}
    try:
        pages = int((PROC / "statm").read_bytes().split()[1])
        found["process_resident_memory_bytes"] = only(pages * os.sysconf("SC_PAGE_SIZE"))
        found["process_open_fds"] = only(len(os.listdir(PROC / "fd")))  # noqa: PTH208 - no paths are made of them
    except OSError:
        pass
    return found

"""Ctrl-C, from the first moment on: a command that it cuts off ends at once, with exit code 130 and no traceback.

Rule    Nothing is raised where nobody expects it: in the midst of an import, or of a callback of Python's own, an
        exception comes out as a traceback, or is swallowed. Who has something to put in order asks for
        KeyboardInterrupt, by `careful`; servers heed the signal themselves, see `gateway.process.Ending`.

Imported before anything that takes time.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

CUT_OFF: Final = 130
"""The exit code: 128 and the number of the signal, as shells have it."""


def heed() -> None:
    """Have Ctrl-C end the process so, unless it was started to ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


@contextmanager
def careful() -> Iterator[None]:
    """Have it raise KeyboardInterrupt meanwhile; one that comes out of it still ends the command with 130."""
    heeded = signal.getsignal(signal.SIGINT)
    if heeded is _end:  # else nobody heeds it here, as where a test calls a command
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(CUT_OFF)
    finally:
        if heeded is _end:
            signal.signal(signal.SIGINT, heeded)


def _end(*_: Any) -> None:
    if os.isatty(2):
        os.write(2, b"\n")  # behind ^C: the shell's prompt begins a line
    os._exit(CUT_OFF)

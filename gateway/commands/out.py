"""Standard output for what comes from outside."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from gateway.commands.failures import Unconfigured


def out() -> IO[str]:
    """Give standard output, on which nothing fails that its encoding has no letter for. Raises Unconfigured."""
    if sys.stdout is None:
        raise Unconfigured("Standard output is closed.")
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return sys.stdout


@contextmanager
def writing() -> Iterator[None]:
    """Say why standard output takes no more, as where a disk is full. Raises Unconfigured."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:  # who reads has enough, which click tells nobody
            raise
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())  # what is left would be written in the end, and fail anew
        reason = (error.strerror or "no reason is given").lower()
        raise Unconfigured(f"What is found cannot be written: {reason}.") from None

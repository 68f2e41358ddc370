"""Standard output for what comes from outside."""

import sys
from typing import IO


def out() -> IO[str]:
    """Give standard output, on which nothing fails that its encoding has no letter for."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return sys.stdout

"""What can go wrong with the gateway itself."""

import errno
import os
import socket
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar


class GatewayError(Exception):
    """The base of all errors of the gateway. Its text may be shown: it never holds what a client sent."""

    code: ClassVar[str]
    """Stays the same over versions; logs and answers carry it."""
    status: ClassVar[int] = 500
    """Of the answer in which a client learns of it. Never 503 or 429: Close's client sends a POST again on those."""


class PortTaken(GatewayError):
    """An address to listen on is not to be had."""

    code = "port_taken"

    def __init__(self, setting: str | None, flag: str, address: str, error: OSError) -> None:
        unix = address.startswith("unix:")
        port, other = ("path", "path") if unix else ("port", "address")
        if error.errno == errno.EADDRINUSE:
            what = f"{address} is taken by another program. Stop that one, or choose another {port}"
        elif unix and error.errno == errno.EEXIST:
            what = f"Cannot listen on {address}: what is there is no socket, and is left as it is. Choose another path"
        elif isinstance(error, socket.gaierror):
            what = f"Cannot listen on {address}: no address is known for that name. Choose another"
        else:
            what = f"Cannot listen on {address}: {os.strerror(error.errno or 0).lower()}. Choose another {other}"
        where = f" (setting {setting})" if setting else ""
        how = f"unix:/PATH{where}." if unix else f"HOST:PORT{where}; port 0 picks a free one."
        super().__init__(f"{what} with {flag} {how}")


class PortsTaken(GatewayError):
    """Several of them are not."""

    code = "ports_taken"

    def __init__(self, taken: Sequence[PortTaken]) -> None:
        super().__init__("".join([f"{len(taken)} addresses are not to be had:", *(f"\n  {each}" for each in taken)]))


def places(fault: BaseException) -> list[str]:
    """Tell where a fault of the gateway's own happened. Not its text: that may quote a request."""
    frames = traceback.extract_tb(fault.__traceback__)[-6:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]

"""What systemd is told of the gateway's state, and the sockets that it hands over. Without systemd, nothing.

Rule    To tell it never fails and never waits: the gateway serves all the same.
        What was handed over is taken once; the variables that tell of it go, so that no child takes it for its own.
Source  sd_notify(3), sd_listen_fds(3), systemd.socket(5), "FileDescriptorName".
"""

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import ClassVar, Final

from gateway.errors import GatewayError

FIRST: Final = 3
"""The descriptor of the first socket that is handed over."""
ADMIN: Final = "admin"
"""The name (FileDescriptorName) of sockets for the admin listener. All others are for clients."""
VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")


class HandedAmiss(GatewayError):
    """What was handed over cannot be listened on."""

    code: ClassVar[str] = "socket_unusable"


@dataclass(frozen=True, slots=True)
class Handed:
    """Sockets that listen already."""

    clients: tuple[socket.socket, ...] = ()
    admin: tuple[socket.socket, ...] = ()


NOTHING_HANDED: Final = Handed()


def ready(*status: str) -> None:
    """Tell that the gateway serves, for the first time or again; and where that is new, how."""
    _tell("READY=1", *(f"STATUS={text}" for text in status))


def reloading() -> None:
    """Tell that the settings are read anew. `ready` has to follow, however that goes."""
    _tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def stopping(status: str) -> None:
    """Tell that the gateway is about to stop."""
    _tell("STOPPING=1", f"STATUS={status}")


def _tell(*lines: str) -> None:
    to = os.environ.get("NOTIFY_SOCKET", "")
    if not to.startswith(("/", "@")):
        return  # nobody listens, or on a kind of socket that only virtual machines have
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
        telling.setblocking(False)
        telling.sendto("\n".join(lines).encode(), os.fsencode(to.replace("@", "\0", 1) if to[0] == "@" else to))


def handed(environ: MutableMapping[str, str] = os.environ) -> Handed:
    """Take the sockets that were handed over to this process. Raises HandedAmiss."""
    given = {name: environ.pop(name, "") for name in VARIABLES}
    number = given["LISTEN_FDS"]
    if given["LISTEN_PID"] != str(os.getpid()) or not number.isdecimal():
        return NOTHING_HANDED
    names = given["LISTEN_FDNAMES"].split(":")
    clients: list[socket.socket] = []
    admin: list[socket.socket] = []
    for place in range(int(number)):
        name = names[place] if place < len(names) else ""
        (admin if name == ADMIN else clients).append(_listening(FIRST + place))
    return Handed(tuple(clients), tuple(admin))


def _listening(descriptor: int) -> socket.socket:
    """Take one of them. Raises HandedAmiss where it is no stream socket that listens."""
    found = None
    try:
        found = socket.socket(fileno=descriptor)
        found.set_inheritable(False)
        found.setblocking(False)
        listens = found.type == socket.SOCK_STREAM and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    except OSError:
        listens = False
    if found is None or not listens:
        if found is not None:
            found.close()
        raise HandedAmiss(
            f"File descriptor {descriptor}, which was handed over, is no stream socket that listens. Name it with "
            "ListenStream= and Accept=no in the socket unit."
        )
    return found

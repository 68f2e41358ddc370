"""Listening sockets: bound by an address, or handed over by whoever bound them.

Rule    A name is listened on at every address that it has. A UNIX socket that is left over is replaced only where
        nobody listens on it, and no other kind of file ever is. Nobody can connect to one whom its mode keeps out, not
        even for a moment.
Source  unix(7); unlink(2). Linux takes the mode that a socket has before it is bound (net/unix/af_unix.c, unix_bind).
"""

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.config.settings import Address, UnixSocket
from gateway.errors import PortTaken

BACKLOG: Final = 1024
"""Connections that may wait to be accepted."""
MISSING: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
GONE: Final = frozenset({errno.ECONNREFUSED, errno.ENOENT})


@dataclass(frozen=True, slots=True)
class Bound:
    """Sockets that listen, and the address in force. Whoever bound them closes them, and by that removes the file."""

    address: Address | UnixSocket
    sockets: tuple[socket.socket, ...]
    file: tuple[int, int] | None = None
    """Device and inode of the UNIX socket, by which it is known to be still the one that was bound."""

    def close(self) -> None:
        """Listen no more. For the process that bound them alone: others close their sockets, and leave the file."""
        for each in self.sockets:
            each.close()
        if self.file is not None and isinstance(self.address, UnixSocket):
            path = Path(self.address.path)
            with contextlib.suppress(OSError):  # gone, or in a folder that is not to be written to any more
                if _file(path) == self.file:
                    path.unlink()


def bind(address: Address | UnixSocket, setting: str, flag: str, *, mode: str = "600") -> Bound:
    """Bind and listen. `setting` and `flag` are named where that fails; `mode` is that of a UNIX socket, in octal.

    Blocks while a name is looked up. Raises PortTaken.
    """
    if isinstance(address, Address):
        return bind_ports([address], setting, flag)
    try:
        return _bind_path(address, int(mode, 8))
    except OSError as error:
        raise PortTaken(setting, flag, str(address), error) from None


def bind_ports(addresses: Sequence[Address], setting: str | None, flag: str) -> Bound:
    """Bind and listen at each. The first is the one in force; one that this machine does not have is left out.

    Blocks while a name is looked up. Raises PortTaken.
    """
    try:
        sockets = _bind_ports(addresses)
    except OSError as error:
        raise PortTaken(setting, flag, " or ".join(map(str, addresses)), error) from None
    return Bound(Address(addresses[0].host, sockets[0].getsockname()[1]), sockets)


def handed(sockets: Sequence[socket.socket]) -> Bound:
    """Take sockets that somebody else has bound. Their file, where they have one, is that one's too."""
    return Bound(address_of(sockets[0]), tuple(sockets))


def address_of(listening: socket.socket) -> Address | UnixSocket:
    """Tell where a socket listens."""
    name = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        return UnixSocket(os.fsdecode(name).replace("\0", "@", 1))
    return Address(name[0], name[1])


def _bind_ports(addresses: Sequence[Address]) -> tuple[socket.socket, ...]:
    """Listen at each address of each host, as asyncio's create_server does."""
    infos = [
        info
        for address in addresses
        for info in socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    ]
    bound: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, kind, protocol, _, where in dict.fromkeys(infos):
            try:
                bound.append(_bind_port(socket.socket(family, kind, protocol), where))
            except OSError as error:
                if error.errno not in MISSING:
                    raise
                missing = error  # localhost is ::1 too, also where there is no IPv6
        if not bound:
            raise missing or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    except OSError:
        for listening in bound:
            listening.close()
        raise
    return tuple(bound)


def _bind_port(listening: socket.socket, where: object) -> socket.socket:
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listening.family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(where)  # type: ignore[arg-type] # as getaddrinfo gave it
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def _bind_path(address: UnixSocket, mode: int) -> Bound:
    path = Path(address.path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with alone(path.parent):  # else of two gateways one might take the other's fresh socket for a stale one
            _make_way(path)
            with contextlib.suppress(OSError):  # other systems than Linux: until the next line but one, by the umask
                os.fchmod(listening.fileno(), mode)
            listening.bind(address.path)
            path.chmod(mode)  # what the umask took
            listening.listen(BACKLOG)
            file = _file(path)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return Bound(address, (listening,), file)


@contextlib.contextmanager
def make_way(path: Path, mode: int) -> Iterator[None]:
    """Have a UNIX socket bound here by other means, as if it were bound by `bind`. Raises OSError."""
    with alone(path.parent):
        _make_way(path)
        before = os.umask(0o777 & ~mode)
        try:
            yield
        finally:
            os.umask(before)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let no other gateway be at work in this folder meanwhile."""
    import fcntl  # there is none where there are no UNIX sockets either

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make_way(path: Path) -> None:
    """Remove a socket that nobody listens on. Raises OSError where anything else is there."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        failed = asking.connect_ex(str(path))
    if failed not in GONE:
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    path.unlink(missing_ok=True)


def _file(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino

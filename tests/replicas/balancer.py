"""A TCP balancer: each connection goes to the next backend that is ready. It splices bytes and knows no HTTP.

Rule    A backend that refuses a connection is passed over for the next one. Nothing is ever sent twice.
Rule    An end comes through as what it was: the end of one direction as that, a reset as a reset.
Rule    A backend is ready while its /readyz says 200. Where none is, all are tried.
"""

import asyncio
import contextlib
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from typing import Final, Self, cast

CHECK: Final = 0.1
"""Seconds between two looks at /readyz."""
CHECK_LIMIT: Final = 1.0
"""Seconds that it may take to answer."""
LINGER_NOT: Final = struct.pack("ii", 1, 0)


class Backend:
    """Where connections may go. `told` lists what /readyz has said, each change once; None: nothing."""

    def __init__(self, name: str, port: int, admin_port: int) -> None:
        self.name = name
        self.port = port
        self.admin_port = admin_port
        self.told: list[int | None] = []
        self.ready = True

    async def check(self) -> None:
        """Ask whether it is ready."""
        status = None
        with contextlib.suppress(OSError, TimeoutError, ValueError, IndexError):
            async with asyncio.timeout(CHECK_LIMIT):
                status = await _status(self.admin_port)
        if self.told[-1:] != [status]:
            self.told.append(status)
        self.ready = status == 200


async def _status(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class Pairing:
    """A client's connection, and the backend that it goes to, or is about to."""

    __slots__ = ("backend", "served")

    def __init__(self) -> None:
        self.backend: Backend | None = None
        self.served = False
        """Whether it got through to the backend."""


class Side(asyncio.Protocol):
    """One of the two connections that are spliced."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._other: Side | None = None
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.pause_reading()

    def join(self, other: "Side") -> None:
        """Let bytes flow. Both sides join."""
        self._other = other
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        assert self._other is not None
        self._other.transport.write(data)

    def eof_received(self) -> bool:
        """Hand the end of this direction on; the other one may go on."""
        assert self._other is not None
        self._ended = True
        if self._other._ended:
            self.transport.close()
            self._other.transport.close()
        elif not self._other.transport.is_closing():
            try:
                self._other.transport.write_eof()
            except OSError:  # it was reset, and that is not read yet
                self._other.reset()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._other is not None:
            self._other.reset()

    def pause_writing(self) -> None:
        if self._other is not None and not self._other.transport.is_closing():
            self._other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._other is not None and not self._other.transport.is_closing() and not self._other._ended:
            self._other.transport.resume_reading()

    def reset(self) -> None:
        """End both directions at once, visibly, unless they have an end already."""
        if not self.transport.is_closing():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            self.transport.abort()


class ClientSide(Side):
    """The connection that a client opened; the balancer looks for a backend for it."""

    def __init__(self, balancer: "Balancer") -> None:
        super().__init__()
        self._balancer = balancer
        self.pairing = Pairing()
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.port = int(transport.get_extra_info("peername")[1])
        self._balancer.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._balancer.closed(self)


class Balancer:
    """Balances until it is stopped. `backends` may be changed meanwhile; what is open stays where it is."""

    def __init__(self) -> None:
        self.backends: list[Backend] = []
        self.port = 0
        self.passed_over = 0
        """Times that a backend refused a connection, and another one was tried."""
        self._turn = itertools.count()
        self._open: dict[int, ClientSide] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        balancer = cls()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: ClientSide(balancer), "127.0.0.1", 0, backlog=1024)
        balancer.port = server.sockets[0].getsockname()[1]
        watch = asyncio.create_task(balancer._watch())
        try:
            yield balancer
        finally:
            watch.cancel()
            server.close()
            tasks = [watch, *balancer._tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for side in list(balancer._open.values()):
                side.reset()
            await asyncio.sleep(0)

    def pairing(self, port: int) -> Pairing | None:
        """Tell where the open connection goes that a client has from this port of its own."""
        side = self._open.get(port)
        return None if side is None else side.pairing

    def pairings(self, backend: Backend) -> set[Pairing]:
        """Tell which open connections go to a backend, or are about to."""
        return {side.pairing for side in self._open.values() if side.pairing.backend is backend}

    def opened(self, side: ClientSide) -> None:
        self._open[side.port] = side
        order = self._order()
        side.pairing.backend = next(order, None)
        task = asyncio.get_running_loop().create_task(self._connect(side, order))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def closed(self, side: ClientSide) -> None:
        if self._open.get(side.port) is side:
            del self._open[side.port]

    def _order(self) -> Iterator[Backend]:
        """Give the backends to try: those that are ready in turn, then, for want of better, the others."""
        first = next(self._turn)
        ready = [backend for backend in self.backends if backend.ready]
        others = [backend for backend in self.backends if not backend.ready]
        first %= len(ready) or 1
        return iter([*ready[first:], *ready[:first], *others])

    async def _connect(self, side: ClientSide, others: Iterator[Backend]) -> None:
        loop = asyncio.get_running_loop()
        while (backend := side.pairing.backend) is not None:
            try:
                _, beyond = await loop.create_connection(Side, "127.0.0.1", backend.port)
            except OSError:
                self.passed_over += 1
                backend.ready = False  # until it says so again
                side.pairing.backend = next(others, None)
            else:
                side.pairing.served = True
                side.join(beyond)
                beyond.join(side)
                return
        side.reset()

    async def _watch(self) -> None:
        while True:
            await asyncio.gather(*(backend.check() for backend in self.backends))
            await asyncio.sleep(CHECK)

"""The downstream side: opens the port, hands each request on, drains on stop."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from gateway.acceptor import Acceptor
from gateway.config.settings import Address, ListenerSettings, UnixSocket
from gateway.downstream.certificate import Certificate
from gateway.downstream.handshake import Handshakes
from gateway.downstream.server import ClientServer
from gateway.exchange import Downstream, Exchange
from gateway.front import Beside
from gateway.outgoing import Rounds
from gateway.shares import Share
from gateway.sockets import BACKLOG, Bound, bind, bind_ports, handed

LATE_COMERS: Final = 0.5
"""Seconds in which requests that were on their way when draining began are still answered."""
LAST_WORDS: Final = 0.1
"""Seconds in which connections that are shut may send what is written already."""


class Listener:
    """An open port, and the requests that come in by it. `handle` is given each; it answers now or later.

    It listens `beside` it as well, where that is given.
    """

    def __init__(
        self,
        handle: Callable[[Exchange], None],
        settings: ListenerSettings,
        downstream: Downstream,
        rounds: Rounds,
        log: FilteringBoundLogger,
        beside: Beside | None = None,
    ) -> None:
        self._settings = settings
        self._beside = beside
        self._log = log
        self._downstream = downstream
        self._loop = asyncio.get_running_loop()
        self._server = ClientServer(handle, downstream, settings, rounds, log)
        self._bound: list[Bound] = []
        self._certificates: list[Certificate] = []
        self._ports: list[asyncio.Server | Acceptor] = []
        self._following: list[asyncio.Task[None]] = []
        self._round = _round(settings)
        self._watch: asyncio.TimerHandle | None = None

    async def open(
        self, sockets: Sequence[socket.socket] | None = None, share: Share | None = None
    ) -> Address | UnixSocket:
        """Start to accept; give the address in force (port 0 picks a free one).

        `sockets` listen already, and belong to whoever bound them: they are served on and closed, and a UNIX socket's
        file stays. None: binds by the settings. Where other processes accept from them too, `share` is this one's part.
        Raises PortTaken, and CertificateUnusable.
        """
        settings, certificate = self._settings, None
        if settings.tls_certificate is not None and settings.tls_key is not None:
            certificate = Certificate(settings.tls_certificate, settings.tls_key, self._log)
        bound = handed(sockets) if sockets else await asyncio.to_thread(self._bind)
        await self._serve(bound, certificate, share)
        if share is not None:
            self._server.share = share
            share.tell(0)
        self._look_round()
        if self._beside is not None:
            await self._open_too(self._beside)
        return bound.address

    async def _open_too(self, beside: Beside) -> None:
        certificate = Certificate(beside.pair, beside.pair, self._log)
        bound = await asyncio.to_thread(bind_ports, beside.listen, None, beside.flag)
        await self._serve(bound, certificate)
        beside.address = Address(beside.listen[0].host, bound.sockets[0].getsockname()[1])

    async def _serve(self, bound: Bound, certificate: Certificate | None, share: Share | None = None) -> None:
        """Accept from these sockets from now on."""
        self._bound.append(bound)
        for each in bound.sockets:
            each.setblocking(False)
            self._ports.append(await self._port(each, certificate, share))
        if certificate is not None:
            self._certificates.append(certificate)
            self._following.append(self._loop.create_task(certificate.follow()))

    def _bind(self) -> Bound:
        settings = self._settings
        return bind(settings.listen, "listener.listen", "--listen", mode=settings.socket_mode)

    async def _port(
        self, listening: socket.socket, certificate: Certificate | None, share: Share | None
    ) -> asyncio.Server | Acceptor:
        if certificate is not None:
            return Acceptor(listening, Handshakes(self._server, certificate).begin, share)
        if share is not None:
            return Acceptor(listening, self._open, share)
        return await self._loop.create_server(self._server, sock=listening, backlog=BACKLOG)

    async def _open(self, client: socket.socket, _: object) -> None:
        """Serve a connection that was accepted, in plain HTTP."""
        with contextlib.suppress(OSError):  # it has left again
            await self._loop.connect_accepted_socket(self._server, client)

    def renew(self, handle: Callable[[Exchange], None], settings: ListenerSettings, log: FilteringBoundLogger) -> None:
        """Have requests that come from now on handled so, on connections that are open already, too."""
        self._server.renew(handle, settings, log)
        for certificate in self._certificates:
            certificate.renew(log)
        self._round = _round(settings)

    def _look_round(self) -> None:
        self._server.watch(self._loop.time())
        self._watch = self._loop.call_later(self._round, self._look_round)

    @property
    def active(self) -> int:
        """How many requests are in flight."""
        return sum(connection.busy for connection in self._server.connections)

    @property
    def accepts(self) -> bool:
        """Whether the port is open."""
        return bool(self._ports)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._server.connections)

    def close_port(self) -> None:
        """Accept no more connections. Those that are open go on as if nothing were."""
        self._server.share = None
        for following in self._following:
            following.cancel()
        for port in self._ports:
            port.close()
        self._ports = []

    async def drain(self, grace: float) -> int:
        """Stop accepting, finish what is in flight within `grace` seconds, then close every connection.

        Requests that come late on connections still open are answered, and told that the connection closes.
        Gives the number of requests that were cut off.
        """
        if not self._bound:
            return 0
        self._downstream.draining = True
        self.close_port()
        for bound in self._bound:
            bound.close()
        now = quiet_since = self._loop.time()
        end = now + grace
        server = self._server
        while now < end and (self.active or now < quiet_since + LATE_COMERS):
            await asyncio.sleep(0.02)  # before the first look, too: what was accepted last opens meanwhile
            if not (server.connections or server.handshakes):
                break
            now = self._loop.time()
            if self.active:
                quiet_since = now
        cut_off = self.active
        await self._shut()
        if self._watch is not None:
            self._watch.cancel()
        return cut_off

    async def _shut(self) -> None:
        """Close every connection, and see that none is left."""
        for shaking in list(self._server.handshakes):
            shaking.cancel()
        for connection in list(self._server.connections):
            connection.shut()
        end = self._loop.time() + LAST_WORDS
        while self._server.connections and self._loop.time() < end:  # noqa: ASYNC110 - it has an end in time too
            await asyncio.sleep(0.005)
        for connection in list(self._server.connections):
            connection.cut()
        await asyncio.sleep(0)


def _round(settings: ListenerSettings) -> float:
    """Limits in time are kept by looking round: give the seconds between two looks, enough for the shortest of them."""
    return min(settings.head_timeout, settings.body_timeout, settings.idle_timeout, 2.0) / 2

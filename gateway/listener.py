"""The downstream side: opens the port, makes each request an Exchange, drains on stop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from gateway.config.settings import Address, ListenerSettings
from gateway.downstream import ClientServer
from gateway.errors import PortTaken
from gateway.exchange import Downstream, Exchange

Handler: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse]]

LATE_COMERS: Final = 0.5
"""Seconds in which requests that were on their way when draining began are still answered."""


class Listener:
    """An open port, and the requests that come in by it."""

    def __init__(
        self, handler: Handler, settings: ListenerSettings, downstream: Downstream, log: FilteringBoundLogger
    ) -> None:
        self._handler = handler
        self._address = settings.listen
        self._downstream = downstream
        self._active = 0
        self._loop = asyncio.get_running_loop()
        self._server = ClientServer(self._handle, settings, log)
        self._port: asyncio.Server | None = None
        # The limits in time are kept by looking round, often enough for the shortest of them.
        self._round = min(settings.head_timeout, settings.body_timeout, 2.0) / 2
        self._watch: asyncio.TimerHandle | None = None

    async def open(self) -> Address:
        """Start to accept; give the address in force (port 0 picks a free one). Raises PortTaken."""
        address = self._address
        try:
            self._port = await self._loop.create_server(
                self._server, address.host, address.port, backlog=1024, reuse_address=True
            )
        except OSError as error:
            raise PortTaken("listener.listen", "--listen", str(address), error) from None
        self._look_round()
        return Address(address.host, self._port.sockets[0].getsockname()[1])

    def _look_round(self) -> None:
        self._server.watch(self._loop.time())
        self._watch = self._loop.call_later(self._round, self._look_round)

    @property
    def active(self) -> int:
        """How many requests are in flight."""
        return self._active

    async def drain(self, grace: float) -> int:
        """Stop accepting, finish what is in flight within `grace` seconds, then close every connection.

        Requests that come late on connections still open are answered, and told that the connection closes.
        Gives the number of requests that were cut off.
        """
        if self._port is None:
            return 0
        self._downstream.draining = True
        self._port.close()
        now = quiet_since = self._loop.time()
        end = now + grace
        while self._server.connections and now < end and (self._active or now < quiet_since + LATE_COMERS):
            await asyncio.sleep(0.02)
            now = self._loop.time()
            if self._active:
                quiet_since = now
        cut_off = self._active
        await self._server.shutdown(timeout=0.1)
        if self._watch is not None:
            self._watch.cancel()
        return cut_off

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._active += 1
        try:
            return await self._handler(Exchange(request, self._downstream))
        finally:
            self._active -= 1

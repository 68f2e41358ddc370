"""The downstream side: opens the port, makes each request an Exchange, drains on stop.

aiohttp's low-level server does the parsing, keep-alive and flow control. Two things are ours to add: errors of its
parser are answered in Close's shape, and a body that turns out to be framed wrongly ends the request that waits for it.
"""

import asyncio
import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

from aiohttp import web
from aiohttp.http import RawRequestMessage
from structlog.typing import FilteringBoundLogger

from gateway.answer import reset
from gateway.config.settings import Address
from gateway.errors import GatewayError, PortTaken
from gateway.exchange import Downstream, Exchange
from gateway.forwarder import Forwarder
from gateway.interceptor import Interceptor
from gateway.router import PassThrough, route
from gateway.wire.error import gateway_error

Handler: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse]]

KEEP_ALIVE: Final = 75.0
"""Seconds that a client's connection may be unused."""
LATE_COMERS: Final = 0.5
"""Seconds in which requests that were on their way when draining began are still answered."""


class MethodRefused(GatewayError):
    """RFC 9110, 9.3.6: CONNECT asks for a tunnel, and this is no proxy of that kind."""

    code: ClassVar[str] = "method_refused"
    status: ClassVar[int] = 405


class InternalError(GatewayError):
    """A fault of the gateway itself."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500


class RequestMalformed(GatewayError):
    """What came is no HTTP request, or one beyond the limits."""

    code: ClassVar[str] = "request_malformed"
    status: ClassVar[int] = 400


class Dispatcher:
    """Sends each exchange its way. `interceptor` is None where nothing is to be looked into (mode off)."""

    def __init__(self, forwarder: Forwarder, interceptor: Interceptor | None, log: FilteringBoundLogger) -> None:
        self._forwarder = forwarder
        self._interceptor = interceptor
        self._log = log

    async def dispatch(self, exchange: Exchange) -> web.StreamResponse:
        """Answer the request, whatever happens. Raises only where its client has left."""
        try:
            what = route(exchange.method, exchange.target, exchange.request.headers.get("X-HTTP-Method-Override"))
            if self._interceptor is not None and not isinstance(what, PassThrough):
                return await self._interceptor.intercept(exchange, what)
            if exchange.method == "CONNECT":
                return _answer(exchange, MethodRefused("The gateway opens no tunnels."))
            return await self._forwarder.forward(exchange)
        except (ConnectionError, asyncio.CancelledError):
            raise  # the client has left
        except Exception as fault:
            self._log_fault(exchange, fault)
            if exchange.request.writer.output_size:
                reset(exchange.request)  # the answer has begun, and must not look complete
                raise ConnectionAbortedError from fault
            return _answer(exchange, InternalError("The gateway has failed."))

    def _log_fault(self, exchange: Exchange, fault: Exception) -> None:
        """Tell what failed and where. Not the fault's text: it may quote the request."""
        frames = traceback.extract_tb(fault.__traceback__)[-6:]
        self._log.error(
            "internal_error",
            request_id=exchange.id,
            method=exchange.method,
            path=exchange.path,
            error=type(fault).__name__,
            at=[f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
        )


def _answer(exchange: Exchange, error: GatewayError) -> web.StreamResponse:
    """Answer what should not have come; what may follow it on the connection is not worth guessing."""
    return gateway_error(error, exchange.id).send(exchange.request, keep_alive=False)


class _Faults(logging.Handler):
    """Brings what aiohttp's server logs into the gateway's log, without the texts that may quote a request."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fault = record.exc_info[0] if record.exc_info else None
        self._log.error("server_fault", error=fault.__name__ if fault else None, at=f"{record.module}:{record.lineno}")


def _server_logger(log: FilteringBoundLogger) -> logging.Logger:
    logger = logging.Logger("gateway.listener")  # noqa: LOG001 - of this listener alone, in no hierarchy
    logger.addHandler(_Faults(log))
    return logger


class _Connection(web.RequestHandler):
    """A client's connection, as aiohttp handles it."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """Parse what came.

        Where a body turns out to be framed wrongly, aiohttp queues the error behind the request whose body it is and
        tells nobody who waits for the rest of it. Here that body ends with an error. And of what comes in one piece
        with the end of a request to upgrade, aiohttp's parser loses what follows it, and would take what comes next
        for the beginning of a request. So such a request is the last one of its connection.
        """
        super().data_received(data)
        if not self._messages:
            return
        last, payload = self._messages[-1]
        if isinstance(last, RawRequestMessage):
            if last.upgrade and not self._upgraded:
                self._messages[-1] = (last._replace(should_close=True), payload)
            return
        if len(self._messages) > 1:
            body = self._messages[-2][1]
        elif self._current_request is not None:
            body = self._current_request.content
        else:
            return
        if not body.is_eof():
            body.set_exception(web.RequestPayloadError())
            body.feed_eof()  # or aiohttp would wait for the rest itself, after the answer

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request. aiohttp's own text would quote what the client sent."""
        malformed = RequestMalformed("This is not a valid HTTP request, or it goes beyond the gateway's limits.")
        return gateway_error(malformed, secrets.token_hex(16)).send(request, keep_alive=False)


class _Server(web.Server):
    """aiohttp's low-level server over connections of ours."""

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Listener:
    """An open port, and the requests that come in by it."""

    def __init__(self, handler: Handler, downstream: Downstream, log: FilteringBoundLogger) -> None:
        self._handler = handler
        self._downstream = downstream
        self._active = 0
        self._time = asyncio.get_running_loop().time
        self._server = _Server(
            self._handle,
            handler_cancellation=True,
            auto_decompress=False,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE,
            tcp_keepalive=True,
            logger=_server_logger(log),
        )
        self._port: asyncio.Server | None = None

    async def open(self, address: Address) -> Address:
        """Start to accept; give the address in force (port 0 picks a free one). Raises PortTaken."""
        try:
            self._port = await asyncio.get_running_loop().create_server(
                self._server, address.host, address.port, backlog=1024, reuse_address=True
            )
        except OSError as error:
            raise PortTaken("listener.listen", "--listen", str(address), error) from None
        return Address(address.host, self._port.sockets[0].getsockname()[1])

    async def drain(self, grace: float) -> None:
        """Stop accepting, finish what is in flight within `grace` seconds, then close every connection.

        Requests that come late on connections still open are answered, and told that the connection closes.
        """
        if self._port is None:
            return
        self._downstream.draining = True
        self._port.close()
        now = quiet_since = self._time()
        end = now + grace
        while self._server.connections and now < end and (self._active or now < quiet_since + LATE_COMERS):
            await asyncio.sleep(0.02)
            now = self._time()
            if self._active:
                quiet_since = now
        await self._server.shutdown(timeout=0.1)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._active += 1
        try:
            return await self._handler(Exchange(request, self._downstream))
        finally:
            self._active -= 1

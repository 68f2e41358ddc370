"""A client's connection: aiohttp's, and what one client may cost.

aiohttp parses, keeps alive and controls the flow. Ours to add are limits in time, answers in Close's shape to what is
no request, and an end to bodies that turn out to be framed wrongly. A client that closes its half is taken to have
left, as most proxies take it: the exchange ends, and its connection to Close with it.

Limits  A target too long is 414, header fields too long or too many 431, a head or a body that does not come on 408,
        one connection more than there may be 502: Close's client sends a POST again on 503 and 429. A client that
        does not take its answer is cut off.
Source  RFC 9110, 15.5.9 and 15.5.15; RFC 6585, 5; RFC 9112, 9.5 and 9.6.
"""

import asyncio
import logging
import secrets
from typing import Any, ClassVar, Final

from aiohttp import StreamReader, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import LineTooLong
from structlog.typing import FilteringBoundLogger

from gateway.answer import Stamp
from gateway.config.settings import ListenerSettings
from gateway.errors import GatewayError
from gateway.wire.error import gateway_error

END_OF_CHUNKS: Final = b"\n0\r\n\r\n"  # RFC 9112, 7.1, where no trailers follow
TOO_MANY_HEADERS: Final = "Too many headers received"  # aiohttp's words: it has no error of its own for that


class RequestMalformed(GatewayError):
    """What came is no HTTP request."""

    code: ClassVar[str] = "request_malformed"
    status: ClassVar[int] = 400


class TargetTooLong(GatewayError):
    """The request target is longer than `listener.max_target`."""

    code: ClassVar[str] = "target_too_long"
    status: ClassVar[int] = 414


class HeadTooLarge(GatewayError):
    """A header field is longer than `listener.max_header`, or there are more than `listener.max_headers`."""

    code: ClassVar[str] = "head_too_large"
    status: ClassVar[int] = 431


class RequestTimedOut(GatewayError):
    """The rest of a request did not come in time: `listener.head_timeout`, `listener.body_timeout`."""

    code: ClassVar[str] = "request_timed_out"
    status: ClassVar[int] = 408


class AnswerNotTaken(GatewayError):
    """A client has taken nothing of its answer for `listener.body_timeout`."""

    code: ClassVar[str] = "answer_not_taken"
    status: ClassVar[int] = 408


class GatewayFull(GatewayError):
    """All connections that `listener.max_connections` allows are open."""

    code: ClassVar[str] = "gateway_full"
    status: ClassVar[int] = 502


class ClientConnection(web.RequestHandler):
    """One connection of a client. `watch` has to be called now and then: the limits in time are kept by it."""

    __slots__ = ("_chunked", "_end", "_head_since", "_heard", "_limits", "_log", "_taken", "_unsent")

    def __init__(self, server: web.Server, limits: ListenerSettings, log: FilteringBoundLogger, **options: Any) -> None:
        super().__init__(server, **options)
        self._limits = limits
        self._log = log
        self._heard = 0.0  # when bytes came last
        self._chunked: StreamReader | None = None  # the body of a chunked request that is still coming
        self._end = b""  # the last bytes of it so far
        self._unsent = 0  # bytes of answers that the client has not taken yet
        self._taken = 0.0  # when it took some last
        self._head_since: float | None = None  # when the head began of which a part has come

    @property
    def _waiting(self) -> bool:
        """Whether all requests that have come are answered."""
        return self._waiter is not None and not self._waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._manager is not None and len(self._manager.connections) > self._limits.max_connections:
            self._refuse(GatewayFull("The gateway has as many connections open as it may. Try again."))

    def data_received(self, data: bytes) -> None:
        """Parse what came, and mend what aiohttp's parser makes of it."""
        self._heard = self._loop.time()
        super().data_received(data)
        messages = self._messages
        if messages:
            self._head_since = None
            self._look_at(*messages[-1])
            if len(messages) > 1:
                self._find_chunked()
        elif self._head_since is None and self._waiting:
            self._head_since = self._heard
        if self._chunked is not None:
            self._end_chunked(self._chunked, data)

    def _look_at(self, message: Any, body: StreamReader) -> None:
        """See what the last message that came is.

        Where a body turns out to be framed wrongly, aiohttp queues the error behind the request whose body it is and
        tells nobody who waits for the rest of it. Here that body ends with an error. And of what comes in one piece
        with the end of a request to upgrade, aiohttp's parser loses what follows it, and would take what comes next
        for the beginning of a request. So such a request is the last one of its connection.
        """
        if isinstance(message, RawRequestMessage):
            if message.chunked:
                self._chunked, self._end = body, b""
            if message.upgrade and not self._upgraded:
                self._make_last(body)
        elif len(self._messages) > 1:
            self._break_body(self._messages[-2][1], web.RequestPayloadError())
        elif self._current_request is not None:
            self._break_body(self._current_request.content, web.RequestPayloadError())

    def _find_chunked(self) -> None:
        """Of requests that came in one piece, one before the last may be chunked too."""
        for message, body in list(self._messages)[:-1]:
            if isinstance(message, RawRequestMessage) and message.chunked:
                self._make_last(body)
                return

    def _end_chunked(self, body: StreamReader, data: bytes) -> None:
        """Let no trailer become a field of the next request.

        That is what aiohttp's parser makes of the last one. A chunked request without trailers ends in these six
        bytes, and a trailer cannot; any other is the last of its connection, and so is one with a request behind it
        in the same piece.
        """
        self._end = (self._end + data)[-len(END_OF_CHUNKS) :]
        if not body.is_eof():
            return
        self._chunked = None
        followed = bool(self._messages) and self._messages[-1][1] is not body
        if followed or self._end != END_OF_CHUNKS:
            self._make_last(body)

    def _make_last(self, body: StreamReader) -> None:
        """Close the connection after the request with this body; what stands behind it is not served."""
        request = self._current_request
        if request is not None and request.content is body:
            request._message = request._message._replace(should_close=True)  # noqa: SLF001 - aiohttp has no other way
            self._messages.clear()
            return
        for at, (message, its_body) in enumerate(self._messages):
            if its_body is body and isinstance(message, RawRequestMessage):
                self._messages[at] = (message._replace(should_close=True), body)
                while len(self._messages) > at + 1:
                    self._messages.pop()
                return

    def watch(self, now: float) -> None:
        """End what takes too long. `now` is in seconds of the event loop's clock."""
        if self.transport is None:
            return
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._taken = unsent, now
        elif now - self._taken > self._limits.body_timeout:
            # It holds a connection to Close, and takes nothing of what came over it.
            self._told(AnswerNotTaken("The client does not take its answer."), "client_stalled")
            self.transport.abort()
            return
        if self._waiting:
            if self._head_since is not None and now - self._head_since > self._limits.head_timeout:
                self._refuse(RequestTimedOut("The head of the request did not come in time."))
        elif (request := self._current_request) is not None and self._overdue(request, now):
            self._break_body(request.content, RequestTimedOut("The rest of the request's body did not come in time."))

    def _overdue(self, request: web.BaseRequest, now: float) -> bool:
        """Whether it is the client that keeps a body waiting, and nothing has been answered yet."""
        by_client = not self._reading_paused and not request.writer.output_size
        return by_client and now - self._heard > self._limits.body_timeout

    @staticmethod
    def _break_body(body: Any, error: Exception) -> None:
        """Let whoever waits for the rest of a body know that it does not come."""
        if not body.is_eof():
            body.set_exception(error)
            body.feed_eof()  # or aiohttp would wait for the rest itself, after the answer

    def _refuse(self, error: GatewayError) -> None:
        """Answer without a request, and close."""
        if self.transport is not None and not self.transport.is_closing():
            request_id = self._told(error)
            answer = gateway_error(error, request_id)
            self.transport.write(answer.message(Stamp(request_id).lines, keep_alive=False))
        self.force_close()

    def _told(self, error: GatewayError, event: str = "request_refused") -> str:
        """Log what ends here, and give the id that it has there."""
        request_id = secrets.token_hex(16)
        peer = self.peername
        client = str(peer[0]) if isinstance(peer, tuple) else "unix"
        self._log.warning(event, request_id=request_id, code=error.code, client=client)
        return request_id

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request. aiohttp's own text would quote what the client sent."""
        error = self._meaning(exc)
        request_id = self._told(error)
        return gateway_error(error, request_id).send(request, Stamp(request_id).lines, keep_alive=False)

    def _meaning(self, error: BaseException | None) -> GatewayError:
        if isinstance(error, LineTooLong):
            if error.args[1] == self._limits.max_target:
                return TargetTooLong(f"The request target is longer than {self._limits.max_target} bytes.")
            return HeadTooLarge(f"A header field is longer than {self._limits.max_header} bytes.")
        if getattr(error, "message", "") == TOO_MANY_HEADERS:
            return HeadTooLarge(f"There are more than {self._limits.max_headers} header fields.")
        return RequestMalformed("This is not a valid HTTP request.")


class ClientServer(web.Server):
    """aiohttp's low-level server over connections of ours."""

    def __init__(self, handler: Any, limits: ListenerSettings, log: FilteringBoundLogger) -> None:
        super().__init__(handler, handler_cancellation=True)
        self._limits = limits
        self._log = log
        self._options = {
            "loop": asyncio.get_running_loop(),
            "auto_decompress": False,
            "access_log": None,
            "keepalive_timeout": limits.idle_timeout,
            "max_line_size": limits.max_target,
            # aiohttp tells only the limit that was passed, so the two have to differ.
            "max_field_size": limits.max_header + (limits.max_header == limits.max_target),
            "max_headers": limits.max_headers,
            "logger": _server_logger(log),
        }

    def __call__(self) -> web.RequestHandler:
        return ClientConnection(self, self._limits, self._log, **self._options)

    def watch(self, now: float) -> None:
        """Keep the limits in time on every connection."""
        for connection in self.connections:
            if isinstance(connection, ClientConnection):
                connection.watch(now)


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

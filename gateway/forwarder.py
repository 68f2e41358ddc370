"""The common way: bytes up, bytes down, as they came.

Rule    Nothing is sent twice that could do harm twice: only an idempotent request that the gateway still holds whole
        is tried again, once, and only where a connection from the pool broke before any byte of an answer.
        Once an answer has begun, a failure is shown by breaking it off, never by ending it early.
Source  RFC 9110, 9.2.2; RFC 9112, 9.3.1 and 8.
"""

import asyncio
import functools
from collections.abc import Callable, Collection
from typing import ClassVar, Final, NamedTuple

from aiohttp import HttpVersion11, StreamReader, hdrs, web
from structlog.typing import FilteringBoundLogger

from gateway.answer import RelayedAnswer, Stamp, chunk, sent, write_interim
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.upstream.connection import AnswerHead, UpstreamConnection
from gateway.upstream.errors import UpstreamBroken, UpstreamError
from gateway.upstream.head import FRAMING, Fields, Framing, answer_fields, request_head
from gateway.upstream.pool import Pool
from gateway.wire.error import gateway_error

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
NO_CONTENT: Final = 204
UNAUTHORIZED: Final = 401
# Of X-Forwarded-For each hop adds its own; of these a reader takes the first, which would be the client's word for it.
REPLACED: Final = frozenset({b"x-forwarded-host", b"x-forwarded-proto"})
OURS: Final = frozenset({b"x-request-id", b"x-close-gateway"})
"""Fields of an answer in whose place the gateway puts its own."""


class RequestBroken(GatewayError):
    """The client's request ends early or is framed wrongly."""

    code = "request_broken"
    status: ClassVar[int] = 400


class Forwarder:
    """Sends requests to the upstream and its answers back.

    `on_unauthorized` is told of each exchange that the upstream answers with 401.
    """

    def __init__(
        self,
        pool: Pool,
        log: FilteringBoundLogger,
        *,
        forwarded: bool,
        on_unauthorized: Callable[[Exchange], None],
    ) -> None:
        self._pool = pool
        self._host = pool.origin.authority
        self._log = log
        self._forwarded = forwarded
        self._on_unauthorized = on_unauthorized

    async def forward(
        self,
        exchange: Exchange,
        *,
        body: bytes | None = None,
        begun: bytes = b"",
        without: Collection[bytes] = (),
        stamp: Stamp | None = None,
    ) -> web.StreamResponse:
        """Forward the request and relay the answer, or answer in its place where that fails.

        `body` is the whole body, where the gateway holds it; else it streams, and `begun` is what was read of it.
        `without` names request fields (in small letters) to leave out. `stamp` goes onto the answer.
        """
        try:
            outgoing = self._outgoing(exchange, body, begun, without)
            return await self._retried(exchange, outgoing, b"" if stamp is None else stamp.lines)
        except GatewayError as error:
            self._log_failure(exchange, error)
            # Where the request itself is at fault, what follows it on the connection is not worth guessing.
            keep_alive = exchange.keep_alive and isinstance(error, UpstreamError)
            answer = gateway_error(error, exchange.id)
            stamp = Stamp(exchange.id) if stamp is None else stamp.failed(error.code)
            return answer.send(exchange.request, stamp.lines, keep_alive=keep_alive)

    def _outgoing(
        self, exchange: Exchange, body: bytes | None, begun: bytes, without: Collection[bytes]
    ) -> "_Outgoing":
        request = exchange.request
        chunked = hdrs.TRANSFER_ENCODING in request.headers  # and nothing but chunked: the exchange is checked
        if self._forwarded:
            without = {*without, *REPLACED}
        head = request_head(
            exchange.method.encode(),
            exchange.target.encode("utf-8", "surrogateescape"),
            request.raw_headers,
            self._host,
            length=None if body is None else len(body),
            without=without,
            extra=_forwarded_lines(exchange) if self._forwarded else b"",
        )
        if body is not None:
            return _Outgoing(head + body)
        content = request.content
        if content.is_eof() and not begun and not chunked:
            return _Outgoing(head + _read_now(content))
        piece = begun + _read_now(content)
        ended = content.at_eof()
        if not chunked:
            return _Outgoing(head + piece, rest=None if ended else content)
        return _Outgoing(head + chunk(piece, last=ended), rest=None if ended else content, chunked=True)

    async def _retried(self, exchange: Exchange, outgoing: "_Outgoing", stamp: bytes) -> web.StreamResponse:
        connection = self._pool.take() or await self._pool.connect()
        try:
            return await self._exchanged(exchange, outgoing, connection, stamp)
        except UpstreamBroken:
            if not connection.stale or outgoing.rest is not None or exchange.method not in IDEMPOTENT:
                raise
        # Others in the pool may be as old: this time a connection of its own.
        return await self._exchanged(exchange, outgoing, await self._pool.connect(fresh=True), stamp)

    async def _exchanged(
        self, exchange: Exchange, outgoing: "_Outgoing", connection: UpstreamConnection, stamp: bytes
    ) -> web.StreamResponse:
        request = exchange.request
        if request.version >= HttpVersion11:
            connection.on_interim = functools.partial(_relay_interim, request)
        connection.begin(bodiless=exchange.method == "HEAD")
        connection.send(outgoing.data)
        upload = None
        if outgoing.rest is not None:
            upload = asyncio.create_task(_upload(outgoing.rest, connection, chunked=outgoing.chunked))
        try:
            head = await connection.head()
            if head.status == UNAUTHORIZED:
                self._on_unauthorized(exchange)
            return await self._relay(exchange, connection, head, stamp, uploaded=upload is None or upload.done())
        finally:
            if upload is not None and not upload.done():
                upload.cancel()
                connection.abort()  # the request is not complete, so nothing may follow it
            self._pool.give_back(connection)

    async def _relay(
        self, exchange: Exchange, connection: UpstreamConnection, head: AnswerHead, stamp: bytes, *, uploaded: bool
    ) -> web.StreamResponse:
        came = _unframed(head.fields) if head.status == NO_CONTENT else head.fields
        fields = answer_fields(came, OURS if stamp else ())
        answer = RelayedAnswer(exchange.request, keep_alive=exchange.keep_alive and uploaded)
        piece, end = connection.take(), connection.complete
        answer.begin(
            head.status,
            head.reason,
            fields.lines + stamp,
            has_length=fields.framing is Framing.LENGTH,
            piece=piece,
            end=end,
        )
        try:
            while not end:
                piece = await connection.read()
                end = connection.complete
                await answer.go_on(piece, end=end)
        except GatewayError as error:
            self._log_failure(exchange, error)
            answer.break_off()
        return sent(keep_alive=answer.keep_alive)

    def _log_failure(self, exchange: Exchange, error: GatewayError) -> None:
        event = "upstream_failed" if isinstance(error, UpstreamError) else "request_broken"
        self._log.warning(event, code=error.code, reason=str(error), **exchange.facts())


class _Outgoing(NamedTuple):
    """A request as it goes up: what can be sent at once, and the stream that the rest comes from."""

    data: bytes
    rest: StreamReader | None = None
    chunked: bool = False


async def _upload(content: StreamReader, connection: UpstreamConnection, *, chunked: bool) -> None:
    """Send the body on as it comes in, no faster than the upstream takes it."""
    try:
        while piece := await content.readany():
            connection.send(chunk(piece) if chunked else piece)
            await connection.drain()
    except GatewayError as error:
        connection.fail(error)
    except (web.RequestPayloadError, OSError):
        connection.fail(RequestBroken("The request's body ends early or is framed wrongly."))
    else:
        if chunked:
            connection.send(chunk(b"", last=True))


def _read_now(content: StreamReader) -> bytes:
    try:
        return content.read_nowait()
    except (web.RequestPayloadError, ConnectionError):
        raise RequestBroken("The request's body ends early or is framed wrongly.") from None


def _relay_interim(request: web.BaseRequest, head: AnswerHead) -> None:
    """RFC 9110, 15.2: a proxy forwards 1xx answers; to HTTP/1.0 clients there are none."""
    write_interim(
        request, b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, answer_fields(_unframed(head.fields)).lines)
    )


def _unframed(fields: Fields) -> Fields:
    """RFC 9110, 8.6 and RFC 9112, 6.1: in 1xx and 204 there is no body, and nothing may tell of one."""
    return [(name, value) for name, value in fields if name.lower() not in FRAMING]


def _forwarded_lines(exchange: Exchange) -> bytes:
    lines = f"X-Forwarded-For: {exchange.client}\r\nX-Forwarded-Proto: {exchange.request.scheme}\r\n"
    if (host := exchange.host) is not None:
        lines += f"X-Forwarded-Host: {host}\r\n"
    return lines.encode("utf-8", "surrogateescape")

"""Bytes of a client's connection in, exchanges with their bodies out.

Rule    Requests come out in their order. What is no request ends the reading for good: nothing behind it is guessed
        at, and what came whole before it is still a request. Trailers and chunk extensions end here.
Source  RFC 9112, parsed by llhttp, strictly; RFC 9110, 6.5.1 and 7.8.
Limit   On the target, on a field, on the number of fields, and on any part of a message that does not end.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

import httptools

from gateway.body import RequestBody, RequestBroken
from gateway.config.settings import ListenerSettings
from gateway.downstream.errors import RequestMalformed, TargetTooLong
from gateway.downstream.head import check, check_size, field_too_long
from gateway.errors import GatewayError
from gateway.exchange import Exchange, Fields

if TYPE_CHECKING:
    from httptools.parser.parser import HttpRequestParser

SAME_FRAMING: Final = b"POST / HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n"

AROUND_A_FIELD: Final = 64
"""Bytes beside its name and value: the rest of the line before it, the colon, blanks, the end of its line."""


class Maker(Protocol):
    """Makes the exchange of a request on this connection."""

    def __call__(
        self, method: str, target: str, fields: Fields, *, http11: bool, wants_keep_alive: bool
    ) -> Exchange: ...


class RequestReader:
    """Reads the requests of one connection. `on_taken` is called when some of a body that waited was taken.

    `arrived` holds the exchanges whose heads are complete, in their order, for the connection to take out.
    `arriving` is the one whose body is not complete yet, be it in `arrived` still or taken out.
    `refused` is what ended the reading, with the exchange where its head could be read.
    """

    __slots__ = (
        "_advanced",
        "_fields",
        "_known",
        "_large",
        "_make",
        "_on_taken",
        "_parser",
        "_refusal",
        "_target",
        "_unfinished",
        "_upgrade",
        "arrived",
        "arriving",
        "limits",
        "over",
        "refused",
    )

    def __init__(self, make: Maker, on_taken: Callable[[], None], limits: ListenerSettings) -> None:
        self._make = make
        self._on_taken = on_taken
        self.limits = limits
        self._parser: HttpRequestParser = httptools.HttpRequestParser(self)
        self._target = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._large = False  # whether a field of what is read could be too long
        self._advanced = False  # whether the bytes fed last brought a head, a body or the end of one on
        self._unfinished = 0  # bytes since anything was brought on
        self._upgrade = False
        self._known = False  # the head that is parsed is known already
        self._refusal: tuple[GatewayError, Exchange | None] | None = None
        self.arrived: deque[Exchange] = deque()
        self.arriving: Exchange | None = None
        self.over = False
        self.refused: tuple[GatewayError, Exchange | None] | None = None

    @property
    def midway(self) -> bool:
        """Whether a part of a head has come."""
        return bool(self._target)

    def feed(self, data: bytes) -> None:
        """Read what came."""
        fields = len(self._fields)
        self._large = len(data) > self.limits.max_header or self._target != b""  # it began with earlier bytes
        self._advanced = False
        rest: bytes | memoryview = data
        while not self.over:
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = memoryview(rest)[upgrade.args[0] :]
                self._pass_over_upgrade()
            except httptools.HttpParserError:
                self._stop(*(self._refusal or (RequestMalformed(), None)))
            else:
                break
        if self._advanced or len(self._fields) != fields:
            self._unfinished = 0
        else:
            self._unfinished += len(data)
        if self._fields or self._unfinished:
            self._limit_unfinished()

    def _limit_unfinished(self) -> None:
        """Bound what waits for the rest of a head, of trailers, or of whatever else does not end."""
        if self.over:
            return
        try:
            check_size(self._fields, self.limits)
            if self._unfinished > self.limits.max_header + AROUND_A_FIELD:
                raise field_too_long(self.limits)
        except GatewayError as error:
            self._stop(error, None)

    def _stop(self, error: GatewayError, exchange: Exchange | None) -> None:
        """Read no more. A request whose body is not complete is broken by it, or gone where nobody has begun it."""
        self.over = True
        incomplete, self.arriving = self.arriving, None
        if incomplete is None:
            self.refused = (error, exchange)
        elif self.arrived and self.arrived[-1] is incomplete:
            self.arrived.pop()
            self.refused = (error, incomplete)
        else:
            incomplete.body.fail(RequestBroken())

    def _pass_over_upgrade(self) -> None:
        """RFC 9110, 7.8: who does not take part in an upgrade answers the request as if it had not been asked for.

        The parser takes a request to upgrade for one without a body. A fresh one is told of the body.
        """
        exchange = self.arriving
        self._upgrade = False
        self._parser = httptools.HttpRequestParser(self)
        if exchange is None or exchange.method == "CONNECT":
            self.over = True  # what follows CONNECT is meant for a tunnel
        elif exchange.chunked or exchange.length:
            framing = b"Transfer-Encoding: chunked" if exchange.chunked else b"Content-Length: %d" % exchange.length
            self._known = True
            self._parser.feed_data(SAME_FRAMING % framing)
            self._known = False
        else:
            self.arriving = None

    # -- the parser's side: httptools calls these from feed_data --

    def on_url(self, part: bytes) -> None:
        self._advanced = True  # it has a limit of its own
        self._target += part
        if len(self._target) > self.limits.max_target:
            self._fail(TargetTooLong(f"The request target is longer than {self.limits.max_target} bytes."))

    def on_header(self, name: bytes, value: bytes | None) -> None:
        # RFC 9110, 5.5: blanks around a value are not part of it. Those before it, the parser takes off.
        self._fields.append((name, value.rstrip(b" \t") if value else b""))

    def on_headers_complete(self) -> None:
        self._advanced = True
        target, fields = self._target, self._fields
        self._target, self._fields = b"", []
        if self._known:
            return
        parser = self._parser
        version = parser.get_http_version()
        exchange = self._make(
            parser.get_method().decode(),
            target.decode("latin-1"),
            fields,
            http11=version == "1.1",
            wants_keep_alive=parser.should_keep_alive(),
        )
        try:
            if self._large or len(fields) > self.limits.max_headers:
                check_size(fields, self.limits)
            check(exchange, version)
        except GatewayError as error:
            self._fail(error, exchange)
        if exchange.chunked or exchange.length:
            exchange.body = RequestBody(self._on_taken)
        self._upgrade = parser.should_upgrade()
        self.arriving = exchange
        self.arrived.append(exchange)

    def on_body(self, piece: bytes) -> None:
        self._advanced = True
        if self.arriving is not None:
            self.arriving.body.feed(piece)

    def on_message_complete(self) -> None:
        if self._upgrade or self.arriving is None:
            return
        self._advanced = True
        if self._fields:  # trailers
            self._fields = []
            # One of them may have said that the connection ends. None says that it goes on after all.
            self.arriving.wants_keep_alive &= self._parser.should_keep_alive()
        self.arriving.body.end()
        self.arriving = None

    def _fail(self, error: GatewayError, exchange: Exchange | None = None) -> NoReturn:
        """End the parsing: what is raised here, httptools turns into an error of the parser's."""
        self._refusal = (error, exchange)
        raise error

"""One connection to Close: a request goes in, the answer comes out.

Rule    One exchange at a time. Whatever arrives when no answer is due makes the connection unfit for another
        exchange, or it would be taken for the next one's answer.
Source  RFC 9112, 9.2 and 9.3. Answers are parsed by llhttp, strictly.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import httptools

from gateway.errors import GatewayError
from gateway.upstream.errors import UpstreamBroken, UpstreamTimedOut
from gateway.upstream.head import Fields

if TYPE_CHECKING:
    from httptools.parser.parser import HttpResponseParser

HIGH_WATER: Final = 256 * 1024
"""Bytes of an answer held for a slow client before the upstream is made to wait."""
MAX_HEAD: Final = 256 * 1024
"""Bytes that may come before an answer's head is complete."""
SWITCHING_PROTOCOLS: Final = 101
FIRST_STATUS: Final = 100
FIRST_FINAL_STATUS: Final = 200
NO_TEXT: Final = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")


@dataclass(slots=True)
class AnswerHead:
    """Status line and fields of an answer, as they came."""

    status: int = 0
    reason: bytes = b""
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)


class Keeper(Protocol):
    """Who owns connections and has to know when one is gone."""

    def lost(self, connection: "UpstreamConnection") -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """A connection to the upstream, lent out by the pool for one exchange after the other.

    The borrower calls `begin`, then `send` (and `drain`), then awaits `head` and `read`s until b"". Each of the
    waiting calls raises a GatewayError where the upstream fails, and `fail` makes them raise on purpose.
    """

    __slots__ = (
        "_arriving",
        "_bodiless",
        "_chunks",
        "_current",
        "_deadline",
        "_drained",
        "_error",
        "_held",
        "_keep_alive",
        "_keeper",
        "_loop",
        "_parser",
        "_paused",
        "_seen",
        "_spoiled",
        "_timeout",
        "_timer",
        "_transport",
        "_waiter",
        "complete",
        "connected",
        "idle_since",
        "on_interim",
        "uses",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, keeper: Keeper, timeout: float) -> None:
        self._loop = loop
        self._keeper = keeper
        self._timeout = timeout
        self._transport: asyncio.Transport | None = None
        self.connected = False
        self._parser: HttpResponseParser = httptools.HttpResponseParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._paused = False
        self._spoiled = False
        self._keep_alive = True
        self._bodiless = False
        self._arriving = AnswerHead()
        self._current: AnswerHead | None = None
        self._chunks: list[bytes] = []
        self._held = 0
        self._seen = 0
        self._error: GatewayError | None = None
        self.complete = True
        self.on_interim: Callable[[AnswerHead], None] | None = None
        self.idle_since = 0.0
        self.uses = 0

    # -- the borrower's side --

    @property
    def stale(self) -> bool:
        """Whether a failure now means no more than that the connection had grown old in the pool."""
        return self.uses > 1 and not self._seen

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow: this one is over and read to its end, and nothing came that was not due.

        A body that nobody took, as of a client that left just then, would be the beginning of the next one's.
        """
        return self.complete and not self._chunks and self._keep_alive and not self._spoiled and self.connected

    def begin(self, *, bodiless: bool) -> None:
        """Start an exchange. `bodiless`: the answer has no body whatever its head says, as to HEAD."""
        self._bodiless = bodiless
        self._current = None
        self._chunks = []
        self._held = 0
        self._seen = 0
        self.complete = False
        self._error = None if self.connected else UpstreamBroken("The connection to the upstream is gone.")
        self.uses += 1
        self._extend()
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)

    def send(self, data: bytes) -> None:
        """Write a part of the request. Nothing is raised here: what fails shows in the answer."""
        # uvloop's transport, unlike asyncio's own, raises RuntimeError once it is closed.
        if self.connected and self._transport is not None:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the upstream takes more of the request."""
        self._extend()
        if self._paused and self.connected:
            self._drained = self._loop.create_future()
            await self._drained
            self._extend()

    async def head(self) -> AnswerHead:
        """Wait for the answer's head. Interim answers (1xx) go to `on_interim` meanwhile."""
        while self._current is None:
            await self._wait()
        return self._current

    async def read(self) -> bytes:
        """Wait for the next piece of the answer's body; b"" at its end."""
        while not self._chunks:
            if self.complete:
                return b""
            await self._wait()
        return self.take()

    def take(self) -> bytes:
        """Give what has come of the body and was not given yet, without waiting."""
        chunks = self._chunks
        if not chunks:
            return b""
        self._chunks = []
        if self._held > HIGH_WATER:
            self._extend()
            if self._transport is not None:
                self._transport.resume_reading()
        self._held = 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def fail(self, error: GatewayError) -> None:
        """End the exchange with this error, unless its answer is complete, and the connection with it."""
        if not self.complete and self._error is None:
            self._error = error
        self.abort()
        self._wake()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._spoiled = True
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close in good order."""
        self._spoiled = True
        if self._transport is not None:
            self._transport.close()

    async def _wait(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- time: one coarse timer per connection, moved on rather than made anew for each exchange --

    def _extend(self) -> None:
        self._deadline = self._loop.time() + self._timeout

    def _on_timer(self) -> None:
        self._timer = None
        if self.complete or not self.connected:
            return
        if self._held > HIGH_WATER:
            self._extend()  # it is the client who keeps the upstream waiting
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)
            return
        self.fail(UpstreamTimedOut("The upstream did not answer in time. It may have acted on the request."))

    # -- the upstream's side: asyncio.Protocol --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # create_connection gives a Transport
        self.connected = True

    def data_received(self, data: bytes) -> None:
        if self.complete:
            self.abort()  # nothing is due
            return
        self._deadline = self._loop.time() + self._timeout
        if self._current is None:
            self._seen += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._spoiled = True
            if not self.complete:
                self.fail(UpstreamBroken("What the upstream answered is not HTTP."))
        if self._current is None and self._seen > MAX_HEAD:
            self.fail(UpstreamBroken("The head of the upstream's answer does not end."))
        if self._held > HIGH_WATER and self._transport is not None and not self._spoiled:
            self._transport.pause_reading()
        if self._current is not None:
            self._wake()

    def eof_received(self) -> bool:
        self._spoiled = True
        if self._current is not None and not self.complete and self._delimited_by_close(self._current.fields):
            self._keep_alive = False
            self._finish()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.connected = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.complete and self._error is None:
            self._error = UpstreamBroken("The upstream broke the connection off before its answer was complete.")
        self._wake()
        self.resume_writing()
        self._keeper.lost(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    @staticmethod
    def _delimited_by_close(fields: Fields) -> bool:
        """RFC 9112, 6.3: neither Content-Length nor Transfer-Encoding tells the end."""
        return not any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in fields)

    # -- the parser's side: httptools calls these from feed_data --

    def on_message_begin(self) -> None:
        if self.complete:
            self._spoiled = True  # a second answer to one request
        self._arriving = AnswerHead()

    def on_status(self, reason: bytes) -> None:
        self._arriving.reason += reason

    def on_header(self, name: bytes, value: bytes | None) -> None:
        if self._current is None:  # else a trailer: RFC 9110, 6.5.1 lets a hop leave them out
            self._arriving.fields.append((name, value or b""))

    def on_headers_complete(self) -> None:
        if self.complete:
            return  # of a second answer: the first one's head may still be waiting to be read
        head = self._arriving
        head.status = self._parser.get_status_code()
        if head.status == SWITCHING_PROTOCOLS:
            return  # never asked for: the parser stops here by itself
        self._check(head)
        if head.status < FIRST_FINAL_STATUS:
            if self.on_interim is not None:
                self.on_interim(head)
            return
        self._current = head
        if self._bodiless:
            # The parser does not know that no body follows; a fresh one takes over.
            self._keep_alive = self._parser.should_keep_alive()
            self._parser = httptools.HttpResponseParser(self)
            self._finish()

    def _check(self, head: AnswerHead) -> None:
        """Refuse what the parser lets pass: raising here ends the parsing with an error of the parser's."""
        version = self._parser.get_http_version()
        if version != "1.1" and (
            version != "1.0" or any(name.lower() == b"transfer-encoding" for name, _ in head.fields)
        ):
            raise httptools.HttpParserError("RFC 9112, 2.3 and 6.1: another version, or chunks in HTTP/1.0.")
        if head.status < FIRST_STATUS or (head.reason != b"OK" and NO_TEXT.search(head.reason)):
            raise httptools.HttpParserError("RFC 9112, 4: a status below 100, or control bytes in the reason.")

    def on_body(self, body: bytes) -> None:
        if self.complete:
            self._spoiled = True
            return
        self._chunks.append(body)
        self._held += len(body)

    def on_message_complete(self) -> None:
        if self._current is None or self.complete:
            return  # an interim answer ends, or the empty body after a bodiless head
        self._keep_alive = self._parser.should_keep_alive()
        self._finish()

    def _finish(self) -> None:
        self.complete = True
        self.on_interim = None
        self._wake()

"""One connection to Close: a request goes in, the answer comes out.

Rule    One exchange at a time. Whatever arrives when no answer is due makes the connection unfit for another
        exchange, or it would be taken for the next one's answer.
        What came is kept for the borrower to take; it is told by a call, not by a task that wakes up, since this is
        the road of every request.
Source  RFC 9112, 9.2 and 9.3. Answers are parsed by llhttp, strictly.
"""

import asyncio
import re
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

import httptools

from gateway.errors import GatewayError
from gateway.exchange import Fields
from gateway.outgoing import Outgoing, Rounds
from gateway.upstream.errors import UpstreamBroken, UpstreamTimedOut

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


class AnswerHead(NamedTuple):
    """Status line and fields of an answer, as they came."""

    status: int
    reason: bytes
    fields: Fields


class Keeper(Protocol):
    """Who owns connections and has to know when one is gone."""

    def lost(self, connection: "UpstreamConnection") -> None: ...


class Borrower(Protocol):
    """Who has a connection for the time of an exchange."""

    def progress(self) -> None:
        """Something has happened; it has to look what, since several things may have happened at once."""

    def interim(self, head: AnswerHead, /) -> None:
        """An interim answer (1xx) has come."""


class UpstreamConnection(asyncio.Protocol):
    """A connection to the upstream, lent out by the pool for one exchange after the other.

    The borrower calls `begin`, and `send` where more of the request follows. Its `progress` is called whenever `head`
    is there, there is something to `take`, the answer is `complete`, `error` says why it never will be, or the
    upstream, which was slow, takes more (`paused`). `forget` ends that.
    """

    __slots__ = (
        "_bodiless",
        "_borrower",
        "_chunks",
        "_deadline",
        "_fields",
        "_held",
        "_keep_alive",
        "_keeper",
        "_loop",
        "_outgoing",
        "_parser",
        "_reason",
        "_seen",
        "_spoiled",
        "_timeout",
        "_timer",
        "_transport",
        "complete",
        "connected",
        "error",
        "head",
        "idle_since",
        "paused",
        "uses",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, keeper: Keeper, rounds: Rounds, timeout: float) -> None:
        self._loop = loop
        self._outgoing = Outgoing(rounds)
        self._keeper = keeper
        self._timeout = timeout
        self._transport: asyncio.Transport | None = None
        self.connected = False
        self._parser: HttpResponseParser = httptools.HttpResponseParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._borrower: Borrower | None = None
        self._spoiled = False
        self._keep_alive = True
        self._bodiless = False
        self._reason = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._held = 0
        self._seen = 0
        self.head: AnswerHead | None = None
        self.error: GatewayError | None = None
        self.complete = True
        self.paused = False
        self.idle_since = 0.0
        self.uses = 0

    # -- the borrower's side --

    @property
    def stale(self) -> bool:
        """Whether a failure now means no more than that the connection had grown old in the pool."""
        return self.uses > 1 and not self._seen

    @property
    def unsent(self) -> bool:
        """Whether nothing of the request has been written yet: nobody can have acted on it."""
        return not self._outgoing.flushed

    def take_back(self) -> bytes:
        """Give what of the request was not written, for another connection to send."""
        return self._outgoing.take_back()

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow: this one is over and read to its end, and nothing came that was not due.

        A body that nobody took, as of a client that left just then, would be the beginning of the next one's.
        """
        return self.complete and not self._chunks and self._keep_alive and not self._spoiled and self.connected

    def begin(self, borrower: Borrower, data: bytes, *, bodiless: bool) -> None:
        """Start an exchange with the first bytes of its request.

        `bodiless`: the answer has no body whatever its head says, as to HEAD. Nothing is raised here: what fails shows
        in `error`, now or later.
        """
        self._borrower = borrower
        self._bodiless = bodiless
        self.head = None
        self._chunks = []
        self._held = 0
        self._seen = 0
        self.complete = False
        self.error = None if self.connected else UpstreamBroken("The connection to the upstream is gone.")
        self.uses += 1
        self._outgoing.flushed = False
        self.send(data)
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)

    def send(self, data: bytes) -> None:
        """Write more of the request."""
        self._deadline = self._loop.time() + self._timeout
        self._outgoing.write(data)

    def take(self) -> bytes:
        """Give what has come of the body and was not given yet."""
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
        if not self.complete and self.error is None:
            self.error = error
        self.abort()
        self._tell()

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

    def forget(self) -> None:
        """Tell the borrower nothing any more: it has what it wanted, or does not want it."""
        self._borrower = None

    def _tell(self) -> None:
        if self._borrower is not None:
            self._borrower.progress()

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
        self._transport = self._outgoing.transport = cast(asyncio.Transport, transport)
        self.connected = True

    def data_received(self, data: bytes) -> None:
        if self.complete or self.unsent:
            self.abort()  # nothing is due: it would be taken for the answer to a request that is still to be sent
            return
        self._deadline = self._loop.time() + self._timeout
        if self.head is None:
            self._seen += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._spoiled = True
            if not self.complete:
                self.fail(UpstreamBroken("What the upstream answered is not HTTP."))
        if self.head is None and self._seen > MAX_HEAD:
            self.fail(UpstreamBroken("The head of the upstream's answer does not end."))
        if self._held > HIGH_WATER and self._transport is not None and not self._spoiled:
            self._transport.pause_reading()
        if self.head is not None and self._borrower is not None:
            self._borrower.progress()

    def eof_received(self) -> bool:
        self._spoiled = True
        if self.head is not None and not self.complete and self._delimited_by_close(self.head.fields):
            self._keep_alive = False
            self.complete = True
            self._tell()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.connected = False
        self._outgoing.transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.complete and self.error is None:
            self.error = UpstreamBroken("The upstream broke the connection off before its answer was complete.")
        self._tell()
        self._keeper.lost(self)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self._tell()

    @staticmethod
    def _delimited_by_close(fields: Fields) -> bool:
        """RFC 9112, 6.3: neither Content-Length nor Transfer-Encoding tells the end."""
        return not any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in fields)

    # -- the parser's side: httptools calls these from feed_data --

    def on_message_begin(self) -> None:
        if self.complete:
            self._spoiled = True  # a second answer to one request
        self._reason = b""
        self._fields = []

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes | None) -> None:
        if self.head is None:  # else a trailer: RFC 9110, 6.5.1 lets a hop leave them out
            self._fields.append((name, value or b""))

    def on_headers_complete(self) -> None:
        if self.complete:
            return  # of a second answer: the first one's head may still be waiting to be read
        head = AnswerHead(self._parser.get_status_code(), self._reason, self._fields)
        if head.status == SWITCHING_PROTOCOLS:
            return  # never asked for: the parser stops here by itself
        self._check(head)
        if head.status < FIRST_FINAL_STATUS:
            if self._borrower is not None:
                self._borrower.interim(head)
            return
        self.head = head
        if self._bodiless:
            # The parser does not know that no body follows; a fresh one takes over.
            self._keep_alive = self._parser.should_keep_alive()
            self._parser = httptools.HttpResponseParser(self)
            self.complete = True

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
        if self.head is None or self.complete:
            return  # an interim answer ends, or the empty body after a bodiless head
        self._keep_alive = self._parser.should_keep_alive()
        self.complete = True

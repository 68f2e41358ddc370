"""One exchange on its way: the request's bytes up, the answer's bytes down, each no faster than they are taken.

Both sides call: the client's connection when more of the body has come or the client takes more, the upstream's when
there is more of the answer. No task waits for either, which is most of what forwarding would cost.
"""

from typing import Final, Protocol

from gateway.answer import RelayedAnswer, Stamp, chunk
from gateway.errors import GatewayError
from gateway.exchange import Exchange, Fields
from gateway.upstream.connection import AnswerHead, UpstreamConnection
from gateway.upstream.errors import UpstreamBroken
from gateway.upstream.head import FRAMING, Framing, answer_fields
from gateway.upstream.pool import Pool

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
NO_CONTENT: Final = 204
UNAUTHORIZED: Final = 401
OURS: Final = frozenset({b"x-request-id", b"x-close-gateway"})
"""Fields of an answer in whose place the gateway puts its own."""


class Owner(Protocol):
    """Who sends exchanges on their way, and deals with those that fail on it."""

    @property
    def pool(self) -> Pool: ...

    def on_unauthorized(self, exchange: Exchange, /) -> None:
        """The upstream has answered with 401."""

    def fail(self, exchange: Exchange, error: GatewayError, stamp: Stamp | None) -> None:
        """Answer in the upstream's place."""

    def log_failure(self, exchange: Exchange, error: GatewayError) -> None:
        """Tell of an answer that had to be broken off."""


class Relay:
    """An exchange with the upstream; `start` it on a connection, or have it `connect`.

    `head` is the request's, with its body where the gateway holds that (`whole`); else the body streams on.
    It is told of both sides, as a gateway.exchange.Carrier and a gateway.upstream.connection.Borrower.
    """

    __slots__ = (
        "_answer",
        "_connection",
        "_exchange",
        "_head",
        "_owner",
        "_retried",
        "_sent",
        "_stamp",
        "_whole",
    )

    def __init__(self, owner: Owner, exchange: Exchange, head: bytes, stamp: Stamp | None, *, whole: bool) -> None:
        self._owner = owner
        self._exchange = exchange
        self._head = head
        self._whole = whole
        self._stamp = stamp
        self._connection: UpstreamConnection | None = None
        self._answer: RelayedAnswer | None = None
        self._retried = False
        self._sent = False  # the request has gone up, to its end

    async def connect(self, *, fresh: bool) -> None:
        """Open a connection for it, or wait for one."""
        self._exchange.waits()
        try:
            connection = await self._owner.pool.connect(fresh=fresh)
        except GatewayError as error:
            self._exchange.goes_on()
            self._fail(error)
            return
        self._exchange.goes_on()
        self.start(connection)

    def start(self, connection: UpstreamConnection) -> None:
        """Send the request, as far as it has come."""
        exchange, body = self._exchange, self._exchange.body
        self._connection = connection
        if not self._whole:
            if body.error is not None:
                self._end_broken(body.error)
                return
            self._whole = body.complete
            piece = body.take()
            if exchange.chunked:
                piece = chunk(piece, last=self._whole)
            if self._whole:
                self._head += piece  # held on to, for it may have to be sent again
                piece = b""
        else:
            piece = b""
        self._sent = self._whole
        exchange.waits()
        connection.begin(self, self._head + piece, bodiless=exchange.method == "HEAD")
        if connection.error is not None:
            self.progress()

    # -- gateway.exchange.Carrier: the client's side --

    def body_came(self) -> None:
        """Send on what has come of the body, no faster than the upstream takes it."""
        connection, body = self._connection, self._exchange.body
        if connection is None or self._sent or connection.error is not None:
            return
        if body.error is not None:
            self._end_broken(body.error)
            return
        if connection.paused and not body.complete:
            return
        piece = body.take()
        connection.send(chunk(piece, last=body.complete) if self._exchange.chunked else piece)
        self._sent = body.complete

    def writable(self) -> None:
        """The client takes more of the answer."""
        self.progress()

    def left(self) -> None:
        """The client has left: so does the request, wherever it is."""
        self._leave()

    # -- gateway.upstream.connection.Borrower: the upstream's side --

    def progress(self) -> None:
        """Go on, as far as both sides let."""
        try:
            self._go_on()
        except Exception as fault:  # noqa: BLE001 - a mistake of ours, and its exchange is where it is dealt with
            self._leave()
            self._exchange.fault(fault)

    def interim(self, head: AnswerHead, /) -> None:
        """RFC 9110, 15.2: a proxy forwards 1xx answers; to HTTP/1.0 clients there are none."""
        if self._exchange.http11:
            lines = answer_fields(_unframed(head.fields)).lines
            self._exchange.write_interim(b"HTTP/1.1 %d %b\r\n%b\r\n" % (head.status, head.reason, lines))

    def _go_on(self) -> None:
        if not self._sent:
            self.body_came()  # should it turn out broken, the client has its answer by that
        connection = self._connection
        if connection is None:
            return
        if self._answer is None:
            if connection.head is not None:
                self._begin(connection, connection.head)
            elif connection.error is not None:
                self._failed(connection, connection.error)
        elif not self._exchange.paused or connection.complete or connection.error is not None:
            piece, end = connection.take(), connection.complete
            if piece or end:
                self._answer.go_on(piece, end=end)
            if end:
                self._finish()
            elif connection.error is not None:
                self._end_broken(connection.error)

    def _begin(self, connection: UpstreamConnection, head: AnswerHead) -> None:
        """Send the answer's head, with what there is of its body."""
        exchange, stamp = self._exchange, self._stamp
        exchange.goes_on()
        if exchange.trace is not None:
            exchange.trace.answered(head.status)
        if head.status == UNAUTHORIZED:
            self._owner.on_unauthorized(exchange)
        try:
            came = _unframed(head.fields) if head.status == NO_CONTENT else head.fields
            fields = answer_fields(came, () if stamp is None else OURS)
        except UpstreamBroken as error:
            self._fail(error)
            return
        # Where the answer comes before all of the request has gone up, nothing may follow it.
        self._answer = RelayedAnswer(exchange, keep_alive=self._sent and exchange.keep_alive)
        piece, end = connection.take(), connection.complete
        self._answer.begin(
            head.status,
            head.reason,
            fields.lines if stamp is None else fields.lines + stamp.lines,
            has_length=fields.framing is Framing.LENGTH,
            piece=piece,
            end=end,
        )
        if end:
            self._finish()
        elif connection.error is not None:
            self._end_broken(connection.error)
        else:
            exchange.waits()

    def _finish(self) -> None:
        self._leave()
        if self._answer is not None:
            self._answer.finish()

    def _failed(self, connection: UpstreamConnection, error: GatewayError) -> None:
        """Try once more where that does no harm; else answer in the upstream's place."""
        unsent = connection.unsent
        harmless = unsent or (connection.stale and self._whole and self._exchange.method in IDEMPOTENT)
        if harmless and isinstance(error, UpstreamBroken) and not self._retried:
            self._retried = True
            if self._exchange.trace is not None:
                self._exchange.trace.resent()
            if unsent:
                self._head = connection.take_back()  # with what had come of the body
                self._whole = self._sent
            self._leave()
            # Others in the pool may be as old: this time a connection of its own.
            self._exchange.spawn(self.connect(fresh=True))
        else:
            self._fail(error)

    def _end_broken(self, error: GatewayError) -> None:
        """End what cannot be completed: by an answer, or where one has begun, by breaking it off."""
        if self._answer is None:
            self._fail(error)
            return
        self._leave()
        self._owner.log_failure(self._exchange, error)
        self._answer.break_off()

    def _fail(self, error: GatewayError) -> None:
        self._leave()
        self._owner.fail(self._exchange, error, self._stamp)

    def _leave(self) -> None:
        """Give the connection back; where the exchange on it is not over, no other will follow."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        connection.forget()
        self._exchange.goes_on()
        if not self._sent:
            connection.abort()  # the request is not complete, so no other may follow it
        self._owner.pool.give_back(connection)


def _unframed(fields: Fields) -> Fields:
    """RFC 9110, 8.6 and RFC 9112, 6.1: in 1xx and 204 there is no body, and nothing may tell of one."""
    return [(name, value) for name, value in fields if name.lower() not in FRAMING]

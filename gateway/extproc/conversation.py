"""One stream of Envoy's, which is one request of a client's: what Envoy tells of it, and what it is told.

Rule    Each message is answered before the next one comes. A request that is no email write is released by the first
        answer; of one that is, the body is asked for, and then the head of Close's answer comes, to be marked.
        With FULL_DUPLEX_STREAMED bodies Envoy asks nobody: the pieces come at once, are held here up to the limit, and
        are sent back.
"""

from collections.abc import Callable, Collection
from typing import Any, Final, assert_never

import grpc
from google.protobuf.message import DecodeError
from structlog.typing import FilteringBoundLogger

from gateway.body import RequestBroken
from gateway.exchange import Downstream, Exchange
from gateway.extproc import messages
from gateway.extproc.held import Answered, Forwarded, Held, Released

FAULTS: Final = 500
"""From this status on, an answer tells of the gateway, and not of the request."""
UNAUTHORIZED: Final = 401
GIVEN_UP: Final = frozenset({408, 413})
"""How Envoy answers where the body does not come on, or is larger than it holds."""
LET_ASK: Final = "Set allow_mode_override in Envoy's filter."
LET_HOLD: Final = "Unless the client was slow, have Envoy hold more of a body: set request_body_buffer_limit."


class Conversation:
    """A gateway.exchange.Client too, to which nothing is written: Envoy answers.

    `context` is gRPC's for the stream. `handle` is given the exchange, and settles what becomes of it. `end` has to be
    called once the stream is over. `went` tells what came of it: released, judged, or failed, where nothing did.
    """

    paused = False

    def __init__(
        self, context: Any, handle: Callable[[Exchange], None], downstream: Downstream, log: FilteringBoundLogger
    ) -> None:
        self._context = context
        self._handle = handle
        self._downstream = downstream
        self._log = log
        self._exchange: Held | None = None
        self._duplex: Collection[str] = ()
        self.went = "failed"
        self.peer = ""
        self.scheme = ""

    # -- gateway.exchange.Client --

    def write(self, data: bytes) -> None:
        """Envoy answers."""

    def done(self, *, keep_alive: bool) -> None:
        """So it does."""

    def break_off(self, *, reset: bool) -> None:
        """Nor does anything end early here."""

    # -- the stream --

    async def hold(self) -> None:
        """Hold the conversation. Raises NotFromEnvoy."""
        first = await self._read()
        if first is None:
            return
        if first.WhichOneof("request") != "request_headers":
            raise messages.NotFromEnvoy("The head of the request has to come first: set request_header_mode to SEND.")
        self._duplex = messages.duplex(first)
        exchange = self._exchange = self._begun(first)
        self._handle(exchange)
        if "request_body" in self._duplex:
            await self._judge_streamed(exchange)
            return
        received: bytes | None = None
        if not exchange.outcome.done() and not exchange.body.over:
            await self._write(messages.ASK_UNTOLD if exchange.chunked else messages.ASK)
            received = await self._body(exchange)
            if received is None:
                return
        outcome = await exchange.outcome
        match outcome:
            case Answered():
                await self._answer(exchange, outcome)
            case Released():
                self._release()
                await self._write(messages.RELEASE)
            case Forwarded():
                self.went = "judged"
                if received is None:
                    await self._write(messages.on_head(exchange, outcome))
                else:
                    await self._write(messages.on_body(exchange, outcome, received))
                await self._go_on(exchange, outcome)
            case other:
                assert_never(other)

    def end(self) -> None:
        """Take in that the stream is over, however it ended."""
        if self._exchange is not None:
            self._exchange.left()

    def _release(self) -> None:
        """Nobody here learns what becomes of it."""
        self.went = "released"
        self._exchange = None

    def _begun(self, first: Any) -> Held:
        head = messages.head(first.request_headers)
        self.peer = messages.peer(first.attributes, self._context.peer())
        self.scheme = head.scheme
        has_body = not first.request_headers.end_of_stream
        return Held(self, self._downstream, head.method, head.target, head.fields, has_body=has_body)

    async def _body(self, exchange: Held) -> bytes | None:
        """Take the body that was asked for; None where Envoy does not send it."""
        message = await self._read()
        kind = None if message is None else message.WhichOneof("request")
        if kind != "request_body":
            # Clients leave, too; then the stream just ends. Where no body has ever come, it is not that.
            if kind is not None or not self._downstream.meters.received:
                given_up = kind == "response_headers" and messages.status(message.response_headers) in GIVEN_UP
                self._log.error("body_not_sent", fix=LET_HOLD if given_up else LET_ASK, **exchange.facts())
            if kind is not None:
                await self._write(messages.passing(kind, message, self._duplex))
            return None
        body: bytes = message.request_body.body
        self._feed(exchange, body, end=True)
        return body

    def _feed(self, exchange: Held, piece: bytes, *, end: bool) -> None:
        self._downstream.meters.received += len(piece)
        exchange.body.feed(piece)
        if end:
            exchange.body.end()
        if exchange.carrier is not None:
            try:
                exchange.carrier.body_came()
            except Exception as fault:  # noqa: BLE001 - a mistake of ours, and its exchange is where it is dealt with
                exchange.fault(fault)

    async def _answer(self, exchange: Held, answered: Answered) -> None:
        if answered.answer.status >= FAULTS:
            await self._context.abort(grpc.StatusCode.INTERNAL, "the gateway has failed")
        told = messages.answered(answered)
        exchange.status = answered.answer.status
        exchange.sent = len(told.immediate_response.body)
        exchange.done(keep_alive=True)
        self.went = "judged"
        await self._write(told)

    async def _go_on(self, exchange: Held, forwarded: Forwarded | None, *, to_come: bool = False) -> None:
        """Wait for the head of the answer, and mark it. `to_come`: more of the request comes, to be sent back."""
        exchange.waits()
        marked = False
        while (to_come or not marked) and (message := await self._read()) is not None:
            kind = message.WhichOneof("request")
            if kind == "response_headers" and forwarded is not None and not marked:
                self._answered(exchange, forwarded, messages.status(message.response_headers))
                await self._write(messages.on_answer(forwarded))
                marked = True
            else:
                await self._write(messages.passing(kind, message, self._duplex))

    def _answered(self, exchange: Held, forwarded: Forwarded, status: int) -> None:
        exchange.goes_on()
        exchange.status = status
        if exchange.trace is not None:
            exchange.trace.answered(status)
        if status == UNAUTHORIZED:
            forwarded.unauthorized()
        exchange.done(keep_alive=True)

    # -- where Envoy keeps no body --

    async def _judge_streamed(self, exchange: Held) -> None:
        trailers = await self._gather(exchange)
        if exchange.body.error is not None:
            return
        outcome = await exchange.outcome
        if isinstance(outcome, Answered):
            await self._answer(exchange, outcome)
            return
        forwarded = outcome if isinstance(outcome, Forwarded) else None
        if forwarded is None:
            self._release()
        else:
            self.went = "judged"
        await self._write(messages.on_head_of_duplex(exchange, outcome))
        body = exchange.body.take() if forwarded is None or forwarded.body is None else forwarded.body
        whole = exchange.body.complete
        if body or (whole and exchange.body.received):
            end = whole and trailers is None
            await self._write(messages.streamed(messages.Response(), "request_body", body, end=end))
        if trailers is not None:
            await self._write(messages.passing("request_trailers", trailers, self._duplex))
        await self._go_on(exchange, forwarded, to_come=True)

    async def _gather(self, exchange: Held) -> Any:
        """Take pieces of the body until its end, or until they are too many; and the trailers, where they come."""
        while not exchange.outcome.done() and not exchange.body.over:
            message = await self._read()
            kind = None if message is None else message.WhichOneof("request")
            if kind == "request_body":
                self._feed(exchange, message.request_body.body, end=message.request_body.end_of_stream)
            elif kind == "request_trailers":
                self._feed(exchange, b"", end=True)
                return message
            else:  # Envoy has given it up, and answers by itself
                exchange.body.fail(RequestBroken())
        return None

    # -- gRPC --

    async def _read(self) -> Any:
        """Give the next message; None where Envoy has said all. Raises NotFromEnvoy."""
        try:
            message = await self._context.read()
        except DecodeError:
            raise messages.NotFromEnvoy("A message cannot be read.") from None
        if message is grpc.aio.EOF:
            return None
        if message.WhichOneof("request") is None:
            raise messages.NotFromEnvoy("A message says nothing that is known here.")
        return message

    async def _write(self, message: Any) -> None:
        await self._context.write(message)

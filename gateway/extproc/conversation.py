"""One stream of Envoy's, which is one request of a client's: what Envoy tells of it, and what it is told.

Rule    Each message is answered before the next one comes. A request that is no email write is released by the first
        answer; of one that is, the body comes next, and then the head of Close's answer, to be marked.
"""

from collections.abc import Callable
from typing import Any, Final

import grpc
from structlog.typing import FilteringBoundLogger

from gateway.exchange import Downstream, Exchange
from gateway.extproc import messages
from gateway.extproc.held import Answered, Forwarded, Held, Released

FAULTS: Final = 500
"""From this status on, an answer tells of the gateway, and not of the request."""
UNAUTHORIZED: Final = 401


class Conversation:
    """A gateway.exchange.Client too, to which nothing is written: Envoy answers.

    `context` is gRPC's for the stream. `handle` is given the exchange, and settles what becomes of it. `end` has to be
    called once the stream is over.
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

    async def hold(self) -> str:
        """Hold the conversation. Tells how it went: released, judged or failed."""
        first = await self._read()
        if first is None or first.WhichOneof("request") != "request_headers":
            await self._context.abort(grpc.StatusCode.INVALID_ARGUMENT, "request_header_mode has to be SEND")
        exchange = self._exchange = self._begun(first)
        self._handle(exchange)
        received: bytes | None = None
        if not exchange.outcome.done() and not exchange.body.over:
            await self._write(messages.ASK_UNTOLD if exchange.chunked else messages.ASK)
            received = await self._body(exchange)
            if received is None:
                return "failed"
        match await exchange.outcome:
            case Released():
                self._exchange = None  # what becomes of it, nobody here knows
                await self._write(messages.RELEASE)
                return "released"
            case Answered() as answered:
                return await self._answer(exchange, answered)
            case Forwarded() as forwarded:
                told = (
                    messages.on_head(exchange, forwarded)
                    if received is None
                    else messages.on_body(exchange, forwarded, received)
                )
                await self._write(told)
                await self._mark(exchange, forwarded)
                return "judged"

    def end(self) -> None:
        """Take in that the stream is over, however it ended."""
        if self._exchange is not None:
            self._exchange.left()

    def _begun(self, first: Any) -> Held:
        head = messages.head(first.request_headers)
        self.peer = messages.peer(first.attributes, self._context.peer())
        self.scheme = head.scheme
        has_body = not first.request_headers.end_of_stream
        return Held(self, self._downstream, head.method, head.target, head.fields, has_body=has_body)

    async def _body(self, exchange: Held) -> bytes | None:
        """Take the body; None where Envoy does not send it."""
        message = await self._read()
        kind = None if message is None else message.WhichOneof("request")
        if kind != "request_body":
            if kind is not None:
                self._log.error("body_not_sent", fix="Set allow_mode_override in Envoy's filter.", **exchange.facts())
                await self._write(messages.nothing_to_say(kind))
            return None
        body: bytes = message.request_body.body
        self._downstream.meters.received += len(body)
        exchange.body.feed(body)
        exchange.body.end()
        if exchange.carrier is not None:
            exchange.carrier.body_came()
        return body

    async def _answer(self, exchange: Held, answered: Answered) -> str:
        if answered.answer.status >= FAULTS:
            await self._context.abort(grpc.StatusCode.INTERNAL, "the gateway has failed")
        told = messages.answered(answered)
        exchange.status = answered.answer.status
        exchange.sent = len(told.immediate_response.body)
        exchange.done(keep_alive=True)
        await self._write(told)
        return "judged"

    async def _mark(self, exchange: Held, forwarded: Forwarded) -> None:
        """Wait for the head of the answer, and mark it."""
        exchange.waits()
        while (message := await self._read()) is not None:
            kind = message.WhichOneof("request")
            if kind != "response_headers":
                await self._write(messages.nothing_to_say(kind))
                continue
            exchange.goes_on()
            exchange.status = messages.status(message.response_headers)
            if exchange.trace is not None:
                exchange.trace.answered(exchange.status)
            if exchange.status == UNAUTHORIZED:
                forwarded.unauthorized()
            exchange.done(keep_alive=True)
            await self._write(messages.on_answer(forwarded))
            return

    async def _read(self) -> Any:
        """Give the next message; None where Envoy has said all."""
        message = await self._context.read()
        return None if message is grpc.aio.EOF else message

    async def _write(self, message: Any) -> None:
        await self._context.write(message)

"""A client's connection: requests come in one after the other, answers go out in the same order.

A client that closes its half is taken to have left, as most proxies take it: the exchange ends, and its connection to
Close with it. A connection that the gateway ends is closed for writing first, and what still comes is read and thrown
away for a moment: a reset would take the last answer along before the client has read it. TLS that is closed does so by
itself: it says goodbye, and waits for the client to do the same.

Limits  A head or a body that does not come on is 408, one connection more than there may be 502: Close's client sends
        a POST again on 503 and 429. A client that does not take its answer is cut off, one that is silent let go.
Source  RFC 9110, 15.5.9; RFC 9112, 9.3.2, 9.5 and 9.6.
"""

import asyncio
import contextlib
import secrets
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from gateway.answer import Stamp
from gateway.config.settings import ListenerSettings
from gateway.downstream.errors import AnswerNotTaken, GatewayFull, RequestTimedOut
from gateway.downstream.reader import RequestReader
from gateway.errors import GatewayError
from gateway.exchange import Exchange, Fields
from gateway.outgoing import Outgoing
from gateway.proxies import BY_SOCKET, UNKNOWN
from gateway.wire.error import gateway_error

if TYPE_CHECKING:
    from gateway.downstream.server import ClientServer

IN_A_ROW: Final = 16
"""Pipelined requests that are answered on the spot before other connections have their turn."""
MOST_WAITING: Final = 64
"""Pipelined requests that wait for their turn before the client is made to wait."""
LINGER: Final = 2.0
"""Seconds for which what a client still sends is read and thrown away."""
MOST_UNSENT: Final = 64 * 1024
"""Bytes of an answer that TLS holds before the client counts as slow."""
RESET: Final = struct.pack("ii", 1, 0)
"""Of SO_LINGER: closing sends a reset at once."""


class ClientConnection(asyncio.Protocol):
    """One connection of a client. `watch` has to be called now and then: the limits in time are kept by it."""

    __slots__ = (
        "_current",
        "_going_on",
        "_head_since",
        "_heard",
        "_idle_since",
        "_left_since",
        "_meters",
        "_outgoing",
        "_reader",
        "_reading_paused",
        "_server",
        "_taken",
        "_transport",
        "_unsent",
        "paused",
        "peer",
        "scheme",
    )

    def __init__(self, server: "ClientServer") -> None:
        self._server = server
        self._meters = server.downstream.meters
        self._transport: asyncio.Transport | None = None
        self._outgoing = Outgoing(server.rounds)
        self._reader = RequestReader(self._exchange, self._resume, server.limits)
        self._current: Exchange | None = None
        self._going_on = False
        self.peer = BY_SOCKET
        self.scheme = "http"
        self._heard = 0.0  # when bytes came last
        self._head_since: float | None = None  # when the head began of which a part has come
        self._idle_since = 0.0  # when the last answer was complete
        self._left_since: float | None = None  # when the gateway ended the connection: from then on nothing is read
        self._unsent = 0  # bytes of answers that the client has not taken yet
        self._taken = 0.0  # when it took some last
        self._reading_paused = False
        self.paused = False

    @property
    def busy(self) -> bool:
        """Whether a request is in flight."""
        return self._current is not None

    def limit(self, limits: ListenerSettings) -> None:
        """Hold what is read from now on to these limits; those in time are the server's."""
        self._reader.limits = limits

    # -- asyncio.Protocol --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self._outgoing.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.peer = str(peer[0])
        elif isinstance(transport.get_extra_info("sockname"), tuple):
            self.peer = UNKNOWN  # it has reset the connection meanwhile, and what it sent is read all the same
        if transport.get_extra_info("ssl_object") is not None:
            self.scheme = "https"
            self._transport.set_write_buffer_limits(MOST_UNSENT)  # TLS would hold eight times as much
        self._idle_since = self._heard = self._server.loop.time()
        self._server.came(self)
        if len(self._server.connections) > self._server.limits.max_connections:
            self._refuse(GatewayFull("The gateway has as many connections open as it may. Try again."))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = self._outgoing.transport = None
        self._server.went(self)
        self._client_left()

    def eof_received(self) -> bool:
        self._outgoing.flush()
        self._client_left()  # at once: where it has not read all yet, the connection lasts a while longer
        return False

    def _client_left(self) -> None:
        self._left_since = self._heard
        if (exchange := self._current) is not None:
            self._current = None
            exchange.left()

    def data_received(self, data: bytes) -> None:
        if self._left_since is not None:
            return
        self._heard = self._server.loop.time()
        self._meters.received += len(data)
        reader, current = self._reader, self._current
        awaited = reader.arriving
        reader.feed(data)
        if current is None:
            if not reader.arrived and reader.refused is None and self._head_since is None:
                self._head_since = self._heard
            self._go_on()
        elif awaited is current and current.carrier is not None:
            self._tell(current, current.carrier.body_came)
        if reader.arrived or reader.arriving is not None:
            self._hold_back()

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if (current := self._current) is None:
            self._go_on()
        elif current.carrier is not None:
            self._tell(current, current.carrier.writable)

    # -- one request after the other --

    def _exchange(self, method: str, target: str, fields: Fields, *, http11: bool, wants_keep_alive: bool) -> Exchange:
        return Exchange(
            self,
            self._server.downstream,
            method,
            target,
            fields,
            http11=http11,
            wants_keep_alive=wants_keep_alive,
        )

    def _go_on(self) -> None:
        """Have the next request dealt with; where none has come, wait for one."""
        if self._going_on:
            return  # a loop, not a recursion: many may be answered on the spot
        self._going_on = True
        arrived = self._reader.arrived
        for _ in range(IN_A_ROW):
            if self._current is not None or not arrived or self.paused or self._left_since is not None:
                break
            exchange = self._current = arrived.popleft()
            if not exchange.body.complete:
                self._heard = self._server.loop.time()  # while it was not its turn, the client may have waited too
            self._server.handle(exchange)
        self._going_on = False
        if self._reading_paused:
            self._resume()  # fewer wait now, or who has the next one in hand takes more of its body than was let in
        if self._current is not None or self.paused or self._left_since is not None:
            return
        if arrived:
            self._going_on = True  # until its turn comes, nothing else has it go on
            self._server.loop.call_soon(self._next_turn)
        elif self._reader.refused is not None:
            self._refuse(*self._reader.refused)
        else:
            self._idle_since = self._server.loop.time()

    def _next_turn(self) -> None:
        self._going_on = False
        self._go_on()

    @staticmethod
    def _tell(exchange: Exchange, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as fault:  # noqa: BLE001 - a mistake of ours, and its exchange is where it is dealt with
            exchange.fault(fault)

    # -- no faster than it is dealt with --

    def _hold_back(self) -> None:
        if self._reading_paused or self._transport is None or self._left_since is not None:
            return  # of a connection that ends, what comes is read all the same, to be thrown away
        if self._has_enough():
            self._reading_paused = True
            self._transport.pause_reading()

    def _has_enough(self) -> bool:
        arriving = self._reader.arriving
        return len(self._reader.arrived) > MOST_WAITING or (arriving is not None and arriving.body.full)

    def _resume(self) -> None:
        if self._reading_paused and self._transport is not None and not self._has_enough():
            self._reading_paused = False
            self._heard = self._server.loop.time()  # until now it could not be heard
            self._transport.resume_reading()

    # -- the answer's way: gateway.exchange.Client --

    def write(self, data: bytes) -> None:
        self._meters.sent += len(data)
        self._outgoing.write(data)

    def done(self, *, keep_alive: bool) -> None:
        exchange, self._current = self._current, None
        if exchange is None:
            return
        if not keep_alive or not exchange.body.complete:
            # Who asked for the end and has sent all of its request sends no more.
            self._end(linger=exchange.wants_keep_alive or not exchange.body.complete)
            return
        self._head_since = self._server.loop.time() if self._reader.midway else None
        self._go_on()

    def break_off(self, *, reset: bool) -> None:
        self._current = None
        if not reset:
            # What is missing of the length, or the last chunk, tells. Answers before this one must still arrive.
            self._end(linger=True)
            return
        self._left_since = self._heard
        self._outgoing.flush()
        if self._transport is None:
            return
        # An abort alone ends in good order where all that was written is out already.
        # Over a UNIX socket it does all the same: there is no reset.
        with contextlib.suppress(OSError):
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._transport.abort()

    # -- the end --

    def _refuse(self, error: GatewayError, exchange: Exchange | None = None) -> None:
        """Answer what is no request, and close."""
        request_id = self._told(error, exchange=exchange)
        answer = gateway_error(error, request_id)
        bodiless = exchange is not None and exchange.method == "HEAD"
        self.write(answer.message(Stamp(request_id).lines, keep_alive=False, bodiless=bodiless))
        self._end(linger=True)

    def _told(self, error: GatewayError, event: str = "request_refused", *, exchange: Exchange | None = None) -> str:
        """Log what ends here, and give the id that it has there."""
        facts = {"request_id": secrets.token_hex(16), "client": self.peer} if exchange is None else exchange.facts()
        self._meters.refused[error.code] += 1
        self._server.log.warning(event, code=error.code, reason=str(error), **facts)
        return str(facts["request_id"])

    def _end(self, *, linger: bool) -> None:
        self._left_since = self._server.loop.time()
        self._outgoing.flush()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if linger and self._reading_paused:
            self._reading_paused = False
            transport.resume_reading()
        if linger and transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    def shut(self) -> None:
        """End the connection with the gateway: an unused one in good order, an answer under way visibly."""
        if (exchange := self._current) is not None:
            exchange.left()
            self.break_off(reset=exchange.answered)
        elif self._left_since is None:
            self._end(linger=False)

    def cut(self) -> None:
        """End at once what was to end in good order."""
        if self.scheme == "http":
            self.break_off(reset=True)
        elif self._transport is not None:
            # No reset: it would take along what of an answer the system has yet to send. Where anything is missing, so
            # is the goodbye, which tells (RFC 9112, 9.8).
            self._transport.abort()

    def watch(self, now: float) -> None:
        """End what takes too long. `now` is in seconds of the event loop's clock."""
        if self._transport is None or self._stalled(self._transport, now):
            return
        limits, current = self._server.limits, self._current
        if self._left_since is not None:
            self._let_go(self._transport, now - self._left_since)
        elif current is not None:
            by_client = not (current.body.over or self._reading_paused or current.answered)
            if by_client and now - self._heard > limits.body_timeout:
                self._give_up(current)
        elif self.paused or self._reader.arrived:
            pass  # it is not the client's turn to send
        elif self._head_since is not None:
            if now - self._head_since > limits.head_timeout:
                self._refuse(RequestTimedOut("The head of the request did not come in time."))
        elif now - self._idle_since > limits.idle_timeout:
            self._end(linger=False)

    def _let_go(self, transport: asyncio.Transport, seconds: float) -> None:
        """End a connection for good that the gateway has ended so long ago."""
        if self.scheme == "http":
            if seconds > LINGER and not self._unsent:
                transport.close()
        elif seconds > self._server.limits.body_timeout:
            # TLS waits for the client to say goodbye. It has longer: what of its answer is encrypted and not taken yet
            # is not seen in `_unsent`.
            transport.abort()

    def _stalled(self, transport: asyncio.Transport, now: float) -> bool:
        """Cut off who takes nothing of an answer: it holds a connection to Close meanwhile."""
        unsent = transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._taken = unsent, now
            return False
        if now - self._taken <= self._server.limits.body_timeout:
            return False
        self._told(AnswerNotTaken("The client does not take its answer."), "client_stalled", exchange=self._current)
        transport.abort()
        return True

    def _give_up(self, exchange: Exchange) -> None:
        exchange.body.fail(RequestTimedOut("The rest of the request's body did not come in time."))
        if exchange.carrier is not None:
            self._tell(exchange, exchange.carrier.body_came)

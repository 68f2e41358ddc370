"""The common way: bytes up, bytes down, as they came.

Rule    Nothing is sent twice that could do harm twice: only a request that the gateway still holds whole is tried
        again, once, where a connection from the pool broke before any byte of an answer; and unless it is idempotent,
        only where no byte of it had been sent.
        Once an answer has begun, a failure is shown by breaking it off, never by ending it early.
Source  RFC 9110, 9.2.2; RFC 9112, 9.3.1 and 8.
"""

from collections.abc import Callable, Collection
from typing import Final

from structlog.typing import FilteringBoundLogger

from gateway.answer import OwnAnswer, Stamp
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.proxies import BY_SOCKET
from gateway.relay import Relay
from gateway.upstream.errors import UpstreamError
from gateway.upstream.head import request_head
from gateway.upstream.pool import Pool
from gateway.wire.error import gateway_error

TOLD: Final = frozenset({b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"})
"""What tells of the client. Forwarded (RFC 7239) does too, and goes up as it came."""
TRACE_CONTEXT: Final = frozenset({b"traceparent", b"tracestate"})
"""Fields of a traced request in whose place the gateway puts its own: what is below it hangs on its span."""


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
        self.pool = pool
        self._on_unauthorized = on_unauthorized
        self._host = pool.origin.authority
        self._log = log
        self._forwarded = forwarded

    def forward(
        self,
        exchange: Exchange,
        *,
        body: bytes | None = None,
        without: Collection[bytes] = (),
        stamp: Stamp | None = None,
    ) -> None:
        """Forward the request and relay the answer, or answer in its place where that fails.

        `body` is the whole body, where the gateway holds it; else it streams. `without` names request fields (in
        small letters) to leave out. `stamp` goes onto the answer.
        """
        if exchange.body.error is not None:
            self.fail(exchange, exchange.body.error, stamp)
            return
        head = self._head(exchange, body, without)
        relay = exchange.carrier = Relay(self, exchange, head, stamp, whole=body is not None)
        connection = self.pool.take()
        if connection is not None:
            relay.start(connection)
        else:
            exchange.spawn(relay.connect(fresh=False))

    def _head(self, exchange: Exchange, body: bytes | None, without: Collection[bytes]) -> bytes:
        extra = b""
        if self._forwarded:
            without = {*without, *TOLD}
            extra = _forwarded_lines(exchange)
        if exchange.trace is not None:
            without = {*without, *TRACE_CONTEXT}
            extra += exchange.trace.forwarded()
        head = request_head(
            exchange.method.encode(),
            exchange.target.encode("latin-1"),
            exchange.fields,
            self._host,
            length=None if body is None else len(body),
            without=without,
            extra=extra,
        )
        return head if body is None else head + body

    def on_unauthorized(self, exchange: Exchange, /) -> None:
        """Have what is known of its credential forgotten."""
        self._on_unauthorized(exchange)

    def answer(self, exchange: Exchange, answer: OwnAnswer, lines: bytes, *, keep_alive: bool) -> None:
        """Give an answer of the gateway's own. `lines` are further header lines."""
        answer.send(exchange, lines, keep_alive=keep_alive)

    def fail(self, exchange: Exchange, error: GatewayError, stamp: Stamp | None) -> None:
        """Answer in the upstream's place."""
        self.log_failure(exchange, error)
        # Where the request itself is at fault, what follows it on the connection is not worth guessing.
        keep_alive = exchange.keep_alive and isinstance(error, UpstreamError)
        answer = gateway_error(error, exchange.id)
        stamp = Stamp(exchange.id) if stamp is None else stamp.failed(error.code)
        if exchange.mark is not None:
            exchange.mark = f"failed; {error.code}"
        answer.send(exchange, stamp.lines, keep_alive=keep_alive)

    def log_failure(self, exchange: Exchange, error: GatewayError) -> None:
        """Tell which request did not get its answer, and why."""
        failed = isinstance(error, UpstreamError)
        (exchange.meters.failures if failed else exchange.meters.refused)[error.code] += 1
        event = "upstream_failed" if failed else "request_broken"
        self._log.warning(event, code=error.code, reason=str(error), **exchange.facts())
        if exchange.trace is not None:
            exchange.trace.failed(error.code)


def _forwarded_lines(exchange: Exchange) -> bytes:
    """Tell of the client: what a proxy that is trusted says of it, and else, or beyond it, what is known here."""
    hops = exchange.values(b"x-forwarded-for") if exchange.by_proxy else []
    if exchange.peer != BY_SOCKET:  # who comes by a UNIX socket has no address
        hops = [*hops, exchange.peer.encode()]
    host = exchange.host
    told = {
        b"X-Forwarded-For": b", ".join(hops),
        b"X-Forwarded-Proto": exchange.scheme.encode(),
        b"X-Forwarded-Host": b"" if host is None else host.encode("utf-8", "surrogateescape"),
    }
    if exchange.by_proxy:
        for name in (b"X-Forwarded-Proto", b"X-Forwarded-Host"):
            told[name] = b", ".join(exchange.values(name.lower())) or told[name]
    return b"".join(b"%b: %b\r\n" % line for line in told.items() if line[1])

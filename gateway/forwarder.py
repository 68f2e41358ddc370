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

from gateway.answer import Stamp
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.relay import Relay
from gateway.upstream.errors import UpstreamError
from gateway.upstream.head import request_head
from gateway.upstream.pool import Pool
from gateway.wire.error import gateway_error

# Of X-Forwarded-For each hop adds its own; of these a reader takes the first, which would be the client's word for it.
REPLACED: Final = frozenset({b"x-forwarded-host", b"x-forwarded-proto"})


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
        if self._forwarded:
            without = {*without, *REPLACED}
        head = request_head(
            exchange.method.encode(),
            exchange.target.encode("latin-1"),
            exchange.fields,
            self._host,
            length=None if body is None else len(body),
            without=without,
            extra=_forwarded_lines(exchange) if self._forwarded else b"",
        )
        return head if body is None else head + body

    def on_unauthorized(self, exchange: Exchange, /) -> None:
        """Have what is known of its credential forgotten."""
        self._on_unauthorized(exchange)

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


def _forwarded_lines(exchange: Exchange) -> bytes:
    lines = f"X-Forwarded-For: {exchange.client}\r\nX-Forwarded-Proto: {exchange.scheme}\r\n"
    if (host := exchange.host) is not None:
        lines += f"X-Forwarded-Host: {host}\r\n"
    return lines.encode("utf-8", "surrogateescape")

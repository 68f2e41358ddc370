"""Where requests go on that Envoy holds: nowhere from here. What becomes of them is noted, and Envoy told."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from gateway.answer import OwnAnswer, Stamp
from gateway.exchange import Exchange
from gateway.extproc.held import Answered, Forwarded, Held, Outcome, Released
from gateway.forwarder import TRACE_CONTEXT
from gateway.upstream.pool import Pool

RELEASED: Final = Released()


class Outlet:
    """A gateway.front.Outlet for Held exchanges. `on_unauthorized` is told of each that is answered with 401.

    What tells Close of the client (`forwarded`) is Envoy's to say.
    """

    def __init__(
        self,
        pool: Pool,
        log: FilteringBoundLogger,
        *,
        forwarded: bool,
        on_unauthorized: Callable[[Exchange], None],
    ) -> None:
        self._on_unauthorized = on_unauthorized

    def forward(
        self,
        exchange: Exchange,
        *,
        body: bytes | None = None,
        without: Collection[bytes] = (),
        stamp: Stamp | None = None,
    ) -> None:
        """Have Envoy send it on. Without a stamp nobody has looked at it, and nobody looks at its answer."""
        if stamp is None:
            _settle(exchange, RELEASED)
            return
        lines = b""
        if exchange.trace is not None:
            without = {*without, *TRACE_CONTEXT}
            lines = exchange.trace.forwarded()
        unauthorized = partial(self._on_unauthorized, exchange)
        _settle(exchange, Forwarded(body, without, lines, stamp.lines, unauthorized))

    def answer(self, exchange: Exchange, answer: OwnAnswer, lines: bytes, *, keep_alive: bool) -> None:
        """Have Envoy answer so. Its connections are its own affair."""
        _settle(exchange, Answered(answer, lines))


def _settle(exchange: Exchange, outcome: Outcome) -> None:
    if not isinstance(exchange, Held):
        raise TypeError("this outlet is for exchanges that Envoy holds")
    exchange.settle(outcome)

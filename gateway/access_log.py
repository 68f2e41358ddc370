"""One event for each request that is over: request_served. Off unless it is asked for.

Kept     What the other events about a request tell, the status and size of its answer, and what was done with it.
Left out Everything that they leave out: credentials, queries, and all that is an email's own.
"""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from gateway.exchange import Exchange


def access_log(log: FilteringBoundLogger) -> Callable[[Exchange], None]:
    """Make what writes the event."""

    def write(exchange: Exchange) -> None:
        credentials = exchange.credentials
        log.info(
            "request_served",
            **exchange.facts(),
            status=exchange.status or None,  # none: the client left before an answer began
            done=exchange.mark,
            complete=None if exchange.complete else False,
            waited_ms=round(exchange.waited * 1000, 3),
            received=exchange.body.received,
            sent=exchange.sent,
            credential=None if credentials is None else credentials.fingerprint,
            user_agent=exchange.user_agent,
        )

    return write

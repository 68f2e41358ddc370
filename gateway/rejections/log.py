"""One event per refusal: request_rejected; in report mode request_reported."""

from structlog.typing import FilteringBoundLogger

from gateway.rejections.record import Rejection


def log_rejection(log: FilteringBoundLogger, rejection: Rejection, *, enforced: bool) -> None:
    """Write the event."""
    event = "request_rejected" if enforced else "request_reported"
    log.warning(event, **rejection._asdict())

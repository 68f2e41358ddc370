"""One event per refusal, request_rejected, and one per code that is reported: request_reported."""

from structlog.typing import FilteringBoundLogger

from gateway.rejections.record import Rejection


def log_rejection(log: FilteringBoundLogger, rejection: Rejection) -> None:
    """Write the event."""
    fields = rejection._asdict()
    del fields["status"]
    event = "request_rejected" if fields.pop("enforced") else "request_reported"
    log.warning(event, **fields)

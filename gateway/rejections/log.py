"""One event per refusal: request_rejected; in report mode request_reported."""

from dataclasses import fields

from structlog.typing import FilteringBoundLogger

from gateway.rejections.record import Rejection

NAMES = tuple(field.name for field in fields(Rejection))


def log_rejection(log: FilteringBoundLogger, rejection: Rejection, *, enforced: bool) -> None:
    """Write the event."""
    event = "request_rejected" if enforced else "request_reported"
    log.warning(event, **{name: getattr(rejection, name) for name in NAMES})

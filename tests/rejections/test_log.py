import pytest
import structlog
from structlog.testing import LogCapture
from structlog.typing import FilteringBoundLogger

from gateway.rejections.log import log_rejection
from gateway.rejections.record import Rejection
from tests.rejections.stores import A_REJECTION

EVENT: dict[str, object] = {
    "event": "request_rejected",
    "log_level": "warning",
    "request_id": "r-1",
    "code": "sender_required",
    "method": "POST",
    "path": "/api/v1/activity/email/",
    "email_status": "outbox",
    "lead_id": "lead_1",
    "email_id": None,
    "credential": "fp:3f9a",
    "owner": "jane@example.com",
    "client": "127.0.0.1",
    "user_agent": "Close/2.1 python",
    "elapsed_ms": 1.25,
}


@pytest.fixture
def capture() -> LogCapture:
    """What the log was told."""
    return LogCapture()


@pytest.fixture
def log(capture: LogCapture) -> FilteringBoundLogger:
    """A log that is only told."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        None, processors=[capture], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    return logger


def test_a_rejection_is_one_event(log: FilteringBoundLogger, capture: LogCapture) -> None:
    """An operator finds who was refused what and why, and no key and no text of the email."""
    log_rejection(log, A_REJECTION)
    assert capture.entries == [EVENT]


def test_the_event_of_a_report_has_another_name(log: FilteringBoundLogger, capture: LogCapture) -> None:
    """All else of it is the same, so that one can tell what enforcing would do."""
    log_rejection(log, A_REJECTION._replace(email_id="acti_1", owner=None, enforced=False, status=None))
    assert capture.entries == [EVENT | {"event": "request_reported", "email_id": "acti_1", "owner": None}]


def test_everything_that_is_kept_is_told(log: FilteringBoundLogger, capture: LogCapture) -> None:
    """A field added to the record comes into the event by itself, but for those that its name tells."""
    log_rejection(log, A_REJECTION)
    named = {"enforced", "status"}
    assert set(capture.entries[0]) == set(Rejection._fields) - named | {"event", "log_level"}

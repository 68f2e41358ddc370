import pytest

from gateway.policy.email import EmailWrite, Status
from gateway.policy.members import email_write
from gateway.policy.status import STATUS_REQUIRED, STATUS_UNKNOWN, status_of_new
from gateway.policy.verdict import Violation

UNKNOWN: list[object] = ["", " ", "received", "Outbox", "outbox ", 0, False, 1.5, [], ["outbox"], {}]
ROWS: list[tuple[object, Violation | None]] = [
    *((status.value, None) for status in Status),
    (None, STATUS_REQUIRED),
    *((value, STATUS_UNKNOWN) for value in UNKNOWN),
]


@pytest.mark.parametrize(("value", "found"), ROWS)
def test_the_status_of_a_new_email(value: object, found: Violation | None) -> None:
    """One of six, to the letter; null is none, and all else is unknown."""
    assert status_of_new(email_write({"status": value})) == found


def test_a_status_that_is_absent_is_missing() -> None:
    """As null is."""
    assert status_of_new(EmailWrite()) == STATUS_REQUIRED
    assert status_of_new(email_write({})) == STATUS_REQUIRED

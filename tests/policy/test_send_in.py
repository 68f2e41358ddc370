import pytest

from gateway.policy.email import EmailWrite, Status
from gateway.policy.send_in import (
    SEND_IN_MISPLACED,
    SEND_IN_NO_NUMBER,
    SEND_IN_TOO_LONG,
    delay,
    place_in_change,
    place_in_new,
)
from gateway.policy.verdict import Violation

NO_NUMBERS: list[object] = [True, False, "30", "", 30.0, 1e999, float("nan"), [], [30], {}]
DELAYS: list[tuple[object, Violation | None]] = [
    *((value, None) for value in (None, 0, 1, 30, 59, -1, -(10**30))),
    *((value, SEND_IN_TOO_LONG) for value in (60, 61, 10**30)),
    *((value, SEND_IN_NO_NUMBER) for value in NO_NUMBERS),
]
PLACES: list[
    tuple[object, Status | None, Violation | None, Violation | None]
] = [  # the status, in a new email, a change
    ("outbox", Status.OUTBOX, None, None),
    *((status.value, status, SEND_IN_MISPLACED, SEND_IN_MISPLACED) for status in Status if status is not Status.OUTBOX),
    ("received", None, SEND_IN_MISPLACED, SEND_IN_MISPLACED),
    (7, None, SEND_IN_MISPLACED, SEND_IN_MISPLACED),
    (None, None, SEND_IN_MISPLACED, None),
]


@pytest.mark.parametrize(("value", "found"), DELAYS)
def test_the_delay(value: object, found: Violation | None) -> None:
    """A whole number below 60, or null; of what is below 0 Close says nothing."""
    assert delay(EmailWrite(send_in=value)) == found


@pytest.mark.parametrize(("given", "status", "new", "change"), PLACES)
def test_where_a_delay_belongs(
    given: object, status: Status | None, new: Violation | None, change: Violation | None
) -> None:
    """To what is sent at once; what a change without a status does to the email, only Close knows."""
    for value, _ in DELAYS[1:]:
        email = EmailWrite(status=status, status_given=given, send_in=value)
        assert (place_in_new(email), place_in_change(email)) == (new, change)
    none = EmailWrite(status=status, status_given=given)
    assert (place_in_new(none), place_in_change(none)) == (None, None)

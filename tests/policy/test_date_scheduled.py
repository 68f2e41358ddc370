import pytest

from gateway.policy.date_scheduled import DATE_REQUIRED, date_of_change, date_of_new
from gateway.policy.email import Absent, EmailWrite, Status
from gateway.policy.verdict import Violation

DATE = "2030-01-31T09:00:00+00:00"
NO_TEXTS: list[object] = [0, 1_900_000_000, False, [], {}]
ROWS: list[tuple[object, Violation | None, Violation | None]] = [  # the date, in a new email, in a change
    (Absent.ABSENT, DATE_REQUIRED, None),
    (None, DATE_REQUIRED, DATE_REQUIRED),
    ("", DATE_REQUIRED, DATE_REQUIRED),
    (" \t", DATE_REQUIRED, DATE_REQUIRED),
    (DATE, None, None),
    ("tomorrow", None, None),
    *((value, None, None) for value in NO_TEXTS),
]


@pytest.mark.parametrize(("date", "new", "change"), ROWS)
def test_the_date_of_what_is_scheduled(date: object, new: Violation | None, change: Violation | None) -> None:
    """A new email has to have one; of a change it is known only where it takes the date away."""
    email = EmailWrite(status=Status.SCHEDULED, date_scheduled=date)
    assert (date_of_new(email), date_of_change(email)) == (new, change)


@pytest.mark.parametrize("status", [status for status in (*Status, None) if status is not Status.SCHEDULED])
def test_nothing_else_needs_a_date(status: Status | None) -> None:
    """Whatever stands there."""
    for date, _, _ in ROWS:
        email = EmailWrite(status=status, date_scheduled=date)
        assert (date_of_new(email), date_of_change(email)) == (None, None)

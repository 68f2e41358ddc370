"""Email writes for the tests of the policy."""

from typing import Final

from hypothesis import strategies as st

from gateway.policy.email import Absent, EmailWrite, Status
from tests.policy.senders import JSON_VALUES

FILE: Final = "https://app.close.com/go/file/"


def whole(status: Status, sender: object) -> EmailWrite:
    """Make an email of this status in which nothing is wrong, unless the sender is."""
    date = "2030-01-31T09:00:00+00:00" if status is Status.SCHEDULED else Absent.ABSENT
    return EmailWrite(status, sender, status_given=status.value, lead_id="lead_1", date_scheduled=date)


URLS: Final = st.sampled_from([f"{FILE}x/y", "https://example.com/x", "", None, 7])
ATTACHMENTS: Final = st.lists(st.fixed_dictionaries({"url": URLS}) | JSON_VALUES, max_size=4)
STATUSES: Final = st.one_of(
    st.sampled_from([(status, status.value) for status in Status]),
    st.tuples(st.none(), JSON_VALUES),
)
WRITES: Final[st.SearchStrategy[EmailWrite]] = st.builds(
    lambda status, *rest: EmailWrite(status[0], rest[0], rest[1], status[1], *rest[2:]),
    STATUSES,
    JSON_VALUES,
    JSON_VALUES,
    JSON_VALUES | st.just("lead_1"),
    JSON_VALUES | st.just(Absent.ABSENT),
    JSON_VALUES | st.integers(-1, 61) | st.floats(),
    JSON_VALUES | ATTACHMENTS,
)
"""Of any JSON in any field, and often of such as a rule looks at twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rejections.asked import Asked, AskedAmiss
from gateway.rejections.query import Bucket, Filters
from tests.rejections.stores import DAY, NOON

TIME = "an ISO 8601 time, such as 2026-11-24T09:30 or 2026-11-24 (UTC), or an age, such as 15m, 24h or 7d"


def test_all_that_can_be_asked() -> None:
    """Each parameter is taken once, and then all is well."""
    asked = Asked(
        {"code": "c", "since": "24h", "text": "é", "limit": "7", "bucket": "week", "cursor": "a-1"}.items(), now=NOON
    )
    assert asked.filters() == Filters(code="c", since=NOON - DAY, text="é")
    assert (asked.limit(), asked.bucket(), asked.cursor()) == (7, Bucket.WEEK, "a-1")
    assert (asked.last_event_id(None), asked.last_event_id("12")) == (None, 12)
    asked.done()


def test_everything_wrong_is_told_at_once() -> None:
    """Each by its name, and no value is repeated."""
    given = [
        ("since", "canary"),
        ("owner", ""),
        ("limit", "1001"),
        ("bucket", "canary"),
        ("cursor", "canary"),
        ("cod", "canary"),
        ("text", "a"),
        ("text", "b"),
        ("last_event_id", "1"),
    ]
    asked = Asked(given, now=NOON)
    asked.filters()
    asked.limit()
    asked.bucket()
    asked.cursor()
    with pytest.raises(AskedAmiss) as amiss:
        asked.done()
    assert amiss.value.fields == {
        "text": "The parameter text is given twice.",
        "owner": "The filter owner takes a text of 1 to 256 characters, all printable.",
        "since": f"The filter since takes {TIME}.",
        "limit": "The parameter limit takes a whole number from 1 to 1000.",
        "bucket": "The parameter bucket takes hour, day or week.",
        "cursor": "The cursor is none that the gateway gave out.",
        "cod": "The parameter cod is not known.",
        "last_event_id": "The parameter last_event_id is of no use here.",
    }


@given(st.lists(st.tuples(st.sampled_from(["since", "text", "limit", "cursor", "code"]) | st.text(), st.text())))
def test_whatever_is_asked(given_: list[tuple[str, str]]) -> None:
    """It is understood, or named in printable words."""
    asked = Asked(given_, now=NOON)
    asked.filters()
    asked.limit()
    asked.cursor()
    wrong = ""
    try:
        asked.done()
    except AskedAmiss as amiss:
        wrong = str(amiss)
    assert wrong.isprintable()

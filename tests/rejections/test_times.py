from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rejections.times import iso, parse_time
from tests.rejections.stores import DAY, HOUR, NOON, SECOND


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-24T12:00:00Z", NOON),
        ("2026-11-24T12:00", NOON),
        ("2026-11-24 12:00", NOON),
        ("2026-11-24", NOON - 12 * HOUR),
        ("2026-11-24T14:00:00+02:00", NOON),
        ("2026-11-24T14:00:00 02:00", NOON),
        ("2026-11-24T12:00:00.000001Z", NOON + 1),
        ("30s", NOON - 30 * SECOND),
        ("15m", NOON - 15 * 60 * SECOND),
        ("24h", NOON - DAY),
        ("7d", NOON - 7 * DAY),
        ("2w", NOON - 14 * DAY),
        ("999999w", 0),
    ],
)
def test_a_time_is_read(text: str, time: int) -> None:
    """ISO 8601, with an offset or as UTC, even with its plus lost in a query; or an age."""
    assert parse_time(text, NOON) == time


@pytest.mark.parametrize("text", ["", "yesterday", "24", "h", "-1h", "1.5h", "1h ", "٣h", "2026-13-01", "9999999d"])
def test_no_time(text: str) -> None:
    """Whatever else there is, it is refused."""
    with pytest.raises(ValueError, match="is not an ISO 8601 time"):
        parse_time(text, NOON)


@given(st.text(max_size=40))
def test_whatever_is_given(text: str) -> None:
    """It is a time, or a ValueError."""
    with suppress(ValueError):
        assert isinstance(parse_time(text, NOON), int)


@given(st.integers(0, 7_258_118_399_999_999))
def test_a_time_is_written_and_read_back(at: int) -> None:
    """To the microsecond."""
    assert parse_time(iso(at), NOON) == at

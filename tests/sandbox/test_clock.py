import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.sandbox import Refusal
from gateway.sandbox.clock import HOW_TO_SET, Clock, read_duration, read_time, this_machines_time, told, turned
from tests.sandbox.clocks import NOW, standing_clock


def test_a_clock_goes_on_from_where_it_is_set() -> None:
    """It shows this machine's time, moved; forward and back."""
    times = iter([NOW, NOW + timedelta(seconds=1), NOW + timedelta(seconds=2), NOW + timedelta(seconds=3)])
    clock = Clock(lambda: next(times))
    assert clock.now() == NOW
    clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    assert [clock.now(), clock.now()] == [datetime(2020, 1, 1, 0, 0, second, tzinfo=UTC) for second in (1, 2)]


def test_a_clock_that_nobody_moved_is_right() -> None:
    """Without a source it is this machine's."""
    before = this_machines_time()
    assert before <= Clock().now() <= this_machines_time()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-02T09:00:00Z", NOW),
        (" 2026-03-02T10:00:00+01:00 ", NOW),
        ("2026-03-02T09:00", NOW),
        ("2026-03-02", NOW.replace(hour=0)),
        ("20260302T090000Z", NOW),
        ("", None),
        ("tomorrow", None),
        ("2026-02-30", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
    ],
)
def test_times(text: str, time: datetime | None) -> None:
    """ISO 8601 in its spellings, in UTC where no zone is named; what UTC cannot tell is no time."""
    assert read_time(text) == time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("2h", 7200), ("1d12h", 129_600), ("1h30m", 5400), (" 0s ", 0), ("", None), ("2", None)]
    + [(text, None) for text in ("h", "2 h", "-2h", "2h1d", "1.5h", "99999999d", "two hours")],
)
def test_durations(text: str, seconds: int | None) -> None:
    """Days, hours, minutes and seconds, in this order."""
    assert read_duration(text) == (None if seconds is None else timedelta(seconds=seconds))


def test_it_is_set_and_advanced_on_request() -> None:
    """The answer tells the time."""
    clock = standing_clock()
    assert told(clock) == {"now": "2026-03-02T09:00:00+00:00"}
    assert turned(clock, {"advance": "2h"}) == {"now": "2026-03-02T11:00:00+00:00"}
    assert turned(clock, {"advance": "1m"}) == {"now": "2026-03-02T11:01:00+00:00"}
    assert turned(clock, {"now": "2026-01-01"}) == told(clock) == {"now": "2026-01-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "errors"),
        ({"later": "2h"}, "errors"),
        ({"now": "2026-01-01", "advance": "2h"}, "errors"),
        ({"now": "soon"}, "now"),
        ({"now": 7}, "now"),
        ({"now": "1969-12-31"}, "now"),
        ({"now": "3000-01-01"}, "now"),
        ({"advance": "soon"}, "advance"),
        ({"advance": ["2h"]}, "advance"),
        ({"advance": "9999999d"}, "advance"),
        ({"advance": "370000d"}, "advance"),
    ],
)
def test_what_it_cannot_be_set_to(fields: dict[str, Any], named: str) -> None:
    """The field is named and what would do, and the clock stays."""
    clock = standing_clock()
    with pytest.raises(Refusal, match=re.escape(HOW_TO_SET)) as refusal:
        turned(clock, fields)
    assert refusal.value.body[named] if named == "errors" else named in refusal.value.body["field-errors"]
    assert clock.now() == NOW

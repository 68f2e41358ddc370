from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sandbox import User, limits
from gateway.sandbox.limits import Limits, Rate, Standing
from gateway.sandbox.seed import JANE, JOHN, MARY

GROUP = "GET /api/v1/me/"


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time, as the test has it."""
    return Clock()


@pytest.mark.parametrize(
    ("text", "rate", "shown"),
    [
        ("20/s", Rate(20, 1), "20/s"),
        (" 100/15s ", Rate(100, 15), "100/15s"),
        ("600/m", Rate(600, 60), "600/60s"),
        ("1/h", Rate(1, 3600), "1/3600s"),
        ("9999999/60m", Rate(9_999_999, 3600), "9999999/3600s"),
    ],
)
def test_a_rate_is_read_and_shown(text: str, rate: Rate, shown: str) -> None:
    """Requests by a window of seconds; what is shown can be read again."""
    assert (Rate.parse(text), str(rate), Rate.parse(shown)) == (rate, shown, rate)


@pytest.mark.parametrize("text", ["", "20", "20/", "/s", "-1/s", "1.5/s", "20/d", "10000000/s", "1/10000s", "٣/s"])
def test_what_is_no_rate(text: str) -> None:
    """Whoever mistypes one is shown three that would do."""
    with pytest.raises(ValueError, match=r"is no rate, such as 20/s, 100/15s or 600/m"):
        Rate.parse(text)


@pytest.mark.parametrize("text", ["0/s", "1/0s", "1/3601s", "1/2h"])
def test_a_rate_has_bounds(text: str) -> None:
    """Nothing at all, and windows that nobody waits for, are refused."""
    with pytest.raises(ValueError, match="has to allow one request at least"):
        Rate.parse(text)


def test_a_key_asks_as_often_as_it_may(clock: Clock) -> None:
    """Each answer says what is left until when; one too many is a 429 that says the same, and how long to wait."""
    counts = Limits(Rate(2, 10), clock)
    first = counts.count(JANE, GROUP)
    clock.now = 3.5
    second = counts.count(JANE, GROUP)
    third = counts.count(JANE, GROUP)
    assert [(one.headers, one.over) for one in (first, second, third)] == [
        ({"RateLimit": "limit=2, remaining=1, reset=10"}, False),
        ({"RateLimit": "limit=2, remaining=0, reset=7"}, False),
        ({"RateLimit": "limit=2, remaining=0, reset=7", "Retry-After": "7"}, True),
    ]
    refusal = third.refusal()
    assert (refusal.status, refusal.headers) == (429, third.headers)
    assert refusal.body == {
        "error": {
            "message": "API call count exceeded for this period",
            "rate_reset": 6.5,
            "rate_limit": 2,
            "rate_window": 10,
            "rate_limit_type": "key",
            "rate_endpoint_group": GROUP,
        }
    }


def test_limits_are_apart(clock: Clock) -> None:
    """By key, and by endpoint group."""
    counts = Limits(Rate(1), clock)
    asked = [counts.count(user, group).over for user in (JANE, JOHN) for group in (GROUP, GROUP, "GET /api/v1/lead/")]
    assert asked == [False, True, False, False, True, False]


def test_an_organization_asks_three_times_as_often(clock: Clock, make_user: Callable[[int], User]) -> None:
    """Three keys may ask all they may; a fourth of the same organization meets its limit, one of another does not."""
    counts = Limits(Rate(2), clock)
    users = [make_user(number) for number in range(4)]
    for user in users[:3]:
        assert not any(counts.count(user, GROUP).over for _ in range(2))
    last = counts.count(users[3], GROUP)
    assert (last.kind, last.limit, last.over) == ("organization", 6, True)
    assert not counts.count(MARY, GROUP).over


def test_an_answer_tells_of_the_nearer_limit(clock: Clock, make_user: Callable[[int], User]) -> None:
    """Where the organization has less left than the key, that is what is told."""
    counts = Limits(Rate(2), clock)
    told = [counts.count(make_user(number), GROUP) for number in range(6)]
    assert [(one.kind, one.remaining) for one in told] == [
        *[("key", 1)] * 5,
        ("organization", 0),
    ]


def test_a_new_rate_begins_anew(clock: Clock) -> None:
    """Who is over the old limit is not over the new one."""
    counts = Limits(Rate(1), clock)
    assert [counts.count(JANE, GROUP).over for _ in range(2)] == [False, True]
    counts.rate = Rate(1, 5)
    assert [counts.count(JANE, GROUP).over for _ in range(2)] == [False, True]


def test_what_is_remembered_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked, the windows that began first make way."""
    monkeypatch.setattr(limits, "MOST_WINDOWS", 4)
    counts = Limits(Rate(1), clock)
    for number in range(10):
        counts.count(JANE, f"group {number}")
    assert [group for _, _, group in counts._windows] == ["group 8", "group 8", "group 9", "group 9"]


@given(waits=st.lists(st.floats(0, 7, allow_nan=False), max_size=40), count=st.integers(1, 3), window=st.integers(1, 5))
def test_never_more_than_the_rate_and_always_after_the_reset(waits: list[float], count: int, window: int) -> None:
    """However a client asks, no window lets more in than it may, and who waits as long as told is let in."""
    clock = Clock()
    counts = Limits(Rate(count, window), clock)
    let_in: list[float] = []
    for wait in waits:
        clock.now += wait
        standing = counts.count(JANE, GROUP)
        if standing.over:
            clock.now += int(standing.headers["Retry-After"])
            standing = counts.count(JANE, GROUP)
        assert not standing.over
        let_in.append(clock.now)
    for one, later in zip(let_in, let_in[2 * count :], strict=False):
        assert later - one >= window - 1e-6  # two windows may meet, three may not


def test_a_limit_can_be_told_without_being_met() -> None:
    """A fault asks for a 429 as a limit would give it."""
    assert Limits(Rate(5, 2)).exceeded(GROUP) == Standing(
        kind="key", group=GROUP, limit=5, window=2, remaining=0, reset=1.0, over=True
    )

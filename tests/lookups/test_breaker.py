from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.lookups.breaker import Breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    """The failures before the last one leave it closed."""
    breaker = Breaker(3, pause=10.0)
    for now in (1.0, 2.0):
        breaker.failed(now)
        assert breaker.closed(now)
    breaker.failed(3.0)
    assert [breaker.closed(now) for now in (3.0, 5.0, 12.9)] == [False, False, False]


def test_a_success_in_between_counts_them_anew() -> None:
    """Only failures in a row tell that an endpoint is dead."""
    breaker = Breaker(2, pause=10.0)
    for now in range(10):
        breaker.failed(now)
        breaker.succeeded()
        assert breaker.closed(now)


def test_after_a_pause_one_may_try() -> None:
    """The others wait for what comes of it, for another pause at most."""
    breaker = Breaker(1, pause=10.0)
    breaker.failed(0.0)
    assert [breaker.closed(now) for now in (9.9, 10.0, 10.1, 19.9, 20.0, 20.1)] == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]


def test_a_try_that_succeeds_closes_it() -> None:
    """From then on, everyone may ask, and it takes as many failures as at first."""
    breaker = Breaker(2, pause=10.0)
    breaker.failed(0.0)
    breaker.failed(0.0)
    assert breaker.closed(10.0)
    breaker.succeeded()
    assert [breaker.closed(now) for now in (10.0, 10.1, 10.2)] == [True, True, True]
    breaker.failed(11.0)
    assert breaker.closed(11.0)


def test_a_try_that_fails_pauses_again() -> None:
    """From the failure on, not from the try."""
    breaker = Breaker(2, pause=10.0)
    breaker.failed(0.0)
    breaker.failed(0.0)
    assert breaker.closed(10.0)
    breaker.failed(12.0)
    assert [breaker.closed(now) for now in (21.9, 22.0)] == [False, True]


@settings(derandomize=True, max_examples=200)
@given(st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=40))
def test_a_dead_endpoint_is_asked_once_a_pause(steps: list[tuple[float, bool]]) -> None:
    """Whatever happens when, two questions that fail in a row are apart by a pause, once so many have failed before."""
    breaker, now, failures, last = Breaker(3, pause=10.0), 0.0, 0, 0.0
    for wait, succeeds in steps:
        now += wait
        if not breaker.closed(now):
            assert failures >= 3
            continue
        assert failures < 3 or now >= last + 10.0
        last = now
        if succeeds:
            breaker.succeeded()
            failures = 0
        else:
            breaker.failed(now)
            failures += 1

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.meters import KINDS, OWN, STATUSES, TOTAL, Distribution, Histogram, Meters, merged

SECONDS = st.floats(0, 100, allow_nan=False)


@given(st.lists(SECONDS))
def test_each_measurement_is_in_one_bucket(measured: list[float]) -> None:
    """In the first whose upper bound is not below it, as Prometheus has it; the last has no bound."""
    histogram = Histogram(TOTAL)
    for seconds in measured:
        histogram.add(seconds)
    read = histogram.read()
    assert sum(read.counts) == len(measured)
    assert read.total == pytest.approx(sum(measured))
    for index, bound in enumerate(TOTAL):
        assert sum(read.counts[: index + 1]) == sum(seconds <= bound for seconds in measured)


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 999), SECONDS, SECONDS)), st.integers(0, 5))
def test_what_two_processes_counted_adds_up(requests: list[tuple[str, int, float, float]], split: int) -> None:
    """However requests fall to processes, and by whatever way the counts come: the sums are those of one process."""
    alone, one, other = Meters(), Meters(), Meters()
    for index, (kind, status, took, waited) in enumerate(requests):
        for meters in (alone, one if index % 6 < split else other):
            meters.ended(kind, status, took, waited)
            meters.rejected["sender_required"] += 1
            meters.received += status
    sent = (pickle.dumps(meters.read()) for meters in (one, other))
    sums = merged(pickle.loads(data) for data in sent)  # noqa: S301 - our own
    expected = alone.read()
    assert sums.keys() == expected.keys()
    for name in sums.keys() - {"request_duration_seconds", "own_duration_seconds"}:
        assert sums[name] == expected[name]
    for kind in KINDS:
        added, whole = sums["request_duration_seconds"][kind,], expected["request_duration_seconds"][kind,]
        assert isinstance(added, Distribution)
        assert isinstance(whole, Distribution)
        assert added.counts == whole.counts
        assert added.total == pytest.approx(whole.total)


def test_what_cannot_be_added_is_not() -> None:
    """A distribution and a number under one name would be a mistake of ours."""
    with pytest.raises(TypeError):
        merged([{"a": {(): Histogram(OWN).read()}}, {"a": {(): 1.0}}])


def test_each_status_has_a_name() -> None:
    """By its first digit; 0 is for who left before an answer."""
    meters = Meters()
    for status in (0, 103, 204, 308, 499, 999):
        meters.ended("pass_through", status, 0.001, 0.0)
    assert meters.read()["requests"] == {("pass_through", status): 1 for status in STATUSES}

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.rejections.flood import OTHERS, SECOND, Flood, Fold
from gateway.rejections.record import Rejection
from tests.rejections.stores import A_REJECTION, NOON


def of(credential: str | None, code: str = "sender_required") -> Rejection:
    """Have one refused."""
    return A_REJECTION._replace(credential=credential, code=code)


def test_what_comes_too_often_is_counted() -> None:
    """So many a second are kept by themselves; the rest is one fold, with the first and the last and how many."""
    flood = Flood(2)
    admitted = [flood.admits(of("fp:1"), NOON + number) for number in range(5)]
    assert admitted == [True, True, False, False, False]
    assert flood.admits(of("fp:2"), NOON + 5)
    assert flood.admits(of("fp:1", "sender_malformed"), NOON + 5)
    assert flood.take(NOON + 6) == []  # its second goes on
    assert flood.folds == 1
    assert flood.admits(of("fp:1"), NOON + SECOND)
    assert flood.take(NOON + SECOND) == [Fold(of("fp:1"), NOON + 2, NOON + 4, 3)]
    assert flood.take(NOON + 9 * SECOND) == []


def test_a_fold_is_given_once_its_second_is_over() -> None:
    """Even if nothing more comes; and at once when the gateway stops."""
    flood = Flood(1)
    for _ in range(3):
        flood.admits(of("fp:1"), NOON)
    assert [fold.count for fold in flood.take(NOON + SECOND)] == [2]
    for _ in range(3):
        flood.admits(of("fp:1"), NOON + SECOND)
    assert [fold.count for fold in flood.take(None)] == [2]


def test_without_room_all_are_folded() -> None:
    """What the memory has no room for is counted from the first one on, for the rest of the second."""
    flood = Flood(5)
    assert flood.admits(of("fp:1"), NOON)
    assert not flood.admits(of("fp:1"), NOON, room=False)
    assert not flood.admits(of("fp:1"), NOON)
    assert [(fold.rejection.credential, fold.count) for fold in flood.take(None)] == [("fp:1", 2)]


def test_more_credentials_than_can_be_told_apart() -> None:
    """They share a fold, which names none of them, and no owner."""
    flood = Flood(1, most_apart=2)
    admitted = [flood.admits(of(f"fp:{number}"), NOON) for number in range(5)]
    assert admitted == [True, True, False, False, False]
    (fold,) = flood.take(None)
    assert fold == Fold(of(OTHERS)._replace(owner=None), NOON, NOON, 3)


def test_a_report_and_a_refusal_are_told_apart() -> None:
    """Where the mode of a rule changes, or a request is refused for something else, each count stays right."""
    reported = of("fp:1")._replace(enforced=False, status=None)
    refused_too = of("fp:1")._replace(enforced=False)
    flood = Flood(1)
    for _ in range(3):
        for rejection in (of("fp:1"), reported, refused_too):
            flood.admits(rejection, NOON)
    folds = [Fold(rejection, NOON, NOON, 2) for rejection in (of("fp:1"), reported, refused_too)]
    assert flood.take(None) == folds


calls = st.tuples(
    st.sampled_from(["fp:1", "fp:2", "fp:3", "fp:4", None]),
    st.sampled_from(["sender_required", "sender_malformed"]),
    st.integers(-SECOND, SECOND),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(calls), st.integers(1, 4), st.integers(1, 5))
def test_nothing_is_dropped(made: list[tuple[str | None, str, int, bool, bool]], most: int, apart: int) -> None:
    """Whatever comes, whenever it is taken and even if the clock goes back: the counts are the number of calls."""
    flood = Flood(most, apart)
    now = NOON
    by_code: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for credential, code, step, room, taken in made:
        now += step
        by_code[code] += 1
        if flood.admits(of(credential, code), now, room=room):
            kept[code] += 1
        assert flood.folds <= 2 * (2 * apart + 2)
        if taken:
            kept.update(_counted(flood.take(now)))
    kept.update(_counted(flood.take(None)))
    assert kept == by_code
    assert flood.folds == 0


def _counted(folds: list[Fold]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for fold in folds:
        counted[fold.rejection.code] += fold.count
    return dict(counted)

"""Snapshots of several processes, added up."""

from collections import Counter
from dataclasses import replace

from gateway.rejections.recorder import StoreState
from gateway.rejections.writer import StoreStatus
from gateway.snapshot import Snapshot, merged, of_the_past

OK = StoreState(
    status=StoreStatus.OK,
    reason=None,
    waiting=1,
    waiting_bytes=2,
    written=3,
    folded=4,
    damaged=5,
    file_failure=None,
)
DOWN = replace(OK, status=StoreStatus.DOWN, reason="NO_CONNECTION", file_failure="ENOSPC")


def test_they_add_up() -> None:
    """Numbers are summed, and the store does as badly as it does for the worst off."""
    one = Snapshot(serving=1, in_flight=2, counts=Counter(a=1, b=2), store=OK)
    other = Snapshot(serving=1, draining=True, counts=Counter(b=3), store=DOWN)
    assert merged([one, other, Snapshot()]) == Snapshot(
        serving=2,
        draining=True,
        in_flight=2,
        counts=Counter(a=1, b=5),
        store=StoreState(
            status=StoreStatus.DOWN,
            reason="NO_CONNECTION",
            waiting=2,
            waiting_bytes=4,
            written=6,
            folded=8,
            damaged=10,
            file_failure="ENOSPC",
        ),
    )
    assert merged([]) == Snapshot()


def test_of_who_is_gone_the_counts_stay() -> None:
    """What it did counts on; what it had in hand does not."""
    past = of_the_past(Snapshot(serving=1, draining=True, in_flight=2, counts=Counter(a=1), store=DOWN))
    assert past == Snapshot(counts=Counter(a=1), store=replace(OK, waiting=0, waiting_bytes=0))

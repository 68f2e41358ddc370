"""What a process that serves requests has done and how it does, to be told by whoever speaks for it.

Rule    It can be pickled and added up: with several workers one process tells for all.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway import meters
from gateway.lookups.link import CacheState
from gateway.meters import Readings
from gateway.rejections.recorder import StoreState
from gateway.rejections.writer import StoreStatus

WORST_FIRST: Final = (StoreStatus.DOWN, StoreStatus.BEHIND, StoreStatus.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Of one process, or of several."""

    serving: int = 0
    """Processes that take requests."""
    draining: bool = False
    """Whether they are about to stop."""
    started: bool = False
    """Whether each of several has served, or failed to: where none serves now, that is no start any more."""
    in_flight: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """What has been done with email writes; of processes that are gone, too."""
    readings: Readings = field(default_factory=dict)
    """All that is counted and measured; what was counted in processes that are gone, too."""
    store: StoreState | None = None
    """None: nothing is kept, or nobody knows yet."""
    cache: CacheState | None = None
    """None: nothing is shared, or nobody knows yet."""


Look: TypeAlias = Callable[[], Awaitable[Snapshot]]
"""Takes a snapshot."""


def merged(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Add up."""
    found = tuple(snapshots)
    counts: Counter[str] = Counter()
    for snapshot in found:
        counts.update(snapshot.counts)
    return Snapshot(
        serving=sum(snapshot.serving for snapshot in found),
        draining=any(snapshot.draining for snapshot in found),
        started=any(snapshot.started for snapshot in found),
        in_flight=sum(snapshot.in_flight for snapshot in found),
        counts=counts,
        readings=meters.merged(snapshot.readings for snapshot in found),
        store=_together([snapshot.store for snapshot in found if snapshot.store is not None]),
        cache=min((snapshot.cache for snapshot in found if snapshot.cache is not None), key=_is_up, default=None),
    )


def of_the_past(snapshot: Snapshot) -> Snapshot:
    """Keep of a process that is gone what stays true: its counts."""
    store = snapshot.store
    if store is not None:
        store = StoreState(
            status=StoreStatus.OK,
            reason=None,
            waiting=0,
            waiting_bytes=0,
            written=store.written,
            folded=store.folded,
            damaged=store.damaged,
            file_failure=None,
        )
    return Snapshot(counts=snapshot.counts, readings=meters.counted(snapshot.readings), store=store)


def _is_up(state: CacheState) -> bool:
    return state.up


def _together(states: list[StoreState]) -> StoreState | None:
    if not states:
        return None
    worst = min(states, key=lambda state: WORST_FIRST.index(state.status))
    return StoreState(
        status=worst.status,
        reason=worst.reason,
        waiting=sum(state.waiting for state in states),
        waiting_bytes=sum(state.waiting_bytes for state in states),
        written=sum(state.written for state in states),
        folded=sum(state.folded for state in states),
        damaged=sum(state.damaged for state in states),
        file_failure=next((state.file_failure for state in states if state.file_failure is not None), None),
    )

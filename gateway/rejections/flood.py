"""Pure: what comes too often is counted instead of kept one by one. Nothing is dropped.

Rule    Of each credential and code so many are admitted in a second; all further ones of that second become one fold.
Rule    The memory for it is bounded: where more credentials are seen in a second than can be told apart, those beyond
        share a fold for each code, which names no credential but OTHERS.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.rejections.record import Rejection

OTHERS: Final = "fp:*"
"""Stands for credentials that were too many to be told apart. No fingerprint looks like it."""
MOST_APART: Final = 10_000
SECOND: Final = 1_000_000
"""Microseconds."""

Key: TypeAlias = tuple[str | None, str]


@dataclass(slots=True)
class Fold:
    """Several rejections of one credential and code, of which the first stands for all."""

    rejection: Rejection
    first: int
    last: int
    count: int = 1


class Flood:
    """Admits or folds. Times are microseconds."""

    def __init__(self, max_per_second: int, most_apart: int = MOST_APART) -> None:
        self._max = max_per_second
        self._most_apart = most_apart
        self._second = 0
        self._seen: dict[Key, int] = {}
        self._folds: dict[Key, Fold] = {}
        self._closed: list[Fold] = []

    def admits(self, rejection: Rejection, at: int, *, room: bool = True) -> bool:
        """Whether it is to be kept by itself; else it is folded. Without `room` for it, it is folded whatever it is."""
        if at // SECOND != self._second:
            self._turn(at // SECOND)
        key = (rejection.credential, rejection.code)
        seen = self._seen.get(key, 0)
        if seen or len(self._seen) < self._most_apart:
            if room and seen < self._max:
                self._seen[key] = seen + 1
                return True
            self._seen[key] = self._max
            self._fold(key, rejection, at)
        else:
            key = (OTHERS, rejection.code)
            self._fold(key, rejection, at)
        return False

    def admit(self, max_per_second: int) -> None:
        """Admit so many in a second from now on."""
        self._max = max_per_second

    @property
    def folds(self) -> int:
        """How many there are to take, now or once their second is over."""
        return len(self._folds) + len(self._closed)

    def take(self, now: int | None) -> list[Fold]:
        """Give what is folded, once its second is over; without a time, all of it."""
        closed, self._closed = self._closed, []
        if now is None or now // SECOND != self._second:
            self._turn(0 if now is None else now // SECOND)
            closed += self._closed
            self._closed = []
        return closed

    def _fold(self, key: Key, rejection: Rejection, at: int) -> None:
        fold = self._folds.get(key)
        if fold is None:
            if key[0] == OTHERS:
                rejection = rejection._replace(credential=OTHERS, owner=None)
            self._folds[key] = Fold(rejection, at, at)
        else:
            fold.count += 1
            fold.last = at

    def _turn(self, second: int) -> None:
        """Begin another second. While nobody takes what is folded, a second goes on, so that it stays bounded."""
        if len(self._closed) < self._most_apart:
            self._closed += self._folds.values()
            self._folds = {}
            self._seen = {}
            self._second = second

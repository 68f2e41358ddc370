"""Things that are dealt with by a thread of their own, so that whoever has them never waits.

Rule    What cannot be dealt with in time is held up to a limit; beyond it, things are dropped and counted.
"""

import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST_HELD: Final = 20_000
"""Things that wait, unless it is said otherwise."""
GATHERING: Final = 0.1
"""Seconds in which things are gathered. Each time that the thread wakes, it and the event loop contend for the
interpreter, which costs every request of that moment more than its line does: so it wakes seldom."""
LAST_WORK: Final = 2.0
"""Seconds that a stopping process waits for the last of it."""


class Background(ABC, Generic[T]):
    """Takes things and deals with them, some at a time, in their order."""

    def __init__(self, name: str, most: int = MOST_HELD) -> None:
        self._most = most
        self._waiting: deque[T] = deque()
        self._some = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether what is put now is dropped."""
        return len(self._waiting) >= self._most

    def put(self, thing: T, /) -> None:
        """Have it dealt with."""
        if len(self._waiting) >= self._most:
            self._lose(1)
            return
        self._waiting.append(thing)
        if not self._some.is_set():
            self._some.set()

    def close(self, within: float = LAST_WORK) -> None:
        """Deal with what waits, for as long as a stopping process may take for it."""
        self._stopping.set()
        self._some.set()
        self._thread.join(within)

    @abstractmethod
    def _deal(self, things: list[T]) -> None:
        """Deal with some of them, in the thread. It must not raise."""

    @abstractmethod
    def _lose(self, count: int) -> None:
        """Take in that so many are not dealt with."""

    def _work(self) -> None:
        while not self._stopping.is_set() or self._waiting:
            self._some.wait()
            self._stopping.wait(GATHERING)
            self._some.clear()  # before taking: what comes from here on sets it again
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if batch:
                self._deal(batch)

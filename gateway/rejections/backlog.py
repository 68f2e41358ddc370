"""Entries that wait for the store: in memory, beyond a bound in a file, and where no file can be written, counted.

Rule    What came first goes first: what an earlier run left behind, then memory, then the file. While there is
        something in the file, what comes is put behind it.
Rule    It never waits for the store, only for the disk, and it loses no request: where the disk fails as well, entries
        are folded into one for each hour, credential and code.
"""

import errno
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from gateway.rejections.entry import Entry, new_id
from gateway.rejections.flood import MOST_APART, OTHERS
from gateway.rejections.spill import Spill, abandoned, fresh

HOUR: Final = 3_600_000_000
KIBIBYTE: Final = 1024
Key: TypeAlias = tuple[int, str | None, str, bool]


class Source(Protocol):
    """Somewhere that entries wait."""

    def __len__(self) -> int:
        """Tell whether any do: 0 if not."""

    def read(self, limit: int) -> list[Entry]:
        """Give the first of them. They stay."""

    def done(self) -> None:
        """Remove those that were read last."""


class Memory:
    """Entries in memory, up to `most` of them. A KiB of a captured body counts as one more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: deque[Entry] = deque()
        self._weight = 0
        self._read = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> bool:
        """Hold it, if there is room."""
        weight = _weight(entry)
        if self._weight + weight > self._most:
            return False
        self._weight += weight
        self._entries.append(entry)
        return True

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def read(self, limit: int) -> list[Entry]:
        first = list(islice(self._entries, limit))
        self._read = len(first)
        return first

    def done(self) -> None:
        for _ in range(self._read):
            self._weight -= _weight(self._entries.popleft())
        self._read = 0


class Folds:
    """Entries that are only counted. What is read once stays as it is, since it may have reached the store."""

    def __init__(self) -> None:
        self._ready: list[Entry] = []
        self._growing: dict[Key, Entry] = {}
        self._read = 0

    def __len__(self) -> int:
        return len(self._ready) + len(self._growing)

    def __iter__(self) -> Iterator[Entry]:
        return iter([*self._ready, *self._growing.values()])

    def add(self, entry: Entry) -> None:
        key = _key(entry)
        if key not in self._growing and len(self._growing) >= MOST_APART:
            entry = replace(entry, credential=OTHERS, owner=None)
            key = _key(entry)
        fold = self._growing.get(key)
        # An id of its own: were it the first entry's, that one's request would be all that the store takes it for.
        self._growing[key] = (
            replace(entry, id=new_id(entry.at), shape=None, captured=None)
            if fold is None
            else replace(fold, count=fold.count + entry.count, last_at=max(fold.last_at, entry.last_at))
        )

    def read(self, limit: int) -> list[Entry]:
        if not self._ready:
            self._ready, self._growing = list(self._growing.values()), {}
        self._read = min(limit, len(self._ready))
        return self._ready[:limit]

    def done(self) -> None:
        del self._ready[: self._read]
        self._read = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits."""

    entries: int
    """In memory, counted ones among them."""
    bytes: int
    """In files."""


class Backlog:
    """May be used from several threads; what it counts is read without waiting for them.

    Without a folder it has no file. `name` tells the files of one store from those of another in that folder.

    `folded` counts entries that lost their details, `damaged` lines of files that were none. `failure` is why a file
    could not be written or read last, None where all is well.
    """

    def __init__(self, most: int, folder: Path | None, name: str = "store") -> None:
        self._folder = folder
        self._name = name
        self._lock = threading.Lock()
        self._left_behind: list[Spill] = []
        self._memory = Memory(most)
        self._own: Spill | None = None
        self._folds = Folds()
        self._current: Source = self._memory
        self.folded = 0
        self.damaged = 0
        self.failure: str | None = None

    @property
    def waiting(self) -> Waiting:
        return Waiting(len(self._memory) + len(self._folds), sum(map(len, self._spills)))

    def recover(self) -> None:
        """Take over what earlier runs left behind."""
        if self._folder is not None:
            with self._lock:
                found, failure = abandoned(self._folder, self._name)
                self._left_behind += found
                self.failure = None if failure is None else _named(failure)

    def put(self, entries: Sequence[Entry]) -> None:
        """Have them wait."""
        with self._lock:
            fit = 0
            if not any(map(len, self._owned)):
                while fit < len(entries) and self._memory.add(entries[fit]):
                    fit += 1
            rest = entries[fit:]
            if rest and not self._spilled(rest):
                self.folded += len(rest)
                for entry in rest:
                    self._folds.add(entry)

    def take(self, limit: int) -> list[Entry]:
        """Give those that go first. They wait on until they are done with."""
        with self._lock:
            while (source := self._first()) is not None:
                found = source.read(limit)
                self._current = source
                if found:
                    return found
                self._finish()  # a file without a line that can be read
            return []

    def done(self) -> None:
        """Be done with those taken last."""
        with self._lock:
            self._finish()

    def leave(self) -> int:
        """Write what is in memory to a file for the next run, and close all files; tell how many are in none."""
        with self._lock:
            rest = [*self._memory, *self._folds]
            lost = 0 if not rest or self._spilled(rest) else len(rest)
            for spill in self._spills:
                spill.close()
            return lost

    @property
    def _spills(self) -> tuple[Spill, ...]:
        return (*self._left_behind, *self._owned)

    @property
    def _owned(self) -> tuple[Spill, ...]:
        own = self._own
        return () if own is None else (own,)

    def _first(self) -> Source | None:
        sources: tuple[Source, ...] = (*self._left_behind, self._memory, *self._owned, self._folds)
        return next((source for source in sources if len(source)), None)

    def _finish(self) -> None:
        source = self._current
        if isinstance(source, Spill):
            self.damaged += source.damaged  # first: who sees that nothing waits any more sees this too
        source.done()
        if isinstance(source, Spill) and source is not self._own and not len(source):
            source.close()
            self._left_behind.remove(source)

    def _spilled(self, entries: Sequence[Entry]) -> bool:
        """Write them to the file, if there can be one."""
        if self._folder is None:
            return False
        try:
            if self._own is None:
                self._own = fresh(self._folder, self._name, entries[0].id)
            self._own.append(entries)
        except OSError as error:
            self.failure = _named(error)
            return False
        self.failure = None
        return True


def _weight(entry: Entry) -> int:
    return 1 + len(entry.captured or "") // KIBIBYTE


def _key(entry: Entry) -> Key:
    return entry.at // HOUR, entry.credential, entry.code, entry.enforced


def _named(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, type(error).__name__)

"""Takes rejections from the requests that they answer, and sees them into the store.

Rule    A request never waits for it: `record` puts a few values aside and returns, within microseconds. A thread makes
        entries of them, and another, the writer's, brings those into the store. The first never waits for the store,
        so that what waits can go to a file while the store hangs.
Rule    What waits is bounded: in number (beyond it rejections are folded) and in the bytes of the bodies that are held
        for their sketch (beyond them the sketch is made at once, and the body let go).
Rule    Nothing is dropped. The log has had the event before; what is in memory when the gateway stops and the store is
        down goes to a file, and the next run brings it into the store.
"""

import asyncio
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from structlog.typing import FilteringBoundLogger

from gateway.config.settings import Capture, RejectionsSettings
from gateway.config.store import StoreKind
from gateway.rejections.backlog import Backlog
from gateway.rejections.capture import Sketch, sketch
from gateway.rejections.entry import Entry, new_id
from gateway.rejections.flood import Flood, Fold
from gateway.rejections.record import Rejection
from gateway.rejections.store import Store
from gateway.rejections.writer import StoreStatus, Writer
from gateway.router import usual

GATHERING: Final = 0.2
"""Seconds in which rejections are gathered: entries are in the store within a second."""
TICK: Final = 1.0
"""Seconds until a fold is looked at again: its second is over then."""
MOST_NOTED: Final = 10_000
"""Rejections that wait for being gathered."""
HELD: Final = 4_194_304
LARGE: Final = 65_536
"""Bytes of all bodies that are held, and of one: read, they may take many times as much."""
SLICE: Final = 20
"""Entries that are made at a stretch. Then the event loop may go on, which otherwise waits for 5 ms to be let."""
FLUSH: Final = 5.0
"""Seconds that a stopping gateway waits for the store."""
MOST_IN_MEMORY: Final = 100_000
"""Entries of a store in memory."""

Held: TypeAlias = Sketch | tuple[Mapping[str, object], bytes, Capture]
Noted: TypeAlias = tuple[int, Rejection, Held]


@dataclass(frozen=True, slots=True)
class StoreState:
    """How the store does, for those who watch. No rejection is ever dropped, so there is no count of those."""

    status: StoreStatus
    reason: str | None
    """Why it is down, by the code that SQLite or PostgreSQL has for it."""
    waiting: int
    """Entries in memory."""
    waiting_bytes: int
    """In files."""
    written: int
    """Entries, since the start."""
    folded: int
    """Rejections that are only counted."""
    damaged: int
    """Lines of files that could not be read."""
    file_failure: str | None
    """Why no file can be used for what waits."""


class Recorder:
    """Keeps rejections. `record` is for the event loop; `start` and `close` are called once each."""

    def __init__(self, settings: RejectionsSettings, store: Store, log: FilteringBoundLogger) -> None:
        self._settings = settings
        self._store = store
        self._log = log
        self._instance = ""
        location = store.location
        folder = settings.backlog_folder or location.folder
        in_memory = location.kind is StoreKind.MEMORY
        self._backlog = Backlog(settings.backlog, None if in_memory else folder, location.name)
        keep = self._kept(settings)
        self._writer = Writer(store, self._backlog, log, keep_days=settings.keep_days, keep_entries=keep)
        self._lock = threading.Lock()
        self._noted: list[Noted] = []
        self._held = 0
        self._flood = Flood(settings.max_per_second)
        self._folded = 0
        self._in_hand = 0
        self._some = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="rejections", daemon=True)

    async def start(self, instance: str) -> None:
        """Begin to write. `instance` names this gateway among those that share the store."""
        self._instance = instance
        self._thread.start()
        self._writer.start()

    def renew(self, settings: RejectionsSettings, log: FilteringBoundLogger) -> None:
        """Have these settings in force for what is recorded from now on. Where entries are kept, or wait, stays."""
        with self._lock:
            self._settings, self._log = settings, log
            self._flood.admit(settings.max_per_second)
        self._writer.renew(log, keep_days=settings.keep_days, keep_entries=self._kept(settings))

    def record(self, rejection: Rejection, members: Mapping[str, object], body: bytes) -> None:
        """Keep it. `members` are what the body says, as Close reads it; nobody may change them any more."""
        at = time.time_ns() // 1000
        with self._lock:
            if self._flood.admits(rejection, at, room=len(self._noted) < MOST_NOTED):
                self._noted.append((at, rejection, self._hold(members, body)))
            else:
                self._folded += 1
        if not self._some.is_set():
            self._some.set()

    def state(self) -> StoreState:
        """Tell how the store does."""
        waiting = self._backlog.waiting
        status = self._writer.status
        if status is StoreStatus.OK and waiting.bytes:
            status = StoreStatus.BEHIND
        return StoreState(
            status=status,
            reason=self._writer.failure,
            waiting=len(self._noted) + self._flood.folds + self._in_hand + waiting.entries,
            waiting_bytes=waiting.bytes,
            written=self._writer.written,
            folded=self._folded + self._backlog.folded,
            damaged=self._backlog.damaged,
            file_failure=self._backlog.failure,
        )

    async def close(self) -> None:
        """Write what waits, for a few seconds at most; what is left goes to a file."""
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        if self._thread.ident is None:  # never started
            self._store.close()
            return
        self._closing.set()
        self._some.set()
        self._thread.join(FLUSH)
        self._writer.close(FLUSH)
        waiting = self._backlog.waiting
        lost = self._backlog.leave()
        if waiting.entries or waiting.bytes:
            self._log.warning(
                "rejections_left_waiting",
                entries=waiting.entries,
                bytes=waiting.bytes,
                only_logged=lost,
                outcome="the next run brings them into the store, but for those that are only logged",
            )

    def _kept(self, settings: RejectionsSettings) -> int:
        in_memory = self._store.location.kind is StoreKind.MEMORY
        return min(settings.keep_entries, MOST_IN_MEMORY) if in_memory else settings.keep_entries

    def _hold(self, members: Mapping[str, object], body: bytes) -> Held:
        """Keep a body for its sketch, or make that at once."""
        size = len(body)
        if size > LARGE or self._held + size > HELD:
            return sketch(members, body, self._settings.capture)
        self._held += size
        return members, body, self._settings.capture

    def _work(self) -> None:
        while not self._closing.is_set():
            self._some.wait(TICK if self._flood.folds else None)
            self._closing.wait(GATHERING)
            self._some.clear()  # before taking: what comes from here on sets it again
            self._gather(time.time_ns() // 1000)
        self._gather(None)

    def _gather(self, now: int | None) -> None:
        """Make entries of what was noted, and of what is folded and whose second is over; without a time, of all."""
        with self._lock:
            noted, self._noted = self._noted, []
            self._held = 0
            folds = self._flood.take(now)
            self._in_hand = len(noted) + len(folds)
        entries: list[Entry] = []
        for first in range(0, len(noted), SLICE):
            entries += map(self._entry, noted[first : first + SLICE])
            time.sleep(0)
        entries += map(self._folded_entry, folds)
        if entries:
            self._backlog.put(entries)
            self._in_hand = 0
            self._writer.wake()

    def _entry(self, noted: Noted) -> Entry:
        at, rejection, held = noted
        drawn = held if isinstance(held, Sketch) else sketch(*held)
        return self._made(rejection, at, last_at=at, shape=drawn.shape, captured=drawn.captured)

    def _folded_entry(self, fold: Fold) -> Entry:
        return self._made(fold.rejection, fold.first, last_at=fold.last, count=fold.count)

    def _made(self, rejection: Rejection, at: int, **more: Any) -> Entry:
        return Entry(
            id=new_id(at),
            at=at,
            instance=self._instance,
            **rejection._replace(path=usual(rejection.path))._asdict(),
            **more,
        )

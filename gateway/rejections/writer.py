"""The thread that writes to the store: batches of what waits, and takes away what is too old or too much.

Rule    A batch is one transaction, and stays where it waits until that is through. Where it is not known whether it
        got through it is written again, and the store knows by the ids what it has.
Rule    While the store fails, the gateway goes on; the thread tries again, less and less often. Two events tell of it:
        rejections_store_down and rejections_store_back.
Rule    What is taken away goes in small steps between the batches, so that it holds nobody up.
"""

import enum
import threading
import time
from typing import Final

from structlog.typing import FilteringBoundLogger

from gateway.rejections.backlog import Backlog
from gateway.rejections.store import Store

BATCH: Final = 100
"""Entries of a transaction: few enough that the interpreter is not kept from the event loop for long. With 250, and
4000 entries a second on a single core, a hundredth of its steps waited for 10 ms; so they wait for 3."""
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 10.0
"""Seconds until a store that failed is tried again."""
TRIM_EVERY: Final = 60.0
"""Seconds between two looks for entries that are to go."""
TRIMMED: Final = 100
"""Entries that go at a step, beside as many as came with a batch before it: so they never pile up."""
BREATH: Final = 0.02
"""Seconds between two such steps, for other gateways that write."""
SLOW: Final = 2.0
"""Seconds after which a transaction that is not through counts as slow."""
DAY: Final = 86_400_000_000


class StoreStatus(enum.Enum):
    """How the store does."""

    OK = "ok"
    BEHIND = "behind"
    """It is being opened, is slow, or has something to catch up with."""
    DOWN = "down"
    """What is refused waits in memory and in a file."""


class Writer:
    """Writes what waits in the backlog.

    `written` counts the entries that it brought there. `failure` is why the store is down, None where it is not.
    """

    def __init__(
        self,
        store: Store,
        backlog: Backlog,
        log: FilteringBoundLogger,
        *,
        keep_days: int,
        keep_entries: int,
    ) -> None:
        self._store = store
        self._backlog = backlog
        self._log = log
        self._keep_days = keep_days
        self._keep_entries = keep_entries
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="rejections-writer", daemon=True)
        self._open = False
        self._trim_at = 0.0
        self._trying_since: float | None = None
        self._down_since = 0.0
        self._pause = FIRST_PAUSE
        self.written = 0
        self.failure: str | None = None

    @property
    def status(self) -> StoreStatus:
        since = self._trying_since
        if self.failure is not None:
            return StoreStatus.DOWN
        if not self._open or (since is not None and time.monotonic() - since > SLOW):
            return StoreStatus.BEHIND
        return StoreStatus.OK

    def renew(self, log: FilteringBoundLogger, *, keep_days: int, keep_entries: int) -> None:
        """Keep so much from the next look on."""
        self._log, self._keep_days, self._keep_entries = log, keep_days, keep_entries

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Say that something waits."""
        self._wake.set()

    def close(self, within: float) -> None:
        """Write what waits, close the store, and end. A store that fails meanwhile, or takes longer, is given up."""
        self._closing = True
        self._wake.set()
        self._thread.join(within)

    def _work(self) -> None:
        self._backlog.recover()
        self._go_on()
        self._store.close()

    def _go_on(self) -> None:
        while True:
            closing = self._closing  # before looking: what waits by then is written yet
            try:
                pause = self._step()
            except Exception as error:  # noqa: BLE001 - whatever it is, the thread goes on: others wait for the store
                self._failed(error)
                pause = self._pause
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
                if self._closing:
                    return
            else:
                if closing and pause:
                    return
            self._rest(pause)

    def _step(self) -> float:
        """Do a piece of the work; tell after how many seconds at the latest there is more of it."""
        self._trying_since = time.monotonic()
        if not self._open:
            self._prepare()
        wrote = self._write()
        if time.monotonic() >= self._trim_at and not self._closing:
            self._trim(TRIMMED + wrote)
        self._trying_since = None
        self._succeeded()
        return 0 if wrote else max(self._trim_at - time.monotonic(), BREATH)

    def _prepare(self) -> None:
        from gateway.rejections.store.migrations import migrate

        with self._store.database.writing.begin() as connection:
            migrate(connection)
        self._open = True

    def _write(self) -> int:
        from gateway.rejections.store.write import append

        batch = self._backlog.take(BATCH)
        if batch:
            with self._store.database.writing.begin() as connection:
                append(connection, batch)
            self.written += len(batch)  # first: who sees that nothing waits any more sees this too
            self._backlog.done()
        return len(batch)

    def _trim(self, limit: int) -> None:
        from gateway.rejections.store.write import trim

        before = time.time_ns() // 1000 - self._keep_days * DAY
        with self._store.database.writing.begin() as connection:
            trimmed = trim(connection, before=before, keep=self._keep_entries, limit=limit)
        if trimmed < limit:
            self._trim_at = time.monotonic() + TRIM_EVERY

    def _failed(self, error: Exception) -> None:
        from gateway.rejections.store.engine import reason

        self._trying_since = None
        first = self.failure is None
        self.failure = reason(error)
        self._open = False
        self._store.database.reopen()
        if first:
            self._down_since = time.monotonic()
            outcome = "rejections wait in memory, and in a file beyond that, until it is back"
            store = str(self._store.location)
            self._log.warning("rejections_store_down", store=store, reason=self.failure, outcome=outcome)

    def _succeeded(self) -> None:
        if self.failure is None:
            return
        self.failure = None
        self._pause = FIRST_PAUSE
        self._log.info(
            "rejections_store_back",
            store=str(self._store.location),
            seconds=round(time.monotonic() - self._down_since, 1),
            waiting=self._backlog.waiting.entries,
            waiting_bytes=self._backlog.waiting.bytes,
        )

    def _rest(self, pause: float) -> None:
        """Wait for something to do; after a failure for that long in any case, unless it is time to end."""
        if self.failure is None:
            self._wake.wait(pause)
            self._wake.clear()
            return
        end = time.monotonic() + pause
        while not self._closing and (left := end - time.monotonic()) > 0:
            self._wake.wait(left)
            self._wake.clear()

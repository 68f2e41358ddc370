"""Recorders for tests: run, flooded, and asked what became of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from structlog.testing import LogCapture
from structlog.typing import EventDict

from gateway.config.settings import RejectionsSettings
from gateway.config.store import StoreLocation
from gateway.rejections.entry import Entry
from gateway.rejections.query import Filters
from gateway.rejections.reader import Reader
from gateway.rejections.recorder import Recorder
from gateway.rejections.store import Store
from gateway.rejections.writer import StoreStatus
from tests.rejections.stores import A_REJECTION

PATIENCE: Final = 30.0
"""Seconds until a test gives up."""
MEMBERS: Final[dict[str, object]] = {"status": "outbox", "lead_id": "lead_1", "subject": "canary"}
BODY: Final = b'{"status": "outbox", "lead_id": "lead_1", "subject": "canary"}'


class Recording:
    """A recorder, with its log and a way to ask its store."""

    def __init__(self, location: StoreLocation, **settings: Any) -> None:
        self.capture = LogCapture()
        log = structlog.wrap_logger(
            None, processors=[self.capture], wrapper_class=structlog.make_filtering_bound_logger(0)
        )
        self.store = Store(location)
        given: dict[str, Any] = {"max_per_second": 1_000_000} | settings
        self.recorder = Recorder(RejectionsSettings(store=location, **given), self.store, log)
        self.recorded = 0

    @property
    def events(self) -> list[EventDict]:
        """What the log was told."""
        return self.capture.entries

    def names(self) -> list[str]:
        """Name the events."""
        return [event["event"] for event in self.events]

    def record(self, number: int, credentials: int = 7) -> None:
        """Have so many rejections recorded, each with an id of its own."""
        for _ in range(number):
            self.recorded += 1
            credential = f"fp:{self.recorded % credentials}"
            rejection = A_REJECTION._replace(request_id=f"r-{self.recorded}", credential=credential)
            self.recorder.record(rejection, MEMBERS, BODY)

    async def gathered(self) -> None:
        """Wait until what was recorded waits for the store."""
        await until(lambda: not self.recorder._noted and not self.recorder._in_hand)

    async def settled(self) -> None:
        """Wait until the store does well and nothing waits any more."""

        def is_settled() -> bool:
            state = self.recorder.state()
            return state.status is StoreStatus.OK and not state.waiting

        await until(is_settled)


@asynccontextmanager
async def recording(location: StoreLocation, **settings: Any) -> AsyncIterator[Recording]:
    """Run a recorder; see that it ends."""
    running = Recording(location, **settings)
    await running.recorder.start("web:8080")
    try:
        yield running
    finally:
        await running.recorder.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it does not come about"
        await asyncio.sleep(0.01)


def kept(location: StoreLocation) -> list[Entry]:
    """Give all that is in a store, newest first."""
    store = Store(location)
    try:
        return list(Reader(store).export(Filters()))
    finally:
        store.close()


def requests(entries: list[Entry]) -> int:
    """Count the requests that entries stand for."""
    return sum(entry.count for entry in entries)


def totals(location: StoreLocation) -> tuple[int, int]:
    """Tell how many requests a store has by its entries, and by its counts."""
    store = Store(location)
    try:
        return requests(list(Reader(store).export(Filters()))), Reader(store).stats(Filters()).rejected
    finally:
        store.close()

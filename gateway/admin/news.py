"""What has just been rejected, told to all who listen.

Rule    The store is asked only while somebody listens, and by one for all of them.
Rule    A listener gets every entry that got into the store after the one it had last, in that order, each once: it
        first catches up by itself, and what is told meanwhile waits, and is left out where it had it by then.
Rule    Who takes nothing for a while, or falls too far behind, is dropped. It may come back and go on where it was.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar, Final

from gateway.errors import GatewayError
from gateway.rejections.entry import Entry
from gateway.rejections.query import Filters, StoreUnavailable
from gateway.rejections.reader import AsyncReader

BATCH: Final = 500
"""Entries that are asked for at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often, how long and how many."""

    poll: float = 0.5
    """Seconds between two questions to the store."""
    heartbeat: float = 15.0
    """Seconds of silence after which a listener hears that there is nothing to hear. As long may it take nothing."""
    listeners: int = 32
    behind: int = 2000
    """Entries that may wait for a listener."""


class Crowded(GatewayError):
    """As many listen as may."""

    code: ClassVar[str] = "crowded"


class Listener:
    """One who listens."""

    def __init__(self, reader: AsyncReader, filters: Filters, rhythm: Rhythm) -> None:
        self._reader = reader
        self._filters = filters
        self._rhythm = rhythm
        self._waiting: deque[Entry] = deque()
        self._something = asyncio.Event()
        self._over = False
        self.place = 0
        """The number of the entry that it has got, or passed over, last."""

    def tell(self, entries: tuple[Entry, ...]) -> None:
        """Have entries wait for it."""
        self._waiting += filter(self._filters.meet, entries)
        if len(self._waiting) > self._rhythm.behind:
            self.end()
        self._something.set()

    def end(self) -> None:
        """Let it hear no more."""
        self._over = True
        self._something.set()

    async def hear(self) -> AsyncIterator[tuple[Entry, ...]]:
        """Give entries as they come; nothing at all after a while without any."""
        async for news in self._missed():
            yield news
        while not self._over:
            await self._pause()
            news = tuple(entry for entry in self._waiting if entry.seq > self.place)
            self._waiting.clear()
            if not self._over:
                yield news
            if news:
                self.place = news[-1].seq

    async def _pause(self) -> None:
        """Wait for something to happen, or for a heartbeat's time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._rhythm.heartbeat):
                await self._something.wait()
        self._something.clear()

    async def _missed(self) -> AsyncIterator[tuple[Entry, ...]]:
        while not self._over:
            try:
                entries = await self._reader.after(self.place, BATCH)
            except StoreUnavailable:
                yield ()
                await self._pause()
                continue
            if entries:
                yield tuple(filter(self._filters.meet, entries))
                self.place = entries[-1].seq
            if len(entries) < BATCH:
                return


class News:
    """Asks the store for all who listen."""

    def __init__(self, reader: AsyncReader, rhythm: Rhythm | None = None) -> None:
        self._reader = reader
        self._rhythm = rhythm or Rhythm()
        self._listeners: set[Listener] = set()
        self._place = 0
        self._asking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def patience(self) -> float:
        """Seconds that a listener may take nothing."""
        return self._rhythm.heartbeat

    @property
    def listening(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @asynccontextmanager
    async def listener(self, filters: Filters, after: int | None) -> AsyncIterator[Listener]:
        """Listen to what comes after the entry of that number, or from now on.

        Raises Crowded, and StoreUnavailable where not even that can be told.
        """
        if self._closed or len(self._listeners) >= self._rhythm.listeners:
            raise Crowded(f"{len(self._listeners)} listen already, which is as many as may. Close one of them.")
        listener = Listener(self._reader, filters, self._rhythm)
        self._listeners.add(listener)
        try:
            last = await self._reader.last()
            # A number from before the store was emptied, or made anew, says nothing: all that is there is new.
            listener.place = last if after is None else after if after <= last else 0
            if self._asking is None:
                self._place = last
                self._asking = asyncio.create_task(self._ask())
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._rest()

    def close(self) -> None:
        """Let nobody hear any more."""
        self._closed = True
        for listener in self._listeners:
            listener.end()
        self._rest()

    def _rest(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    async def _ask(self) -> None:
        """Go on until nobody listens. After a fault those who listen come back, and somebody asks anew."""
        try:
            await self._ask_on()
        finally:
            if self._asking is asyncio.current_task():
                self._asking = None
                for listener in self._listeners:
                    listener.end()

    async def _ask_on(self) -> None:
        entries: tuple[Entry, ...] = ()
        while True:
            if len(entries) < BATCH:
                await asyncio.sleep(self._rhythm.poll)
            entries = ()
            with suppress(StoreUnavailable):  # whoever listens hears of it elsewhere, and then what was missed here
                entries = await self._reader.after(self._place, BATCH)
            if entries:
                self._place = entries[-1].seq
                for listener in self._listeners:
                    listener.tell(entries)

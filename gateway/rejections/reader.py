"""Asks the store: from threads of its own for those on an event loop, or directly for a command.

SQLAlchemy is imported by the first question, in the thread that asks it: see gateway.rejections.store.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from gateway.rejections.entry import Entry
from gateway.rejections.query import MOST, Bucket, Cursor, Filters, Page, Stats, StoreUnavailable
from gateway.rejections.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")
ID: Final = re.compile(r"[0-9a-f]{32}")
LAST: Final = 2**62
ASKED_AT_ONCE: Final = 4
REMOVED_AT_ONCE: Final = 200
"""Entries that one transaction removes: gateways that write wait for it."""


class Reader:
    """Answers questions, while its caller waits. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, filters: Filters, cursor: str | None = None, limit: int = 50) -> Page:
        """Give a page of the list, newest first. Raises CursorMalformed too."""
        place = None if cursor is None else Cursor.parse(cursor)
        with self._connected() as connection:
            from gateway.rejections.store import read

            return read.find(connection, filters, place, limit)

    def get(self, entry_id: str) -> Entry | None:
        """Give one entry; None where there is none of this id."""
        if not ID.fullmatch(entry_id):
            return None
        with self._connected() as connection:
            from gateway.rejections.store import read

            return read.get(connection, entry_id)

    def stats(self, filters: Filters, bucket: Bucket = Bucket.HOUR) -> Stats:
        """Count by time, code, credential, owner and user agent."""
        with self._connected() as connection:
            from gateway.rejections.store.stats import stats

            return stats(connection, filters, bucket)

    def after(self, seq: int, limit: int = 100) -> tuple[Entry, ...]:
        """Give what got into the store after the entry of this number, oldest first."""
        with self._connected() as connection:
            from gateway.rejections.store import read

            return read.after(connection, min(seq, LAST), limit)

    def last(self) -> int:
        """Give the number of the newest entry, from which on `after` tells what is new."""
        with self._connected() as connection:
            from gateway.rejections.store import read

            return read.last(connection)

    def export(self, filters: Filters) -> Iterator[Entry]:
        """Give all entries, newest first, a page at a time: nothing is held open or in memory between two."""
        cursor: str | None = None
        while True:
            page = self.find(filters, cursor, MOST)
            yield from page.rows
            if page.next is None:
                return
            cursor = page.next

    def purge(self, before: int) -> Iterator[int]:
        """Remove the entries from before that time, some at each step; give how many each step removed."""
        removed = REMOVED_AT_ONCE
        while removed == REMOVED_AT_ONCE:
            with self._connected(writing=True) as connection:
                from gateway.rejections.store.write import trim

                removed = trim(connection, before=before, keep=None, limit=REMOVED_AT_ONCE)
            yield removed

    @contextmanager
    def _connected(self, *, writing: bool = False) -> "Iterator[Connection]":
        from sqlalchemy.exc import SQLAlchemyError

        from gateway.rejections.store.engine import reason

        try:
            database = self._store.database
            with (database.writing if writing else database.reading).begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"The store of rejections does not answer ({reason(error)}).") from None


class AsyncReader:
    """The same for those on an event loop: a question waits in a thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._threads = ThreadPoolExecutor(ASKED_AT_ONCE, "rejections-reader")

    async def find(self, filters: Filters, cursor: str | None = None, limit: int = 50) -> Page:
        """As Reader.find, and so with the others."""
        return await self._asked(lambda: self._reader.find(filters, cursor, limit))

    async def get(self, entry_id: str) -> Entry | None:
        return await self._asked(lambda: self._reader.get(entry_id))

    async def stats(self, filters: Filters, bucket: Bucket = Bucket.HOUR) -> Stats:
        return await self._asked(lambda: self._reader.stats(filters, bucket))

    async def after(self, seq: int, limit: int = 100) -> tuple[Entry, ...]:
        return await self._asked(lambda: self._reader.after(seq, limit))

    async def last(self) -> int:
        return await self._asked(self._reader.last)

    async def export(self, filters: Filters) -> AsyncIterator[Entry]:
        cursor: str | None = None
        while True:
            page = await self.find(filters, cursor, MOST)
            for row in page.rows:
                yield row
            if page.next is None:
                return
            cursor = page.next

    def close(self) -> None:
        """Wait for no question that is still being answered."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _asked(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, question)

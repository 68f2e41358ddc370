"""Pools of connections for a test, and an exchange over one of them as a borrower makes it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from gateway.outgoing import Rounds
from gateway.upstream.connection import AnswerHead, UpstreamConnection
from gateway.upstream.pool import Origin, Pool
from tests.raw import LIMIT

GET: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@contextlib.asynccontextmanager
async def pooled(
    url: str,
    *,
    timeout: float = 5.0,  # noqa: ASYNC109 - the pool's own
    connect_timeout: float = 5.0,
    max_connections: int = 4,
    idle_timeout: float = 30.0,
) -> AsyncIterator[Pool]:
    """Open a pool, and close it afterwards."""
    pool = Pool(
        Origin.of(url),
        None,
        Rounds(asyncio.get_running_loop()),
        timeout=timeout,
        connect_timeout=connect_timeout,
        max_connections=max_connections,
        idle_timeout=idle_timeout,
    )
    try:
        yield pool
    finally:
        await pool.close()


class NoTransport(asyncio.Transport):
    """Writes nowhere, and remembers whether it was aborted: the bytes that come are the test's to time."""

    aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Drop it."""

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


class Borrowed:
    """An exchange over a connection, begun with a request's first bytes, for a test to wait on."""

    def __init__(self, connection: UpstreamConnection, request: bytes = GET, *, bodiless: bool = False) -> None:
        self._connection = connection
        self._news = asyncio.Event()
        self.interims: list[AnswerHead] = []
        connection.begin(self, request, bodiless=bodiless)

    def progress(self) -> None:
        self._news.set()

    def interim(self, head: AnswerHead, /) -> None:
        self.interims.append(head)

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; raise the exchange's error where it never will."""
        async with asyncio.timeout(LIMIT):
            while not holds():
                if self._connection.error is not None:
                    raise self._connection.error
                self._news.clear()
                await self._news.wait()

    async def head(self) -> AnswerHead:
        """Wait for the answer's head."""
        await self._until(lambda: self._connection.head is not None)
        assert self._connection.head is not None
        return self._connection.head

    async def read(self) -> bytes:
        """Wait for the next piece of the answer's body; b"" at its end."""
        await self._until(lambda: bool(self._connection._chunks) or self._connection.complete)
        return self._connection.take()

    async def drained(self) -> None:
        """Wait until the upstream takes more of the request."""
        await self._until(lambda: not self._connection.paused)


async def exchanged(
    connection: UpstreamConnection, request: bytes = GET, *, bodiless: bool = False
) -> tuple[AnswerHead, bytes]:
    """Send a request and read its answer to the end."""
    exchange = Borrowed(connection, request, bodiless=bodiless)
    head = await exchange.head()
    body = b""
    while piece := await exchange.read():
        body += piece
    return head, body


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, in a bounded time."""
    async with asyncio.timeout(LIMIT):
        while not holds():  # noqa: ASYNC110 - what is waited for is told by no event
            await asyncio.sleep(0.001)

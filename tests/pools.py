"""Pools of connections for a test, and an exchange over one of them as a borrower makes it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

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
        timeout=timeout,
        connect_timeout=connect_timeout,
        max_connections=max_connections,
        idle_timeout=idle_timeout,
    )
    try:
        yield pool
    finally:
        await pool.close()


async def exchanged(
    connection: UpstreamConnection, request: bytes = GET, *, bodiless: bool = False
) -> tuple[AnswerHead, bytes]:
    """Send a request and read its answer to the end."""
    connection.begin(bodiless=bodiless)
    connection.send(request)
    head = await connection.head()
    body = b""
    while piece := await connection.read():
        body += piece
    return head, body


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, in a bounded time."""
    async with asyncio.timeout(LIMIT):
        while not holds():  # noqa: ASYNC110 - what is waited for is told by no event
            await asyncio.sleep(0.001)

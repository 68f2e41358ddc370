"""What an exchange leaves behind never reaches the next one."""

import asyncio

import pytest

from gateway.upstream.connection import UpstreamConnection
from gateway.upstream.pool import Origin, Pool

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
NEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"


class Transport(asyncio.Transport):
    """Writes nowhere, and remembers whether it was aborted: the bytes that come are the test's to time."""

    aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Drop it."""

    def abort(self) -> None:
        self.aborted = True


async def lent() -> tuple[Pool, UpstreamConnection, Transport]:
    """Give a pool, a connection of its, in the middle of an exchange, and the connection's transport."""
    origin = Origin("http", "127.0.0.1", 1)
    pool = Pool(origin, None, timeout=5, connect_timeout=1, max_connections=2, idle_timeout=5)
    connection = UpstreamConnection(asyncio.get_running_loop(), pool, 5)
    transport = Transport()
    connection.connection_made(transport)
    connection.begin(bodiless=False)
    return pool, connection, transport


async def test_an_answer_that_comes_as_the_client_leaves_is_nobodys() -> None:
    """The exchange is cancelled when its answer is complete and not read: the connection is not lent again."""
    pool, connection, transport = await lent()
    borrower = asyncio.create_task(connection.head())
    await asyncio.sleep(0)
    connection.data_received(ANSWER)
    borrower.cancel()
    with pytest.raises(asyncio.CancelledError):
        await borrower
    pool.give_back(connection)
    assert (pool.idle, transport.aborted) == (0, True)


async def test_the_next_answer_is_the_next_ones() -> None:
    """Read to its end, the connection is lent again, and the body that comes then is the new answer's alone."""
    pool, connection, _ = await lent()
    connection.data_received(ANSWER)
    assert await connection.read() == b"first"
    pool.give_back(connection)
    assert pool.take() is connection
    connection.begin(bodiless=False)
    connection.data_received(NEXT)
    assert await connection.read() == b"next"
    connection.connection_lost(None)

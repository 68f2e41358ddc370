"""Clients that are slow to read while they have more to ask: nothing is lost, nothing waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from gateway.downstream.connection import ClientConnection
from tests.forwarding.emails import DRAFT, write
from tests.gateways import Running, running
from tests.pools import until
from tests.raw import Client, chunked, connected
from tests.recording import OK, Call, Recording, answers, recording

GET: Final = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE: Final = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"
PIECE: Final = bytes(16 * 1024)


@dataclass
class Slow:
    """A client that has asked for more than fits on its way, and has read nothing of it."""

    gateway: Running
    upstream: Recording
    client: Client
    may_end: asyncio.Event
    """The answer goes on for ever until this is set."""

    @property
    def connection(self) -> ClientConnection:
        """The gateway's end of its connection."""
        (connection,) = self.gateway.listener._server.connections
        return connection


@asynccontextmanager
async def slow_client() -> AsyncIterator[Slow]:
    """Run a gateway, and have a client ask it for a large answer until that is held up."""
    may_end = asyncio.Event()

    async def script(call: Call) -> None:
        if call.request.target != b"/large":
            await answers(OK)(call)
            return
        await call.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not slow.connection.paused:
            await call.send(chunked(PIECE, end=b""))
            await asyncio.sleep(0)
        await may_end.wait()
        await call.send(chunked())

    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        slow = Slow(gateway, upstream, client, may_end)
        await client.send(LARGE)
        await upstream.received(1)
        await until(lambda: slow.connection.paused)
        yield slow


async def test_a_large_email_behind_an_answer_that_is_not_read() -> None:
    """It is made to wait while the answer is; once that is read, the rest of it is let in, and it is answered."""
    async with slow_client() as slow:
        slow.may_end.set()
        await until(lambda: not slow.connection.busy)
        email = write(DRAFT.ljust(4_000_000))
        sending = asyncio.create_task(slow.client.send(email + GET))
        await until(lambda: slow.connection._reading_paused)
        assert [(await slow.client.answer()).status for _ in range(3)] == [200, 200, 200]
        await sending
        assert [request.length for request in slow.upstream.requests] == [0, 4_000_000, 0]


async def test_who_says_that_it_will_send_no_more_has_left_though_it_has_not_read() -> None:
    """Its connection to Close is not held until it reads, or is cut off for not reading."""
    async with slow_client() as slow:
        await slow.client.send(GET)
        slow.client.end()
        await asyncio.wait_for(slow.upstream.connections[0].left.wait(), 5)
        assert slow.upstream.targets == [b"/large"]

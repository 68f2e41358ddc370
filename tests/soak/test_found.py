"""What the soak found, each in the smallest form that shows it."""

import asyncio

import pytest
import uvloop

from gateway.outgoing import Rounds
from gateway.upstream.connection import UpstreamConnection
from gateway.upstream.errors import UpstreamBroken
from gateway.upstream.pool import Origin, Pool
from tests.pools import Borrowed, exchanged
from tests.recording import OK, recording


def small_pool(port: int) -> Pool:
    """Make a pool of one connection."""
    origin = Origin("http", "127.0.0.1", port)
    return Pool(
        origin,
        None,
        Rounds(asyncio.get_running_loop()),
        timeout=5,
        connect_timeout=1,
        max_connections=1,
        idle_timeout=5,
    )


def test_a_piece_of_an_upload_may_come_after_the_upstream_has_gone() -> None:
    """It goes nowhere, and raises nothing: the failure shows in the answer."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # asyncio's own transports never raise here
        runner.run(send_too_late())


async def send_too_late() -> None:
    """Send over a connection that is gone."""
    async with recording(OK) as upstream:
        pool = small_pool(upstream.port)
        connection = await pool.connect()
        exchange = Borrowed(connection, b"")
        connection.abort()
        with pytest.raises(UpstreamBroken):
            await exchange.head()
        connection.send(b"a piece")
        await pool.close()


async def asked_once(pool: Pool) -> UpstreamConnection:
    """Give a connection that has served an exchange."""
    connection = await pool.connect()
    await exchanged(connection)
    return connection


async def test_who_tries_again_gets_a_connection_of_its_own() -> None:
    """Also where the pool is full: one that has served before may be as old as the one that failed."""
    async with recording(OK) as upstream:
        pool = small_pool(upstream.port)
        old = await asked_once(pool)
        again = asyncio.create_task(pool.connect(fresh=True))
        await asyncio.sleep(0)
        pool.give_back(old)
        new = await again
        assert (new is old, new.uses, pool.open) == (False, 0, 1)
        await pool.close()

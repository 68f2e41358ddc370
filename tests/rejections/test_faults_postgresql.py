"""The server of a store that several gateways share fails, or keeps them waiting. Afterwards the counts agree."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config.store import StoreLocation
from gateway.rejections.query import Filters
from gateway.rejections.reader import Reader
from gateway.rejections.writer import StoreStatus
from tests.rejections.postgres import Postgres, postgres_server
from tests.rejections.recorders import Recording, kept, recording, requests, totals, until


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: str) -> None:
    """Have a server that fails tried again sooner than in earnest; what waits lies in a folder of the test's own."""
    monkeypatch.setattr("gateway.rejections.writer.LONGEST_PAUSE", 0.4)
    monkeypatch.setattr("gateway.rejections.recorder.GATHERING", 0.02)
    monkeypatch.setattr("gateway.rejections.writer.SLOW", 0.3)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A server that nobody shares."""
    with postgres_server() as made:
        yield made


async def flooded(running: Recording, seconds: float) -> None:
    """Record without pause for a while."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        running.record(20)
        await asyncio.sleep(0.01)


async def test_a_server_that_is_killed_in_mid_flood(server: Postgres) -> None:
    """Twice, with no end to what comes: no row is lost, none is there twice, and four events tell of it."""
    location = StoreLocation.parse(server.url())
    async with recording(location, backlog=200) as running:
        reader = Reader(running.store)
        flood = asyncio.create_task(flooded(running, 5.0))
        for _ in range(2):
            await running_well(running)
            server.kill()
            await until(lambda: running.recorder.state().waiting_bytes > 0)
            await asyncio.to_thread(server.start)
            await running_well(running)
            assert reader.find(Filters()).rows
        await flood
        await running.settled()
    entries = kept(location)
    assert running.names() == ["rejections_store_down", "rejections_store_back"] * 2
    assert Counter(entry.request_id for entry in entries) == Counter(f"r-{n + 1}" for n in range(running.recorded))
    assert totals(location) == (running.recorded, running.recorded)
    assert running.recorder.state().written == running.recorded


async def running_well(running: Recording) -> None:
    """Wait until the store is there and takes something new."""
    before = running.recorder.state().written
    await until(lambda: running.recorder.state().written > before)


async def test_a_server_that_stands_still(server: Postgres) -> None:
    """Nobody waits for it: what comes goes to a file, and into the store once the server goes on."""
    location = StoreLocation.parse(server.url())
    async with recording(location, backlog=100) as running:
        running.record(50)
        await running.settled()
        server.freeze()
        try:
            for _ in range(10):
                running.record(60)
                await running.gathered()
            await until(lambda: running.recorder.state().waiting_bytes > 0)
            await until(lambda: running.recorder.state().status is StoreStatus.BEHIND)
        finally:
            server.thaw()
        await running.settled()
    assert running.names() == []
    assert totals(location) == (650, 650)


async def test_a_gateway_that_stops_while_the_server_stands_still(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for a bounded time, leaves all in a file, and what is not known to have arrived is not there twice."""
    monkeypatch.setattr("gateway.rejections.recorder.FLUSH", 0.5)
    location = StoreLocation.parse(server.url())
    async with recording(location, backlog=100) as running:
        running.record(50)
        await running.settled()
        server.freeze()
        running.record(70)
        await until(lambda: running.recorder.state().status is StoreStatus.BEHIND)
    assert running.names() == ["rejections_left_waiting"]
    assert (running.events[0]["entries"], running.events[0]["only_logged"]) == (70, 0)
    server.thaw()
    running.recorder._writer._thread.join()
    async with recording(location) as after:
        await after.settled()
    assert totals(location) == (120, 120)


async def test_several_gateways_that_start_at_once(schema: StoreLocation) -> None:
    """One makes the tables, and all write: the counts that they share are right, and what each did is told apart."""
    running = [Recording(schema, max_per_second=20) for _ in range(4)]
    await asyncio.gather(*(one.recorder.start(f"web-{number}:8080") for number, one in enumerate(running)))
    await asyncio.gather(*(flooded(one, 1.0) for one in running))
    await asyncio.gather(*(one.settled() for one in running))
    await asyncio.gather(*(one.recorder.close() for one in running))
    entries = kept(schema)
    recorded = sum(one.recorded for one in running)
    assert totals(schema) == (recorded, recorded)
    for number, one in enumerate(running):
        assert one.events == []
        assert requests([entry for entry in entries if entry.instance == f"web-{number}:8080"]) == one.recorded


async def test_a_password_is_not_told(server: Postgres) -> None:
    """Neither by the events nor by the state, whatever is wrong."""
    server.kill()
    location = StoreLocation.parse(server.url().replace("postgres@", "postgres:canary@") + "&sslpassword=canary")
    async with recording(location) as running:
        running.record(5)
        await until(lambda: running.recorder.state().status is StoreStatus.DOWN)
        assert "canary" not in repr(running.recorder.state())
    assert "canary" not in repr(running.events)
    assert running.events[0]["reason"] == "NO_CONNECTION"
    assert running.events[0]["store"].startswith("postgresql://postgres:***@/postgres?host=")
    server.start()


def test_what_the_driver_says_is_not_shown(tmp_path: Path) -> None:
    """A server that goes away makes the driver and the pool complain, in texts that may hold what was written."""
    program = """
import logging, sys
from gateway.config.store import StoreLocation
from gateway.rejections.store.engine import Database
Database(StoreLocation.parse(sys.argv[1])).writing
logging.getLogger("psycopg").warning("error ignored terminating: canary")
logging.getLogger("sqlalchemy.pool.impl.QueuePool").error("Exception during reset or similar: canary")
"""
    location = "postgresql://postgres@/postgres?host=/nowhere"
    for store in (location, str(tmp_path / "rejections.sqlite3")):
        command = [sys.executable, "-c", program, store]
        done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - our own
        assert (done.stdout, done.stderr) == (b"", b"")

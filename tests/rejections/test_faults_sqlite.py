"""The store fails in the ways that files do. The gateway goes on; afterwards the counts agree to the row."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from gateway.config.store import StoreLocation
from gateway.rejections.writer import StoreStatus
from tests.limits import file_size
from tests.rejections.recorders import Recording, kept, recording, requests, totals, until
from tests.rejections.stores import migrated

NOBODY = 65534
HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""
SPILL = """
import asyncio, sys
from pathlib import Path
from gateway.config.store import StoreLocation
from tests.rejections.recorders import recording, until

async def main():
    async with recording(StoreLocation.parse(sys.argv[1]), backlog=50) as running:
        for _ in range(10):
            running.record(50)
            await running.gathered()
        files = Path(sys.argv[2]).glob
        await until(lambda: sum(file.read_bytes().count(b"\\n") for file in files("*.jsonl")) == 450)
        print("spilled", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a store that fails found out, and tried again, sooner than in earnest."""
    monkeypatch.setattr("gateway.rejections.store.engine.BUSY", 0.1)
    monkeypatch.setattr("gateway.rejections.writer.LONGEST_PAUSE", 0.4)
    monkeypatch.setattr("gateway.rejections.recorder.GATHERING", 0.02)


@pytest.fixture
def file(tmp_path: Path) -> StoreLocation:
    """A store in a file."""
    location = StoreLocation.parse(str(tmp_path / "rejections.sqlite3"))
    migrated(location).close()
    return location


@contextmanager
def locked(location: StoreLocation) -> Iterator[None]:
    """Have another process hold the file."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", HOLD, location.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        try:
            yield
        finally:
            other.communicate()


@contextmanager
def full() -> Iterator[None]:
    """Let no connection make the file larger: SQLite says SQLITE_FULL, as it does of a disk."""

    def limit(connection: Any, _: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


@contextmanager
def unwritable(location: StoreLocation) -> Iterator[None]:
    """Have a file that may be read only, by a user whom that stops."""
    location.path.chmod(0o444)
    own = os.geteuid()
    if own == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(own)
        location.path.chmod(0o600)


async def flooded(running: Recording) -> None:
    """Record more than fits into memory, while the store is down."""
    for _ in range(10):
        running.record(60)
        await running.gathered()
    await until(lambda: running.recorder.state().status is StoreStatus.DOWN)
    assert running.recorder.state().waiting_bytes > 0


def told(running: Recording) -> list[tuple[object, object]]:
    """Name the events, and their reasons."""
    return [(event["event"], event.get("reason")) for event in running.events]


async def test_a_file_that_another_process_holds(file: StoreLocation) -> None:
    """What comes meanwhile waits in memory and beside the store; two events tell of it, not one for each try."""
    async with recording(file, backlog=100) as running:
        running.record(50)
        await running.settled()
        with locked(file):
            await flooded(running)
            (waiting,) = file.path.parent.glob("*.jsonl")
            assert waiting.stat().st_mode & 0o777 == 0o600
            assert b"canary" not in waiting.read_bytes()
            assert running.recorder.state().reason == "SQLITE_BUSY"
        await running.settled()
        assert running.recorder.state().status is StoreStatus.OK
    assert told(running) == [("rejections_store_down", "SQLITE_BUSY"), ("rejections_store_back", None)]
    entries = kept(file)
    assert {entry.request_id for entry in entries} == {f"r-{number + 1}" for number in range(650)}
    assert totals(file) == (len(entries), 650)
    assert [path.name for path in file.path.parent.iterdir()] == [file.path.name]


async def test_a_full_disk(file: StoreLocation) -> None:
    """SQLite finds no room. Once there is some, all is caught up with."""
    with ExitStack() as stack:
        stack.enter_context(full())
        async with recording(file, backlog=100) as running:
            await flooded(running)
            assert running.recorder.state().reason == "SQLITE_FULL"
            stack.close()
            await running.settled()
    assert told(running) == [("rejections_store_down", "SQLITE_FULL"), ("rejections_store_back", None)]
    assert totals(file) == (600, 600)
    assert len(kept(file)) == 600


async def test_a_full_disk_that_takes_no_file_either(file: StoreLocation) -> None:
    """Neither the store nor a file beside it can grow: what does not fit into memory is counted, and none is lost."""
    async with recording(file, backlog=100) as running:
        await until(lambda: running.recorder.state().status is StoreStatus.OK)
        with file_size(0):
            for _ in range(10):
                running.record(60)
                await running.gathered()
            await until(lambda: running.recorder.state().status is StoreStatus.DOWN)
            state = running.recorder.state()
            assert (state.waiting_bytes, state.file_failure) == (0, "EFBIG")
            assert state.folded > 0
        await running.settled()
    assert totals(file) == (600, 600)
    assert len(kept(file)) < 300


async def test_a_file_that_may_only_be_read() -> None:
    """So with rights: once they are mended the store is written to."""
    folder = Path(tempfile.mkdtemp(prefix="rejections-"))
    try:
        file = StoreLocation.parse(str(folder / "rejections.sqlite3"))
        migrated(file).close()
        for path in (folder, file.path):
            os.chown(path, NOBODY if os.geteuid() == 0 else -1, -1)
        with ExitStack() as stack:
            stack.enter_context(unwritable(file))
            async with recording(file, backlog=100) as running:
                await flooded(running)
                assert running.recorder.state().reason == "SQLITE_READONLY"
                stack.close()
                await running.settled()
        assert running.names() == ["rejections_store_down", "rejections_store_back"]
        assert totals(file) == (600, 600)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("kind", ["folder", "garbage", "below a file"])
async def test_a_store_that_cannot_be_opened(tmp_path: Path, kind: str) -> None:
    """The gateway starts and stops all the same, and says once what it could not do."""
    path = tmp_path / "rejections.sqlite3"
    path.mkdir() if kind == "folder" else path.write_bytes(b"no database" * 1000)
    location = StoreLocation.parse(str(path / "deeper.sqlite3" if kind == "below a file" else path))
    async with recording(location) as running:
        running.record(20)
        await until(lambda: running.recorder.state().status is StoreStatus.DOWN)
    reason = {"folder": "SQLITE_CANTOPEN", "garbage": "SQLITE_NOTADB", "below a file": "SQLITE_CANTOPEN"}[kind]
    assert told(running) == [("rejections_store_down", reason), ("rejections_left_waiting", None)]
    lost = running.events[1]["only_logged"]
    assert lost == (20 if kind == "below a file" else 0)


async def test_a_gateway_that_is_killed(file: StoreLocation) -> None:
    """What it had written to a file is found by the next one; what it had only in memory is in the log alone."""
    with locked(file):
        killed_with_something_waiting(file)
    async with recording(file) as running:
        running.record(10)
        await running.settled()
    assert totals(file) == (460, 460)


def killed_with_something_waiting(location: StoreLocation) -> None:
    """Run a recorder in a process of its own, have it spill 450 of 500 entries, and kill it."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SPILL, location.path, location.path.parent], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"spilled\n"
        other.send_signal(signal.SIGKILL)


async def test_what_is_left_is_brought_in_once(file: StoreLocation) -> None:
    """Even where it had reached the store after all: a file that a dead gateway left is read from its beginning."""
    async with recording(file, backlog=10) as running:
        with locked(file):
            running.record(300)
            await until(lambda: running.recorder.state().waiting_bytes > 0)
            (waiting,) = file.path.parent.glob("*.jsonl")
            copy = waiting.read_bytes()
        await running.settled()
    waiting.write_bytes(copy + copy[: copy.index(b"\n") // 2])
    async with recording(file) as running:
        await running.settled()
        assert running.recorder.state().damaged == 1
    assert totals(file) == (300, 300)
    assert requests(kept(file)) == len(kept(file))

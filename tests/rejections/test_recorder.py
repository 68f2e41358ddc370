import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway.config.settings import Capture
from gateway.config.store import StoreLocation
from gateway.rejections.query import Bucket, Filters
from gateway.rejections.reader import Reader
from gateway.rejections.recorder import HELD, LARGE, StoreState
from gateway.rejections.store.tables import DAY
from gateway.rejections.writer import StoreStatus
from tests.rejections.recorders import BODY, MEMBERS, Recording, kept, recording, requests, totals, until
from tests.rejections.stores import A_REJECTION, NOON, an_entry, filled, migrated

MEMORY = StoreLocation.parse(":memory:")


@pytest.fixture
def file(tmp_path: Path) -> StoreLocation:
    """Where a store in a file may be."""
    return StoreLocation.parse(str(tmp_path / "rejections.sqlite3"))


async def test_what_is_recorded_is_in_the_store(location: StoreLocation) -> None:
    """All that the event tells, when and where it was, and what the body looked like."""
    async with recording(location) as running:
        running.recorder.record(A_REJECTION, MEMBERS, BODY)
        await running.settled()
        (entry,) = Reader(running.store).find(Filters()).rows
        expected = an_entry(
            entry.at,
            id=entry.id,
            seq=1,
            shape={
                "bytes": 62,
                "sender": "absent",
                "fields": {"lead_id": "lead_1", "status": "outbox", "subject": "text of 6"},
                "others": 0,
            },
        )
        assert entry == expected
        assert int(entry.id[:14], 16) == entry.at
        assert running.recorder.state() == StoreState(StoreStatus.OK, None, 0, 0, 1, 0, 0, None)
    assert running.events == []


SPELLINGS = [  # as clients write a path, and as it is looked for
    ("/api/v1/activity/email", "/api/v1/activity/email/"),
    ("//api/v1/activity/%65mail/", "/api/v1/activity/email"),
    ("/api/v1/activity/email/acti_1", "/api/v1/activity//email/acti_1/"),
]


@pytest.mark.parametrize(("sent", "wanted"), SPELLINGS)
async def test_a_path_is_found_in_any_spelling(sent: str, wanted: str) -> None:
    """Who looks for what was sent to a path need not know how a client spells it."""
    async with recording(MEMORY) as running:
        running.recorder.record(A_REJECTION._replace(path=sent), MEMBERS, BODY)
        await running.settled()
        reader = Reader(running.store)
        (entry,) = reader.find(Filters(path=wanted)).rows
        assert reader.find(Filters(path=entry.path)).rows == (entry,)
        assert Filters(path=wanted).meet(entry)
        assert reader.find(Filters(path="/api/v1/activity/email/acti_2/")).rows == ()


async def test_each_entry_tells_whether_it_refused(file: StoreLocation) -> None:
    """One recorder keeps refusals and reports, of requests that Close answered and of others."""
    told = [(True, 400), (False, 400), (False, None)]
    async with recording(file) as running:
        for enforced, status in told:
            running.recorder.record(A_REJECTION._replace(enforced=enforced, status=status), MEMBERS, BODY)
    assert sorted((entry.enforced, entry.status or 0) for entry in kept(file)) == [
        (False, 0),
        (False, 400),
        (True, 400),
    ]


@pytest.mark.parametrize(
    ("capture", "captured"),
    [
        (Capture.SHAPE, None),
        (Capture.REDACTED, '{"status":"<6 characters>","lead_id":"<6 characters>","subject":"<6 characters>"}'),
        (Capture.FULL, BODY.decode()),
    ],
)
@pytest.mark.parametrize("size", [0, LARGE])
async def test_what_is_captured(file: StoreLocation, capture: Capture, captured: str | None, size: int) -> None:
    """As the setting says, whether a body is held for it or, being large, looked at on the spot."""
    async with recording(file, capture=capture) as running:
        running.recorder.record(A_REJECTION, MEMBERS, BODY + b" " * size)
        assert running.recorder._held == (len(BODY) if size == 0 else 0)
    (entry,) = kept(file)
    assert (entry.captured or "").rstrip(" …") == (captured or "")
    assert entry.shape is not None
    assert entry.shape["bytes"] == len(BODY) + size


async def test_the_bodies_that_are_held_are_bounded() -> None:
    """Beyond so many bytes each is looked at on the spot and let go."""
    running = Recording(MEMORY)
    for _ in range(2 * HELD // LARGE):
        running.recorder.record(A_REJECTION, MEMBERS, b" " * LARGE)
    assert running.recorder._held == HELD
    await running.recorder.close()  # it was never started


async def test_a_flood_is_counted(file: StoreLocation) -> None:
    """Past the limit of a credential and code in a second, one entry counts the others; the counts are whole."""
    async with recording(file, max_per_second=3) as running:
        running.record(300, credentials=2)
        running.recorder.record(A_REJECTION._replace(credential="fp:calm"), MEMBERS, BODY)
        await running.settled()
    entries = kept(file)
    assert requests(entries) == 301
    assert len(entries) < 30
    assert [(entry.count, entry.shape is not None) for entry in entries if entry.credential == "fp:calm"] == [(1, True)]
    folds = [entry for entry in entries if entry.count > 1]
    assert running.recorder.state().folded == requests(folds)
    assert all(entry.at <= entry.last_at and entry.shape is None for entry in folds)


async def test_what_waits_is_bounded_while_nobody_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many even the first of a credential is counted."""
    monkeypatch.setattr("gateway.rejections.recorder.MOST_NOTED", 50)
    running = Recording(MEMORY)
    running.record(1000)
    state = running.recorder.state()
    assert state.waiting <= 50 + 7
    assert state.folded == 950


async def test_closing_writes_what_waits(location: StoreLocation) -> None:
    """To the last one, folds of a second that is not over among them; its threads end."""
    before = set(threading.enumerate())
    async with recording(location, max_per_second=5) as running:
        running.record(2000, credentials=20)
        store = running.store
        if location == MEMORY:
            await running.settled()
            assert requests(list(Reader(store).export(Filters()))) == 2000
    if location != MEMORY:
        assert totals(location) == (2000, 2000)
    assert {thread for thread in threading.enumerate() if thread.name.startswith("rejections")} <= before


async def test_what_is_too_old_goes(location: StoreLocation) -> None:
    """While the gateway runs, without anybody asking; the counts go along."""
    async with recording(location, keep_days=3) as running:
        await until(lambda: running.recorder.state().status is StoreStatus.OK)
        filled(running.store, [an_entry(NOON - 365 * DAY + second) for second in range(1200)])
        running.recorder._writer._trim_at = 0.0
        running.record(5)
        await until(lambda: len(list(Reader(running.store).export(Filters()))) == 5)
        assert Reader(running.store).stats(Filters(), Bucket.WEEK).rejected == 5


async def test_what_is_too_much_goes(file: StoreLocation) -> None:
    """The oldest first."""
    filled(migrated(file), [an_entry(NOON + second, request_id=f"r-{second}") for second in range(1300)]).close()
    async with recording(file, keep_entries=100, keep_days=36500) as running:
        await until(lambda: len(list(Reader(running.store).export(Filters()))) == 100)
    assert kept(file)[-1].request_id == "r-1200"


async def test_a_store_in_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the settings say: it is for trying out."""
    monkeypatch.setattr("gateway.rejections.recorder.MOST_IN_MEMORY", 20)
    async with recording(MEMORY) as running:
        running.record(50)
        await running.settled()
        running.recorder._writer._trim_at = 0.0
        running.record(1)
        await until(lambda: len(list(Reader(running.store).export(Filters()))) == 20)


def test_the_start_does_not_wait_for_the_database_library() -> None:
    """Whoever imports the recorder and the reader has not imported SQLAlchemy yet, which takes its time."""
    code = (
        "import sys, gateway.app, gateway.rejections.recorder, gateway.rejections.reader;"
        "sys.exit('sqlalchemy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own interpreter

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gateway.rejections.backlog import Backlog, Waiting
from gateway.rejections.entry import Entry
from gateway.rejections.spill import Spill
from tests.limits import file_size
from tests.rejections.stores import NOON, an_entry, many

ENTRIES = many(100)


def emptied(backlog: Backlog, limit: int = 7) -> list[Entry]:
    """Take everything."""
    taken: list[Entry] = []
    while batch := backlog.take(limit):
        taken += batch
        backlog.done()
    return taken


def test_what_comes_first_goes_first(tmp_path: Path) -> None:
    """Memory up to its bound, then the file; what comes while something is in the file goes behind it."""
    backlog = Backlog(10, tmp_path)
    backlog.put(ENTRIES[:30])
    assert backlog.waiting.entries == 10
    assert backlog.waiting.bytes > 0
    assert backlog.take(5) == ENTRIES[:5]
    backlog.done()
    backlog.put(ENTRIES[30:40])
    assert backlog.waiting.entries == 5
    assert emptied(backlog) == ENTRIES[5:40]
    backlog.put(ENTRIES[40:45])
    assert backlog.waiting == Waiting(5, 0)
    assert emptied(backlog) == ENTRIES[40:45]
    assert (backlog.take(5), backlog.leave(), list(tmp_path.iterdir())) == ([], 0, [])


def test_what_is_taken_waits_until_it_is_done_with(tmp_path: Path) -> None:
    """A batch that did not get through is given again, and more comes behind it."""
    backlog = Backlog(10, tmp_path)
    backlog.put(ENTRIES[:3])
    assert backlog.take(5) == ENTRIES[:3]
    backlog.put(ENTRIES[3:9])
    assert backlog.take(5) == ENTRIES[:5]
    backlog.done()
    assert emptied(backlog) == ENTRIES[5:9]


def test_a_captured_body_takes_its_room(tmp_path: Path) -> None:
    """The bound is one of memory: long bodies fill it sooner."""
    backlog = Backlog(10, tmp_path)
    long = [replace(entry, captured="x" * 4096) for entry in ENTRIES[:4]]
    backlog.put(long)
    assert backlog.waiting.entries == 2
    assert emptied(backlog) == long


def test_the_next_run_takes_over(tmp_path: Path) -> None:
    """What waits at the end is written down, and goes first afterwards, before all that is new."""
    first = Backlog(10, tmp_path)
    first.put(ENTRIES[:5])
    first.take(3)
    assert first.leave() == 0
    second = Backlog(2, tmp_path)
    second.recover()
    second.put(ENTRIES[5:10])
    assert second.waiting.entries == 2
    assert emptied(second) == ENTRIES[:10]
    second.leave()
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_spoilt_are_counted(tmp_path: Path) -> None:
    """A file without an entry holds nobody up, and is taken away."""
    (tmp_path / "rejections-waiting-store-1.jsonl").write_bytes(b"\0\n" * 40)
    backlog = Backlog(10, tmp_path)
    backlog.recover()
    backlog.put(ENTRIES[:3])
    assert emptied(backlog) == ENTRIES[:3]
    assert (backlog.damaged, list(tmp_path.iterdir())) == (40, [])


@pytest.mark.parametrize("folder", [None, "full", "missing"])
def test_where_no_file_can_be_written_it_is_counted(tmp_path: Path, folder: str | None) -> None:
    """By hour, credential and code: no request is lost, only what it looked like; and it says why."""
    (tmp_path / "missing").write_bytes(b"no folder")
    backlog = Backlog(10, None if folder is None else tmp_path / folder)
    with file_size(100):
        backlog.put(ENTRIES)
    taken = emptied(backlog)
    assert taken[:10] == ENTRIES[:10]
    assert counted(taken) == counted(ENTRIES)
    assert {entry.id for entry in taken[10:]}.isdisjoint(entry.id for entry in ENTRIES)
    assert all((entry.shape, entry.captured) == (None, None) for entry in taken[10:])
    assert backlog.folded == 90
    assert backlog.failure == {None: None, "full": "EFBIG", "missing": "EEXIST"}[folder]


def counted(entries: list[Entry]) -> Counter[tuple[int, str | None, str, bool]]:
    """Count requests as they are folded."""
    counts: Counter[tuple[int, str | None, str, bool]] = Counter()
    for entry in entries:
        counts[entry.at // 3_600_000_000, entry.credential, entry.code, entry.enforced] += entry.count
    return counts


def test_a_fold_that_may_have_got_through_stays_as_it_is() -> None:
    """Else the store, which knows its id, would miss what was added to it since."""
    backlog = Backlog(1, None)
    backlog.put([an_entry(captured="x" * 4096, last_at=NOON + 1), an_entry(captured="x" * 4096, last_at=NOON + 2)])
    (fold,) = backlog.take(5)
    assert (fold.count, fold.at, fold.last_at) == (2, NOON, NOON + 2)
    backlog.put([an_entry(captured="x" * 4096)])
    assert backlog.take(5) == [fold]
    backlog.done()
    assert [(entry.count, entry.id == fold.id) for entry in emptied(backlog)] == [(1, False)]


def test_what_is_in_no_file_at_the_end_is_told(tmp_path: Path) -> None:
    """A gateway that stops with its store down and its disk full says how much only the log has."""
    backlog = Backlog(10, tmp_path)
    backlog.put(ENTRIES[:5])
    with file_size(100):
        assert backlog.leave() == 5


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    actions=st.lists(
        st.tuples(st.sampled_from(["put", "take", "done", "full", "restart"]), st.integers(1, 9)), max_size=25
    ),
    most=st.integers(1, 12),
)
def test_nothing_is_lost(tmp_path: Path, actions: list[tuple[str, int]], most: int) -> None:
    """Whatever fills up, fails or is started anew in between: the requests that come out are those that went in."""
    entries = iter(many(300))
    backlog = Backlog(most, tmp_path)
    given_in: list[Entry] = []
    written: dict[str, Entry] = {}
    for action, number in actions:
        if action in {"put", "full"}:
            some = [entry for entry, _ in zip(entries, range(number), strict=False)]
            given_in += some
            with file_size(3000 if action == "full" else 10**9):
                backlog.put(some)
        elif action == "restart":
            assert backlog.leave() == 0
            backlog = Backlog(most, tmp_path)
            backlog.recover()
        else:
            batch = backlog.take(number)
            written |= {entry.id: entry for entry in batch}
            if action == "done" and batch:
                backlog.done()
    while batch := backlog.take(50):
        written |= {entry.id: entry for entry in batch}
        backlog.done()
    backlog.leave()
    assert counted(list(written.values())) == counted(given_in)
    assert list(tmp_path.iterdir()) == []


def test_what_is_spoilt_is_counted_before_it_is_done_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread that sees that nothing waits any more sees all that was counted."""
    (tmp_path / "rejections-waiting-store-1.jsonl").write_bytes(b"\0\n" * 40)
    backlog = Backlog(10, tmp_path)
    backlog.recover()
    done = Spill.done

    def seen(spill: Spill) -> None:
        done(spill)
        assert (backlog.waiting, backlog.damaged) == (Waiting(0, 0), 40)

    monkeypatch.setattr(Spill, "done", seen)
    assert backlog.take(1) == []
    assert list(tmp_path.iterdir()) == []

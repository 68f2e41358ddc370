import errno
import fcntl
import os
from pathlib import Path

import pytest

from gateway.rejections.entry import to_line
from gateway.rejections.spill import Spill, abandoned, fresh
from tests.limits import file_size
from tests.rejections.stores import many

ENTRIES = many(30)


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    """The first ones again and again, until they are done with; then those behind them, however they were written."""
    spill = fresh(tmp_path, "store", "1")
    spill.append(ENTRIES[:10])
    assert spill.read(4) == spill.read(4) == ENTRIES[:4]
    spill.done()
    spill.append(ENTRIES[10:12])
    assert spill.read(100) == ENTRIES[4:12]
    assert len(spill)
    spill.done()
    assert (len(spill), spill.path.stat().st_size, spill.read(1)) == (0, 0, [])
    spill.append(ENTRIES[12:])
    assert spill.read(100) == ENTRIES[12:]
    spill.close()


def test_the_file_is_for_the_gateway_alone(tmp_path: Path) -> None:
    """0600, whatever the umask; the folder 0700 where it had to be made."""
    before = os.umask(0)
    try:
        spill = fresh(tmp_path / "made", "store", "1")
    finally:
        os.umask(before)
    assert spill.path.stat().st_mode & 0o777 == 0o600
    assert spill.path.parent.stat().st_mode & 0o777 == 0o700
    spill.close()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Who may write to the folder cannot have the gateway write elsewhere."""
    (tmp_path / "rejections-waiting-store-1-0.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        fresh(tmp_path, "store", "1")
    found, failure = abandoned(tmp_path, "store")
    assert (found, failure is not None and failure.errno) == ([], errno.ELOOP)
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_left_behind_is_taken_over(tmp_path: Path) -> None:
    """The oldest file first; those of another store and those of gateways that run are let alone."""
    assert abandoned(tmp_path / "none", "store") == ([], None)
    for store, name, entries in (("store", "2", ENTRIES[2:4]), ("store", "1", ENTRIES[:2]), ("other", "1", ENTRIES)):
        spill = fresh(tmp_path, store, name)
        spill.append(entries)
        spill.close()
    held = fresh(tmp_path, "store", "3")
    found, failure = abandoned(tmp_path, "store")
    assert failure is None
    assert [spill.read(10) for spill in found] == [ENTRIES[:2], ENTRIES[2:4]]
    assert abandoned(tmp_path, "store") == ([], None)  # now they are held
    for spill in (*found, held):
        spill.close()


def test_an_empty_file_is_taken_away(tmp_path: Path) -> None:
    """A run that brought everything into the store leaves nothing behind."""
    spill = fresh(tmp_path, "store", "1")
    spill.append(ENTRIES)
    spill.read(100)
    spill.done()
    spill.close()
    assert list(tmp_path.iterdir()) == []


def test_lines_that_a_crash_spoilt(tmp_path: Path) -> None:
    """What is no entry is counted and passed over, at the end, in the middle, or all through."""
    file = tmp_path / "rejections-waiting-store-1.jsonl"
    good = [to_line(entry) for entry in ENTRIES[:3]]
    file.write_bytes(good[0] + b"\0\0\n" + good[1] + b"\n" + good[2] + good[0][:50])
    ((spill,), _) = abandoned(tmp_path, "store")
    assert (spill.read(2), spill.damaged) == (ENTRIES[:2], 1)
    spill.done()
    assert (spill.read(2), spill.damaged) == (ENTRIES[2:3], 2)
    spill.done()
    assert len(spill) == 0
    spill.close()


def test_a_full_disk_leaves_no_piece_of_a_line(tmp_path: Path) -> None:
    """What cannot be written whole is not there, what was there before is, and later it goes on."""
    spill = fresh(tmp_path, "store", "1")
    spill.append(ENTRIES[:3])
    with file_size(len(spill) + 100), pytest.raises(OSError, match="File too large"):
        spill.append(ENTRIES[3:])
    assert spill.path.stat().st_size == len(spill)
    spill.append(ENTRIES[3:5])
    assert spill.read(100) == ENTRIES[:5]
    spill.close()


def test_a_file_that_was_taken_over_before_it_was_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two gateways that start at once: who makes a file makes another, if the first was taken for a left one."""
    lock, taken = fcntl.flock, iter([True, False, False])

    def late(file: int, operation: int) -> None:
        if next(taken):
            (path,) = tmp_path.iterdir()
            path.unlink()
        lock(file, operation)

    monkeypatch.setattr("gateway.rejections.spill.fcntl.flock", late)
    spill = fresh(tmp_path, "store", "1")
    spill.append(ENTRIES)
    assert list(tmp_path.iterdir()) == [spill.path]
    spill.close()


def test_a_file_that_is_held(tmp_path: Path) -> None:
    """Nobody else can open it."""
    spill = fresh(tmp_path, "store", "1")
    with pytest.raises(BlockingIOError):
        Spill(spill.path)
    spill.close()

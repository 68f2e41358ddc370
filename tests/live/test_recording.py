import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.live import recording as module
from gateway.live.recording import HEAD, TAIL, Archive, Recording, Unrecordable
from gateway.live.story import Story, Tape
from tests.exchanges import exchange_of

ENTRY = b'{"entry": 1}'


def entries(path: Path) -> list[Any]:
    """Read an archive as any reader of HAR does."""
    log = json.loads(path.read_bytes())["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "Close Gateway")
    return list(log["entries"])


def test_it_is_an_archive_from_the_start_and_after_each_entry(tmp_path: Path) -> None:
    """For its user's eyes alone."""
    path = tmp_path / "a.har"
    archive = Archive(path)
    seen = [entries(path)]
    for _ in range(2):
        archive.write(ENTRY)
        seen.append(entries(path))
    archive.close()
    assert seen == [[], [{"entry": 1}], [{"entry": 1}, {"entry": 1}]]
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_goes_on_where_an_earlier_one_ended(tmp_path: Path) -> None:
    """Whether that had entries or not."""
    path = tmp_path / "a.har"
    found = []
    for number in range(3):
        archive = Archive(path)
        found.append((archive.found.entries, archive.found.mended))
        if number:
            archive.write(b'{"entry": %d}' % number)
        archive.close()
    assert entries(path) == [{"entry": 1}, {"entry": 2}]
    assert found == [(0, False), (0, False), (1, False)]


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (HEAD, 0),
        (HEAD + b'{"ent', 0),
        (HEAD + ENTRY + b",\n", 1),
        (HEAD + ENTRY + b",\n" + ENTRY + b",\n{", 2),
        (HEAD + ENTRY + b",\n" + ENTRY + TAIL[:2], 1),
    ],
)
def test_a_recording_that_was_cut_off_is_mended(tmp_path: Path, found: bytes, kept: int) -> None:
    """No more than its last line is lost, and it goes on behind the others."""
    path = tmp_path / "a.har"
    path.write_bytes(found)
    archive = Archive(path)
    mended = entries(path)
    archive.write(ENTRY)
    archive.close()
    assert (len(mended), len(entries(path))) == (kept, kept + 1)
    assert (archive.found.entries, archive.found.mended) == (kept, True)


@pytest.mark.parametrize("found", [b"{}", b"[" * 300, HEAD[:-1], b'{"log":{}}' + TAIL, TAIL])
def test_what_is_no_recording_is_left_as_it_is(tmp_path: Path, found: bytes) -> None:
    """It may be what somebody has written."""
    path = tmp_path / "notes"
    path.write_bytes(found)
    with pytest.raises(Unrecordable, match="holds something else than a recording"):
        Archive(path)
    assert path.read_bytes() == found


def test_one_at_a_time_records_to_a_file(tmp_path: Path) -> None:
    """Two would write over each other's entries; the second is told, and the first goes on."""
    path = tmp_path / "a.har"
    archive = Archive(path)
    with pytest.raises(Unrecordable, match=r"is being recorded to already\. Name another file with --record\."):
        Archive(path)
    archive.write(ENTRY)
    archive.close()
    Archive(path).close()
    assert len(entries(path)) == 1


def test_an_empty_file_becomes_its_users_alone(tmp_path: Path) -> None:
    """As one that was not there; who lets others read a recording has a reason to."""
    path = tmp_path / "a.har"
    path.touch(0o644)
    Archive(path).close()
    modes = [path.stat().st_mode & 0o777]
    path.chmod(0o644)
    Archive(path).close()
    assert [*modes, path.stat().st_mode & 0o777] == [0o600, 0o644]


@pytest.mark.parametrize("name", ["nowhere/a.har", "."])
def test_where_no_file_can_be(tmp_path: Path, name: str) -> None:
    """The sentence names the file and the flag."""
    with pytest.raises(Unrecordable, match=r"cannot be written: .*--record"):
        Archive(tmp_path / name)


def test_a_full_disk_leaves_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in it stays readable; and there is an end to how large it gets."""
    path = tmp_path / "a.har"
    code = (
        "import resource, signal, sys; from pathlib import Path; from gateway.live.recording import Archive\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))\n"
        "archive = Archive(Path(sys.argv[1])); archive.write(b'1')\n"
        "try: archive.write(b'\"' + b'x' * 1000 + b'\"')\n"
        "except OSError: archive.write(b'2')\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)  # noqa: S603 - our own code
    assert entries(path) == [1, 2]
    monkeypatch.setattr(module, "MOST_BYTES", path.stat().st_size)
    archive = Archive(path)
    with pytest.raises(OSError, match="as large as it may be"):
        archive.write(b'"more"')
    archive.close()
    assert entries(path) == [1, 2]


def test_a_process_that_is_killed_leaves_an_archive(tmp_path: Path) -> None:
    """At whatever moment it is: the next recording mends what is cut off."""
    path = tmp_path / "a.har"
    code = (
        "import sys; from pathlib import Path; from gateway.live.recording import Archive\n"
        "archive = Archive(Path(sys.argv[1]))\n"
        "while True: archive.write(b'\"' + b'x' * 3000 + b'\"')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)])  # noqa: S603 - our own code
    while not path.exists() or path.stat().st_size < 1_000_000:
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    Archive(path).close()
    assert len(entries(path)) > 300
    assert set(entries(path)) == {"x" * 3000}


def story(target: bytes = b"/") -> Story:
    """Give one that is over."""
    told = Story(exchange_of(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target), Tape(9), Tape(9))
    told.went.hear(b"HTTP/1.1 ")
    told.end(whole=True)
    return told


def test_stories_are_recorded_in_the_background(tmp_path: Path) -> None:
    """In their order, all of them by the time that it is closed."""
    path = tmp_path / "a.har"
    failures: list[str] = []
    recording = Recording(Archive(path), failures.append)
    for number in range(100):
        recording.tell(story(b"/%d" % number))
    recording.close()
    assert [entry["request"]["url"] for entry in entries(path)] == [f"http://x/{number}" for number in range(100)]
    assert (recording.written, recording.lost, failures) == (100, 0, [])


def test_what_is_dropped_waits_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a disk that was slow for long would have nothing recorded ever after."""
    monkeypatch.setattr(module, "MOST_WAITING", 1000)
    recording = Recording(Archive(tmp_path / "a.har"), lambda _: None)
    recording._most = 2
    for _ in range(50):
        recording.tell(story())
    recording.close()
    assert (recording._came - recording._gone, recording.lost > 0) == (0, True)


def test_what_cannot_be_told_stops_no_recording(tmp_path: Path) -> None:
    """A mistake of ours in one entry costs that entry."""
    path = tmp_path / "a.har"
    failures: list[str] = []
    broken = story()
    del broken.exchange
    recording = Recording(Archive(path), failures.append)
    recording.tell(broken)
    recording.tell(story(b"/after"))
    recording.close()
    assert [entry["request"]["url"] for entry in entries(path)] == ["http://x/after"]
    assert (recording.written, recording.lost, len(failures)) == (1, 1, 1)


def test_what_cannot_be_recorded_is_counted_and_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes nothing, and one that is too slow."""
    path = tmp_path / "a.har"
    failures: list[str] = []
    archive = Archive(path)
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    recording = Recording(archive, failures.append)
    recording.tell(story())
    recording.tell(story())
    monkeypatch.setattr(module, "MOST_WAITING", -1)
    recording.tell(story())
    recording.close()
    assert (recording.written, recording.lost, len(failures), entries(path)) == (0, 3, 1, [])

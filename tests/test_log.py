import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import BinaryIO

import pytest
from structlog.typing import FilteringBoundLogger

from gateway.background import MOST_HELD
from gateway.log import LEVELS, BackgroundLines, Lines, make_log


def written(level: str = "debug", *, console: bool = False) -> tuple[FilteringBoundLogger, io.BytesIO]:
    """Make a log that is written to memory."""
    stream = io.BytesIO()
    return make_log(level, console=console, stream=stream), stream


def test_an_event_is_a_line_of_json() -> None:
    """When, how bad and what come first; then what is known, in the order that it was told in."""
    log, stream = written()
    before = datetime.now(UTC)
    log.warning("upstream_failed", request_id="r-1", owner=None, count=7, at=["a", "b"])
    line = stream.getvalue().decode()
    event = json.loads(line)
    when = datetime.fromisoformat(event.pop("timestamp"))
    assert before <= when <= datetime.now(UTC)
    assert event == {"level": "warning", "event": "upstream_failed", "request_id": "r-1", "count": 7, "at": ["a", "b"]}
    assert line.startswith('{"timestamp":"')
    assert line.endswith('","level":"warning","event":"upstream_failed","request_id":"r-1","count":7,"at":["a","b"]}\n')


def test_what_is_false_or_empty_is_told() -> None:
    """Only what is not known is left out."""
    log, stream = written()
    log.info("x", no=False, zero=0, empty="", none=None)
    assert set(json.loads(stream.getvalue())) == {"timestamp", "level", "event", "no", "zero", "empty"}


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_the_least_that_is_written(level: str) -> None:
    """What is below it costs nothing and leaves no trace."""
    log, stream = written(level)
    for name in LEVELS:
        getattr(log, name)("event")
    levels = [json.loads(line)["level"] for line in stream.getvalue().splitlines()]
    assert levels == list(LEVELS)[list(LEVELS).index(level) :]


def test_people_can_read_it_too() -> None:
    """In a line of its own, without colours where nobody sees them."""
    log, stream = written(console=True)
    log.info("gateway_started", listen="127.0.0.1:8080", owner=None)
    line = stream.getvalue().decode()
    assert "gateway_started" in line
    assert "listen=127.0.0.1:8080" in line
    assert "owner" not in line
    assert "\x1b" not in line
    assert line.count("\n") == 1


VALUES = ["one\ntwo\r\n", '"}\n{"event": "forged', "\u2028", "\0", "\ud800", {"a": "\udcff"}, object(), 2**200, {1: 2}]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("console", [False, True])
def test_whatever_is_told_it_is_one_line(value: object, *, console: bool) -> None:
    """A line cannot be broken or forged, and what JSON has no way to write does not fail who told it."""
    log, stream = written(console=console)
    log.warning("x", value=value)
    lines = stream.getvalue().removesuffix(b"\n").split(b"\n")
    assert len(lines) == 1
    if not console:
        assert json.loads(lines[0])["event"] == "x"


class Full(io.BytesIO):
    """A disk without room."""

    def write(self, _: object) -> int:
        raise OSError(28, "No space left on device")


def closed() -> BinaryIO:
    """Give a stream that has been closed."""
    stream = io.BytesIO()
    stream.close()
    return stream


def nobody_reads() -> BinaryIO:
    """Give a pipe whose reader is gone."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "wb", buffering=0)


@pytest.mark.parametrize("make", [Full, closed, nobody_reads])
def test_a_line_that_cannot_be_written_is_counted(make: Callable[[], BinaryIO]) -> None:
    """Logging never stops a request: a full disk, a closed stream, a pipe without a reader."""
    stream = make()
    lines = Lines(stream)
    lines.msg(b"one")
    lines.warning(b"two")
    assert lines.lost == 2
    stream.close()


def test_a_line_goes_out_at_once() -> None:
    """Who reads along sees it, and a crash loses none."""
    with io.BytesIO() as memory, io.BufferedWriter(memory) as stream:
        Lines(stream).info(b"now")
        assert memory.getvalue() == b"now\n"


def test_lines_are_written_in_the_background_in_their_order() -> None:
    """Each of them, whoever sends them; and closing leaves none behind."""
    stream = io.BytesIO()
    lines = BackgroundLines(stream)
    for number in range(1000):
        lines.info(b"%d" % number)
    lines.close()
    assert stream.getvalue() == b"".join(b"%d\n" % number for number in range(1000))
    assert lines.lost == 0


def test_a_reader_that_is_stuck_holds_nobody_up() -> None:
    """What it does not read in time is held, up to a limit; beyond it lines are dropped, and the log says how many."""
    total = 4 * MOST_HELD
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb", buffering=0) as stream:
        lines = BackgroundLines(stream)
        for number in range(total):
            lines.msg(b"%07d" % number)
        assert lines.lost >= MOST_HELD
        came: list[bytes] = []
        thread = threading.Thread(target=lambda: came.extend(reader.read().splitlines()))
        thread.start()
        lines.close()
        stream.close()
        thread.join()
    told = [json.loads(line) for line in came if line.startswith(b"{")]
    lines_read = [line for line in came if not line.startswith(b"{")]
    assert {event["event"] for event in told} == {"log_lines_lost"}
    assert len(lines_read) + sum(event["count"] for event in told) == total
    assert lines.lost == 0
    assert lines_read == sorted(set(lines_read))
    assert {len(line) for line in lines_read} == {7}


def test_in_the_background_too_what_cannot_be_written_is_counted() -> None:
    """A pipe without a reader loses every line and stops nobody."""
    with nobody_reads() as stream:
        lines = BackgroundLines(stream)
        for _ in range(10):
            lines.msg(b"line")
        lines.close()
    assert lines.lost == 10


WRITER = """
import sys
from gateway.log import make_log
log = make_log("info", console=False, shared=True)
print("ready", file=sys.stderr, flush=True)
sys.stdin.readline()
for _ in range(20):
    log.info("long", text=sys.argv[1] * 20_000)
"""


def test_lines_of_several_processes_come_out_whole() -> None:
    """However long they are, and however slowly they are read: a pipe alone would mix them."""
    reading, writing = os.pipe()
    processes = [
        subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-c", WRITER, letter],
            stdin=subprocess.PIPE,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
        )
        for letter in "abc"
    ]
    os.close(writing)
    for process in processes:
        assert process.stderr is not None
        assert process.stderr.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    time.sleep(0.5)  # by now all of them wait for room
    with os.fdopen(reading, "rb") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    assert sorted(texts) == sorted(letter * 20_000 for letter in "abc" * 20)
    assert [process.communicate(timeout=20)[1] for process in processes] == ["", "", ""]

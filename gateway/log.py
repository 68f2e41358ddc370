"""How events are written: a JSON line each, or for reading by people, in colour.

Rule    Logging never keeps a request waiting and never fails one. Standard output may be a pipe whose reader is slow,
        stuck or gone, and writing to it blocks: a thread of its own does that (gateway.background). What comes from
        outside is cut short in each line, so that what waits is bounded in memory too.
"""

import atexit
import fcntl
import json
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, ClassVar, Final, Protocol

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from gateway.background import Background

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
LOST: Final = b'{"level":"warning","event":"log_lines_lost","count":%d}\n'


class Sink(Protocol):
    """Where lines are written."""

    def write(self, text: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Lines:
    """A structlog logger that writes lines of bytes to a stream, at once.

    `lost` counts those it could not write; once it can again, it says how many they were.
    """

    lost_in_all: ClassVar[int] = 0
    """By all logs of the process, since its start."""

    def __init__(self, stream: Sink) -> None:
        self._stream = stream
        self.lost = 0

    def msg(self, line: bytes, /) -> None:
        self._write(line + b"\n", 1)

    def _write(self, text: bytes, lines: int) -> None:
        told = self.lost
        try:
            self._stream.write(text + (LOST % told if told else b""))
            self._stream.flush()
        except (OSError, ValueError):  # a full disk, a pipe without a reader, a closed stream
            self._lose(lines)
        else:
            self.lost -= told

    def _lose(self, count: int) -> None:
        self.lost += count
        Lines.lost_in_all += count

    debug = info = warning = error = critical = exception = msg


class BackgroundLines(Lines, Background[bytes]):
    """The same, by a thread of its own."""

    def __init__(self, stream: Sink) -> None:
        Lines.__init__(self, stream)
        Background.__init__(self, "log")

    msg = debug = info = warning = error = critical = exception = Background.put

    def _deal(self, things: list[bytes]) -> None:
        self._write(b"\n".join(things) + b"\n", len(things))


class OneAtATime:
    """A stream that several processes write to: what one writes comes out in one piece.

    POSIX promises that for a pipe up to PIPE_BUF (4096 bytes) alone. So it is locked meanwhile, as a record of the
    file or pipe that all of them have (fcntl(2)); where it cannot be, it is written all the same.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: bytes) -> None:
        """Write, and flush."""
        with suppress(OSError, ValueError):
            fcntl.lockf(self._stream, fcntl.LOCK_EX)
        try:
            self._stream.write(text)
            self._stream.flush()
        finally:
            with suppress(OSError, ValueError):
                fcntl.lockf(self._stream, fcntl.LOCK_UN)

    def flush(self) -> None:
        """All is written already."""


def make_log(
    level: str, *, console: bool, stream: BinaryIO | None = None, shared: bool = False
) -> FilteringBoundLogger:
    """Make the log that every part is given. It goes to standard output, or at once to `stream` where one is named.

    `shared`: other processes write there as well.
    """
    colors = stream is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=colors, sort_keys=False), _encoded] if console else [_json_line]
    )
    log: FilteringBoundLogger = structlog.wrap_logger(
        _standard_output(shared=shared) if stream is None else Lines(stream),
        processors=[in_order, *last],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    ).bind()  # bound once and for all: the proxy that stands in before would bind anew at every event
    return log


def at_level(log: FilteringBoundLogger, level: str) -> FilteringBoundLogger:
    """Make the same log, of another level."""
    bound: Any = log
    made: FilteringBoundLogger = structlog.wrap_logger(
        bound._logger,  # noqa: SLF001 - structlog has no other way to it
        processors=bound._processors,  # noqa: SLF001
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    ).bind()
    return made


def _standard_output(*, shared: bool) -> Lines:
    lines = BackgroundLines(OneAtATime(sys.stdout.buffer) if shared else sys.stdout.buffer)
    atexit.register(lines.close)
    return lines


def in_order(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Put when and what first, for those who read lines; leave out what is not known, rather than say null.

    One step, where structlog's own for time and level would be two more: a refusal is quicker than its line.
    """
    seconds, fraction = divmod(time.time(), 1)
    ordered: EventDict = {
        "timestamp": f"{_second(int(seconds))}.{int(fraction * 1e6):06d}Z",
        "level": name,
        "event": event.pop("event"),
    }
    for key, value in event.items():
        if value is not None:
            ordered[key] = value
    return ordered


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _json_line(logger: WrappedLogger, name: str, event: EventDict) -> Any:
    try:
        return orjson.dumps(event, default=repr)
    except TypeError:  # half a surrogate pair, or a number beyond 64 bits: the standard library writes them too
        return json.dumps(event, default=repr).encode()


def _encoded(logger: WrappedLogger, name: str, event: Any) -> Any:
    return str(event).encode("utf-8", "replace")

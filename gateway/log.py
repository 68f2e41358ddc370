"""How events are written: a JSON line each, or for reading by people, in colour.

Rule    Logging never keeps a request waiting and never fails one. Standard output may be a pipe whose reader is slow,
        stuck or gone, and writing to it blocks: a thread of its own does that. What it cannot write in time is held up
        to a limit; beyond it, lines are dropped and counted.
"""

import atexit
import fcntl
import json
import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, ClassVar, Final, Protocol

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
MOST_HELD: Final = 20_000
"""Lines that wait to be written. What comes from outside is cut short in each, so this bounds the memory too."""
LOST: Final = b'{"level":"warning","event":"log_lines_lost","count":%d}\n'
GATHERING: Final = 0.1
"""Seconds in which lines are gathered for one write. Each time that the thread wakes, it and the event loop contend for
the interpreter, which costs every request of that moment more than its line does: so it wakes seldom."""
LAST_WRITE: Final = 2.0
"""Seconds that a stopping process waits for its last lines to be written."""


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

    def msg(self, line: bytes) -> None:
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

    def _lose(self, lines: int) -> None:
        self.lost += lines
        Lines.lost_in_all += lines

    debug = info = warning = error = critical = exception = msg


class BackgroundLines(Lines):
    """The same, by a thread of its own."""

    def __init__(self, stream: Sink) -> None:
        super().__init__(stream)
        self._waiting: deque[bytes] = deque()
        self._some = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def msg(self, line: bytes) -> None:
        if len(self._waiting) >= MOST_HELD:
            self._lose(1)
            return
        self._waiting.append(line)
        if not self._some.is_set():
            self._some.set()

    debug = info = warning = error = critical = exception = msg

    def close(self) -> None:
        """Write what waits, for as long as a stopping process may take for it."""
        self._stopping.set()
        self._some.set()
        self._thread.join(LAST_WRITE)

    def _work(self) -> None:
        while not self._stopping.is_set() or self._waiting:
            self._some.wait()
            self._stopping.wait(GATHERING)
            self._some.clear()  # before taking: what comes from here on sets it again
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if batch:
                self._write(b"\n".join(batch) + b"\n", len(batch))


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
        processors=[_in_order, *last],
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


def _in_order(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
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

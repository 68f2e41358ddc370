"""How events are written: a JSON line each, or for reading by people, in colour.

A line that cannot be written (a closed pipe, a full disk) is counted and dropped: logging never stops a request.
"""

import sys
from typing import Any, BinaryIO, Final

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Lines:
    """A structlog logger that writes lines of bytes to a stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.lost = 0

    def msg(self, line: bytes) -> None:
        try:
            self._stream.write(line + b"\n")
            self._stream.flush()
        except (OSError, ValueError):
            self.lost += 1

    debug = info = warning = error = critical = exception = msg


def make_log(level: str, *, console: bool, stream: BinaryIO | None = None) -> FilteringBoundLogger:
    """Make the log that every part is given. `stream` is standard output where none is named."""
    target = stream or sys.stdout.buffer
    last: list[Processor] = [_json_line]
    if console:
        colors = sys.stdout.isatty() if stream is None else False
        last = [structlog.dev.ConsoleRenderer(colors=colors), _encoded]
    log: FilteringBoundLogger = structlog.wrap_logger(
        Lines(target),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _in_order,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    return log


def _in_order(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Put when and what first, for those who read lines; leave out what is not known, rather than say null."""
    first = {key: event.pop(key) for key in ("timestamp", "level", "event")}
    return first | {key: value for key, value in event.items() if value is not None}


def _json_line(logger: WrappedLogger, name: str, event: EventDict) -> Any:
    return orjson.dumps(event, default=repr)


def _encoded(logger: WrappedLogger, name: str, event: Any) -> Any:
    return str(event).encode("utf-8", "replace")

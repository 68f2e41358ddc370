"""What the gateway logs during a test: kept, not written.

Rule    A refusal is logged before its answer goes out. So whoever has the answer finds the refusal here, and need not
        wait for anything.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from gateway.log import LEVELS
from gateway.testing.rejection import Rejection, from_event

MOST: Final = 10_000
"""Events that are kept. One more, and the oldest is forgotten."""
MOST_TOLD: Final = 10
"""Of each kind, where a test fails."""
REJECTED: Final = "request_rejected"
REPORTED: Final = "request_reported"
SHOWN: Final = ("code", "kind", "reason", "error", "at", "outcome", "method", "path")
"""What is told of other events."""


class Events:
    """All that is at least a warning. `log` is for the gateway; the rest may be asked from any thread."""

    def __init__(self) -> None:
        self._events: deque[dict[str, Any]] = deque(maxlen=MOST)
        self.log: FilteringBoundLogger = structlog.wrap_logger(
            None, processors=[self._keep], wrapper_class=structlog.make_filtering_bound_logger(LEVELS["warning"])
        ).bind()

    def _keep(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        self._events.append(dict(event))
        raise structlog.DropEvent

    @property
    def rejections(self) -> list[Rejection]:
        return list(map(from_event, self._of(REJECTED)))

    @property
    def reports(self) -> list[Rejection]:
        return list(map(from_event, self._of(REPORTED)))

    def told(self) -> str:
        """Tell of all of it to whoever looks for why a test failed; nothing where there is nothing."""
        others = [event for event in self._events.copy() if event["event"] not in {REJECTED, REPORTED}]
        parts = [
            *_part("The gateway refused", list(map(str, self.rejections))),
            *_part("It reported, and would refuse were these rules enforced", list(map(str, self.reports))),
            *_part("It warned of", list(map(_line, others))),
        ]
        return "\n".join(parts)

    def _of(self, kind: str) -> Iterator[dict[str, Any]]:
        return (event for event in self._events.copy() if event["event"] == kind)


def _part(title: str, told: list[str]) -> Iterator[str]:
    if told:
        yield f"{title} ({len(told)}):"
        yield from told[:MOST_TOLD]
    if len(told) > MOST_TOLD:
        yield f"… and {len(told) - MOST_TOLD} more"


def _line(event: dict[str, Any]) -> str:
    return f"{event['event']}: " + ", ".join(f"{name} {event[name]}" for name in SHOWN if event.get(name) is not None)

"""What time it is in the sandbox.

Rule    This machine's time, moved by as much as somebody asked for. It goes on from there, and can be set back.
        After a reset it is as late as it was at the start, if it had been moved by then.
Needs   A source of the time. Times that are read are ISO 8601; without a zone they are UTC.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gateway.sandbox.refusal import invalid

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2999, 1, 1, tzinfo=UTC)
"""Far enough from the end of what Python can tell that a clock may go on for a while."""
PARTS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
HOW_TO_SET: Final = 'Give {"now": "2026-03-01T09:00:00Z"} or {"advance": "2h"}.'


def this_machines_time() -> datetime:
    """Tell the time without a sandbox."""
    return datetime.now(UTC)


class Clock:
    """A clock that can be moved."""

    def __init__(self, source: Callable[[], datetime] = this_machines_time) -> None:
        self._source = source
        self._moved = timedelta()

    def now(self) -> datetime:
        return self._source() + self._moved

    def set(self, now: datetime) -> None:
        """Go on from there. Raises ValueError, whose text says what would do."""
        if not EARLIEST <= now <= LATEST:
            raise ValueError(f"has to be between the years {EARLIEST.year} and {LATEST.year}")
        self._moved = now - self._source()

    def begin_anew(self, at: datetime) -> None:
        """Be as it was at the start: go on from there if it had been moved, and tell the time as ever if not."""
        if self._moved:
            self._moved = at - self._source()

    def advance(self, by: timedelta) -> None:
        """Go forward. Raises ValueError as `set` does."""
        if not EARLIEST - LATEST <= by <= LATEST - EARLIEST:
            raise ValueError("leads too far")
        self.set(self.now() + by)


def read_time(text: str) -> datetime | None:
    """Read a point in time; None where it is none."""
    try:
        time = datetime.fromisoformat(text.strip())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: in UTC it lies before the year 1, or after 9999
        return None


def read_duration(text: str) -> timedelta | None:
    """Read `90s`, `2h` or `1d12h`; None where it is no duration."""
    found = re.fullmatch(r"(?:([0-9]{1,7})d)?(?:([0-9]{1,7})h)?(?:([0-9]{1,7})m)?(?:([0-9]{1,9})s)?", text.strip())
    if found is None or not any(found.groups()):
        return None
    return timedelta(**{PARTS[unit]: int(count) for unit, count in zip("dhms", found.groups(), strict=True) if count})


def told(clock: Clock) -> dict[str, Any]:
    """Tell the time, as an answer."""
    return {"now": clock.now().isoformat()}


def turned(clock: Clock, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Set the clock, or advance it, as `fields` ask for, and tell the time. A no is raised as a `Refusal`."""
    if len(fields) != 1 or not fields.keys() <= {"now", "advance"}:
        raise invalid(f"One of both is needed. {HOW_TO_SET}")
    ((name, value),) = fields.items()
    try:
        _turn(clock, name, value if isinstance(value, str) else "")
    except ValueError as error:
        raise invalid(fields={name: f"It {error}. {HOW_TO_SET}"}) from None
    return told(clock)


def _turn(clock: Clock, name: str, text: str) -> None:
    if name == "now":
        now = read_time(text)
        if now is None:
            raise ValueError("is no time")
        clock.set(now)
    else:
        by = read_duration(text)
        if by is None:
            raise ValueError("is no duration")
        clock.advance(by)

"""Pure: times as people write and read them. Inside they are microseconds since 1970, UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

AGE: Final = re.compile(r"([0-9]{1,6})([smhdw])")
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
WANTED: Final = "an ISO 8601 time, such as 2026-11-24T09:30 or 2026-11-24 (UTC), or an age, such as 15m, 24h or 7d"


def parse_time(text: str, now: int) -> int:
    """Read a time, or an age as it is `now`. Without an offset it is UTC. Raises ValueError."""
    age = AGE.fullmatch(text)
    if age is not None:
        return max(0, now - timedelta(**{UNITS[age[2]]: int(age[1])}) // MICROSECOND)
    try:
        # In a query a + is a blank: an offset that nobody encoded arrives like this.
        time = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND
    except (ValueError, OverflowError):
        raise ValueError(f"is not {WANTED}") from None


def iso(at: int) -> str:
    """Write a time, to the microsecond."""
    return (EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

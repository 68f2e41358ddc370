"""A world whose clock stands still until it is moved."""

from datetime import UTC, datetime
from typing import Final

from gateway.sandbox.clock import Clock

NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)


def standing_clock() -> Clock:
    """A clock that shows NOW."""
    return Clock(lambda: NOW)

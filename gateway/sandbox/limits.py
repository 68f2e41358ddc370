"""How often may a key ask?

Rule    Requests are counted per key and endpoint group, and per organization, which may ask three times as often. An
        answer tells of the limit that is nearer; a request beyond one is a 429, which counts against neither.
Rule    A window begins with the first request in it, so that who waits for `reset` seconds may ask again.
Source  developer.close.com: Rate limits (`RateLimit: limit=100, remaining=50, reset=5`); the body of a 429, which Close
        has deprecated but clients read, is what users of the API keep in their tests.
Needs   The user, the endpoint group and the time. A user here has one key; a token of theirs counts with it.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Self

from gateway.sandbox.refusal import Refusal
from gateway.sandbox.users import User

ORGANIZATION_MAY: Final = 3
"""Times as often as one key."""
MOST_WINDOWS: Final = 10_000
"""That are remembered. One more, and the one that began first is forgotten."""
LONGEST_WINDOW: Final = 3600
SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests in how many seconds."""

    count: int
    window: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `20/s`, `100/15s` or `600/m`. Raises ValueError, whose text says what would do."""
        found = re.fullmatch(r"([0-9]{1,7})/([0-9]{0,4})([smh])", text.strip())
        if found is None:
            raise ValueError("is no rate, such as 20/s, 100/15s or 600/m")
        count, window = int(found[1]), int(found[2] or 1) * SECONDS[found[3]]
        if not (count and 1 <= window <= LONGEST_WINDOW):
            raise ValueError("has to allow one request at least, in a second at least and in an hour at most")
        return cls(count, window)

    def __str__(self) -> str:
        return f"{self.count}/s" if self.window == 1 else f"{self.count}/{self.window}s"


DEFAULT_RATE: Final = Rate(1000)
"""More than Close allows, and than most tests and demos ever ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where somebody stands with the limit that they are nearest to."""

    kind: str
    group: str
    limit: int
    window: int
    remaining: int
    reset: float
    over: bool = False

    @property
    def headers(self) -> dict[str, str]:
        seconds = max(ceil(self.reset), 1)
        told = {"RateLimit": f"limit={self.limit}, remaining={self.remaining}, reset={seconds}"}
        return told | {"Retry-After": str(seconds)} if self.over else told

    def refusal(self) -> Refusal:
        """The 429 that tells of it."""
        error: dict[str, Any] = {
            "message": "API call count exceeded for this period",
            "rate_reset": round(self.reset, 6),
            "rate_limit": self.limit,
            "rate_window": self.window,
            "rate_limit_type": self.kind,
            "rate_endpoint_group": self.group,
        }
        return Refusal(429, {"error": error}, self.headers)


@dataclass(slots=True)
class _Window:
    began: float
    used: int = 0


class Limits:
    """Counts who asks for what. `clock` tells the seconds, from any beginning."""

    def __init__(self, rate: Rate = DEFAULT_RATE, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._windows: dict[tuple[str, str, str], _Window] = {}

    @property
    def rate(self) -> Rate:
        """What one key may ask of one endpoint group. Another one begins anew."""
        return self._rate

    @rate.setter
    def rate(self, rate: Rate) -> None:
        self._rate = rate
        self._windows.clear()

    def count(self, user: User, group: str) -> Standing:
        """Count a request, unless it is one too many."""
        now = self._clock()
        key = self._window(("key", user.id, group), now)
        all_keys = self._window(("organization", user.organization_id, group), now)
        here = self._standing("key", group, key, self._rate.count, now)
        there = self._standing("organization", group, all_keys, self._rate.count * ORGANIZATION_MAY, now)
        if here.over or there.over:
            return here if here.over else there
        key.used += 1
        all_keys.used += 1
        return here if here.remaining <= there.remaining else there

    def exceeded(self, group: str) -> Standing:
        """Where somebody stands who has asked too often, whether or not they have."""
        rate = self._rate
        return Standing(
            kind="key", group=group, limit=rate.count, window=rate.window, remaining=0, reset=1.0, over=True
        )

    def _window(self, name: tuple[str, str, str], now: float) -> _Window:
        window = self._windows.get(name)
        if window is None or now >= window.began + self._rate.window:
            self._windows.pop(name, None)  # so that they lie in the order in which they began
            window = self._windows[name] = _Window(now)
            while len(self._windows) > MOST_WINDOWS:
                del self._windows[next(iter(self._windows))]
        return window

    def _standing(self, kind: str, group: str, window: _Window, limit: int, now: float) -> Standing:
        left = limit - window.used
        return Standing(
            kind=kind,
            group=group,
            limit=limit,
            window=self._rate.window,
            remaining=max(left - 1, 0),
            reset=window.began + self._rate.window - now,
            over=left <= 0,
        )

"""What a sandbox holds: its world, what was asked of it, and how often it may be asked."""

from collections import deque
from copy import deepcopy
from typing import Final

from gateway.sandbox.limits import DEFAULT_RATE, Limits, Rate
from gateway.sandbox.records import Record
from gateway.sandbox.world import World

MOST_REQUESTS: Final = 10_000
"""Requests that are remembered. One more, and the oldest is forgotten."""


class State:
    """All that changes while a sandbox runs. It can go back to how it began."""

    def __init__(self, world: World, rate: Rate = DEFAULT_RATE) -> None:
        self.world = world
        self.requests: deque[tuple[str, str]] = deque(maxlen=MOST_REQUESTS)
        self.to_limit = 0
        """The next requests that are answered 429, whatever they ask."""
        self.limits = Limits(rate)
        self._beginning = (deepcopy(world), world.clock.now(), rate)

    def begin(self) -> None:
        """From here on is what `reset` goes back to. The world stays as it is, requests are forgotten."""
        self._beginning = (deepcopy(self.world), self.world.clock.now(), self.limits.rate)
        self.requests.clear()

    def reset(self) -> None:
        """Go back to how it began."""
        world, now, rate = self._beginning
        self.world = deepcopy(world)
        self.world.clock.begin_anew(now)
        self.requests.clear()
        self.to_limit = 0
        self.limits.rate = rate

    def is_limited_now(self) -> bool:
        """Whether this request is one of those that were to be limited; it counts as such."""
        if self.to_limit <= 0:
            return False
        self.to_limit -= 1
        return True

    def dump(self) -> Record:
        """All of it, for reading. Credentials are only hinted at."""
        return self.world.dump() | {
            "requests": [{"method": method, "target": target} for method, target in self.requests],
            "rate_limit": str(self.limits.rate),
        }

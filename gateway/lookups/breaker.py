"""When to stop asking for a while.

Rule    After `failures` failures in a row, no question for `pause` seconds; then one is let through to try, and its
        outcome decides.
"""


class Breaker:
    """Counts failures of one kind of question. Time is given to it, in seconds of any steady clock."""

    __slots__ = ("_failures", "_limit", "_pause", "_until")

    def __init__(self, failures: int, pause: float) -> None:
        self._limit = failures
        self._pause = pause
        self._failures = 0
        self._until = 0.0

    def closed(self, now: float) -> bool:
        """Whether a question may be asked now. Saying yes after a pause lets one try through and holds the others."""
        if self._failures < self._limit:
            return True
        if now < self._until:
            return False
        self._until = now + self._pause
        return True

    def failed(self, now: float) -> None:
        self._failures += 1
        if self._failures >= self._limit:
            self._until = now + self._pause

    def succeeded(self) -> None:
        self._failures = 0

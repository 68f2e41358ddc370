"""The account of every request: what was sent, what reached the upstream, what came back.

Rule    What the client sent once, the upstream sees once; an idempotent request once more where a connection broke
        before its answer, a rejected one never.
        A request that met a connection just as the upstream closed it is known by name: the upstream closes one
        direction only and reads what still comes. So nothing has to be put down to chance.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Final

from tests.soak.faults import Fate, Fault

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT"})


class Entry:
    """A request, from before it is sent until it is settled."""

    __slots__ = (
        "answering",
        "arrived",
        "completed",
        "crossed",
        "fate",
        "fault",
        "leaves",
        "method",
        "notes",
        "rejected",
        "token",
    )

    def __init__(self, token: str, method: str, fault: Fault, *, rejected: bool, leaves: bool) -> None:
        self.token = token
        self.method = method
        self.fault = fault
        self.rejected = rejected
        """Whether the gateway has to refuse it."""
        self.leaves = leaves
        """Whether its client may go away before the end."""
        self.arrived = 0
        """Times that the upstream took it up."""
        self.completed = 0
        """Times that the upstream got the whole of it."""
        self.crossed = 0
        """Times that it reached a connection which the upstream had closed by then."""
        self.answering = asyncio.Event()
        """Set just before the upstream sends the last of its answer."""
        self.fate: Fate | None = None
        self.notes: list[str] = []
        """What may help to understand a problem."""

    def problems(self) -> Iterator[str]:
        """Find what should not have been."""
        if self.fate not in self._expected():
            yield f"it was {self.fate.value if self.fate else 'lost sight of'}"
        if self.arrived not in self._arrivals():
            yield f"it reached the upstream {self.arrived} times, and met a closed connection {self.crossed} times"
        if self.arrived + self.crossed > (2 if self.method in IDEMPOTENT else 1):
            yield f"it was sent {self.arrived + self.crossed} times"
        if self.fate is Fate.ANSWERED and self.fault.name != "early" and not self.completed:
            yield "it was answered, and the upstream never had the whole of it"

    def _expected(self) -> set[Fate]:
        fates = {Fate.REJECTED} if self.rejected else set(self.fault.fates)
        if self.leaves:
            fates.add(Fate.LEFT)
        if self.crossed and self.method not in IDEMPOTENT:
            fates = fates - {Fate.ANSWERED} | {Fate.REFUSED}
        return fates | {Fate.UNSERVED}

    def _arrivals(self) -> set[int]:
        if self.rejected or self.fate is Fate.UNSERVED:
            return {0}
        if self.fate is Fate.LEFT:
            return {0, 1, 2} if self.method in IDEMPOTENT else {0, 1}
        if self.crossed and self.method not in IDEMPOTENT:
            return {0}
        breaks_off = Fate.ANSWERED not in self.fault.fates
        return {1, 2} if breaks_off and self.method in IDEMPOTENT else {1}

    def __str__(self) -> str:
        told = [self.method, self.fault.name, *(["may leave"] if self.leaves else []), *self.notes]
        return f"{self.token} ({', '.join(told)})"


class Ledger:
    """All entries that are not settled, and the sums of those that are."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self.problems: list[str] = []
        self.sent = 0
        self.slowest = 0.0
        """Seconds that an answer took at most, since the last rest."""
        self.fates: Counter[Fate] = Counter()
        self.logged: dict[str, list[str]] = {}
        """What the gateway's log says of failed and rejected requests, by the request's token."""

    def enter(self, entry: Entry) -> None:
        self._entries[entry.token] = entry
        self.sent += 1

    def find(self, token: str) -> Entry | None:
        """Give the entry that a token names. One that names none is a problem."""
        entry = self._entries.get(token)
        if entry is None:
            self.problems.append(f"the upstream saw {token!r}, which nobody had sent")
        return entry

    def note(self, token: str, what: str) -> None:
        """Keep what the log says of a request that need not have failed."""
        if (entry := self._entries.get(token)) is not None:
            entry.notes.append(what)

    def settle(self) -> None:
        """Close the accounts of what has been sent so far. Both ends have to be at rest."""
        for entry in self._entries.values():
            said = f" (log: {'; '.join(self.logged[entry.token])})" if entry.token in self.logged else ""
            self.problems += [f"{entry}: {problem}{said}" for problem in entry.problems()]
            self._check_log(entry)
            if entry.fate is not None:
                self.fates[entry.fate] += 1
        self._entries.clear()
        self.problems += [f"the log tells of {token}, which nobody had sent" for token in self.logged]
        self.logged.clear()

    def _check_log(self, entry: Entry) -> None:
        """One event says which request failed, or was rejected, and none where it was answered."""
        events = self.logged.pop(entry.token, [])
        failed = entry.fate in {Fate.REJECTED, Fate.REFUSED, Fate.BROKEN_OFF}
        if entry.fate is not Fate.LEFT and len(events) != failed:
            self.problems.append(f"{entry}: it was {entry.fate}, and the log says {events} of it")

"""The account of every request: what its client saw, which gateway had it, what reached the upstream and the store.

Rule    A request that is not rejected reaches the upstream once, and with its sender; a rejected one never does, and is
        in the store once, under the name of the gateway that had it.
Rule    A connection may break with the gateway that it went to, and no other. Of a request on it nobody knows then how
        far it came; so it may be anywhere once, or not at all.
"""

import enum
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tests.replicas.balancer import Backend, Pairing
from tests.replicas.upstream import Upstream, owner_of

Row: TypeAlias = Mapping[str, Any]
"""A rejection, as a gateway tells it."""


class Kind(enum.Enum):
    """What is asked for."""

    PASSED = "passed through"
    ACCEPTED = "accepted"
    FILLED = "filled"
    REJECTED = "rejected"


class Outcome(enum.Enum):
    """What the client saw."""

    ANSWERED = "answered"
    REJECTED = "rejected"
    BROKEN = "broken off"
    WRONG = "wrong"
    """It saw what it should not, whoever is killed."""


@dataclass(slots=True, eq=False)
class Entry:
    """A request, from before it is sent."""

    token: str
    kind: Kind
    key: str
    phase: str
    pairing: Pairing
    outcome: Outcome | None = None
    note: str = ""

    @property
    def backend(self) -> Backend | None:
        return self.pairing.backend

    def __str__(self) -> str:
        gateway = self.backend.name if self.backend else "no gateway"
        return f"{self.token} ({self.kind.value}, {self.phase}, by {gateway}{self.note and f': {self.note}'})"


@dataclass
class Ledger:
    """All requests of a load. `phase` is noted with each that is sent from then on."""

    phase: str = "before"
    entries: list[Entry] = field(default_factory=list)
    settled: int = 0

    def enter(self, token: str, kind: Kind, key: str, pairing: Pairing) -> Entry:
        entry = Entry(token, kind, key, self.phase, pairing)
        self.entries.append(entry)
        return entry

    def settle(self, entry: Entry, outcome: Outcome, note: str = "") -> None:
        entry.outcome, entry.note = outcome, note
        self.settled += 1

    def under_way(self, backend: Backend) -> list[Entry]:
        """List the requests that a backend has, and has not answered."""
        return [entry for entry in self.entries if entry.outcome is None and entry.backend is backend]

    def outcomes(self) -> Counter[Outcome]:
        return Counter(entry.outcome for entry in self.entries if entry.outcome is not None)

    def broken(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.outcome is Outcome.BROKEN]

    def gateways_of(self, key: str) -> set[str]:
        """Tell which gateways had requests with this credential."""
        return {entry.backend.name for entry in self.entries if entry.key == key and entry.backend}

    def credentials(self) -> set[str]:
        """Tell whose owners had to be asked for."""
        return {entry.key for entry in self.entries if entry.kind is Kind.FILLED}

    def serving(self, phase: str) -> Counter[str]:
        """Count the answers of a phase by gateway."""
        answered = {Outcome.ANSWERED, Outcome.REJECTED}
        found = [entry for entry in self.entries if entry.phase == phase and entry.outcome in answered]
        return Counter(entry.backend.name for entry in found if entry.backend)


NOBODY: Final[Collection[Pairing]] = frozenset()


@dataclass
class Audit:
    """Holds a ledger against the upstream and the store.

    `doomed` are the connections that were open to a gateway when it was killed; `died` is that gateway. What it had
    recorded a moment ago may not have reached the store: `unrecorded` lists those, and no others may be missing.
    """

    ledger: Ledger
    upstream: Upstream
    rows: Sequence[Row]
    doomed: Collection[Pairing] = NOBODY
    died: Backend | None = None
    unrecorded: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Find what should not have been."""
        self.unrecorded.clear()
        rows: dict[str, list[Row]] = {}
        for row in self.rows:
            rows.setdefault(row["request_id"], []).append(row)
        found = [*self._strangers(rows), *self.upstream.problems]
        for entry in self.ledger.entries:
            wrong = [*self._outcome(entry), *self._arrival(entry), *self._record(entry, rows.get(entry.token, []))]
            found += [f"{entry}: {problem}" for problem in wrong]
        return found

    def _strangers(self, rows: Mapping[str, Sequence[Row]]) -> Iterator[str]:
        sent = {entry.token for entry in self.ledger.entries}
        yield from (f"the store has {token!r}, which nobody had sent" for token in rows.keys() - sent)
        doubled = [number for number, times in Counter(row["id"] for row in self.rows).items() if times > 1]
        yield from (f"the id {number} is there more than once" for number in doubled)

    def _outcome(self, entry: Entry) -> Iterator[str]:
        expected = Outcome.REJECTED if entry.kind is Kind.REJECTED else Outcome.ANSWERED
        if entry.outcome is expected:
            return
        if entry.outcome is not Outcome.BROKEN or not self._may_break(entry):
            yield f"it was {entry.outcome.value if entry.outcome else 'lost sight of'}"

    def _may_break(self, entry: Entry) -> bool:
        return self.died is not None and entry.backend is self.died and entry.pairing in self.doomed

    def _arrival(self, entry: Entry) -> Iterator[str]:
        times = self.upstream.arrived[entry.token]
        once = entry.kind is not Kind.REJECTED
        if times > once or (times < once and entry.outcome is not Outcome.BROKEN):
            yield f"it reached the upstream {times} times"
        sender = self.upstream.senders.get(entry.token)
        if times and entry.kind is Kind.FILLED and sender != owner_of(entry.key):
            yield f"it reached the upstream with {sender!r} for a sender"

    def _record(self, entry: Entry, rows: Sequence[Row]) -> Iterator[str]:
        once = entry.kind is Kind.REJECTED
        if len(rows) > once:
            yield f"it is in the store {len(rows)} times"
        if once and not rows and entry.outcome is not Outcome.BROKEN:
            if self.died is not None and entry.backend is self.died:
                self.unrecorded.append(entry.token)
            else:
                yield "it is not in the store"
        for row in rows:
            if entry.backend is None or row["instance"] != entry.backend.name or row["count"] != 1:
                yield f"the store has it from {row['instance']}, {row['count']} times"

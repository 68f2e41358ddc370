"""What a gateway counts on its road, as plain numbers: adding to one costs next to nothing, reading waits for nobody.

Rule    What is counted is told apart by a few fixed words alone, never by anything that a client sent: the number of
        series has an end.
Rule    The gateway's own share of a request's time is all of it, less what it waited for others: for the rest of the
        client's body, for a connection to Close, for Close's answers.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

TOTAL: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds of what a request takes in all: a quick proxy's answer up to Close's slowest."""
OWN: Final = (25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Upper bounds in seconds of the gateway's own share: some 50 microseconds, unless it is overloaded."""
KINDS: Final = ("pass_through", "create_email", "update_email")
STATUSES: Final = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
"""By the first digit of the status. None: the client left before an answer began."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How often what was measured fell into each bucket; the last one has no upper bound. `total` is the sum of it."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    def __add__(self, other: "Distribution") -> "Distribution":
        counts = tuple(map(sum, zip(self.counts, other.counts, strict=True)))
        return Distribution(self.bounds, counts, self.total + other.total)


Series: TypeAlias = dict[tuple[str, ...], float | Distribution]
"""The values of one metric, by those of its labels."""
Readings: TypeAlias = dict[str, Series]
"""All metrics at one time, by name. Can be sent to another process, and added to others."""
GAUGES: Final = frozenset(
    {
        "identity_cache_entries",
        "upstream_connections",
        "upstream_waiting",
        "client_connections",
        "requests_in_flight",
        "process_resident_memory_bytes",
        "process_open_fds",
    }
)
"""Metrics that tell how things are, and end with their process; what the others counted stays true after it."""


class Histogram:
    """Sorts what is measured into buckets."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._total += seconds

    def read(self) -> Distribution:
        return Distribution(self._bounds, tuple(self._counts), self._total)


class OfKind:
    """What is counted of one kind of request."""

    __slots__ = ("own", "statuses", "total")

    def __init__(self) -> None:
        self.statuses = [0] * len(STATUSES)
        self.total = Histogram(TOTAL)
        self.own = Histogram(OWN)


class Meters:
    """The counts of one process. What they count is told in gateway.admin.metrics, where they are shown."""

    def __init__(self) -> None:
        self._requests = {kind: OfKind() for kind in KINDS}
        self.counts: Counter[str] = Counter()
        """Intercepted requests by what was done with them: forwarded, filled, rejected, reported, oversize."""
        self.rejected: Counter[str] = Counter()
        self.reported: Counter[str] = Counter()
        """Violations by code."""
        self.refused: Counter[str] = Counter()
        """What came and was no request that could be served, by code."""
        self.streams: Counter[str] = Counter()
        """Streams of Envoy's by how they went: released, judged, failed."""
        self.failures: Counter[str] = Counter()
        """Requests that Close, or the gateway itself, failed to answer in full, by code."""
        self.lookups: Counter[tuple[str, str]] = Counter()
        """Questions to Close, by kind and outcome."""
        self.identities_found = 0
        self.identities_shared = 0
        self.identities_missed = 0
        self.received = 0
        self.sent = 0
        """Bytes from and to clients."""

    def ended(self, kind: str, status: int, took: float, waited: float) -> None:
        """Count a request that is over. `status` is 0 where no answer began; the times are in seconds."""
        of_kind = self._requests[kind]
        of_kind.statuses[min(status // 100, 5)] += 1  # RFC 9110, 15: what is beyond 599 counts as a 5xx
        of_kind.total.add(took)
        of_kind.own.add(took - waited)

    def read(self) -> Readings:
        """Read all of it."""
        requests = self._requests.items()
        verdicts = {(name, ""): self.counts[name] for name in ("forwarded", "filled", "oversize")}
        return {
            "requests": {
                (kind, status): of_kind.statuses[index]
                for kind, of_kind in requests
                for index, status in enumerate(STATUSES)
                if of_kind.statuses[index]
            },
            "request_duration_seconds": {(kind,): of_kind.total.read() for kind, of_kind in requests},
            "own_duration_seconds": {(kind,): of_kind.own.read() for kind, of_kind in requests},
            "received_bytes": {(): self.received},
            "sent_bytes": {(): self.sent},
            "verdicts": verdicts | _labelled("rejected", self.rejected) | _labelled("reported", self.reported),
            "refused": _by_code(self.refused),
            "failures": _by_code(self.failures),
            "ext_proc_streams": _by_code(self.streams),
            "lookups": dict(self.lookups.items()),
            "identity_cache_hits": {("local",): self.identities_found, ("shared",): self.identities_shared},
            "identity_cache_misses": {(): self.identities_missed},
        }


def merged(readings: Iterable[Readings]) -> Readings:
    """Add up what several processes counted."""
    merged: Readings = {}
    for reading in readings:
        for name, series in reading.items():
            sums = merged.setdefault(name, {})
            for labels, value in series.items():
                sums[labels] = _sum(sums[labels], value) if labels in sums else value
    return merged


def counted(readings: Readings) -> Readings:
    """Keep what has been counted of a process that is gone."""
    return {name: series for name, series in readings.items() if name not in GAUGES}


def _sum(one: float | Distribution, other: float | Distribution) -> float | Distribution:
    if isinstance(one, Distribution) and isinstance(other, Distribution):
        return one + other
    if isinstance(one, Distribution) or isinstance(other, Distribution):
        raise TypeError("a distribution and a number cannot be added")
    return one + other


def _by_code(counts: Counter[str]) -> Series:
    return {(code,): count for code, count in counts.items()}


def _labelled(verdict: str, counts: Counter[str]) -> Series:
    return {(verdict, code): count for code, count in counts.items()}


def only(value: float) -> Series:
    """Give the values of a metric without labels."""
    return {(): value}

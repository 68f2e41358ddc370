"""The counts of a gateway, as Prometheus and OpenMetrics have them.

Rule    What there is, is told by this table alone: a count that is not in it, or is in it and nowhere else, is a
        mistake that a test finds. Counters end in _total, units are seconds and bytes (prometheus.io, "Metric and label
        naming").
"""

import asyncio
import itertools
import platform
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from aiohttp import web

from gateway import __version__
from gateway.admin.answers import Handler
from gateway.meters import Distribution, Readings, Series, only
from gateway.rejections.recorder import StoreState
from gateway.rejections.writer import StoreStatus
from gateway.snapshot import Look, Snapshot

if TYPE_CHECKING:
    from prometheus_client import Metric

PREFIX: Final = "close_gateway_"
UNPREFIXED: Final = "process_"
"""Begins the names that every program's metrics have alike."""


class Family(NamedTuple):
    """One metric."""

    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Sequence[str] = ()


FAMILIES: Final = {
    "requests": Family(
        "counter", "Requests that are over, by what they were and how Close's API answered.", ("route", "status")
    ),
    "request_duration_seconds": Family("histogram", "From the head of a request to the end of its answer.", ("route",)),
    "own_duration_seconds": Family(
        "histogram", "The gateway's own share of that: less waiting for clients, connections and Close.", ("route",)
    ),
    "received_bytes": Family("counter", "Bytes that came from clients."),
    "sent_bytes": Family("counter", "Bytes that went to clients."),
    "verdicts": Family(
        "counter",
        "Email writes by what was done with them; those rejected and reported by each code.",
        ("verdict", "code"),
    ),
    "refused": Family("counter", "What came and was no request, or was beyond a limit.", ("code",)),
    "failures": Family("counter", "Requests that Close, or the gateway, failed to answer.", ("code",)),
    "ext_proc_streams": Family("counter", "Requests that Envoy asked about, by how that went.", ("outcome",)),
    "lookups": Family("counter", "The gateway's own questions to Close.", ("kind", "outcome")),
    "identity_cache_hits": Family("counter", "Identities that were remembered, here or by all.", ("layer",)),
    "identity_cache_misses": Family("counter", "Identities that had to be asked for."),
    "identity_cache_entries": Family("gauge", "Identities remembered."),
    "identity_cache_up": Family("gauge", "Whether the cache that gateways share does well: 1 or 0."),
    "upstream_connections": Family("gauge", "Connections to Close.", ("state",)),
    "upstream_waiting": Family("gauge", "Requests that wait for a connection to Close."),
    "client_connections": Family("gauge", "Connections of clients."),
    "requests_in_flight": Family("gauge", "Requests that are being dealt with."),
    "rejections_recorded": Family("counter", "Entries that were brought into the store of rejections."),
    "rejections_folded": Family("counter", "Rejections that were counted in another's entry, as there were many."),
    "store_backlog": Family("gauge", "Rejections that wait for the store."),
    "store_up": Family("gauge", "Whether the store of rejections takes them: 1 or 0."),
    "workers": Family("gauge", "Processes that serve requests."),
    "worker_restarts": Family("counter", "Workers that had to be replaced."),
    "config_reloads": Family("counter", "Times that the configuration was read anew.", ("outcome",)),
    "log_lines_lost": Family("counter", "Lines of the log that could not be written."),
    "build_info": Family("gauge", "The version that runs.", ("version", "python")),
    "process_cpu_seconds": Family("counter", "Processor time, in the gateway's own code and in the kernel's for it."),
    "process_resident_memory_bytes": Family("gauge", "Memory in use."),
    "process_open_fds": Family("gauge", "Open file descriptors."),
}


def metrics(look: Look) -> Handler:
    """Make the handler of `GET /metrics`, in the format that is asked for."""

    async def handle(request: web.Request) -> web.Response:
        told = readings(await look())
        # In a thread: the library is imported when it is needed first, and that takes a while.
        body, content_type = await asyncio.to_thread(_written, told, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    return handle


def readings(snapshot: Snapshot) -> Readings:
    """Give all metrics, by the names that FAMILIES has."""
    return {
        "worker_restarts": only(0),
        **snapshot.readings,
        "workers": only(snapshot.serving),
        **({} if snapshot.store is None else _of_store(snapshot.store)),
        **({} if snapshot.cache is None else {"identity_cache_up": only(snapshot.cache.up)}),
        "build_info": {(__version__, platform.python_version()): 1},
    }


def _of_store(state: StoreState) -> Readings:
    return {
        "rejections_recorded": only(state.written),
        "rejections_folded": only(state.folded),
        "store_backlog": only(state.waiting),
        "store_up": only(state.status is not StoreStatus.DOWN),
    }


def _written(readings: Readings, accept: str) -> tuple[bytes, str]:
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(readings))
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


class _Collector:
    """What prometheus_client asks for metrics."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterable["Metric"]:
        for name, series in self._readings.items():
            yield _metric(name if name.startswith(UNPREFIXED) else PREFIX + name, FAMILIES[name], series)


def _metric(name: str, family: Family, series: Series) -> "Metric":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    if family.kind == "histogram":
        histogram = HistogramMetricFamily(name, family.help, labels=family.labels)
        for labels, value in series.items():
            if isinstance(value, Distribution):
                histogram.add_metric(labels, list(_cumulated(value)), value.total)
        return histogram
    plain = (CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily)(
        name, family.help, labels=family.labels
    )
    for labels, value in series.items():
        if not isinstance(value, Distribution):
            plain.add_metric(labels, value)
    return plain


def _cumulated(distribution: Distribution) -> Iterator[tuple[str, float]]:
    """Give each bucket's upper bound, and how many are below it."""
    bounds = [*map(str, distribution.bounds), "+Inf"]
    return zip(bounds, itertools.accumulate(distribution.counts), strict=True)

"""How each figure is found, for one peer in one round.

CPU time and memory are the process tree's. The load and the upstream share the other core.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import uvloop

from tests.bench import traffic
from tests.bench.ask import Asker, ask
from tests.bench.load import Figures, closed_loop, open_loop
from tests.bench.peers.peer import Peer
from tests.bench.process import Process
from tests.bench.traffic import Sample

MIB: Final = 1024 * 1024
RATE: Final = 500
"""Requests per second at which latency is compared."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long and how often to measure."""

    rounds: int
    warm_up: float
    seconds: float
    latency_rounds: int
    latency_seconds: float
    idle_connections: int
    starts: int
    transfer_rounds: int
    down_mib: int
    up_mib: int
    workers_seconds: int
    """Whole ones: wrk counts in them."""


FULL: Final = Effort(
    rounds=5,
    warm_up=0.3,
    seconds=1.0,
    latency_rounds=3,
    latency_seconds=4.0,
    idle_connections=2000,
    starts=5,
    transfer_rounds=3,
    down_mib=1024,
    up_mib=256,
    workers_seconds=2,
)
QUICK: Final = Effort(
    rounds=3,
    warm_up=0.1,
    seconds=0.25,
    latency_rounds=1,
    latency_seconds=0.8,
    idle_connections=500,
    starts=1,
    transfer_rounds=1,
    down_mib=128,
    up_mib=64,
    workers_seconds=1,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A peer that runs."""

    peer: Peer
    process: Process
    launch: Callable[[Peer], Process]
    """Starts another process of the same kind."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop, undisturbed by the garbage collector, which would show in the latencies."""
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(coroutine)
    finally:
        gc.enable()


def under_load(process: Process, sample: Sample, effort: Effort) -> dict[str, float]:
    """Measure one kind of request. What the peer answers now, it has to answer throughout."""
    tree = process.tree()
    tree.forget_peak()
    expected = ask(process.port, sample.data)
    found = run(
        closed_loop(
            process.port, sample.data, expected, warm_up=effort.warm_up, seconds=effort.seconds, cpu_ns=tree.cpu_ns
        )
    )
    return {
        "cpu_us": found.cpu_ns / found.requests / 1000,
        "rps": found.requests / found.seconds,
        "p50_us": found.percentile(0.50),
        "p99_us": found.percentile(0.99),
        "core": found.cpu_ns / found.seconds / 1e7,
        "peak_mib": tree.peak_kib() / 1024,
    }


def download(subject: Subject, effort: Effort, _: Mapping[str, float]) -> dict[str, float]:
    """Measure one large body on its way down."""
    return transfer(subject.process, traffic.get(f"/big/{effort.down_mib * MIB}").data, effort.down_mib, 0)


def upload(subject: Subject, effort: Effort, _: Mapping[str, float]) -> dict[str, float]:
    """Measure one large body on its way up."""
    size = effort.up_mib * MIB
    return transfer(subject.process, traffic.head("PUT", "/sink", size), effort.up_mib, size)


def transfer(process: Process, request: bytes, mib: int, upload_size: int) -> dict[str, float]:
    """Measure one request, of whose body or answer this many MiB are the most."""
    tree = process.tree()
    tree.forget_peak()
    before, cpu, began = tree.rss_kib(), tree.cpu_ns(), time.perf_counter()
    ask(process.port, request, upload_size)
    seconds = time.perf_counter() - began
    return {
        "mib": mib,
        "mib_s": mib / seconds,
        "cpu_us_mib": (tree.cpu_ns() - cpu) / 1000 / mib,
        "growth_mib": max(0, tree.peak_kib() - before) / 1024,
    }


def latency(port: int, effort: Effort) -> Figures:
    """Measure a GET at the fixed rate."""
    expected = ask(port, traffic.GET.data)
    return run(open_loop(port, traffic.GET.data, expected, rate=RATE, warm_up=0.2, seconds=effort.latency_seconds))


def direct_latency(upstream_port: int, effort: Effort) -> dict[str, float]:
    """Measure what a GET takes with no proxy between."""
    found = latency(upstream_port, effort)
    return {"p50_us": found.percentile(0.50), "p99_us": found.percentile(0.99)}


def added_latency(subject: Subject, effort: Effort, direct: Mapping[str, float]) -> dict[str, float]:
    """Measure what a GET takes through the proxy beyond that."""
    found = latency(subject.process.port, effort)
    return {
        "added_p50_us": found.percentile(0.50) - direct["p50_us"],
        "added_p99_us": found.percentile(0.99) - direct["p99_us"],
        "direct_p50_us": direct["p50_us"],
        "direct_p99_us": direct["p99_us"],
    }


def idle_memory(subject: Subject, effort: Effort, _: Mapping[str, float]) -> dict[str, float]:
    """Open connections one by one, so that the pool to the upstream stays as it is."""
    with ExitStack() as stack:
        for _warm_up in range(50):
            ask(subject.process.port, traffic.GET.data)
        tree = subject.process.tree()
        before = tree.rss_kib()
        for _number in range(effort.idle_connections):
            asker = Asker(subject.process.port)
            stack.callback(asker.close)
            asker.ask(traffic.GET.data)
        grown = tree.rss_kib() - before
    return {"kib": grown / effort.idle_connections, "mib_1000": grown / effort.idle_connections * 1000 / 1024}


def start_up(subject: Subject, _effort: Effort, _: Mapping[str, float]) -> dict[str, float]:
    """Start another process of this peer and wait for it."""
    process = subject.launch(subject.peer)
    try:
        return {"ms": process.wait_ready() * 1000}
    finally:
        process.stop()

"""What is measured: a row each, with the proofs it asks for first and the figures it gives.

load      CPU of the proxy's process tree per request (µs), requests per second, latency at full load (µs), the part of
          its core that the proxy used, and the peak of its resident memory (MiB). Below some 90 % of the core, the
          load was the limit: then the requests per second say little, the CPU per request as much as ever.
transfer  One large body: MiB per second, CPU per MiB, by how much the resident memory grew at its peak.
latency   At a fixed rate: what the proxy adds to the latency of the upstream asked directly in the same round.
idle      Resident memory that 1,000 connections take which have asked once and stay open.
start     From exec to the first answer that comes through.
workers   Two workers beside one process, all cores shared: see `workers.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench import measuring, proof, traffic
from tests.bench.ask import Answer
from tests.bench.measuring import RATE, Effort, Subject
from tests.bench.traffic import Sample


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a row."""

    key: str
    label: str
    digits: int = 0
    compared: bool = False
    """Whether the ratio to the first peer is told."""
    worst: bool = False
    """Whether the worst round counts, not the median: memory that has grown once is there for the next round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is told of a row."""

    name: str
    title: str
    measures: Sequence[Measure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Shown):
    """Something to measure, of every peer. Its name is as on the command line."""

    proofs: Sequence[proof.Proof]
    measure: Callable[[Subject, Effort, Mapping[str, float]], dict[str, float]]
    """Measures one peer in one round, given what was found before the round."""
    rounds: Callable[[Effort], int]
    before_round: Callable[[int, Effort], Mapping[str, float]] = lambda _port, _effort: {}
    """Measures the upstream itself, given its port."""
    judged: bool = False
    """Whether only peers that judge emails can do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersRow(Shown):
    """Something to measure of one process and of two workers."""

    sample: Sample
    proof: Callable[[Answer], None]
    """Raises Unproven where the answer to the sample is not what it is to be."""


LOAD: Final = (
    Measure("cpu_us", "CPU µs/request", 1, compared=True),
    Measure("rps", "requests/s"),
    Measure("p50_us", "p50 µs, 32 connections"),
    Measure("p99_us", "p99 µs, 32 connections"),
    Measure("core", "core used, %"),
    Measure("peak_mib", "peak memory MiB", 1, worst=True),
)


def load_row(name: str, title: str, sample: Sample, *proofs: proof.Proof, judged: bool = False) -> Row:
    """Build the row of one kind of request under full load."""

    def measure(subject: Subject, effort: Effort, _: Mapping[str, float]) -> dict[str, float]:
        return measuring.under_load(subject.process, sample, effort)

    return Row(
        name=name,
        title=title,
        proofs=proofs,
        measures=LOAD,
        measure=measure,
        rounds=lambda effort: effort.rounds,
        judged=judged,
    )


TRANSFER: Final = (
    Measure("mib", "MiB"),
    Measure("mib_s", "MiB/s", compared=True),
    Measure("cpu_us_mib", "CPU µs/MiB", compared=True),
    Measure("growth_mib", "memory growth MiB", 1, worst=True),
)


ROWS: Final = (
    load_row("get", "pass-through GET", traffic.GET, proof.forwards_get),
    load_row("post", "pass-through POST, 1 KiB", traffic.POST, proof.forwards_post),
    load_row(
        "accepted", "accepted email, 2 KiB", traffic.ACCEPTED, proof.forwards_accepted, proof.rejects, judged=True
    ),
    load_row("rejected", "rejected email", traffic.REJECTED, proof.rejects, judged=True),
    load_row("filled", "filled email, owner remembered", traffic.FILLED, proof.fills, judged=True),
    load_row("update", "update that needs the stored email", traffic.UPDATE, proof.looks_up, judged=True),
    Row(
        name="down",
        title="large download",
        proofs=(proof.downloads,),
        measures=TRANSFER,
        measure=measuring.download,
        rounds=lambda effort: effort.transfer_rounds,
    ),
    Row(
        name="up",
        title="large upload",
        proofs=(proof.uploads,),
        measures=TRANSFER,
        measure=measuring.upload,
        rounds=lambda effort: effort.transfer_rounds,
    ),
    Row(
        name="latency",
        title=f"latency at {RATE} requests/s",
        proofs=(proof.forwards_get,),
        measures=(
            Measure("added_p50_us", "added p50 µs", compared=True),
            Measure("added_p99_us", "added p99 µs"),
            Measure("direct_p50_us", "direct p50 µs"),
            Measure("direct_p99_us", "direct p99 µs"),
        ),
        measure=measuring.added_latency,
        before_round=measuring.direct_latency,
        rounds=lambda effort: effort.latency_rounds,
    ),
    Row(
        name="idle",
        title="idle connections",
        proofs=(proof.forwards_get,),
        measures=(Measure("mib_1000", "MiB per 1,000", 1, compared=True), Measure("kib", "KiB each", 1)),
        measure=measuring.idle_memory,
        rounds=lambda _: 1,
    ),
    Row(
        name="start",
        title="from exec to the first answer",
        proofs=(),
        measures=(Measure("ms", "ms", compared=True),),
        measure=measuring.start_up,
        rounds=lambda effort: effort.starts,
    ),
)

SHARED: Final = (
    Measure("rps", "requests/s", compared=True),
    Measure("most_rps", "requests/s at most on these cores", compared=True),
    Measure("cpu_us", "CPU µs/request", 1, compared=True),
    Measure("others_us", "the same of load and upstream", 1),
    Measure("own_cores", "cores used", 2),
    Measure("all_cores", "with load and upstream", 2),
)
WORKERS: Final = "workers"
"""What these rows are called on the command line."""
WORKERS_ROWS: Final = (
    WorkersRow(
        name="workers-get",
        title="workers: pass-through GET",
        measures=SHARED,
        sample=traffic.GET,
        proof=proof.is_lead,
    ),
    WorkersRow(
        name="workers-rejected",
        title="workers: rejected email",
        measures=SHARED,
        sample=traffic.REJECTED,
        proof=proof.is_rejection,
    ),
)

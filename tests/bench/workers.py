"""How much do two workers carry beside one process?

Unlike elsewhere in the bench, nothing is pinned: gateway, load and upstream share all cores, as the kernel sees fit.
What the load and the upstream spend, the gateway cannot have. So they are the cheapest at hand; what they spend is
told, and so is what the cores allow at most, without which the ratio says little.
Two workers that are busy leave no core idle: where all together used clearly less than there are, something else did.

Rule  A process uses one core (a little more where its thread that writes rejections is busy: u), N workers use N times
      that, and all that runs no more than there are. With g µs of CPU per request for the gateway and o for the others,
      C cores carry min(N u / g, C / (g + o)) requests per µs at most. All but N are taken from the single process, as
      if a second worker cost nothing more.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import traffic, wrk
from tests.bench.ask import NoAnswer, ask
from tests.bench.bench import Cell, combine
from tests.bench.load import WrongAnswer, closed_loop
from tests.bench.measuring import Effort, run
from tests.bench.peers import nginx
from tests.bench.peers.peer import Place
from tests.bench.peers.registry import gateway
from tests.bench.process import NotReady, Process, free_port
from tests.bench.proof import Unproven
from tests.bench.rows import WorkersRow

WORKERS: Final = {"1 process": 1, "2 workers": 2}
"""The columns, and how many processes serve in each."""
WARM_UP: Final = 1
"""Seconds, before the first round."""
FAILURES: Final = (WrongAnswer, NoAnswer, NotReady, Unproven, ValueError, OSError, subprocess.TimeoutExpired)


@dataclass(frozen=True, slots=True)
class Workers:
    """What runs: the gateways, by column, and the upstream of both."""

    folder: Path
    upstream: Process
    gateways: Mapping[str, Process]

    def measure(self, row: WorkersRow, effort: Effort, cores: int) -> dict[str, Cell]:
        """Measure a row on so many cores, in rounds that take the columns in turn, after one that warms up."""
        failed: dict[str, str] = {}
        rounds: dict[str, list[Mapping[str, float]]] = {column: [] for column in self.gateways}
        for seconds in (WARM_UP, *(effort.workers_seconds,) * effort.rounds):
            base: Mapping[str, float] = {}
            for column in [column for column in rounds if column not in failed]:
                try:
                    figures = self._once(self.gateways[column], row, seconds)
                except FAILURES as error:
                    failed[column] = f"failed: {type(error).__name__} {error}"
                    continue
                base = base or figures
                rounds[column].append({**figures, "most_rps": most_rps(WORKERS[column], cores, base)})
        return {column: failed.get(column) or combine(row.measures, found[1:]) for column, found in rounds.items()}

    def _once(self, process: Process, row: WorkersRow, seconds: int) -> dict[str, float]:
        """Measure one gateway once."""
        row.proof(ask(process.port, row.sample.data))
        own, upstream = process.tree(), self.upstream.tree()
        own_ns, others_ns = own.cpu_ns(), upstream.cpu_ns()
        requests, took, load_ns = self._load(process.port, row.sample, seconds)
        own_ns, others_ns = own.cpu_ns() - own_ns, upstream.cpu_ns() - others_ns + load_ns
        return {
            "rps": requests / took,
            "cpu_us": own_ns / requests / 1000,
            "others_us": others_ns / requests / 1000,
            "own_cores": own_ns / took / 1e9,
            "all_cores": (own_ns + others_ns) / took / 1e9,
        }

    def _load(self, port: int, sample: traffic.Sample, seconds: int) -> tuple[int, float, int]:
        """Load a port as wrk.load does, by whatever there is."""
        if wrk.found():
            return wrk.load(port, sample, seconds, self.folder)
        expected, before = ask(port, sample.data), time.process_time_ns()
        load = closed_loop(port, sample.data, expected, warm_up=0, seconds=seconds, cpu_ns=time.process_time_ns)
        figures = run(load)
        return figures.requests, figures.seconds, time.process_time_ns() - before


def most_rps(workers: int, cores: int, one: Mapping[str, float]) -> float:
    """Give the requests per second that this many workers can carry at most, by the figures of one process."""
    own_us, all_us = one["cpu_us"], one["cpu_us"] + one["others_us"]
    return 1e6 * min(workers * max(1.0, one["own_cores"]) / own_us, cores / all_us)


def note(cores: int) -> str:
    """Tell what the figures depend on."""
    load = "wrk" if wrk.found() else "the bench's own (wrk is not installed), which costs more"
    upstream = "nginx" if nginx.found() else "the bench's own (nginx is not installed), which costs more"
    return (
        f"One process beside two workers: gateway, load and upstream share the {cores} cores, none is pinned.\n"
        f"  load: {load} · upstream: {upstream}; a rejected email needs none\n"
        "  What load and upstream spend, the gateway cannot have. 'At most' is what the cores allow, by the CPU per\n"
        "  request that one process, the load and the upstream took, if a second worker cost nothing more.\n"
    )


@contextmanager
def started(folder: Path) -> Iterator[Workers]:
    """Start everything, each gateway with a store of its own; stop it at the end. Raises NotReady."""
    processes: list[Process] = []

    def start(command: Sequence[str], port: int, home: Path) -> Process:
        processes.append(Process(command, port=port, core=None, folder=home))
        processes[-1].wait_ready()
        return processes[-1]

    try:
        port = free_port()
        own = (sys.executable, "-m", "tests.bench.upstream", str(port))
        upstream = start(nginx.answering(port, folder) if nginx.found() else own, port, folder)
        gateways = {}
        for column, workers in WORKERS.items():
            place = Place(free_port(), upstream.port, folder / str(workers))
            place.folder.mkdir()
            gateways[column] = start(gateway(place, "--workers", str(workers)), place.port, place.folder)
            gateways[column].wait_printed('"gateway_started"')  # every worker serves
        yield Workers(folder, upstream, gateways)
    finally:
        for process in processes:
            process.stop()

"""One run: the upstream, the peers beside it, and every row measured in rounds that take the peers in turn.

The machine's speed drifts. Taking the peers in turn (A B C, A B C) and the median over the rounds lets each peer see
the same drift.
"""

import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from tests.bench.ask import NoAnswer
from tests.bench.load import WrongAnswer
from tests.bench.machine import Cores
from tests.bench.measuring import Effort, Subject
from tests.bench.peers.peer import Peer, Place
from tests.bench.process import NotReady, Process, free_port
from tests.bench.proof import Unproven, Witness, prove
from tests.bench.rows import Measure, Row

Cell: TypeAlias = Mapping[str, float] | str
"""The figures of one peer in one row; or why there are none."""


class Bench:
    """The processes of a run: started here, and stopped here whatever happens in between."""

    def __init__(self, folder: Path, cores: Cores, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._cores = cores
        self._say = say
        self._processes: list[Process] = []
        self._upstream_port = free_port()
        self.running: dict[str, Subject] = {}

    def start_upstream(self) -> None:
        port = self._upstream_port
        command = (sys.executable, "-m", "tests.bench.upstream", str(port))
        process = Process(command, port=port, core=self._cores.load, folder=self._folder)
        self._processes.append(process)
        process.wait_ready()

    def start(self, peers: Iterable[Peer]) -> None:
        """Start every peer that can run here, and say which cannot."""
        for peer in peers:
            if missing := peer.missing():
                self._say(f"{peer.name}: skipped, not found here: {missing}")
                continue
            process = self._launch(peer)
            try:
                process.wait_ready()
            except NotReady as error:
                self._say(f"{peer.name}: skipped, did not start: {error}")
                continue
            self.running[peer.name] = Subject(peer, process, self._launch)

    def stop(self) -> None:
        for process in self._processes:
            process.stop()

    def _launch(self, peer: Peer) -> Process:
        place = Place(free_port(), self._upstream_port, self._folder)
        command = peer.command(place)
        process = Process(command, port=place.port, core=self._cores.proxy, folder=self._folder)
        self._processes.append(process)
        return process

    def measure(self, row: Row, effort: Effort) -> dict[str, Cell]:
        """Measure a row for every peer that proves to do what it is timed for."""
        cells = {name: self._refusal(row, subject) for name, subject in self.running.items()}
        rounds: dict[str, list[Mapping[str, float]]] = {name: [] for name, refusal in cells.items() if not refusal}
        for _ in range(row.rounds(effort)):
            context = row.before_round(self._upstream_port, effort)
            for name in [name for name in rounds if not cells[name]]:
                try:
                    rounds[name].append(row.measure(self.running[name], effort, context))
                except (WrongAnswer, NoAnswer, NotReady, OSError) as error:
                    cells[name] = f"failed: {type(error).__name__} {error}"
        return {name: refusal or combine(row.measures, rounds[name]) for name, refusal in cells.items()}

    def _refusal(self, row: Row, subject: Subject) -> str:
        """Say why this peer is not timed in this row; empty: it is."""
        if row.judged and not subject.peer.judges:
            return "does not do this"
        try:
            prove(row.proofs, Witness(subject.process.port, self._upstream_port))
        except (Unproven, NoAnswer, OSError) as error:
            return f"does not do this: {error}"
        return ""


def combine(measures: Iterable[Measure], rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Make one figure of those of all rounds: the median, or the worst where the measure says so."""
    combined = {}
    for measure in measures:
        figures = [found[measure.key] for found in rounds]
        combined[measure.key] = max(figures) if measure.worst else statistics.median(figures)
    return combined

"""python -m tests.bench [--only ROW] [--peers NAME] [--quick] …: see the package's docstring."""

import json
import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from tests.bench import machine, report, workers
from tests.bench.bench import Bench, Cell
from tests.bench.measuring import FULL, QUICK, Effort
from tests.bench.peers.peer import Peer
from tests.bench.peers.registry import GATEWAY, PEERS
from tests.bench.process import NotReady
from tests.bench.rows import ROWS, WORKERS, WORKERS_ROWS, Row

NAMES: Final = (*(row.name for row in ROWS), WORKERS)
QUIET: Final = 0.5
"""Processes that wanted to run within the minute before: with more, others use the two cores too."""


@click.command()
@click.option("--only", "names", multiple=True, type=click.Choice(NAMES), help="Measure this row.")
@click.option("--peers", multiple=True, type=click.Choice([peer.name for peer in PEERS]), help="Measure this peer.")
@click.option("--quick", is_flag=True, help="Be done within some two minutes, at the cost of precision.")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures here.")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write the README's tables here.")
def main(
    names: tuple[str, ...], peers: tuple[str, ...], target: Path | None, markdown: Path | None, *, quick: bool
) -> None:
    """Measure the gateway beside other proxies. --only and --peers can be given several times; default: all."""
    cores = machine.cores()
    facts = {**machine.describe(), "load_average": machine.load_average(), "quick": quick}
    introduce(facts, cores)
    machine.allow_files()
    signal.signal(signal.SIGTERM, leave)
    effort = QUICK if quick else FULL
    rows = [row for row in ROWS if not names or row.name in names]
    chosen = [peer for peer in PEERS if not peers or peer.name in peers]
    results: dict[str, dict[str, Cell]] = {}
    titles = beside_peers(rows, chosen, effort, cores, results) if rows else {}
    if (not names or WORKERS in names) and GATEWAY in chosen:
        beside_workers(effort, results)
    if markdown is not None:
        markdown.write_text(report.markdown(results), encoding="utf-8")
    if target is not None:
        document = {"machine": facts, "peers": titles, "rows": results}
        target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def beside_peers(
    rows: Sequence[Row],
    peers: Sequence[Peer],
    effort: Effort,
    cores: machine.Cores,
    results: dict[str, dict[str, Cell]],
) -> dict[str, str]:
    """Measure these rows for these peers, pinned; add to the results. Gives the titles of the peers that ran."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, machine.pinned(cores.load):
        bench = Bench(Path(folder), cores, click.echo)
        try:
            bench.start_upstream()
            bench.start(peers)
            for row in rows:
                results[row.name] = bench.measure(row, effort)
                click.echo(report.row_text(row, results[row.name]))
        finally:
            bench.stop()
    return {name: f"{subject.peer.title} {subject.peer.version()}".strip() for name, subject in bench.running.items()}


def beside_workers(effort: Effort, results: dict[str, dict[str, Cell]]) -> None:
    """Measure two workers beside one process, on all cores; add to the results."""
    cores = len(os.sched_getaffinity(0))
    click.echo(workers.note(cores))
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, workers.started(Path(folder)) as running:
            for row in WORKERS_ROWS:
                results[row.name] = running.measure(row, effort, cores)
                click.echo(report.row_text(row, results[row.name]))
    except NotReady as error:
        click.echo(f"{WORKERS}: skipped, did not start: {error}")


def leave(number: int, frame: FrameType | None) -> NoReturn:
    """End on SIGTERM as on Ctrl-C: with every process stopped."""
    raise SystemExit(1)


def introduce(facts: dict[str, str | int | float], cores: machine.Cores) -> None:
    """Say what is measured where."""
    click.echo(" · ".join(f"{name} {value}" for name, value in facts.items()))
    if cores.proxy == cores.load:
        click.echo("There is only one core: proxy, upstream and load share it, so that only CPU times mean much.")
    if machine.load_average() > QUIET:
        click.echo(f"The machine is not quiet (load average over {QUIET}): look at ratios rather than figures.")
    click.echo("")


if __name__ == "__main__":
    main()

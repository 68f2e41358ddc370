"""python -m tests.bench [--only ROW] [--peers NAME] [--quick] …: see the package's docstring."""

import json
import signal
import tempfile
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from tests.bench import machine, report
from tests.bench.bench import Bench, Cell
from tests.bench.measuring import FULL, QUICK
from tests.bench.peers.registry import PEERS
from tests.bench.rows import ROWS

QUIET: Final = 0.5
"""Processes that wanted to run within the minute before: with more, others use the two cores too."""


@click.command()
@click.option("--only", "rows", multiple=True, type=click.Choice([row.name for row in ROWS]), help="Measure this row.")
@click.option("--peers", multiple=True, type=click.Choice([peer.name for peer in PEERS]), help="Measure this peer.")
@click.option("--quick", is_flag=True, help="Be done within some 90 seconds, at the cost of precision.")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures here.")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write the README's table here.")
def main(
    rows: tuple[str, ...], peers: tuple[str, ...], target: Path | None, markdown: Path | None, *, quick: bool
) -> None:
    """Measure the gateway beside other proxies. --only and --peers can be given several times; default: all."""
    cores = machine.cores()
    facts = {**machine.describe(), "load_average": machine.load_average(), "quick": quick}
    introduce(facts, cores)
    machine.allow_files()
    signal.signal(signal.SIGTERM, leave)
    results: dict[str, dict[str, Cell]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, machine.pinned(cores.load):
        bench = Bench(Path(folder), cores, click.echo)
        try:
            bench.start_upstream()
            bench.start(peer for peer in PEERS if not peers or peer.name in peers)
            for row in ROWS:
                if not rows or row.name in rows:
                    results[row.name] = bench.measure(row, QUICK if quick else FULL)
                    click.echo(report.row_text(row, results[row.name]))
        finally:
            bench.stop()
    if markdown is not None:
        markdown.write_text(report.markdown(results), encoding="utf-8")
    if target is not None:
        titles = {
            name: f"{subject.peer.title} {subject.peer.version()}".strip() for name, subject in bench.running.items()
        }
        document = {"machine": facts, "peers": titles, "rows": results}
        target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


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

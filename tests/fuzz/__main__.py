"""python -m tests.fuzz [--seconds 300] [--seed S]: see the package's docstring."""

import random
import sys
import time

import click

from tests.fuzz.fuzz import fuzz_answers, fuzz_requests, rigged

ROUND = 400
"""Cases of a kind between two lines of progress."""


@click.command()
@click.option("--seconds", type=click.FloatRange(min=1), default=300.0, show_default=True, help="How long to go on.")
@click.option("--seed", type=int, help="Begin with the same cases again. [a new one]")
def main(seconds: float, seed: int | None) -> None:
    """Send mutated requests and mutated answers through a gateway."""
    number = random.randrange(2**32) if seed is None else seed
    started = time.monotonic()
    cases = 0
    while (elapsed := time.monotonic() - started) < seconds:
        click.echo(f"seed {number}  {elapsed:.0f} s  {cases} cases")
        try:
            with rigged() as (rig, run):
                fuzz_requests(rig, run, number, ROUND)
                fuzz_answers(rig, run, number, ROUND)
        except Exception as failure:  # noqa: BLE001 # whatever it is, the seed has to be told
            click.echo(f"seed {number} fails: {failure!r}\n" + "\n".join(getattr(failure, "__notes__", ())), err=True)
            sys.exit(1)
        cases += 2 * ROUND
        number += 1
    click.echo(f"{cases} cases, and every promise held")


if __name__ == "__main__":
    main()

"""python -m tests.soak [--seconds 600] [--seed S]: see the package's docstring."""

import asyncio
import random
import sys

import click

from tests.soak.gateway_process import Died
from tests.soak.soak import Failed, soak


@click.command()
@click.option("--seconds", type=click.FloatRange(min=1), default=600.0, show_default=True, help="How long to go on.")
@click.option("--seed", type=int, help="Make the same requests again. [a new one]")
def main(seconds: float, seed: int | None) -> None:
    """Send mixed traffic through a gateway in front of a faulty upstream, and account for every request."""
    seed = random.randrange(2**32) if seed is None else seed
    click.echo(f"seed {seed}")
    try:
        asyncio.run(soak(seconds, seed, click.echo))
    except (Failed, Died) as failure:
        click.echo(str(failure), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

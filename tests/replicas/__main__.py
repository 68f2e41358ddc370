"""python -m tests.replicas [--seconds 60] [--seed S]: see the package's docstring."""

import asyncio
import random
import sys
import time

import click

from tests.replicas.account import Account, table
from tests.replicas.scenarios import SCENARIOS
from tests.replicas.site import Site

PACE = 1.0
"""Seconds of load before and after each thing that is done."""


@click.command()
@click.option("--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="How long to go on.")
@click.option("--seed", type=int, help="Make the same requests again. [a new one]")
def main(seconds: float, seed: int | None) -> None:
    """Do to three gateways under load whatever may happen to them, in turn, each thing once at least."""
    seed = random.randrange(2**32) if seed is None else seed
    click.echo(f"seed {seed}")
    accounts = asyncio.run(_run(seconds, seed))
    click.echo(table(accounts))
    if problems := [problem for account in accounts for problem in account.problems]:
        click.echo("\n".join(problems[:20]), err=True)
        sys.exit(1)


async def _run(seconds: float, seed: int) -> list[Account]:
    """Go on until the time is over, or there is a problem."""
    accounts: list[Account] = []
    end = time.monotonic() + seconds
    async with Site.running(seed) as site:
        while len(accounts) < len(SCENARIOS) or time.monotonic() < end:
            account = await SCENARIOS[len(accounts) % len(SCENARIOS)](site, PACE)
            accounts.append(account)
            click.echo(str(account))
            if account.problems:
                break
    return accounts


if __name__ == "__main__":
    main()

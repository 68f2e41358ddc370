"""close-gateway sandbox: a small Close alone; and what fills one, for dev too."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gateway.commands.failures import Unconfigured
from gateway.commands.running import FILE, address_of, run_server
from gateway.commands.texts import clean

if TYPE_CHECKING:
    from gateway.sandbox import World
    from gateway.sandbox.clock import Clock

seed_flag: Final = click.option(
    "--seed", type=FILE, metavar="FILE", help="JSON that says what the sandbox holds at first."
)


@click.command()
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:8090", show_default=True, help="Where the sandbox listens."
)
@click.option("--rate-limit", metavar="N/s", help="How often a key may ask, for each endpoint: 20/s, 100/15s. [1000/s]")
@click.option(
    "--host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="A name, beside localhost, that its page and controls answer to.",
)
@seed_flag
@click.option("--now", metavar="TIME", help="Where its clock starts, such as 2026-03-01T09:00:00Z.")
def sandbox(listen: str, rate_limit: str | None, hosts: tuple[str, ...], seed: Path | None, now: str | None) -> None:
    """Run the sandbox alone: a small Close, all in memory.

    Its page shows what it holds. Requests fail on demand, with the header X-Sandbox-Fault.

    \b
    With a limit to meet:
      close-gateway sandbox --rate-limit 5/s
    """
    from gateway import development
    from gateway.config.values import is_host
    from gateway.process import run
    from gateway.sandbox import DEFAULT_RATE, Rate, Sandbox

    try:
        rate = DEFAULT_RATE if rate_limit is None else Rate.parse(rate_limit)
    except ValueError as error:
        raise click.BadParameter(f"it {error}.", param_hint="--rate-limit") from None
    if not all(map(is_host, hosts)):
        raise click.BadParameter("it is no name. Give one such as sandbox, without a port.", param_hint="--host")
    clock = None if now is None else _clock(now)
    close = Sandbox(seeded(seed, clock), rate=rate, hosts=hosts)
    run_server(run, development.sandbox(address_of(listen, "--listen", "127.0.0.1:8090"), close))


def seeded(file: Path | None, clock: "Clock | None" = None) -> "World":
    """What a sandbox holds at first, made at the time that the clock tells. Raises Unconfigured."""
    from gateway.sandbox import SeedProblems, read_seed, seeded_world

    try:
        return seeded_world(clock) if file is None else read_seed(file, clock)
    except SeedProblems as bad:
        count = len(bad.problems)
        problems = "".join(f"\n  {clean(problem)}" for problem in bad.problems)
        raise Unconfigured(f"{count} problem{'s' * (count > 1)} in {file}:{problems}") from None


def _clock(now: str) -> "Clock":
    from gateway.sandbox.clock import Clock, read_time

    clock = Clock()
    time = read_time(now)
    if time is None:
        raise click.BadParameter("it is no time. Give one such as 2026-03-01T09:00:00Z.", param_hint="--now")
    try:
        clock.set(time)
    except ValueError as error:
        raise click.BadParameter(f"it {error}.", param_hint="--now") from None
    return clock

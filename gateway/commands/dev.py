"""close-gateway dev: the gateway for whoever writes a client, in front of a sandbox of Close."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.configured import configured, reloaded
from gateway.commands.running import FILE, address_of, named, run_server, settings_flags
from gateway.commands.sandbox import seed_flag, seeded
from gateway.hangups import Hangups

if TYPE_CHECKING:
    from gateway.config.settings import Address


@click.command()
@partial(settings_flags, upstream="a sandbox of its own")
@seed_flag
@click.option("--tls", is_flag=True, help="Listen for Close's own client too, which goes to local-api.close.com:5001.")
@click.option(
    "--tls-listen", metavar="HOST:PORT", help="Where, instead of 127.0.0.1:5001 and [::1]:5001; brings --tls along."
)
@click.option("--quiet", is_flag=True, help="Show email writes alone, not what passes through.")
@click.option("--json", "as_json", is_flag=True, help="Show nothing; log as serve does.")
@click.option("--record", type=FILE, metavar="FILE", help="Keep what passes as HAR, credentials redacted.")
@click.option("--replay", type=FILE, metavar="FILE", help="Judge the email writes of a HAR file, and end.")
def dev(
    upstream: str | None,
    listen: str | None,
    admin: str | None,
    mode: str | None,
    config: Path | None,
    *,
    seed: Path | None,
    tls: bool,
    tls_listen: str | None,
    quiet: bool,
    as_json: bool,
    record: Path | None,
    replay: Path | None,
) -> None:
    """Run the gateway for development, in front of a sandbox of Close.

    The same as serve, but rejections are kept in memory, and each request is shown as it comes: what became of it,
    the rule it breaks, and the line of its JSON to change. Without an upstream of yours, a small Close of its own
    answers, all in memory; what is printed at the start tells its API keys and what to try.

    \b
    Against the real API:
      close-gateway dev --upstream https://api.close.com
    For closeio_api.Client(key, development=True):
      close-gateway dev --tls
    Keep what passes, and judge it again:
      close-gateway dev --record session.har
      close-gateway dev --replay session.har

    With --replay the exit code is 1 where an email write would be rejected, and 2 where one cannot be read.
    """
    if quiet and as_json:
        raise click.UsageError("--quiet and --json exclude each other: with --json nothing is shown.")
    if upstream is not None and seed is not None:
        raise click.BadParameter(
            "it fills the sandbox, which --upstream leaves out: give one of both.", param_hint="--seed"
        )
    hangups = Hangups()
    flags = {
        **named(upstream, listen, admin, mode),
        "log.format": "json" if as_json else None,
        "process.workers": 1,
    }
    defaults = {"log.format": "console", "rejections.store": ":memory:"}
    loaded = configured(config, flags, defaults)
    if replay is not None:
        if upstream or listen or admin or as_json or record or seed or tls or tls_listen:
            raise click.UsageError(
                "--replay asks nobody and listens nowhere: beside it only --mode and --config count."
            )
        from gateway.commands.replay import replayed

        sys.exit(replayed(replay, loaded.settings))
    from gateway import development
    from gateway.process import run
    from gateway.sandbox import Sandbox

    run_server(
        run,
        development.dev(
            loaded.settings,
            partial(reloaded, config, flags, defaults),
            hangups,
            # The flag alone leads away from the sandbox: nobody is to send real emails for a line in a file.
            close=Sandbox(seeded(seed)) if upstream is None else None,
            local_api=_local_api(tls_listen) if tls or tls_listen else None,
            quiet=quiet,
            record=record,
        ),
    )


def _local_api(listen: str | None) -> "Sequence[Address]":
    from gateway.local_api import LISTEN

    return LISTEN if listen is None else [address_of(listen, "--tls-listen", str(LISTEN[0]))]

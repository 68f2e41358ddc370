"""The command: serve, dev, sandbox, health, reload, rejections, config, completion.

Exit codes: 0 after a clean stop, 2 for a bad configuration or a wrong call, 130 where Ctrl-C cut a command off, 1 for
anything else. Settings and servers are imported by the command that needs them, so that --help is quick.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from gateway import __version__
from gateway.commands.completion import completion
from gateway.commands.configured import asked, configured, reloaded
from gateway.commands.failures import Failed, Unconfigured
from gateway.commands.flags import offered
from gateway.commands.group import Group
from gateway.commands.rejections import rejections
from gateway.commands.reload import reload_
from gateway.errors import GatewayError
from gateway.hangups import Hangups

if TYPE_CHECKING:
    from gateway.config.settings import Address
    from gateway.sandbox import World

Command = TypeVar("Command", bound=Callable[..., Any])

WIDTH: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
FILE: Final = click.Path(path_type=Path)


def _settings(command: Command, upstream: str = "https://api.close.com") -> Command:
    """Add the flags that set settings; `upstream` is where Close is unless one of them says."""
    for option in reversed(
        (
            click.option("--upstream", metavar="URL", help=f"Where Close is. [{upstream}]"),
            click.option("--listen", metavar="HOST:PORT|unix:/PATH", help="Where clients connect. [127.0.0.1:8080]"),
            click.option(
                "--admin", metavar="HOST:PORT|off", help="Where the admin listener is, if anywhere. [127.0.0.1:8081]"
            ),
            click.option(
                "--mode",
                metavar="enforce|report|off",
                shell_complete=offered(lambda: ("enforce", "report", "off")),
                help="Refuse what breaks a rule, only log it, or look into nothing. [enforce]",
            ),
            click.option("--config", type=FILE, metavar="FILE", help="A TOML file with settings."),
        )
    ):
        command = option(command)
    return command


_seed: Final = click.option("--seed", type=FILE, metavar="FILE", help="JSON that says what the sandbox holds at first.")


@click.group(cls=Group, context_settings=WIDTH)
@click.version_option(__version__, "--version", prog_name="close-gateway", message="%(prog)s %(version)s")
def main() -> None:
    """A validation gateway in front of the Close CRM API.

    It answers an email write that Close is sure to refuse at once, fills in the sender of a sent email, and forwards
    everything else untouched.

    \b
    Try it:         close-gateway dev
    Run it:         close-gateway serve --listen 0.0.0.0:8080
    Watch first:    close-gateway serve --mode report
    See who:        close-gateway rejections list --since 24h
    """


main.add_command(completion)
main.add_command(rejections)
main.add_command(reload_)


@main.command()
@_settings
@click.option("--workers", type=int, metavar="N", help="How many processes share the port. [1]")
def serve(
    upstream: str | None,
    listen: str | None,
    admin: str | None,
    mode: str | None,
    config: Path | None,
    workers: int | None,
) -> None:
    """Run the gateway in front of Close.

    Logs are JSON lines on standard output. SIGTERM and Ctrl-C stop it once the requests in flight are answered.
    Settings come from --config, then CLOSE_GATEWAY_… variables, then flags. SIGHUP has them read anew.
    """
    hangups = Hangups()
    flags = {**_flags(upstream, listen, admin, mode), "process.workers": workers}
    loaded = configured(config, flags)
    from gateway import app

    _run(app.serve, loaded.settings, partial(reloaded, config, flags), hangups)


@main.command()
@partial(_settings, upstream="a sandbox of its own")
@click.option("--tls", is_flag=True, help="Listen for Close's own client too, which goes to local-api.close.com:5001.")
@click.option(
    "--tls-listen", metavar="HOST:PORT", help="Where, instead of 127.0.0.1:5001 and [::1]:5001; brings --tls along."
)
@_seed
def dev(
    upstream: str | None,
    listen: str | None,
    admin: str | None,
    mode: str | None,
    config: Path | None,
    *,
    tls: bool,
    tls_listen: str | None,
    seed: Path | None,
) -> None:
    """Run the gateway for development, in front of a sandbox of Close.

    The same as serve, with readable logs, and rejections kept in memory. Without an upstream of yours, a small Close
    of its own answers, all in memory; what is printed at the start tells its API keys and what to try.

    \b
    Against the real API:
      close-gateway dev --upstream https://api.close.com
    For closeio_api.Client(key, development=True):
      close-gateway dev --tls
    """
    if upstream is not None and seed is not None:
        raise click.BadParameter(
            "it fills the sandbox, which --upstream leaves out: give one of both.", param_hint="--seed"
        )
    hangups = Hangups()
    flags = {**_flags(upstream, listen, admin, mode), "process.workers": 1}
    defaults = {"log.format": "console", "rejections.store": ":memory:"}
    loaded = configured(config, flags, defaults)
    from gateway import app
    from gateway.sandbox import Sandbox

    # The flag alone leads away from the sandbox: who tries emails out must not send real ones for a line in a file.
    _run(
        app.dev,
        loaded.settings,
        partial(reloaded, config, flags, defaults),
        hangups,
        close=Sandbox(_seeded(seed)) if upstream is None else None,
        local_api=_local_api(tls_listen) if tls or tls_listen else None,
    )


@main.command()
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
@_seed
@click.option("--now", metavar="TIME", help="Where its clock starts, such as 2026-03-01T09:00:00Z.")
def sandbox(listen: str, rate_limit: str | None, hosts: tuple[str, ...], seed: Path | None, now: str | None) -> None:
    """Run the sandbox alone: a small Close, all in memory.

    Its page shows what it holds. Requests fail on demand, with the header X-Sandbox-Fault.

    \b
    With a limit to meet:
      close-gateway sandbox --rate-limit 5/s
    """
    from gateway import app
    from gateway.sandbox import DEFAULT_RATE, Rate, Sandbox

    try:
        rate = DEFAULT_RATE if rate_limit is None else Rate.parse(rate_limit)
    except ValueError as error:
        raise click.BadParameter(f"it {error}.", param_hint="--rate-limit") from None
    close = Sandbox(_seeded(seed), rate=rate, hosts=hosts)
    if now is not None:
        _set_clock(close.world, now)
    _run(app.run_sandbox, _address(listen, "--listen", "127.0.0.1:8090"), close)


@main.command()
@click.option("--admin", metavar="HOST:PORT", help="The admin listener to ask. [as the settings say]")
@click.option("--config", "file", type=FILE, metavar="FILE", help="The TOML file that the gateway runs with.")
def health(admin: str | None, file: Path | None) -> None:
    """Ask a running gateway whether it serves; exit with 0 or 1."""
    from http.client import HTTPConnection, HTTPException

    from gateway.config.token import admin_token

    settings = asked(file)
    # What another gateway listens on is no setting of this one, and needs no token here.
    given = None if admin is None else admin.removeprefix("http://").removesuffix("/")  # as the other commands take it
    address = settings.listen if given is None else _address(given, "--admin", "127.0.0.1:8081")
    if address is None:
        raise Failed("The admin listener is off (setting admin.listen): there is nothing to ask.")
    connection = HTTPConnection(address.from_here.host, address.port, timeout=2)
    try:
        token = None if "/healthz" in settings.open else admin_token(settings)
        headers = {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}
        connection.request("GET", "/healthz", headers=headers)
        answer = connection.getresponse()
        text = answer.read(4096).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        reason = (getattr(error, "strerror", None) or type(error).__name__).lower()
        raise Failed(f"No gateway answers at {address}: {reason}. Name its admin listener with --admin.") from None
    finally:
        connection.close()
    if answer.status != 200:  # noqa: PLR2004 - HTTP's OK
        raise Failed(f"{address} answers with status {answer.status}: is it the gateway's admin listener?")
    click.echo(text)


@main.group()
def config() -> None:
    """Check or show the settings."""


@config.command("check")
@click.option("--config", "file", type=FILE, metavar="FILE", help="A TOML file with settings.")
def config_check(file: Path | None) -> None:
    """Find every problem in the settings, each with what mends it."""
    loaded = configured(file)
    given = len(loaded.sources)
    click.echo(f"The configuration is fine: {given or 'no'} setting{'s' * (given != 1)} given, defaults for the rest.")


@config.command("show")
@click.option("--config", "file", type=FILE, metavar="FILE", help="A TOML file with settings.")
def config_show(file: Path | None) -> None:
    """Print the settings in force and where each comes from, secrets as stars."""
    from gateway.config.show import show

    click.echo(show(configured(file)), nl=False)


def _local_api(listen: str | None) -> "Sequence[Address]":
    from gateway.local_api import LISTEN

    return LISTEN if listen is None else [_address(listen, "--tls-listen", str(LISTEN[0]))]


def _seeded(file: Path | None) -> "World | None":
    """What a sandbox holds at first; None for what it holds without a file."""
    from gateway.sandbox import SeedProblems, read_seed

    try:
        return None if file is None else read_seed(file)
    except SeedProblems as bad:
        count = len(bad.problems)
        problems = "".join(f"\n  {problem}" for problem in bad.problems)
        raise Unconfigured(f"{count} problem{'s' * (count > 1)} in {file}:{problems}") from None


def _set_clock(world: "World", now: str) -> None:
    from gateway.sandbox.clock import read_time

    time = read_time(now)
    if time is None:
        raise click.BadParameter("it is no time. Give one such as 2026-03-01T09:00:00Z.", param_hint="--now")
    try:
        world.clock.set(time)
    except ValueError as error:
        raise click.BadParameter(f"it {error}.", param_hint="--now") from None


def _address(text: str, flag: str, example: str) -> "Address":
    from gateway.config.settings import Address

    try:
        return Address.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"it {error}. Give HOST:PORT, such as {example}.", param_hint=flag) from None


def _flags(upstream: str | None, listen: str | None, admin: str | None, mode: str | None) -> dict[str, object]:
    return {"upstream.url": upstream, "listener.listen": listen, "admin.listen": admin, "inspect.mode": mode}


def _run(what: Callable[..., None], *args: object, **options: object) -> None:
    try:
        what(*args, **options)
    except GatewayError as error:
        raise Failed(str(error)) from None
    except OSError as error:
        raise Failed(f"{error.strerror or error}.") from None

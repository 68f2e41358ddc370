"""The command: serve, dev, ext-proc, sandbox, health, reload, rejections, config.

Exit codes: 0 after a clean stop, 2 for a bad configuration or a wrong call, 1 for anything else. Settings and servers
are imported by the command that needs them, so that --help is quick.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from gateway import __version__
from gateway.commands.configured import asked, configured, reloaded
from gateway.commands.ext_proc import DEFAULTS, need_packages
from gateway.commands.failures import Failed
from gateway.commands.rejections import rejections
from gateway.commands.reload import reload_
from gateway.errors import GatewayError
from gateway.hangups import Hangups

if TYPE_CHECKING:
    from gateway.config.settings import Address

Command = TypeVar("Command", bound=Callable[..., Any])

WIDTH: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
FILE: Final = click.Path(path_type=Path)


def _settings(command: Command, listen: str = "Where clients connect. [127.0.0.1:8080]") -> Command:
    """Add the flags that set settings. `listen` is the help of that one."""
    for option in reversed(
        (
            click.option("--upstream", metavar="URL", help="Where Close is. [https://api.close.com]"),
            click.option("--listen", metavar="HOST:PORT|unix:/PATH", help=listen),
            click.option(
                "--admin", metavar="HOST:PORT|off", help="Where the admin listener is, if anywhere. [127.0.0.1:8081]"
            ),
            click.option(
                "--mode",
                metavar="enforce|report|off",
                help="Refuse what breaks a rule, only log it, or look into nothing. [enforce]",
            ),
            click.option("--config", type=FILE, metavar="FILE", help="A TOML file with settings."),
        )
    ):
        command = option(command)
    return command


@click.group(context_settings=WIDTH)
@click.version_option(__version__, "--version", prog_name="close-gateway", message="%(prog)s %(version)s")
def main() -> None:
    """A validation gateway in front of the Close CRM API.

    It answers an email write that Close is sure to refuse at once, fills in the sender of a sent email, and forwards
    everything else untouched.

    \b
    Try it:         close-gateway dev
    Run it:         close-gateway serve --listen 0.0.0.0:8080
    Beside Envoy:   close-gateway ext-proc
    Watch first:    close-gateway serve --mode report
    See who:        close-gateway rejections list --since 24h
    """


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
@_settings
def dev(upstream: str | None, listen: str | None, admin: str | None, mode: str | None, config: Path | None) -> None:
    """Run the gateway for development, in front of a sandbox of Close.

    The same as serve, with readable logs, and rejections kept in memory. Without an upstream of yours, a small Close
    of its own answers, all in memory; what is printed at the start tells its API keys and what to try.

    \b
    Against the real API:  close-gateway dev --upstream https://api.close.com
    """
    hangups = Hangups()
    flags = {**_flags(upstream, listen, admin, mode), "process.workers": 1}
    defaults = {"log.format": "console", "rejections.store": ":memory:"}
    loaded = configured(config, flags, defaults)
    from gateway import app

    # The flag alone leads away from the sandbox: who tries emails out must not send real ones for a line in a file.
    _run(app.dev, loaded.settings, partial(reloaded, config, flags, defaults), hangups, sandbox=upstream is None)


@main.command("ext-proc")
@partial(_settings, listen="Where Envoy asks, in gRPC. [127.0.0.1:8082]")
def ext_proc(
    upstream: str | None, listen: str | None, admin: str | None, mode: str | None, config: Path | None
) -> None:
    """Run the gateway as a service that Envoy asks about email writes (external processing).

    The same verdicts, settings, log, store and console as serve; the requests stay in Envoy. It is one process,
    whatever process.workers says: run several, and name each in Envoy's cluster. config/envoy has Envoy's side of it.
    Needs the extra: close-gateway[envoy].
    """
    hangups = Hangups()
    need_packages()
    flags = {**_flags(upstream, listen, admin, mode), "process.workers": 1}
    loaded = configured(config, flags, DEFAULTS)
    from gateway import app

    _run(app.ext_proc, loaded.settings, partial(reloaded, config, flags, DEFAULTS), hangups)


@main.command()
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:8090", show_default=True, help="Where the sandbox listens."
)
def sandbox(listen: str) -> None:
    """Run the sandbox alone: a small Close, all in memory."""
    from gateway import app

    _run(app.run_sandbox, _address(listen, "--listen", "127.0.0.1:8090"))


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

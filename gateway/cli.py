"""The command: serve, dev, ext-proc, sandbox, check, health, reload, rejections, config, completion.

Exit codes: 0 after a clean stop, 2 for a bad configuration or a wrong call, 130 where Ctrl-C cut a command off, 1 for
anything else; check has its own. Settings and servers are imported by the command that needs them, so that --help is
quick.
"""

from functools import partial
from pathlib import Path
from typing import Final

import click

from gateway import __version__
from gateway.commands.check import check
from gateway.commands.completion import completion
from gateway.commands.configured import asked, configured, reloaded
from gateway.commands.dev import dev
from gateway.commands.ext_proc import ext_proc
from gateway.commands.failures import Failed
from gateway.commands.group import Group
from gateway.commands.rejections import rejections
from gateway.commands.reload import reload_
from gateway.commands.running import FILE, address_of, named, run_server, settings_flags
from gateway.commands.sandbox import sandbox
from gateway.hangups import Hangups

WIDTH: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Group, context_settings=WIDTH)
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
    Judge a file:   close-gateway check emails.jsonl
    See who:        close-gateway rejections list --since 24h
    """


for command in (dev, ext_proc, sandbox, check, rejections, reload_, completion):
    main.add_command(command)


@main.command()
@settings_flags
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
    flags = {**named(upstream, listen, admin, mode), "process.workers": workers}
    loaded = configured(config, flags)
    from gateway import app

    run_server(app.serve, loaded.settings, partial(reloaded, config, flags), hangups)


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
    address = settings.listen if given is None else address_of(given, "--admin", "127.0.0.1:8081")
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

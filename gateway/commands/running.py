"""What the commands that run a server have in common: flags that set settings, and how their end is told."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from gateway.commands.failures import Failed
from gateway.commands.flags import offered
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from gateway.config.settings import Address

Command = TypeVar("Command", bound=Callable[..., Any])

FILE: Final = click.Path(path_type=Path)


def settings_flags(
    command: Command,
    upstream: str = "https://api.close.com",
    listen: str = "Where clients connect. [127.0.0.1:8080]",
) -> Command:
    """Add the flags that set settings. `upstream`: where Close is unless one says. `listen`: the help of that one."""
    for option in reversed(
        (
            click.option("--upstream", metavar="URL", help=f"Where Close is. [{upstream}]"),
            click.option("--listen", metavar="HOST:PORT|unix:/PATH", help=listen),
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


def named(upstream: str | None, listen: str | None, admin: str | None, mode: str | None) -> dict[str, object]:
    """Give what these flags say, by the names of the settings."""
    return {"upstream.url": upstream, "listener.listen": listen, "admin.listen": admin, "inspect.mode": mode}


def address_of(text: str, flag: str, example: str) -> "Address":
    """Read what a flag says. Raises BadParameter."""
    from gateway.config.settings import Address

    try:
        return Address.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"it {error}. Give HOST:PORT, such as {example}.", param_hint=flag) from None


def run_server(what: Callable[..., None], *args: object, **options: object) -> None:
    """Run it to its end. Raises Failed."""
    try:
        what(*args, **options)
    except GatewayError as error:
        raise Failed(str(error)) from None
    except OSError as error:
        raise Failed(f"{error.strerror or error}.") from None

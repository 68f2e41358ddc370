"""close-gateway reload: has a running gateway read its configuration anew."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from gateway.commands.configured import asked
from gateway.commands.failures import Failed
from gateway.commands.flags import asking


@click.command("reload", short_help="Have a running gateway read its configuration anew.")
@partial(asking, otherwise="as the settings say")
def reload_(file: Path | None, admin: str | None, token: str | None) -> None:
    """Have a running gateway read its configuration anew: all of it, or nothing where something is wrong.

    It reads the file that it was started with; --config is only where to find its admin listener. Prints what has
    changed, and what waits for a restart; exits with 2 where something is wrong with the configuration.
    """
    from gateway.commands.client import AdminClient
    from gateway.config.token import admin_token

    if admin is None:
        settings = asked(file)
        if settings.listen is None:
            raise Failed("The admin listener is off (setting admin.listen): send SIGHUP to the gateway instead.")
        admin = str(settings.listen.from_here)
        given = admin_token(settings)
        token = token or (None if given is None else given.reveal())
    done = AdminClient(admin, token).reload()
    changed, waiting = done["changed"], done["needs_restart"]
    for line in [*(f"{name} = {_shown(value)}" for name, value in changed.items()), *map(_waits, waiting)]:
        click.echo(line)
    if not changed and not waiting:
        click.echo("Nothing has changed. Flags and variables that the gateway was started with go before its file.")


def _shown(value: Any) -> str:
    import json

    from gateway.commands.texts import clean

    return clean(json.dumps(value, ensure_ascii=False))


def _waits(name: object) -> str:
    from gateway.commands.texts import clean

    return f"{clean(str(name))} changes at a restart"

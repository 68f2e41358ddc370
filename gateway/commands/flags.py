"""The flags that several commands have in common, and how a mistake in one is told."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import click

from gateway.commands.failures import Unconfigured

Command = TypeVar("Command", bound=Callable[..., Any])

FILTERS: Final = {  # the parameter of the API: its flag, what the flag takes, what it says of itself
    "code": ("--code", "CODE", "What was wrong, such as sender_required."),
    "credential": ("--credential", "FP", "The fingerprint of the key, fp:…"),
    "owner": ("--owner", "ADDRESS", "Whose key it was."),
    "email_status": ("--status", "STATUS", "The status that the email was to have."),
    "path": ("--path", "PATH", "The path that was asked for."),
    "client": ("--client", "ADDRESS", "Where it came from."),
    "request_id": ("--request-id", "ID", "The X-Request-Id of the answer."),
    "lead_id": ("--lead-id", "ID", "The lead of the email."),
    "since": ("--since", "TIME", "From then on: 2026-11-24T09:30 (UTC), or an age: 15m, 24h, 7d."),
    "until": ("--until", "TIME", "Before then."),
    "text": ("--text", "TEXT", "Stands anywhere in it."),
}


Completing: TypeAlias = Callable[[click.Context, click.Parameter, str], list[str]]


def offered(values: Callable[[], Iterable[str]]) -> Completing:
    """Have the shell offer these values, of those that begin as what is typed."""

    def beginning(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        return [value for value in values() if value.startswith(begun)]

    return beginning


def _codes() -> list[str]:
    from gateway.policy import ViolationCode

    return [code.value for code in ViolationCode]


def _statuses() -> list[str]:
    from gateway.policy import Status

    return [status.value for status in Status]


KNOWN: Final = {"code": _codes, "email_status": _statuses}
"""Filters of which the usual values are known."""


def filtered(command: Command) -> Command:
    """Add the flags that filter. The command gets them as one: `filters`, by the names of the API."""
    for name, (flag, takes, told) in reversed(FILTERS.items()):
        complete = offered(KNOWN[name]) if name in KNOWN else None
        command = click.option(flag, name, metavar=takes, help=told, shell_complete=complete)(command)
    return command


def asking(command: Command, otherwise: str = "the store of the settings") -> Command:
    """Add the flags that tell whom to ask, and who is asked where nobody is named."""
    for option in reversed(
        (
            click.option("--admin", metavar="URL", help=f"The admin listener to ask. [{otherwise}]"),
            click.option(
                "--token",
                metavar="TOKEN",
                envvar="CLOSE_GATEWAY_ADMIN__TOKEN",
                help="Its token; better given as CLOSE_GATEWAY_ADMIN__TOKEN.",
            ),
            configuring,
        )
    ):
        command = option(command)
    return command


configuring: Final = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The TOML file that the gateway runs with.",
)


def given(flags: Mapping[str, object]) -> dict[str, str]:
    """Pick the filters that were given. A code or status that is not known here is remarked on, not refused: a store
    may have entries of another version, and the statuses that clients made up.
    """
    filters = {name: str(flags[name]) for name in FILTERS if flags.get(name) is not None}
    for name, known in KNOWN.items():
        if filters.get(name) and filters[name] not in known():
            remark = f"{FILTERS[name][0]}: none of the known ones, which are {', '.join(known())}."
            click.echo(f"close-gateway: {remark}", err=True)
    return filters


def told_by_flags(fields: Mapping[str, str]) -> Unconfigured:
    """Tell what is wrong, by flag; exit code 2, as for every wrong call."""
    flags = {name: flag for name, (flag, _, _) in FILTERS.items()}
    lines = [f"{flags.get(name, '--' + name.replace('_', '-'))}: {what}" for name, what in fields.items()]
    return Unconfigured(lines[0] if len(lines) == 1 else "".join(f"\n  {line}" for line in ["", *lines]).lstrip())

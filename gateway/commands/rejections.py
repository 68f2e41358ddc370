"""close-gateway rejections: who was refused what, for people and for programs."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from gateway.commands.failures import Failed
from gateway.commands.flags import asking, configuring, filtered, given
from gateway.commands.group import Group
from gateway.commands.out import out
from gateway.interrupts import careful

if TYPE_CHECKING:
    from gateway.commands.source import Row, Source

Command = TypeVar("Command", bound=Callable[..., Any])
MOST: Final = 100_000


def _one_of_both(ctx: click.Context, flag: click.Parameter, given: bool) -> bool:  # noqa: FBT001 - as click calls it
    """Refuse a call with both flags: what reads the output would take the one for the other."""
    if given and (ctx.params.get("as_json") or ctx.params.get("as_csv")):
        raise click.UsageError("Give --json or --csv, not both.")
    return given


def _format(flag: str, name: str, told: str) -> Callable[[Command], Command]:
    return click.option(flag, name, is_flag=True, callback=_one_of_both, help=told)


json_flag: Final = _format("--json", "as_json", "JSON for programs.")
csv_flag: Final = _format("--csv", "as_csv", "CSV for spreadsheets.")


@click.group(cls=Group)
def rejections() -> None:
    """Ask who was refused what.

    The answers come from the store of the settings, or with --admin from a gateway that runs.

    \b
    What is new:     close-gateway rejections list --since 1h
    What to change:  close-gateway rejections show ID
    Who and when:    close-gateway rejections stats --since 7d
    """


@rejections.command("list")
@filtered
@click.option("--limit", type=click.IntRange(1, MOST), default=20, metavar="N", help="How many at most. [20]")
@json_flag
@csv_flag
@asking
def list_(
    file: Path | None, admin: str | None, token: str | None, limit: int, *, as_json: bool, as_csv: bool, **flags: object
) -> None:
    """List rejections, the newest first."""
    from gateway.commands.source import every

    found = every(_source(file, admin, token), given(flags))
    rows = list(islice(found, limit))
    if as_json or as_csv:
        _write(rows, as_csv=as_csv)
    else:
        from gateway.commands.screen import listing, screen

        console = screen(out())
        console.print(listing(rows, console.width))
    if len(rows) == limit and next(found, None) is not None:
        click.echo(f"There are more: raise --limit, or go on with --until {rows[-1]['at']}", err=True)


@rejections.command()
@click.argument("entry_id", metavar="ID")
@json_flag
@asking
def show(file: Path | None, admin: str | None, token: str | None, entry_id: str, *, as_json: bool) -> None:
    """Show one rejection, and what to change. ID is its id, or the X-Request-Id of the answer."""
    source = _source(file, admin, token)
    found = _found(source, entry_id)
    if as_json:
        from gateway.commands.rows import dump

        dump(found, out())
        return
    from gateway.commands.screen import details, passing, screen

    console = screen(out())
    console.print(details(found, console.width), crop=False)
    console.print(passing(found), soft_wrap=True)


@rejections.command()
@filtered
@json_flag
@csv_flag
@asking
def tail(
    file: Path | None, admin: str | None, token: str | None, *, as_json: bool, as_csv: bool, **flags: object
) -> None:
    """Show rejections as they come, until Ctrl-C."""
    news = _source(file, admin, token).follow(given(flags))
    with careful(), suppress(KeyboardInterrupt):
        if as_json or as_csv:
            _write(news, as_csv=as_csv)
            return
        from gateway.commands.screen import card, screen

        console = screen(out())
        for row in news:
            console.print(card(row, console.width))


@rejections.command()
@filtered
@click.option(
    "--bucket",
    type=click.Choice(["hour", "day", "week"]),
    default="hour",
    metavar="hour|day|week",
    help="How long a step is. [hour]",
)
@json_flag
@csv_flag
@asking
def stats(
    file: Path | None,
    admin: str | None,
    token: str | None,
    bucket: str,
    *,
    as_json: bool,
    as_csv: bool,
    **flags: object,
) -> None:
    """Count rejections over time, and by who sent them."""
    found = _source(file, admin, token).stats({**given(flags), "bucket": bucket})
    if as_csv:
        from gateway.commands.rows import STEPS, write

        write(found["series"], out(), as_csv=True, columns=STEPS)
    elif as_json:
        from gateway.commands.rows import dump

        dump(found, out())
    else:
        from gateway.commands.screen import counts, screen

        console = screen(out())
        console.print(counts(found, bucket, console.width, console.encoding))


@rejections.command()
@filtered
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to. [standard output]")
@_format("--json", "as_json", "A line of JSON each, as without a flag.")
@csv_flag
@asking
def export(
    file: Path | None,
    admin: str | None,
    token: str | None,
    output: Path | None,
    *,
    as_json: bool,
    as_csv: bool,
    **flags: object,
) -> None:
    """Write all rejections, the newest first."""
    from gateway.commands.export import export

    out()
    number = export(_source(file, admin, token), given(flags), output, as_csv=as_csv)
    if output is not None:
        click.echo(f"{number} written to {output}.", err=True)


@rejections.command()
@click.option("--before", required=True, metavar="TIME", help="What is older goes: a time, or an age such as 90d.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@configuring
def purge(file: Path | None, before: str, *, yes: bool) -> None:
    """Remove old rejections from the store, for good."""
    from gateway.commands.purge import purge

    removed = purge(file, before, sure=yes)
    if removed is None:
        raise Failed("Nothing was removed.")
    click.echo(f"{removed} removed." if removed else "There is nothing as old as that.")


def _source(file: Path | None, admin: str | None, token: str | None) -> "Source":
    from gateway.commands.source import source

    return source(file, admin, token)


def _found(source: "Source", entry_id: str) -> "Row":
    """Find a rejection by its id, or by that of the request: of several, the newest."""
    by_request, _ = source.page({"request_id": entry_id, "limit": "1"})
    found = source.one(str(by_request[0]["id"]) if by_request else entry_id)
    if found is None:
        raise Failed(
            "There is no rejection of this id; it may have been removed by its age. "
            "See which there are with: close-gateway rejections list"
        )
    return found


def _write(rows: "list[Row] | Iterator[Row]", *, as_csv: bool) -> None:
    from gateway.commands.rows import write

    write(rows, out(), as_csv=as_csv)

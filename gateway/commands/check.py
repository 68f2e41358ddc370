"""close-gateway check: payloads judged offline, by the rules that a gateway would judge them by."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.configured import ruled
from gateway.commands.failures import Unconfigured
from gateway.commands.flags import configuring
from gateway.commands.out import out, writing
from gateway.interrupts import careful

if TYPE_CHECKING:
    from gateway.commands.checking.run import Asked


@click.command(short_help="Judge payloads offline: JSON, JSON Lines or standard input.")
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE...|-]")
@click.option("--update", is_flag=True, help="They change emails (PUT), rather than create them.")
@click.option(
    "--stored",
    type=click.Path(),
    metavar="FILE",
    help='Stored emails, as Close gives them: one for all changes, or many, of which a change names its own by "id".',
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each payload.")
@click.option("--sarif", "as_sarif", is_flag=True, help="SARIF 2.1.0, for code scanning.")
@click.option(
    "--limit", type=click.IntRange(0), default=100, show_default=True, metavar="N", help="How many to draw for people."
)
@configuring
def check(
    files: tuple[str, ...],
    stored: str | None,
    file: Path | None,
    limit: int,
    *,
    update: bool,
    as_json: bool,
    as_sarif: bool,
) -> None:
    """Judge email payloads offline, by the rules and modes that a gateway would.

    A FILE is a JSON object, an array of them, or JSON Lines; - is standard input, and so is none at all. Nothing is
    sent anywhere. Exits with 1 where a payload would be rejected, and with 2 where something cannot be read, or not
    be written.

    \b
    What to change:
      close-gateway check emails.jsonl
    A change:
      close-gateway check --update --stored a.json b.json
    In CI:
      close-gateway check --sarif *.json > check.sarif
    """
    if as_json and as_sarif:
        raise click.UsageError("Give --json or --sarif, not both.")
    if stored is not None and not update:
        raise click.UsageError("--stored is for changes: give --update too.")
    names = files or ("-",)
    if (*names, stored).count("-") > 1:
        raise click.UsageError("Standard input can be read once only.")
    from gateway.commands.checking.run import Asked, Form

    form = Form.JSON if as_json else Form.SARIF if as_sarif else Form.PEOPLE
    _run(Asked(files=names, stored=stored, update=update, form=form, limit=limit), file)


def _run(asked: "Asked", file: Path | None) -> None:
    from gateway.commands.checking.run import Run
    from gateway.config.settings import Mode
    from gateway.modes import modes

    inspect, rules = ruled(file)
    if inspect.mode is Mode.OFF:
        raise Unconfigured('The setting inspect.mode is "off": nothing is judged then. Leave it out, or give "report".')
    run = Run(asked, modes(inspect.mode, rules), inspect.max_body, out())
    if "-" in (*asked.files, asked.stored):
        if sys.stdin is None:
            raise Unconfigured("Standard input is closed: name a file.")
        if sys.stdin.isatty():
            click.echo("Reading standard input; Ctrl-D ends it.", err=True)
    with careful(), writing():
        try:
            run.go()
        except KeyboardInterrupt:
            click.echo(f"Stopped. {run.tally.line}", err=True)
            raise
    raise click.exceptions.Exit(run.tally.exit_code)

"""An email write and its verdict, drawn for people: each rule in a sentence, and the body with the spots to change.

Rule    What is red stands out without colour too: `>` is before a line to change, `~` before one that is reported,
        `+` before one to add, or that the gateway has added.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from gateway.policy import EmailWrite, FillSender, Forward, Reject, Verdict, Violations
from gateway.wire.error import explain
from gateway.wire.spot import Line, Redact, Spot, Tone, marked, spots

STYLES: Final = {Tone.WRONG: "red", Tone.NOTED: "yellow", Tone.FILLED: "cyan"}
MARKS: Final = {None: " ", Tone.WRONG: ">", Tone.NOTED: "~", Tone.FILLED: "+"}
INDENT: Final = 2
MARGIN: Final = INDENT + 2
"""Columns before a line of the body: the last but one has its mark."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An email write, and what became of it."""

    plain: bytes
    """The body without its codings."""
    email: EmailWrite
    verdict: Verdict
    update: bool


def word(verdict: Verdict) -> Text:
    """Name the verdict, in its colour."""
    match verdict:
        case Reject():
            return Text("rejected", style="bold red")
        case FillSender():
            return Text("filled", style="bold cyan")
        case Forward(reported) if reported:
            return Text("reported", style="bold yellow")
        case Forward():
            return Text("forwarded", style="green")


def draw(judged: Judged, width: int) -> RenderableType:
    """Draw the rules that it breaks and its body, for so many columns."""
    return Group(*rules(judged), *body(judged.plain, spots(judged.verdict), width))


def rules(judged: Judged) -> Iterator[RenderableType]:
    """Say of each rule that is broken what it is, and what to change."""
    refused: Violations = judged.verdict.violations if isinstance(judged.verdict, Reject) else ()
    for violations, tone in ((refused, Tone.WRONG), (judged.verdict.reported, Tone.NOTED)):
        for violation in violations:
            said = Text(violation.code.value, style=STYLES[tone], overflow="fold")
            said.append(" (reported)" if tone is Tone.NOTED else "").append(
                f"  {explain(violation, judged.email, update=judged.update)}", style="default"
            )
            yield Indented(said)


class Indented:
    """A paragraph. Unlike rich's own padding it fills no line up with blanks, which would stand in a file."""

    def __init__(self, text: Text, first: int = INDENT) -> None:
        self._text = text
        self._first = first

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(1, options.max_width - INDENT)
        for place, line in enumerate(self._text.wrap(console, room, overflow="fold")):
            line.rstrip()
            yield Text(" " * (self._first if place == 0 else INDENT)).append_text(line)


def body(
    plain: bytes, found: Sequence[Spot], width: int, redact: Redact = lambda _, text: text
) -> Iterator[RenderableType]:
    """Write a body out, each spot with its mark."""
    for line in marked(plain, found, width=width - MARGIN, redact=redact):
        yield _line(line)
        if line.tone is not None and not line.added:
            start, end = (cell_len(line.text[:place]) for place in line.span)
            yield _whole(" " * (MARGIN + start)).append("^" * (end - start), style=STYLES[line.tone])


def _line(line: Line) -> Text:
    mark = "+" if line.added else MARKS[line.tone]
    style = "" if line.tone is None else STYLES[line.tone]
    return _whole(" " * INDENT).append(f"{mark} {line.text}", style=style or "dim")


def _whole(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")

"""The live view: a line for each request, and below an email write that has something to it what a developer needs.

Rule    A line begins with when and what became of it, at the same columns each time, so that the eye runs down. What
        passes through is one dim line, and so is an email write that Close took as it came.
Rule    Credentials are not shown, not even in a query.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from gateway.exchange import printable
from gateway.live.judged import Indented, Judged, body, rules, word
from gateway.live.redaction import Redaction
from gateway.live.refusal import refusal
from gateway.live.sentences import in_words
from gateway.live.story import Filled, Story
from gateway.policy import FillSender, Forward, Reject
from gateway.wire.advice import EXAMPLES
from gateway.wire.spot import Spot, Tone, spots

PASSED: Final = "pass_through"
PASSED_WORD: Final = "passed"
BAD_REQUEST: Final = 400
FAILS: Final = range(400, 600)
FAILURES: Final = frozenset({"upstream_failed", "internal_error"})
WIDEST_WORD: Final = len("forwarded")
AS_ABOVE: Final = " as above"
READABLE: Final = 20
"""Columns that a target has at least, or its time is left out."""
READABLE_AT_EASE: Final = 36
"""Columns that it has at least, or its time has a line of its own."""
NOT_TOLD: Final = {  # what Close did not tell, and what follows whether the email then went or not
    "owner": "Close did not tell who the key's owner is ({}): no sender is put in.",
    "user": "Close did not tell who its user is ({}): no sender is put in.",
    "stored_email": "Close did not tell of the stored email ({}): only Close can judge the change.",
}
UNREAD: Final = "Its body is no JSON object that could be read: only Close can tell."
OF_THE_LINE: Final = frozenset({"timestamp", "level", "event", "reason"})
OF_THE_EXCHANGE: Final = frozenset({"request_id", "method", "path", "client", "elapsed_ms"})
EMPTY: Final[tuple[object, ...]] = ([], (), {}, "")
LEVELS: Final = {"debug": "dim", "info": "dim", "warning": "yellow", "error": "bold red"}
SHORTEST: Final = 0.00005
"""Seconds, as it is shown."""

NOTHING_OWN: Final = Redaction()
"""Knows no request's credential."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One request, as it is shown."""

    at: str
    word: Text
    status: str
    method: str
    target: str
    took: str = ""
    judged: Judged | None = None
    """Whose rules and body are shown; None: they are not."""
    told: tuple[Spot, ...] = ()
    """What is told of the body."""
    said: tuple[Text, ...] = ()
    """Sentences before the body."""
    redaction: Redaction = NOTHING_OWN
    """Keeps credentials out of the body."""

    @property
    def gist(self) -> tuple[object, ...]:
        """What is below its line, whichever email it was; nothing where there is nothing."""
        found = [] if self.judged is None else [*_codes(self.judged), *self.told]
        said = [text.plain for text in self.said]
        return (self.word.plain, self.status, self.method, *found, *said) if found or said else ()

    @property
    def name(self) -> str:
        """Tell in a word what is below its line, if there is one."""
        names = [*([] if self.judged is None else _codes(self.judged)), *(spot.field for spot in self.told)]
        return names[0] if names else ""


def shown_of(story: Story) -> Shown:
    """Tell what there is to show of an exchange that is over."""
    exchange = story.exchange
    errors = refusal(story)
    judged, redaction = story.judged, Redaction(exchange.fields)
    told = tuple(Spot(field, Tone.WRONG, EXAMPLES.get(field)) for field, _ in errors if field)
    if judged is not None:
        told += spots(judged.verdict, story.filled.address if story.filled else None)
    return Shown(
        at=_clock(datetime.fromtimestamp(story.at).astimezone()),
        word=_word(story),
        status=str(exchange.status or "-"),
        method=exchange.method,
        target=printable(redaction.target(exchange.target)),
        took=f"  {_took(story)}",
        judged=judged if told or exchange.status == BAD_REQUEST else None,
        told=told,
        said=tuple(_said(story, errors)),
        redaction=redaction,
    )


def draw(shown: Shown, width: int, *, again: bool = False) -> RenderableType:
    """Draw it for so many columns. `again`: what would stand below it stands above it already."""
    return Group(*_drawn(shown, width, again=again))  # a text that is printed by itself would lose its no_wrap


def _drawn(shown: Shown, width: int, *, again: bool) -> Iterator[RenderableType]:
    if again:
        yield _again(shown, width)
        return
    yield from _title(shown, width)
    below: list[RenderableType] = []
    if shown.judged is not None:
        below += rules(shown.judged)
    below += map(Indented, shown.said)
    if shown.judged is not None:
        below += body(shown.judged.plain, shown.told, width, shown.redaction.value)
    if below:
        yield from [*below, Text()]


def event(told: Mapping[str, Any]) -> RenderableType:
    """Draw an event of the log that belongs to no request."""
    at = _clock(datetime.fromisoformat(str(told["timestamp"])).astimezone())
    style = LEVELS.get(str(told["level"]), "")
    line = Text().append(f"{at} ", style="dim").append(f"{told['level']:<9} ", style=style)
    return Indented(line.append_text(_event(told, "default")), 0)


def _event(told: Mapping[str, Any], style: str) -> Text:
    """Write an event out: in a sentence where there is one, or what it is and what is known of it."""
    name, sentence = in_words(told) or (printable(str(told["event"])), _facts(told))
    line = Text(f"{name}  ", style=style, overflow="fold") if name else Text(overflow="fold")
    return line.append(sentence, style="default")


def _title(shown: Shown, width: int) -> Iterator[Text]:
    one_line = shown.word.plain == PASSED_WORD
    line = _beginning(shown, "dim" if one_line else "")
    room = width - line.cell_len
    beside = room - len(shown.took) >= min(len(shown.target), READABLE if one_line else READABLE_AT_EASE)
    yield _ended(line, shown, room, shown.took if beside else "")
    if shown.took and not beside and not one_line:
        yield Text(shown.took, style="dim")


def _again(shown: Shown, width: int) -> Text:
    """Draw the one line of what is above already: of what it might say beside its target, what there is room for."""
    line = _beginning(shown, "dim")
    room = width - line.cell_len
    named = f"  {printable(shown.name)}{AS_ABOVE}" if shown.name else f" {AS_ABOVE}"
    least = min(len(shown.target), READABLE)
    fits = (more for more in (f"{shown.took}{named}", named, f" {AS_ABOVE}") if room - cell_len(more) >= least)
    return _ended(line, shown, room, next(fits, ""))


def _beginning(shown: Shown, style: str) -> Text:
    line = Text(style=style, no_wrap=True, overflow="ellipsis").append(f"{shown.at} ", style="dim")
    line.append_text(shown.word).append(" " * (WIDEST_WORD - len(shown.word) + 1))
    failed = shown.status.isdigit() and int(shown.status) in FAILS
    return line.append(f"{shown.status:>3} ", style="red" if failed else "").append(f"{shown.method:<4} ")


def _ended(line: Text, shown: Shown, room: int, more: str) -> Text:
    target = _middle_out(shown.target, room - cell_len(more))
    return line.append(target, style=shown.word.style).append(more, style="dim")


def _codes(judged: Judged) -> list[str]:
    verdict = judged.verdict
    refused = verdict.violations if isinstance(verdict, Reject) else ()
    return [violation.code.value for violation in (*refused, *verdict.reported)]


def _word(story: Story) -> Text:
    mark, judged = story.exchange.mark or "", story.judged
    if mark.startswith("failed") or any(note["event"] in FAILURES for note in story.notes):
        return Text("failed", style="bold red")
    if story.exchange.kind == PASSED:
        return Text(PASSED_WORD, style="dim")
    if not mark:
        return Text("left", style="yellow")  # its client has, before anything was done with it
    if judged is None:
        return word(Reject(()) if mark.startswith("rejected") else Forward())
    if isinstance(judged.verdict, FillSender) and story.filled is None:
        return word(Forward(judged.verdict.reported))
    return word(judged.verdict)


def _said(story: Story, errors: list[tuple[str, str]]) -> Iterator[Text]:
    if story.judged is None and not story.notes and (story.exchange.mark or "").startswith("forwarded"):
        yield _plain(UNREAD)
    if story.filled is not None:
        yield _plain("sender", "cyan").append(f"  {_whose(story.filled)}", style="default")
    for kind, reason in story.unknown:
        yield _plain("look-up failed", "yellow").append(f"  {NOT_TOLD[kind].format(reason)}", style="default")
    for note in story.notes:
        yield _event(note, LEVELS.get(note["level"], ""))
    if errors:
        by_close = (f"{field}: {text}" if field else text for field, text in errors)
        yield _plain("Close refuses it", "red").append(f"  {' '.join(by_close)}", style="default")
    exchange = story.exchange
    if not exchange.status:
        yield _plain("The client left before it had an answer.", "yellow")
    elif not exchange.complete:
        yield _plain("The answer was broken off.", "yellow")


def _whose(filled: Filled) -> str:
    whose = "the key's owner" if filled.user_id is None else f"user {printable(filled.user_id)}"
    return f"{printable(filled.address)}, the address of {whose} ({'asked just now' if filled.asked else 'remembered'})"


def _took(story: Story) -> str:
    close, own = f"Close {_time(story.by_close)}", f"gateway {_time(story.own)}"
    if story.by_close < SHORTEST:
        return own
    return close if story.exchange.kind == PASSED else f"{close}, {own}"


def _time(seconds: float) -> str:
    if seconds < 0.01:  # noqa: PLR2004 - below, tenths of a millisecond tell something
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _facts(told: Mapping[str, Any]) -> str:
    reason = [printable(str(told["reason"]))] if "reason" in told else []
    others = {name: value for name, value in told.items() if name not in OF_THE_LINE | OF_THE_EXCHANGE}
    return "  ".join([*reason, *(f"{name}={_fact(value)}" for name, value in others.items() if value not in EMPTY)])


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{number} {printable(str(name))}" for name, number in value.items())
    return printable(str(value))


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M:%S")


def _plain(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style, overflow="fold")


def _middle_out(text: str, room: int) -> str:
    """Cut a target short in its middle: it is the end that tells which email."""
    if cell_len(text) <= room:
        return text
    end = max(1, room // 3)
    return f"{text[: room - end - 1]}…{text[-end:]}"

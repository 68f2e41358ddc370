"""Verdicts for people: file and line, what is wrong in a sentence, and the body with the spots to change.

Rule    So many payloads are drawn, and further ones are counted: a million would serve nobody.
Rule    Elsewhere than on a terminal, and without COLUMNS, a sentence is one line, which grep finds whole.
"""

import os
from collections.abc import Callable
from typing import IO, Final

from rich.text import Text

from gateway.commands.checking.found import Unreadable
from gateway.commands.checking.judging import Outcome
from gateway.commands.checking.tally import Tally
from gateway.commands.screen import screen
from gateway.commands.texts import clean
from gateway.live.judged import Judged, draw, word
from gateway.policy import FillSender, Verdict

UNBROKEN: Final = 10_000
"""Columns. No sentence of ours comes near to it."""


class Screen:
    """Draws on `out` the first `limit` payloads there is something to say of. `update`: they are changes.

    `aside` is called before anything is drawn.
    """

    def __init__(self, out: IO[str], limit: int, *, update: bool, aside: Callable[[], None]) -> None:
        self._console = screen(out)
        self._width = self._console.width
        if not (out.isatty() or os.environ.get("COLUMNS")):
            self._console.width = UNBROKEN
        self._limit = limit
        self._update = update
        self._aside = aside
        self._number = 0

    def judged(self, file: str, outcome: Outcome) -> None:
        found = _found(outcome.verdict)
        if not found and not outcome.unsettled and not isinstance(outcome.verdict, FillSender):
            return
        self._number += 1
        if self._number > self._limit:
            return
        self._aside()
        head = Text(f"{clean(file)}:{outcome.payload.line}", style="bold", overflow="fold")
        head.append("  ").append_text(word(outcome.verdict)).append(_beside(outcome), style="not bold")
        self._console.print(head)
        if found:
            judged = Judged(outcome.payload.body, outcome.email, outcome.verdict, update=self._update)
            self._console.print(draw(judged, self._width))
            self._console.print()

    def unreadable(self, file: str, what: Unreadable) -> None:
        """It is told as an error."""

    def done(self, tally: Tally) -> None:
        self._aside()
        more = self._number - self._limit
        if more > 0:
            self._console.print(Text(f"{more:,} more are not shown: raise --limit, or take --json.", style="dim"))
        self._console.print(Text(tally.line, style="bold"))


def _found(verdict: Verdict) -> bool:
    return bool(verdict.reported or getattr(verdict, "violations", ()))


def _beside(outcome: Outcome) -> str:
    match outcome.verdict:
        case FillSender(None):
            return " with the address of the key's owner"
        case FillSender(user_id):
            return f" with the address of {clean(str(user_id))}"
        case _ if outcome.unsettled:
            return "; only Close knows whether the stored email has a sender"
        case _:
            return ""

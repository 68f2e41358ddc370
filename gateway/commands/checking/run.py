"""All files of a call, one payload after the other: read, judged and told."""

import enum
from dataclasses import dataclass
from typing import IO

import click

from gateway.commands.checking.files import Bar, found_in, shown, with_bar
from gateway.commands.checking.found import Unreadable
from gateway.commands.checking.judging import Judge
from gateway.commands.checking.stored import Stored
from gateway.commands.checking.tally import Tally
from gateway.commands.checking.telling import Rows, Teller
from gateway.commands.texts import clean
from gateway.policy import Modes


class Form(enum.Enum):
    """How verdicts are told."""

    PEOPLE = enum.auto()
    JSON = enum.auto()
    SARIF = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be judged, and how it is told. A file may be `-`, standard input."""

    files: tuple[str, ...]
    stored: str | None
    """Where the stored emails are. None: nobody gave any."""
    update: bool
    form: Form
    limit: int
    """How many payloads are drawn for people."""


class Run:
    """Judges what was asked, by these modes; `max_body` is in bytes of a payload."""

    def __init__(self, asked: Asked, modes: Modes, max_body: int, out: IO[str]) -> None:
        self.tally = Tally()
        self._asked = asked
        self._modes = modes
        self._max_body = max_body
        self._out = out
        self._teller = self._told_by()
        self._bar: Bar | None = None

    def go(self) -> None:
        """Do all of it. What is written is flushed: what fails then is no matter of the interpreter's end."""
        judge = Judge(self._modes, self._max_body, self._stored())
        for name in self._asked.files:
            self._bar = with_bar(name)
            try:
                self._file(name, judge)
            finally:
                self._aside()
        self._teller.done(self.tally)
        self._out.flush()

    def _file(self, name: str, judge: Judge) -> None:
        file = shown(name)
        judged, tally = self._teller.judged, self.tally
        for found in found_in(name, self._max_body, self._bar):
            outcome = found if isinstance(found, Unreadable) else judge(found)
            if isinstance(outcome, Unreadable):
                self._unreadable(file, outcome)
            else:
                tally.judged(outcome)
                judged(file, outcome)

    def _stored(self) -> Stored | None:
        if not self._asked.update:
            return None
        stored = Stored()
        if self._asked.stored is not None:
            name = self._asked.stored
            for wrong in stored.take(found_in(name, self._max_body), self._max_body):
                self._unreadable(shown(name), wrong)
        return stored

    def _unreadable(self, file: str, what: Unreadable) -> None:
        self.tally.unreadable += 1
        self._aside()
        place = "" if what.line is None else f":{what.line}:{what.column}"
        click.echo(f"{clean(file)}{place}: {what.what}", err=True)
        self._teller.unreadable(file, what)

    def _aside(self) -> None:
        if self._bar is not None:
            self._bar.aside()

    def _told_by(self) -> Teller:
        update = self._asked.update
        match self._asked.form:
            case Form.JSON:
                return Rows(self._out, update=update)
            case Form.SARIF:
                from gateway.commands.checking.sarif import Sarif

                return Sarif(self._out, self._modes, update=update)
            case Form.PEOPLE:
                from gateway.commands.checking.people import Screen

                return Screen(self._out, self._asked.limit, update=update, aside=self._aside)

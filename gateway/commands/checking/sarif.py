"""Verdicts as SARIF, for what shows findings beside the code: each breach of a rule is a result.

Rule    What refuses is an error, what is reported a warning. What could not be read is no result but a notification
        of the run.
Source  SARIF 2.1.0 (OASIS); GitHub, "SARIF support for code scanning": it shows 5,000 results of a run, those of the
        highest level, and needs the texts of a rule that are here.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

from gateway import __version__
from gateway.commands.checking.found import Unreadable
from gateway.commands.checking.judging import Outcome
from gateway.commands.checking.region import region
from gateway.commands.checking.tally import Tally
from gateway.policy import Modes, Reject, Violation, ViolationCode, Violations
from gateway.wire.advice import source
from gateway.wire.error import explain

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST: Final = 5_000
"""Results of a run."""
MOST_NOTED: Final = 100
"""Notifications of what could not be read."""
ROOT: Final = "%SRCROOT%"
"""What the files' names are relative to: where the command runs."""
RULES: Final = {
    ViolationCode.SENDER_REQUIRED: "An email that is received, sent or about to be sent needs a sender.",
    ViolationCode.SENDER_MALFORMED: "A sender is a text with an address in it.",
    ViolationCode.STATUS_REQUIRED: "A new email needs a status.",
    ViolationCode.STATUS_UNKNOWN: "The status of a new email is one of the six that Close documents.",
    ViolationCode.LEAD_ID_REQUIRED: "A new email belongs to a lead.",
    ViolationCode.DATE_SCHEDULED_REQUIRED: "A scheduled email needs the date to send it at.",
    ViolationCode.SEND_IN_INVALID: "A delay before sending is a whole number of seconds below 60.",
    ViolationCode.SEND_IN_MISPLACED: "Only an email that is sent at once can be delayed.",
    ViolationCode.ATTACHMENT_URL_INVALID: "Attachments lie among the files that Close keeps.",
}
INDEX: Final = {code: index for index, code in enumerate(RULES)}


class Sarif:
    """Writes one document at the end. `update`: the payloads are changes."""

    def __init__(self, out: IO[str], modes: Modes, *, update: bool) -> None:
        self._out = out
        self._modes = modes
        self._update = update
        self._errors: list[dict[str, Any]] = []
        self._warnings: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []
        self._number = 0

    def judged(self, file: str, outcome: Outcome) -> None:
        refused: Violations = outcome.verdict.violations if isinstance(outcome.verdict, Reject) else ()
        for violations, level, kept in (
            (refused, "error", self._errors),
            (outcome.verdict.reported, "warning", self._warnings),
        ):
            self._number += len(violations)
            for violation in violations[: MOST - len(kept)]:
                kept.append(self._result(file, outcome, violation, level))

    def unreadable(self, file: str, what: Unreadable) -> None:
        if len(self._notes) < MOST_NOTED:
            place = None if what.line is None else {"startLine": what.line, "startColumn": what.column}
            note = {"level": "error", "message": {"text": what.what}, "locations": [_location(file, place)]}
            self._notes.append(note)

    def done(self, tally: Tally) -> None:
        results = [*self._errors, *self._warnings][:MOST]
        notes = list(self._notes)
        if self._number > len(results):
            text = f"{self._number:,} breaches of rules are found, and {len(results):,} of them given."
            notes.append({"level": "warning", "message": {"text": text}})
        if tally.unreadable > len(self._notes):
            text = f"{tally.unreadable:,} places cannot be read, and {len(self._notes):,} of them given."
            notes.append({"level": "error", "message": {"text": text}})
        run = {
            "tool": {"driver": self._driver()},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": not tally.unreadable, "toolExecutionNotifications": notes}],
            "results": results,
        }
        json.dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, self._out, indent=2)
        self._out.write("\n")

    def _result(self, file: str, outcome: Outcome, violation: Violation, level: str) -> dict[str, Any]:
        place = region(outcome.payload, violation.field)
        lines = {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        }
        return {
            "ruleId": violation.code.value,
            "ruleIndex": INDEX[violation.code],
            "level": level,
            "message": {"text": explain(violation, outcome.email, update=self._update)},
            "locations": [_location(file, lines)],
        }

    def _driver(self) -> dict[str, Any]:
        return {
            "name": "close-gateway check",
            "version": __version__,
            "rules": [self._rule(code, text) for code, text in RULES.items()],
        }

    def _rule(self, code: ViolationCode, text: str) -> dict[str, Any]:
        level = "error" if code in self._modes.enforced else "warning"
        return {
            "id": code.value,
            "shortDescription": {"text": text},
            "fullDescription": {"text": text},
            "help": {"text": f"{text} See {source(code)}"},
            "helpUri": source(code),
            "defaultConfiguration": {"enabled": self._modes.watches(code), "level": level},
        }


def _location(file: str, place: Mapping[str, int | None] | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(file)}
    return {"physicalLocation": physical if place is None else {**physical, "region": place}}


def _artifact(file: str) -> dict[str, str]:
    """Name a file as a URI: below where the command runs it is relative, elsewhere whole."""
    path = Path(os.path.abspath(file))  # noqa: PTH100 - a link keeps the name by which the file was given
    try:
        return {"uri": quote(os.fsencode(path.relative_to(Path.cwd()).as_posix())), "uriBaseId": ROOT}
    except ValueError:
        return {"uri": path.as_uri()}

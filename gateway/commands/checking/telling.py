"""Who is told of what comes of payloads: programs by JSON Lines here, people and SARIF in modules of their own."""

import json
from collections.abc import Iterator, Mapping
from typing import IO, Protocol

from gateway.commands.checking.found import Found, Unreadable
from gateway.commands.checking.judging import Outcome
from gateway.commands.checking.region import region
from gateway.commands.checking.tally import Tally
from gateway.policy import FillSender, Reject, Violations
from gateway.wire.advice import source
from gateway.wire.error import explain


class Teller(Protocol):
    """Is told, and tells it further."""

    def judged(self, file: str, outcome: Outcome) -> None: ...

    def unreadable(self, file: str, what: Unreadable) -> None: ...

    def done(self, tally: Tally) -> None: ...


class Rows:
    """Writes a line of JSON for each payload, in which every list is there, be it empty. `update`: they are changes."""

    def __init__(self, out: IO[str], *, update: bool) -> None:
        self._out = out
        self._update = update

    def judged(self, file: str, outcome: Outcome) -> None:
        found: Violations = ()
        match outcome.verdict:
            case Reject(found):
                row: dict[str, object] = {"verdict": "rejected"}
            case FillSender(user_id):
                row = {"verdict": "filled", "from": "owner" if user_id is None else "user", "user_id": user_id}
            case _:
                row = {"verdict": "forwarded"}
        row |= {
            "violations": list(self._violations(outcome, found)),
            "reported": list(self._violations(outcome, outcome.verdict.reported)),
            "unsettled": outcome.unsettled,
        }
        self._write(file, outcome.payload, row)

    def unreadable(self, file: str, what: Unreadable) -> None:
        row = {"verdict": "unreadable", "violations": [], "reported": [], "unsettled": False, "detail": what.what}
        self._write(file, what, row)

    def done(self, tally: Tally) -> None:
        """Every line is written."""

    def _write(self, file: str, found: Found, row: Mapping[str, object]) -> None:
        place = {"file": file, "line": found.line, "column": found.column}
        self._out.write(f"{json.dumps({**place, **row})}\n")

    def _violations(self, outcome: Outcome, violations: Violations) -> Iterator[dict[str, object]]:
        for violation in violations:
            place = region(outcome.payload, violation.field)
            yield {
                "code": violation.code.value,
                "field": violation.field,
                "message": violation.message,
                "detail": explain(violation, outcome.email, update=self._update),
                "docs": source(violation.code),
                "line": place.line,
                "column": place.column,
            }

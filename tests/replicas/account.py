"""What a scenario came to, in counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.replicas.ledger import Ledger, Outcome, Row

COLUMNS: Final = (
    "scenario",
    "sent",
    *(outcome.value for outcome in Outcome),
    "credentials",
    "/me/",
    "in the store",
    "left out of it",
)


@dataclass
class Account:
    """The requests of a load, held against all that tells of them.

    `rows` are the rejections in the store, `unrecorded` the requests whose rejection a killed gateway took along;
    `asked` are the questions for the owners of credentials. `facts` are worth telling beside the counts.
    """

    name: str
    ledger: Ledger
    rows: list[Row]
    problems: list[str]
    unrecorded: list[str]
    asked: int
    facts: dict[str, Any]

    def count(self, outcome: Outcome) -> int:
        return self.ledger.outcomes()[outcome]

    @property
    def counts(self) -> list[int]:
        """The columns of the table, but for the name."""
        outcomes = map(self.count, Outcome)
        credentials = len(self.ledger.credentials())
        return [len(self.ledger.entries), *outcomes, credentials, self.asked, len(self.rows), len(self.unrecorded)]

    def __str__(self) -> str:
        counts = (f"{name} {count}" for name, count in zip(COLUMNS[1:], self.counts, strict=True))
        facts = (f"{name} {fact}" for name, fact in self.facts.items())
        return f"{self.name}: {', '.join([*counts, *facts])}"


def table(accounts: Sequence[Account]) -> str:
    """Draw a table, with a line for each account and the sums below."""
    sums = [sum(column) for column in zip(*(account.counts for account in accounts), strict=True)]
    lines: list[list[object]] = [[*COLUMNS], *([account.name, *account.counts] for account in accounts), ["all", *sums]]
    widths = [max(len(str(cell)) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            [
                str(first).ljust(widths[0]),
                *(str(cell).rjust(width) for cell, width in zip(rest, widths[1:], strict=True)),
            ]
        )
        for first, *rest in lines
    )

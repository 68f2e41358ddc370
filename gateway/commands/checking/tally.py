"""How many payloads there were of each kind, and the exit code and the line that come of it."""

from dataclasses import dataclass
from typing import Final

from gateway.commands.checking.judging import Outcome
from gateway.policy import FillSender, Forward, Reject

FINE: Final = 0
REJECTED: Final = 1
UNREADABLE: Final = 2


@dataclass(slots=True)
class Tally:
    """Counts as they come."""

    rejected: int = 0
    filled: int = 0
    forwarded: int = 0
    reported: int = 0
    """Of all three, those of which something is reported."""
    unsettled: int = 0
    unreadable: int = 0

    def judged(self, outcome: Outcome) -> None:
        match outcome.verdict:
            case Reject():
                self.rejected += 1
            case FillSender():
                self.filled += 1
            case Forward():
                self.forwarded += 1
        self.reported += bool(outcome.verdict.reported)
        self.unsettled += outcome.unsettled

    @property
    def exit_code(self) -> int:
        """Tell of the worst: what could not be read may be anything."""
        return UNREADABLE if self.unreadable else REJECTED if self.rejected else FINE

    @property
    def line(self) -> str:
        """Sum it up."""
        number = self.rejected + self.filled + self.forwarded
        text = f"{number:,} payload{'s' * (number != 1)}: {self.rejected:,} rejected, {self.filled:,} filled, "
        text += f"{self.forwarded:,} forwarded"
        if self.reported:
            text += f"; {self.reported:,} with reports"
        if self.unsettled:
            text += f"; {self.unsettled:,} of a stored email that is not known (see --stored)"
        if self.unreadable:
            text += f"; {self.unreadable:,} unreadable"
        return text

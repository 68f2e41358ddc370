"""What is wrong with a configuration, said so that its reader can mend it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gateway.config.values import printable
from gateway.errors import GatewayError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: with which setting, where it was given, what it is, and what mends it."""

    setting: str
    """Its name in the file, section and key: upstream.timeout. Empty: the source itself is at fault."""
    source: str
    """The file, variable or flag that gave it."""
    what: str
    fix: str

    def __str__(self) -> str:
        source = printable(self.source)
        of = f"{printable(self.setting)} (from {source})" if self.setting else source
        return f"{of} {self.what}. {self.fix}"


class BadConfiguration(GatewayError):
    """The settings cannot be used. `problems` holds every one that was found."""

    code: ClassVar[str] = "bad_configuration"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

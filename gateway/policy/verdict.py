"""What the policy may answer: a verdict, which is data. Carrying it out is the interceptor's part."""

import enum
from dataclasses import dataclass
from typing import TypeAlias


class ViolationCode(enum.Enum):
    """A name for each thing that a rule may find. The names stay: logs, dashboards and clients hold on to them."""

    SENDER_REQUIRED = "sender_required"
    SENDER_MALFORMED = "sender_malformed"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing a rule found, about one field."""

    code: ViolationCode
    field: str
    message: str
    """What Close itself would say of the field. Clients match on it."""


@dataclass(frozen=True, slots=True)
class Forward:
    """Close would take it, or only Close can tell."""


@dataclass(frozen=True, slots=True)
class FillSender:
    """Close wants a sender and says whose address stands in."""

    user_id: str | None
    """The email's user; None: the owner of the credential."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Answer in Close's place, naming every violation found."""

    violations: tuple[Violation, ...]


Verdict: TypeAlias = Forward | FillSender | Reject
UpdateVerdict: TypeAlias = Forward | Reject
"""No sender is filled into an update: the stored email has one, or the update is refused."""

FORWARD = Forward()
SENDER_REQUIRED = Reject((Violation(ViolationCode.SENDER_REQUIRED, "sender", "This field is required."),))
SENDER_NOT_A_STRING = Reject((Violation(ViolationCode.SENDER_MALFORMED, "sender", "Value must be of str type."),))
SENDER_NO_ADDRESS = Reject((Violation(ViolationCode.SENDER_MALFORMED, "sender", "Invalid email address."),))

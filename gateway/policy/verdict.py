"""What the policy answers: what it found, and a verdict, which is data. Carrying it out is the interceptor's part."""

import enum
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias


class ViolationCode(enum.Enum):
    """A name for each thing that a rule may find. The names stay: settings, logs and clients hold on to them."""

    SENDER_REQUIRED = "sender_required"
    SENDER_MALFORMED = "sender_malformed"
    STATUS_REQUIRED = "status_required"
    STATUS_UNKNOWN = "status_unknown"
    LEAD_ID_REQUIRED = "lead_id_required"
    DATE_SCHEDULED_REQUIRED = "date_scheduled_required"
    SEND_IN_INVALID = "send_in_invalid"
    SEND_IN_MISPLACED = "send_in_misplaced"
    ATTACHMENT_URL_INVALID = "attachment_url_invalid"

    __hash__ = object.__hash__  # as of Status


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing a rule found, about one field."""

    code: ViolationCode
    field: str
    message: str
    """What Close itself would say of the field. Clients match on it."""


Violations: TypeAlias = tuple[Violation, ...]
"""In the order of their codes, each code once at most."""


@dataclass(frozen=True, slots=True)
class Forward:
    """Nothing that is found refuses it: Close would take it, or only Close can tell."""

    reported: Violations = ()
    """What is told of it all the same; and so with the others."""


@dataclass(frozen=True, slots=True)
class FillSender:
    """Close wants a sender and says whose address stands in."""

    user_id: str | None
    """The email's user; None: the owner of the credential."""
    reported: Violations = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """Answer in Close's place, naming every violation that is enforced."""

    violations: Violations
    reported: Violations = ()


Verdict: TypeAlias = Forward | FillSender | Reject

FORWARD: Final = Forward()


class Findings(NamedTuple):
    """All that the rules found, before anybody asks which of them refuse."""

    violations: Violations = ()
    otherwise: Forward | FillSender = FORWARD
    """What becomes of the email unless it is refused."""

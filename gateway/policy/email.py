"""What a rule may look at: an email write as the client sent it, and the email as Close holds it."""

import enum
from dataclasses import dataclass


class Status(enum.Enum):
    """Where an email activity stands.

    Source  developer.close.com: Emails; the published API description lists the same six.
    """

    INBOX = "inbox"
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    OUTBOX = "outbox"
    SENT = "sent"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class EmailWrite:
    """What a request says about an email, to create it or to change it."""

    status: Status | None = None
    """None: no status is given, or none that Close documents."""
    sender: object = None
    """The JSON value as it came: a string where all is well, None where it is null or absent, else anything."""
    user_id: object = None
    """The user whose email it is, as it came: a string, None where it is null, absent or empty, else anything."""


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """What Close already holds under an id."""

    sender: str | None
    """None: the email has no sender yet."""

"""What a rule may look at: an email write as the client sent it, and the email as Close holds it."""

import enum
from dataclasses import dataclass
from typing import NamedTuple


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

    # There is one of each: its place will do, and is found quicker than the hash of its name, which Enum takes.
    __hash__ = object.__hash__


class Absent(enum.Enum):
    """Stands for a value where absent is something else than null."""

    ABSENT = enum.auto()


class EmailWrite(NamedTuple):
    """What a request says about an email, to create it or to change it.

    Values are JSON values as they came, whatever a client may have put there; None: null or absent.
    """

    status: Status | None = None
    """None: no status is given, or none that Close documents."""
    sender: object = None
    user_id: object = None
    """The user whose email it is. None: empty, too."""
    status_given: object = None
    """What stands in the place of the status: tells none from one that Close does not document."""
    lead_id: object = None
    date_scheduled: object = Absent.ABSENT
    send_in: object = None
    attachments: object = None


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """What Close already holds under an id."""

    sender: str | None
    """None: the email has no sender yet."""

"""What the JSON of an email says to the rules.

Rule    Null and absent are the same but where a rule tells them apart. A status is one of the six, to the letter.
        A user_id that is empty names nobody.
Source  developer.close.com: Emails, "Create". Values of other types are kept as they came: the rules tell of them.
Needs   The members of the JSON object. How bytes become members is the caller's part, and so is what is no object:
        the gateway forwards it.
"""

from collections.abc import Mapping
from typing import Final

from gateway.policy.email import Absent, EmailWrite, Status, StoredEmail

STATUSES: Final = {status.value: status for status in Status}


def email_write(members: Mapping[str, object]) -> EmailWrite:
    """Pick what the rules look at from the members of a request's JSON object. A body that is no object has none.

    >>> email_write({"status": "outbox", "lead_id": "lead_1", "subject": "Hello"}).lead_id
    'lead_1'
    """
    value = members.get
    status, user_id = value("status"), value("user_id")
    return EmailWrite(
        STATUSES.get(status) if isinstance(status, str) else None,
        value("sender"),
        None if user_id == "" else user_id,
        status,
        value("lead_id"),
        value("date_scheduled", Absent.ABSENT),
        value("send_in"),
        value("attachments"),
    )


def stored_email(members: Mapping[str, object]) -> StoredEmail | None:
    """Read an email as Close gives it; None where it does not tell of a sender.

    >>> stored_email({"id": "acti_1", "sender": None})
    StoredEmail(sender=None)
    >>> stored_email({"id": "acti_1"}) is None
    True
    """
    if "sender" not in members:
        return None
    sender = members["sender"]
    return StoredEmail(sender) if sender is None or isinstance(sender, str) else None

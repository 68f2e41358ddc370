"""May this email be changed so?

Rule    What is to be sent now or later (scheduled, outbox) needs a sender, in the change or in the stored email.
        The other rules, RULES, have modules of their own. All else is Close's to answer.
Source  developer.close.com: change log of 2025-12-17; Emails, "Update".
Needs   The request, and the stored email where the request says nothing of a sender. No other rule has anyone asked.
"""

from typing import Final, assert_never

from gateway.policy.attachments import attachment_url
from gateway.policy.date_scheduled import date_of_change
from gateway.policy.email import EmailWrite, Status, StoredEmail
from gateway.policy.send_in import delay, place_in_change
from gateway.policy.sender import (
    SENDER_NO_ADDRESS,
    SENDER_NOT_A_STRING,
    SENDER_REQUIRED,
    SenderState,
    sender_state,
)
from gateway.policy.verdict import Findings, Violation

SENDS = frozenset({Status.SCHEDULED, Status.OUTBOX})


def needs_stored_email(change: EmailWrite) -> bool:
    """Whether only the email that Close holds can settle the matter."""
    return change.status in SENDS and sender_state(change.sender) is SenderState.MISSING


def judge_update(change: EmailWrite, stored: StoredEmail | None) -> Findings:
    """Judge a `PUT /api/v1/activity/email/{id}/`.

    `stored` is None where Close was not asked or could not tell; what cannot be known is forwarded.

    >>> change = EmailWrite(Status.OUTBOX, status_given="outbox")
    >>> needs_stored_email(change)
    True
    >>> judge_update(change, None).violations
    ()
    >>> [violation.code.value for violation in judge_update(change, StoredEmail(sender=None)).violations]
    ['sender_required']
    """
    found = [sender_of_change(change, stored), *(rule(change) for rule in RULES)]
    return Findings(tuple(violation for violation in found if violation is not None))


def sender_of_change(change: EmailWrite, stored: StoredEmail | None) -> Violation | None:
    """Find what is wrong with the sender."""
    if change.status not in SENDS:
        return None
    match sender_state(change.sender):
        case SenderState.MISSING:
            known_to_have_none = stored is not None and sender_state(stored.sender) is SenderState.MISSING
            return SENDER_REQUIRED if known_to_have_none else None
        case SenderState.NOT_A_STRING:
            return SENDER_NOT_A_STRING
        case SenderState.NO_ADDRESS:
            return SENDER_NO_ADDRESS
        case SenderState.USABLE:
            return None
        case other:
            assert_never(other)


RULES: Final = (date_of_change, delay, place_in_change, attachment_url)
"""In the order of their codes."""

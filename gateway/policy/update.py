"""May this email be changed so?

Rule    What is to be sent now or later (scheduled, outbox) needs a sender, in the change or in the stored email.
        Every other change is Close's to answer.
Source  developer.close.com: change log of 2025-12-17; Emails, "Update".
Needs   The request, and the stored email where the request says nothing of a sender.
"""

from typing import assert_never

from gateway.policy.email import EmailWrite, Status, StoredEmail
from gateway.policy.sender import SenderState, sender_state
from gateway.policy.verdict import (
    FORWARD,
    SENDER_NO_ADDRESS,
    SENDER_NOT_A_STRING,
    SENDER_REQUIRED,
    UpdateVerdict,
)

SENDS = frozenset({Status.SCHEDULED, Status.OUTBOX})


def needs_stored_email(change: EmailWrite) -> bool:
    """Whether only the email that Close holds can settle the matter."""
    return change.status in SENDS and sender_state(change.sender) is SenderState.MISSING


def judge_update(change: EmailWrite, stored: StoredEmail | None) -> UpdateVerdict:
    """Judge a `PUT /api/v1/activity/email/{id}/`.

    `stored` is None where Close was not asked or could not tell; what cannot be known is forwarded.
    """
    if change.status not in SENDS:
        return FORWARD
    match sender_state(change.sender):
        case SenderState.MISSING:
            known_to_have_none = stored is not None and sender_state(stored.sender) is SenderState.MISSING
            return SENDER_REQUIRED if known_to_have_none else FORWARD
        case SenderState.NOT_A_STRING:
            return SENDER_NOT_A_STRING
        case SenderState.NO_ADDRESS:
            return SENDER_NO_ADDRESS
        case SenderState.USABLE:
            return FORWARD
        case other:
            assert_never(other)

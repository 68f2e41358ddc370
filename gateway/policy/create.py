"""May this email be created?

Rule    A sender is needed for inbox, scheduled, outbox and error.
        A draft may wait for one; for sent, the email's user or the key's owner stands in.
Source  developer.close.com: change log of 2025-12-17; Emails, "Create".
Needs   The request alone. Whose address stands in, the caller finds out.
"""

from typing import assert_never

from gateway.policy.email import EmailWrite, Status
from gateway.policy.sender import SenderState, sender_state
from gateway.policy.verdict import (
    FORWARD,
    SENDER_NO_ADDRESS,
    SENDER_NOT_A_STRING,
    SENDER_REQUIRED,
    FillSender,
    Verdict,
)

NEEDS_SENDER = frozenset({Status.INBOX, Status.SCHEDULED, Status.OUTBOX, Status.ERROR})


def judge_create(email: EmailWrite) -> Verdict:
    """Judge a `POST /api/v1/activity/email/`."""
    if email.status is Status.SENT:
        return _judge_sent(email)
    if email.status not in NEEDS_SENDER:
        return FORWARD  # a draft; or no status we know, which is Close's to answer
    match sender_state(email.sender):
        case SenderState.MISSING:
            return SENDER_REQUIRED
        case SenderState.NOT_A_STRING:
            return SENDER_NOT_A_STRING
        case SenderState.NO_ADDRESS:
            return SENDER_NO_ADDRESS
        case SenderState.USABLE:
            return FORWARD
        case other:
            assert_never(other)


def _judge_sent(email: EmailWrite) -> Verdict:
    if sender_state(email.sender) is not SenderState.MISSING:
        return FORWARD
    if email.user_id is None or isinstance(email.user_id, str):
        return FillSender(email.user_id)
    return FORWARD  # it names a user, but not so that anyone could tell which

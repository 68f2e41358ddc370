"""May this email be created?

Rule    A sender is needed for inbox, scheduled, outbox and error.
        A draft may wait for one; for sent, the email's user or the key's owner stands in.
        The other rules, RULES, have modules of their own.
Source  developer.close.com: change log of 2025-12-17; Emails, "Create".
Needs   The request alone. Whose address stands in, the caller finds out.
"""

from typing import Final, assert_never

from gateway.policy.attachments import attachment_url
from gateway.policy.date_scheduled import date_of_new
from gateway.policy.email import EmailWrite, Status
from gateway.policy.lead import lead_of_new
from gateway.policy.send_in import delay, place_in_new
from gateway.policy.sender import (
    SENDER_NO_ADDRESS,
    SENDER_NOT_A_STRING,
    SENDER_REQUIRED,
    SenderState,
    sender_state,
)
from gateway.policy.status import status_of_new
from gateway.policy.verdict import FORWARD, FillSender, Findings, Forward, Violation

NEEDS_SENDER = frozenset({Status.INBOX, Status.SCHEDULED, Status.OUTBOX, Status.ERROR})


def judge_create(email: EmailWrite) -> Findings:
    """Judge a `POST /api/v1/activity/email/`.

    >>> judge_create(EmailWrite(Status.SENT, status_given="sent", lead_id="lead_1", user_id="user_1")).otherwise
    FillSender(user_id='user_1', reported=())
    """
    # Hardly any email has what the rest of the rules is about.
    rules = USUAL if email.send_in is None and email.attachments is None else RULES
    violations = [violation for rule in rules if (violation := rule(email)) is not None]
    return Findings(tuple(violations), _for_sent(email) if email.status is Status.SENT else FORWARD)


def sender_of_new(email: EmailWrite) -> Violation | None:
    """Find what is wrong with the sender."""
    if email.status not in NEEDS_SENDER:
        return None  # a draft; sent, which is no reason to refuse; or no status we know, which is Close's to answer
    match sender_state(email.sender):
        case SenderState.MISSING:
            return SENDER_REQUIRED
        case SenderState.NOT_A_STRING:
            return SENDER_NOT_A_STRING
        case SenderState.NO_ADDRESS:
            return SENDER_NO_ADDRESS
        case SenderState.USABLE:
            return None
        case other:
            assert_never(other)


def _for_sent(email: EmailWrite) -> Forward | FillSender:
    if sender_state(email.sender) is not SenderState.MISSING:
        return FORWARD
    if email.user_id is None or isinstance(email.user_id, str):
        return FillSender(email.user_id)
    return FORWARD  # it names a user, but not so that anyone could tell which


USUAL: Final = (sender_of_new, status_of_new, lead_of_new, date_of_new)
RULES: Final = (*USUAL, delay, place_in_new, attachment_url)
"""In the order of their codes: the first that is enforced gives an answer its code."""

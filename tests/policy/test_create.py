from copy import deepcopy
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.create import judge_create
from gateway.policy.email import EmailWrite, Status
from gateway.policy.sender import SenderState
from gateway.policy.verdict import FillSender, Forward, Reject, Verdict, Violation, ViolationCode
from tests.policy.senders import ADDRESS, JSON_VALUES, SENDERS

FORWARD = Forward()
FILL = FillSender(None)
REQUIRED = Reject((Violation(ViolationCode.SENDER_REQUIRED, "sender", "This field is required."),))
NO_STRING = Reject((Violation(ViolationCode.SENDER_MALFORMED, "sender", "Value must be of str type."),))
NO_ADDRESS = Reject((Violation(ViolationCode.SENDER_MALFORMED, "sender", "Invalid email address."),))

STATES = (SenderState.MISSING, SenderState.NOT_A_STRING, SenderState.NO_ADDRESS, SenderState.USABLE)
TABLE: list[tuple[Status | None, tuple[Verdict, ...]]] = [  # status, and the verdict for each state of the sender
    (Status.INBOX, (REQUIRED, NO_STRING, NO_ADDRESS, FORWARD)),
    (Status.DRAFT, (FORWARD, FORWARD, FORWARD, FORWARD)),
    (Status.SCHEDULED, (REQUIRED, NO_STRING, NO_ADDRESS, FORWARD)),
    (Status.OUTBOX, (REQUIRED, NO_STRING, NO_ADDRESS, FORWARD)),
    (Status.SENT, (FILL, FORWARD, FORWARD, FORWARD)),
    (Status.ERROR, (REQUIRED, NO_STRING, NO_ADDRESS, FORWARD)),
    (None, (FORWARD, FORWARD, FORWARD, FORWARD)),
]
CELLS = [
    (status, state, verdict) for status, verdicts in TABLE for state, verdict in zip(STATES, verdicts, strict=True)
]


def test_the_table_is_complete() -> None:
    """A status or a state of the sender that is added to its enum has to be given verdicts."""
    assert [status for status, _ in TABLE] == [*Status, None]
    assert set(STATES) == set(SenderState)


@pytest.mark.parametrize(("status", "state", "verdict"), CELLS)
def test_the_documented_table(status: Status | None, state: SenderState, verdict: Verdict) -> None:
    """What Close refuses since 2025-12-17 is rejected, sent is filled in, and all the rest is Close's to answer."""
    for sender in SENDERS[state]:
        assert judge_create(EmailWrite(status=status, sender=sender)) == verdict, sender


def test_the_sender_of_a_sent_email_is_its_users() -> None:
    """Where the email names a user, it is their address that stands in, not the key owner's."""
    email = EmailWrite(status=Status.SENT, sender=None, user_id="user_1")
    assert judge_create(email) == FillSender("user_1")
    assert judge_create(EmailWrite(status=Status.SENT, sender=ADDRESS, user_id="user_1")) == FORWARD


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.sampled_from([*Status, None]), JSON_VALUES, st.none() | st.text())
def test_judging_is_total_and_pure(status: Status | None, sender: object, user_id: str | None) -> None:
    """Whatever stands in the email, there is a verdict; it is the same each time, and the email is left as it was."""
    email = EmailWrite(status, sender, user_id)
    before = deepcopy(email)
    verdict = judge_create(email)
    assert isinstance(verdict, get_args(Verdict))
    assert judge_create(email) == verdict
    assert email == before


@pytest.mark.parametrize("user_id", [5, True, ["user_1"], {"id": "user_1"}])
def test_a_user_that_nobody_can_read_is_closes_to_answer(user_id: object) -> None:
    """The email names somebody: the key's owner does not stand in."""
    assert judge_create(EmailWrite(status=Status.SENT, user_id=user_id)) == Forward()

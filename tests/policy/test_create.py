from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.create import judge_create
from gateway.policy.email import EmailWrite, Status
from gateway.policy.sender import SenderState
from gateway.policy.verdict import FillSender, Findings, Violation, ViolationCode
from tests.policy.senders import ADDRESS, JSON_VALUES, SENDERS
from tests.policy.writes import WRITES, whole

FORWARD = Findings()
FILL = Findings((), FillSender(None))
REQUIRED = Findings((Violation(ViolationCode.SENDER_REQUIRED, "sender", "This field is required."),))
NO_STRING = Findings((Violation(ViolationCode.SENDER_MALFORMED, "sender", "Value must be of str type."),))
NO_ADDRESS = Findings((Violation(ViolationCode.SENDER_MALFORMED, "sender", "Invalid email address."),))

STATES = (SenderState.MISSING, SenderState.NOT_A_STRING, SenderState.NO_ADDRESS, SenderState.USABLE)
TABLE: list[tuple[Status, tuple[Findings, ...]]] = [  # status, and what is found for each state of the sender
    (Status.INBOX, (REQUIRED, NO_STRING, NO_ADDRESS, FORWARD)),
    (Status.DRAFT, (FORWARD, FORWARD, FORWARD, FORWARD)),
    (Status.SCHEDULED, (REQUIRED, NO_STRING, NO_ADDRESS, FORWARD)),
    (Status.OUTBOX, (REQUIRED, NO_STRING, NO_ADDRESS, FORWARD)),
    (Status.SENT, (FILL, FORWARD, FORWARD, FORWARD)),
    (Status.ERROR, (REQUIRED, NO_STRING, NO_ADDRESS, FORWARD)),
]
CELLS = [(status, state, found) for status, row in TABLE for state, found in zip(STATES, row, strict=True)]


def test_the_table_is_complete() -> None:
    """A status or a state of the sender that is added to its enum has to be given cells."""
    assert [status for status, _ in TABLE] == list(Status)
    assert set(STATES) == set(SenderState)


@pytest.mark.parametrize(("status", "state", "found"), CELLS)
def test_the_documented_table(status: Status, state: SenderState, found: Findings) -> None:
    """What Close refuses since 2025-12-17 is found, sent is filled in, and all the rest is Close's to answer."""
    for sender in SENDERS[state]:
        assert judge_create(whole(status, sender)) == found, sender


@pytest.mark.parametrize("status_given", [None, "received"])
def test_without_a_status_that_close_documents_no_sender_is_asked_for(status_given: object) -> None:
    """What the email is meant to be is not known; that is found by another rule."""
    for sender in (sender for senders in SENDERS.values() for sender in senders):
        found = judge_create(EmailWrite(sender=sender, status_given=status_given, lead_id="lead_1"))
        assert [violation.field for violation in found.violations] == ["status"]
        assert found.otherwise == FORWARD.otherwise


def test_the_sender_of_a_sent_email_is_its_users() -> None:
    """Where the email names a user, it is their address that stands in, not the key owner's."""
    email = whole(Status.SENT, None)._replace(user_id="user_1")
    assert judge_create(email) == Findings((), FillSender("user_1"))
    assert judge_create(email._replace(sender=ADDRESS)) == FORWARD


@settings(derandomize=True, max_examples=100)
@given(WRITES)
def test_judging_is_total_and_pure(email: EmailWrite) -> None:
    """Whatever stands in the email, something is said; it is the same each time, and the email is left as it was.

    Codes come in their order, each once at most.
    """
    before = deepcopy(email)
    found = judge_create(email)
    assert judge_create(email) == found
    assert email == before
    codes = [violation.code for violation in found.violations]
    assert codes == [code for code in ViolationCode if code in codes]


@settings(derandomize=True, max_examples=100)
@given(st.sampled_from(Status), JSON_VALUES, WRITES)
def test_no_other_field_changes_what_is_found_of_the_sender(status: Status, sender: object, other: EmailWrite) -> None:
    """What is wrong with the rest of an email neither hides a sender's fault nor keeps it from being filled in."""
    senders = {ViolationCode.SENDER_REQUIRED, ViolationCode.SENDER_MALFORMED}
    found = judge_create(other._replace(status=status, sender=sender, user_id=None))
    assert Findings(
        tuple(violation for violation in found.violations if violation.code in senders), found.otherwise
    ) == judge_create(whole(status, sender))


@pytest.mark.parametrize("user_id", [5, True, ["user_1"], {"id": "user_1"}])
def test_a_user_that_nobody_can_read_is_closes_to_answer(user_id: object) -> None:
    """The email names somebody: the key's owner does not stand in."""
    assert judge_create(whole(Status.SENT, None)._replace(user_id=user_id)) == FORWARD

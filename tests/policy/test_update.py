from copy import deepcopy
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.email import EmailWrite, Status, StoredEmail
from gateway.policy.sender import SenderState
from gateway.policy.update import judge_update, needs_stored_email
from gateway.policy.verdict import FORWARD as NO_MORE
from gateway.policy.verdict import Findings, Violation, ViolationCode
from tests.policy.senders import ADDRESS, SENDERS
from tests.policy.writes import WRITES

FORWARD = Findings()
REQUIRED = Findings((Violation(ViolationCode.SENDER_REQUIRED, "sender", "This field is required."),))
NO_STRING = Findings((Violation(ViolationCode.SENDER_MALFORMED, "sender", "Value must be of str type."),))
NO_ADDRESS = Findings((Violation(ViolationCode.SENDER_MALFORMED, "sender", "Invalid email address."),))

SENDS = (Status.SCHEDULED, Status.OUTBOX)
UNKNOWN, WITHOUT, WITH = None, StoredEmail(None), StoredEmail(ADDRESS)
STORED = (UNKNOWN, WITHOUT, WITH)
TABLE: list[tuple[SenderState, tuple[Findings, ...]]] = [  # for what is to be sent: unknown, without, with one
    (SenderState.MISSING, (FORWARD, REQUIRED, FORWARD)),
    (SenderState.NOT_A_STRING, (NO_STRING, NO_STRING, NO_STRING)),
    (SenderState.NO_ADDRESS, (NO_ADDRESS, NO_ADDRESS, NO_ADDRESS)),
    (SenderState.USABLE, (FORWARD, FORWARD, FORWARD)),
]
CELLS = [(state, stored, found) for state, row in TABLE for stored, found in zip(STORED, row, strict=True)]


def test_the_table_is_complete() -> None:
    """A state of the sender that is added to the enum has to be given cells."""
    assert [state for state, _ in TABLE] == list(SenderState)


@pytest.mark.parametrize("status", SENDS)
@pytest.mark.parametrize(("state", "stored", "found"), CELLS)
def test_what_is_to_be_sent(status: Status, state: SenderState, stored: StoredEmail | None, found: Findings) -> None:
    """A sender is needed in the change or in the stored email; where the stored one is not known, Close decides."""
    for sender in SENDERS[state]:
        assert judge_update(EmailWrite(status=status, sender=sender), stored) == found, sender


@pytest.mark.parametrize("status", [status for status in (*Status, None) if status not in SENDS])
def test_every_other_change_is_forwarded(status: Status | None) -> None:
    """A change that sends nothing needs no sender, and what is wrong with the one it gives is Close's to say."""
    for state, stored in product(SenderState, STORED):
        for sender in SENDERS[state]:
            assert judge_update(EmailWrite(status=status, sender=sender), stored) == FORWARD, sender


@pytest.mark.parametrize("sender", ["", " \t"])
def test_a_blank_sender_that_is_stored_is_none(sender: str) -> None:
    """Close would take neither for a sender."""
    assert judge_update(EmailWrite(status=Status.OUTBOX), StoredEmail(sender)) == REQUIRED


@pytest.mark.parametrize("state", SenderState)
@pytest.mark.parametrize("status", [*Status, None])
def test_the_stored_email_is_asked_for_only_where_it_decides(status: Status | None, state: SenderState) -> None:
    """A look-up counts against the caller's limit: none is made unless the change sends and names no sender."""
    decides = status in SENDS and state is SenderState.MISSING
    for sender in SENDERS[state]:
        change = EmailWrite(status=status, sender=sender)
        assert needs_stored_email(change) is decides, sender
        assert (judge_update(change, WITHOUT) != judge_update(change, WITH)) is decides, sender


@settings(derandomize=True, max_examples=100)
@given(WRITES, st.sampled_from(STORED))
def test_judging_is_total_and_pure(change: EmailWrite, stored: StoredEmail | None) -> None:
    """Whatever stands in the change, something is said; it is the same each time, and the change is left as it was.

    Codes come in their order, each once at most; and no sender is filled into an update.
    """
    before = deepcopy(change)
    found = judge_update(change, stored)
    assert judge_update(change, stored) == found
    assert found.otherwise == NO_MORE
    assert change == before
    codes = [violation.code for violation in found.violations]
    assert codes == [code for code in ViolationCode if code in codes]


@settings(derandomize=True, max_examples=100)
@given(WRITES)
def test_no_other_rule_needs_the_stored_email(change: EmailWrite) -> None:
    """What it has decides about the sender alone: a look-up counts against the caller's limit."""
    others = [
        [violation for violation in judge_update(change, stored).violations if violation.field != "sender"]
        for stored in STORED
    ]
    assert others[0] == others[1] == others[2]

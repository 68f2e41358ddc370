from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.create import judge_create
from gateway.policy.email import EmailWrite, StoredEmail
from gateway.policy.modes import DEFAULT_MODES, Modes, decide
from gateway.policy.update import judge_update
from gateway.policy.verdict import FillSender, Findings, Forward, Reject, Verdict, Violation, ViolationCode
from tests.policy.writes import WRITES

ONE = Violation(ViolationCode.SENDER_REQUIRED, "sender", "1")
TWO = Violation(ViolationCode.LEAD_ID_REQUIRED, "lead_id", "2")
THREE = Violation(ViolationCode.SEND_IN_INVALID, "send_in", "3")
FILL = FillSender("user_1")
SENDER = frozenset({ViolationCode.SENDER_REQUIRED, ViolationCode.SENDER_MALFORMED})
ALONE = Modes(SENDER, frozenset())


def modes(enforced: str = "", reported: str = "") -> Modes:
    """Make modes of some of the codes above, by their numbers."""
    codes = {"1": ONE.code, "2": TWO.code, "3": THREE.code}
    return Modes(frozenset(codes[one] for one in enforced), frozenset(codes[one] for one in reported))


ROWS: list[tuple[Findings, Modes, Verdict]] = [
    (Findings(), modes("123"), Forward()),
    (Findings((), FILL), modes("123"), FILL),
    (Findings((ONE,)), modes("1"), Reject((ONE,))),
    (Findings((ONE,)), modes("", "1"), Forward((ONE,))),
    (Findings((ONE,)), modes("2", "3"), Forward()),
    (Findings((ONE, TWO, THREE)), modes("13"), Reject((ONE, THREE))),
    (Findings((ONE, TWO, THREE)), modes("3", "12"), Reject((THREE,), (ONE, TWO))),
    (Findings((TWO, THREE), FILL), modes("1", "23"), FillSender("user_1", (TWO, THREE))),
    (Findings((TWO, THREE), FILL), modes("3", "2"), Reject((THREE,), (TWO,))),
    (Findings((TWO,), FILL), modes(), FILL),
]


@pytest.mark.parametrize(("findings", "chosen", "verdict"), ROWS)
def test_the_modes_part_what_was_found(findings: Findings, chosen: Modes, verdict: Verdict) -> None:
    """What is enforced refuses, what is reported is told, and the rest is nobody's business."""
    assert decide(findings, chosen) == verdict


def test_what_is_watched() -> None:
    """Enforced or reported; what is off is not."""
    chosen = modes("1", "2")
    assert [chosen.watches(found.code) for found in (ONE, TWO, THREE)] == [True, True, False]


MODES = st.tuples(st.frozensets(st.sampled_from(ViolationCode)), st.frozensets(st.sampled_from(ViolationCode))).map(
    lambda sets: Modes(sets[0], sets[1] - sets[0])
)


@settings(derandomize=True, max_examples=100)
@given(WRITES, MODES)
def test_what_is_only_reported_refuses_nothing(email: EmailWrite, chosen: Modes) -> None:
    """Whatever JSON stands in an email, a verdict is the one without reports, with the reports beside it."""
    stored = (None, StoredEmail(None), StoredEmail("jane@example.com"))
    for findings in (judge_create(email), *(judge_update(email, one) for one in stored)):
        verdict = decide(findings, chosen)
        without = decide(findings, Modes(chosen.enforced, frozenset()))
        assert type(verdict) is type(without)
        assert isinstance(verdict, Reject) is any(found.code in chosen.enforced for found in findings.violations)
        assert verdict.reported == tuple(found for found in findings.violations if found.code in chosen.reported)


@settings(derandomize=True, max_examples=100)
@given(WRITES)
def test_by_default_only_the_sender_refuses(email: EmailWrite) -> None:
    """As if there were no other rules: no request is refused that the rules of the sender alone would let pass."""
    for findings, chosen in product((judge_create(email), judge_update(email, StoredEmail(None))), (DEFAULT_MODES,)):
        verdict, alone = decide(findings, chosen), decide(findings, ALONE)
        match verdict:
            case Reject(violations):
                assert alone == Reject(violations)
            case FillSender(user_id):
                assert alone == FillSender(user_id)
            case Forward():
                assert alone == Forward()

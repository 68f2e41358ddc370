"""Which modes are in force. What the interceptor does with requests, tests/forwarding holds over the wire."""

from dataclasses import fields

import pytest

from gateway.config.settings import Mode, RulesSettings
from gateway.modes import modes
from gateway.policy import DEFAULT_MODES, Modes, ViolationCode

SENDER = frozenset({ViolationCode.SENDER_REQUIRED, ViolationCode.SENDER_MALFORMED})
LEAD = frozenset({ViolationCode.LEAD_ID_REQUIRED})
ALL = frozenset(ViolationCode)
NONE: frozenset[ViolationCode] = frozenset()
IN_FORCE = [  # inspect.mode, the rules, what is in force
    (Mode.ENFORCE, RulesSettings(), Modes(SENDER, ALL - SENDER)),
    (Mode.REPORT, RulesSettings(), Modes(NONE, ALL)),
    (Mode.ENFORCE, RulesSettings(lead_id_required=Mode.ENFORCE), Modes(SENDER | LEAD, ALL - SENDER - LEAD)),
    (Mode.REPORT, RulesSettings(lead_id_required=Mode.ENFORCE), Modes(NONE, ALL)),
    (Mode.ENFORCE, RulesSettings(lead_id_required=Mode.OFF), Modes(SENDER, ALL - SENDER - LEAD)),
    (Mode.REPORT, RulesSettings(lead_id_required=Mode.OFF), Modes(NONE, ALL - LEAD)),
]


def test_every_code_has_a_setting() -> None:
    """By its name, and in the order of the codes; only what is known for sure refuses by default."""
    defaults = {field.name: field.default for field in fields(RulesSettings)}
    assert list(defaults) == [code.value for code in ViolationCode]
    assert {name for name, mode in defaults.items() if mode is Mode.ENFORCE} == {code.value for code in SENDER}
    assert {mode for name, mode in defaults.items() if name not in {code.value for code in SENDER}} == {Mode.REPORT}


@pytest.mark.parametrize(("ceiling", "rules", "in_force"), IN_FORCE)
def test_the_mode_of_the_whole_is_the_most_that_happens(ceiling: Mode, rules: RulesSettings, in_force: Modes) -> None:
    """A rule may ask for less, never for more."""
    assert modes(ceiling, rules) == in_force


def test_the_library_does_by_default_what_the_gateway_does() -> None:
    """Whoever judges with it in a test is told what the gateway would tell."""
    assert modes(Mode.ENFORCE, RulesSettings()) == DEFAULT_MODES

"""Pure: what follows from each violation, as the settings say."""

from gateway.config.settings import Mode, RulesSettings
from gateway.policy import Modes, ViolationCode


def modes(ceiling: Mode, rules: RulesSettings) -> Modes:
    """Tell what follows from each violation, where `inspect.mode` is the most that may."""
    own: dict[ViolationCode, Mode] = {code: getattr(rules, code.value) for code in ViolationCode}
    enforced = frozenset(code for code, mode in own.items() if mode is ceiling is Mode.ENFORCE)
    watched = frozenset(code for code, mode in own.items() if mode is not Mode.OFF)
    return Modes(enforced, watched - enforced)

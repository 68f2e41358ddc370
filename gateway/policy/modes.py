"""Which of the violations that were found refuse a request, and which are only told?

Rule    One that is enforced refuses it, and all that are enforced are named then. One that is reported never does,
        whatever else was found. Of one that is in neither set nothing is said.
        By default the rules on the sender are enforced, which Close is known to refuse by, and all others reported.
Source  None: it is for those who run the gateway to choose ([rules] of the settings).
Needs   What was found, and the modes.
"""

from dataclasses import dataclass, replace
from typing import Final

from gateway.policy.verdict import Findings, Reject, Verdict, ViolationCode, Violations


@dataclass(frozen=True, slots=True)
class Modes:
    """What follows from a violation, by its code. No code is in both."""

    enforced: frozenset[ViolationCode]
    reported: frozenset[ViolationCode]

    def watches(self, code: ViolationCode) -> bool:
        """Whether anything follows at all."""
        return code in self.enforced or code in self.reported


OF_THE_SENDER: Final = frozenset({ViolationCode.SENDER_REQUIRED, ViolationCode.SENDER_MALFORMED})
DEFAULT_MODES: Final = Modes(enforced=OF_THE_SENDER, reported=frozenset(ViolationCode) - OF_THE_SENDER)


def decide(findings: Findings, modes: Modes = DEFAULT_MODES) -> Verdict:
    """Make a verdict of what was found.

    >>> from gateway.policy import Violation
    >>> found = Findings((Violation(ViolationCode.LEAD_ID_REQUIRED, "lead_id", "This field is required."),))
    >>> type(decide(found)).__name__
    'Forward'
    >>> type(decide(found, Modes(enforced=frozenset(ViolationCode), reported=frozenset()))).__name__
    'Reject'
    """
    if not findings.violations:
        return findings.otherwise
    enforced: Violations = ()
    reported: Violations = ()
    for violation in findings.violations:
        if violation.code in modes.enforced:
            enforced += (violation,)
        elif violation.code in modes.reported:
            reported += (violation,)
    return Reject(enforced, reported) if enforced else replace(findings.otherwise, reported=reported)

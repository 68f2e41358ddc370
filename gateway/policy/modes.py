"""Which of the violations that were found refuse a request, and which are only told?

Rule    One that is enforced refuses it, and all that are enforced are named then. One that is reported never does,
        whatever else was found. Of one that is in neither set nothing is said.
Source  None: it is for those who run the gateway to choose ([rules] of the settings).
Needs   What was found, and the modes.
"""

from dataclasses import dataclass, replace

from gateway.policy.verdict import Findings, Reject, Verdict, ViolationCode, Violations


@dataclass(frozen=True, slots=True)
class Modes:
    """What follows from a violation, by its code. No code is in both."""

    enforced: frozenset[ViolationCode]
    reported: frozenset[ViolationCode]

    def watches(self, code: ViolationCode) -> bool:
        """Whether anything follows at all."""
        return code in self.enforced or code in self.reported


def decide(findings: Findings, modes: Modes) -> Verdict:
    """Make a verdict of what was found."""
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

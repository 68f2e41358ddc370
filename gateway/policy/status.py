"""Does this new email say where it stands?

Rule    `status` is needed, and is one of six.
Source  developer.close.com: Emails, "Create"; the published API description requires it and lists the six. The words
        are those of the public validation library (cleancat: Enum), to which an empty status is an unknown one.
Needs   The request alone. Of a change nothing is asked: without a status it leaves the stored one.
"""

from typing import Final

from gateway.policy.email import EmailWrite
from gateway.policy.missing import REQUIRED
from gateway.policy.verdict import Violation, ViolationCode

STATUS_REQUIRED: Final = Violation(ViolationCode.STATUS_REQUIRED, "status", REQUIRED)
STATUS_UNKNOWN: Final = Violation(ViolationCode.STATUS_UNKNOWN, "status", "Not a valid choice.")


def status_of_new(email: EmailWrite) -> Violation | None:
    """Find what is wrong with the status."""
    if email.status is not None:
        return None
    return STATUS_REQUIRED if email.status_given is None else STATUS_UNKNOWN

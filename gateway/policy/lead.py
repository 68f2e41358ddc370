"""Does this new email say whose it is?

Rule    `lead_id` is needed.
Source  developer.close.com: Emails, "Create"; the published API description requires it.
Needs   The request alone. Whether there is such a lead, Close alone can tell. A change leaves the stored one.
"""

from typing import Final

from gateway.policy.email import EmailWrite
from gateway.policy.missing import REQUIRED, is_missing
from gateway.policy.verdict import Violation, ViolationCode

LEAD_ID_REQUIRED: Final = Violation(ViolationCode.LEAD_ID_REQUIRED, "lead_id", REQUIRED)


def lead_of_new(email: EmailWrite) -> Violation | None:
    """Find whether the lead is missing."""
    return LEAD_ID_REQUIRED if is_missing(email.lead_id) else None

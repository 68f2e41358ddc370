"""Does an email that is to be sent later say when?

Rule    An email with status scheduled needs `date_scheduled`. A change need not name it again: the stored email may
        have it. One that names it with null or blank takes it away, and so is sure to leave the email without.
Source  developer.close.com: Emails, "Create": the date "must be specified". That null empties a field is how the public
        validation library (cleancat: Schema) reads a change.
Needs   The request alone: for this rule nobody is asked what the stored email has. What a date has to look like is
        Close's to say.
"""

from typing import Final

from gateway.policy.email import Absent, EmailWrite, Status
from gateway.policy.missing import REQUIRED, is_missing
from gateway.policy.verdict import Violation, ViolationCode

DATE_REQUIRED: Final = Violation(ViolationCode.DATE_SCHEDULED_REQUIRED, "date_scheduled", REQUIRED)


def date_of_new(email: EmailWrite) -> Violation | None:
    """Find whether a new email lacks its date."""
    return DATE_REQUIRED if email.status is Status.SCHEDULED and is_missing(email.date_scheduled) else None


def date_of_change(change: EmailWrite) -> Violation | None:
    """Find whether a change is sure to leave a scheduled email without its date."""
    return None if change.date_scheduled is Absent.ABSENT else date_of_new(change)

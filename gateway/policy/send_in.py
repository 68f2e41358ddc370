"""Is the delay before sending one that Close documents, and does it stand where it means something?

Rule    `send_in` is a whole number of seconds below 60. True and false are no numbers, though the public validation
        library takes them for some; a number with a fraction, or a text, is none to either. Null is none given.
        Of a number below 0 nothing is documented: it is Close's to answer.
Rule    It delays what is sent at once, and so belongs to status outbox. A change without a status is not judged:
        whether the email is on its way then, only Close knows.
Source  developer.close.com: Emails, "Create": "must be less than 60", with outbox. The words are those of the public
        validation library (cleancat: Integer); for the second rule it has none, and these are ours.
Needs   The request alone.
"""

from typing import Final

from gateway.policy.email import EmailWrite, Status
from gateway.policy.verdict import Violation, ViolationCode

LONGEST: Final = 59
"""Seconds."""
SEND_IN_NO_NUMBER: Final = Violation(ViolationCode.SEND_IN_INVALID, "send_in", "Value must be of int type.")
SEND_IN_TOO_LONG: Final = Violation(
    ViolationCode.SEND_IN_INVALID, "send_in", f"The value must not be larger than {LONGEST}."
)
SEND_IN_MISPLACED: Final = Violation(
    ViolationCode.SEND_IN_MISPLACED, "send_in", 'This field is only for status "outbox".'
)


def delay(email: EmailWrite) -> Violation | None:
    """Find what is wrong with the delay itself, in a new email or a change."""
    value = email.send_in
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        return SEND_IN_NO_NUMBER
    return SEND_IN_TOO_LONG if value > LONGEST else None


def place_in_new(email: EmailWrite) -> Violation | None:
    """Find whether a new email that is not sent at once has a delay."""
    return None if email.send_in is None or email.status is Status.OUTBOX else SEND_IN_MISPLACED


def place_in_change(change: EmailWrite) -> Violation | None:
    """Find whether a change that names another status has a delay."""
    return None if change.status_given is None else place_in_new(change)

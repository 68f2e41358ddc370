"""What a rule says and what mends a breach of it, in words for people; wherever they are told, these are the ones."""

from dataclasses import dataclass
from typing import Final

from gateway.policy import ViolationCode
from gateway.policy.modes import OF_THE_SENDER

CHANGE_LOG: Final = "https://developer.close.com/api/overview/changelog/2025/12/17"
CREATE: Final = "https://developer.close.com/api/resources/activities/emails/create"
EXAMPLES: Final = {
    "sender": "Jane Roe <jane@example.com>",
    "status": "draft",
    "lead_id": "lead_...",
    "date_scheduled": "2030-01-31T09:00:00+00:00",
    "url": "https://app.close.com/go/file/...",
}
"""What may stand in a field that is absent; `url` is an attachment's."""
STATUSES: Final = '"inbox", "draft", "scheduled", "outbox", "sent" or "error"'


@dataclass(frozen=True, slots=True)
class Advice:
    """Two halves of a sentence: `rule` begins it, `fix` ends it. Neither has a full stop."""

    rule: str
    fix: str

    @property
    def sentence(self) -> str:
        """Both halves, and the full stop."""
        return f"{self.rule}: {self.fix}."


def source(code: ViolationCode) -> str:
    """Tell where Close documents the rule."""
    return CHANGE_LOG if code in OF_THE_SENDER else CREATE


def advice(code: ViolationCode, status: str, *, update: bool) -> Advice:
    """Say what is wrong with an email of this status, and what to add."""
    match code:
        case ViolationCode.SENDER_REQUIRED if update:
            return Advice(
                f'An email cannot be changed to status "{status}" without a sender, and the stored one has none',
                'add "sender", such as "Jane Roe <jane@example.com>"',
            )
        case ViolationCode.SENDER_REQUIRED:
            return Advice(
                f'An email with status "{status}" needs a sender',
                'add "sender", such as "Jane Roe <jane@example.com>", or save it as "draft" for now',
            )
        case ViolationCode.SENDER_MALFORMED:
            return Advice(
                f'The sender of an email with status "{status}" has to be a string with an address',
                'give "sender" as "jane@example.com" or "Jane Roe <jane@example.com>"',
            )
        case ViolationCode.SEND_IN_MISPLACED:
            return Advice(
                f'Only an email with status "outbox" can be sent in so many seconds, not one with status "{status}"',
                'leave "send_in" out; to send the email later, give status "scheduled" with "date_scheduled"',
            )
        case _:
            return OTHERS[code]


OTHERS: Final = {
    ViolationCode.STATUS_REQUIRED: Advice("A new email needs a status", f'add "status": {STATUSES}'),
    ViolationCode.STATUS_UNKNOWN: Advice(
        "The status of a new email has to be one that Close knows", f'give "status" as {STATUSES}'
    ),
    ViolationCode.LEAD_ID_REQUIRED: Advice(
        "A new email belongs to a lead", 'add "lead_id", the id of the lead whose email it is'
    ),
    ViolationCode.DATE_SCHEDULED_REQUIRED: Advice(
        'An email with status "scheduled" needs the date to send it at',
        'give "date_scheduled", such as "2030-01-31T09:00:00+00:00", or status "outbox" to send it now',
    ),
    ViolationCode.SEND_IN_INVALID: Advice(
        'The delay "send_in" has to be a whole number of seconds below 60',
        'give it as a number such as 30, or leave it out; to send the email later, give status "scheduled" with '
        '"date_scheduled"',
    ),
    ViolationCode.ATTACHMENT_URL_INVALID: Advice(
        'The "url" of each attachment has to begin with "https://app.close.com/go/file/"',
        'upload the file to Close first, and give the "download.url" that the Files API answers with',
    ),
}
"""What does not depend on the status."""

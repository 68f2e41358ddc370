"""What a rule says and what mends a breach of it, in words for people; wherever they are told, these are the ones."""

from dataclasses import dataclass
from typing import Final

from gateway.policy import ViolationCode

DOCS: Final = "https://developer.close.com/api/overview/changelog/2025/12/17"


@dataclass(frozen=True, slots=True)
class Advice:
    """Two halves of a sentence: `rule` begins it, `fix` ends it. Neither has a full stop."""

    rule: str
    fix: str


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

"""What does Close ask of an email activity?

Rule    A new email has one of six statuses. For inbox, scheduled, outbox and error it names its sender; a draft may
        wait for one, and for sent there is a default.
        A change to scheduled or outbox needs a sender, in the change or in the email as it is kept.
        A sender is a string with an address in it, whatever the status; null, absent, empty and blank are none at all.
        What is scheduled says when: in the request, or in the email as it is kept.
        Only drafts can be modified. What is scheduled or in the outbox can go back to being a draft.
Source  developer.close.com: change log of 2025-12-17; Emails, "Create" and "Update".
Needs   The request's JSON object, and for a change the email as it is kept. Pure.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from gateway.sandbox.refusal import NOT_A_CHOICE, NOT_A_STRING, NOT_AN_ADDRESS, REQUIRED

# Tuples, not sets: what a client sends as its status may be a list, which has no hash.
STATUSES: Final = ("inbox", "draft", "scheduled", "outbox", "sent", "error")
UNSENT: Final = ("scheduled", "outbox")
NEW_WITH_SENDER: Final = ("inbox", "scheduled", "outbox", "error")

# What, like a blank, cannot stand beside the "@" of an address: it ends a name, or parts one address from the next.
NOT_BEFORE_AT: Final = "<>,;:"
NOT_AFTER_AT: Final = NOT_BEFORE_AT + '."'


def is_missing(value: object) -> bool:
    """Whether a value is as good as none."""
    return value is None or (isinstance(value, str) and not value.strip())


def sender_error(sender: object) -> str | None:
    """What is wrong with a sender that is given. That none is given is for the status to judge."""
    if is_missing(sender):
        return None
    if not isinstance(sender, str):
        return NOT_A_STRING
    return None if _has_address(sender) else NOT_AN_ADDRESS


def errors_in_new(email: Mapping[str, Any]) -> dict[str, str]:
    """Judge a new email, except for the objects it refers to."""
    status, sender = email.get("status"), email.get("sender")
    errors = {"status": REQUIRED if status is None else _status_error(status), "sender": sender_error(sender)}
    if status in NEW_WITH_SENDER and is_missing(sender):
        errors["sender"] = REQUIRED
    if status == "scheduled" and is_missing(email.get("date_scheduled")):
        errors["date_scheduled"] = REQUIRED
    return {field: error for field, error in errors.items() if error}


def errors_in_change(change: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, str]:
    """Judge a change to an email, except for the objects it refers to. A status of null changes nothing."""
    status, sender = change.get("status"), change.get("sender")
    errors = {"status": None if status is None else _status_error(status), "sender": sender_error(sender)}
    if status in UNSENT and is_missing(sender) and is_missing(kept.get("sender")):
        errors["sender"] = REQUIRED
    if status == "scheduled" and is_missing(change.get("date_scheduled", kept.get("date_scheduled"))):
        errors["date_scheduled"] = REQUIRED
    return {field: error for field, error in errors.items() if error}


def may_change(change: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Whether the email is a draft, or becomes one again by this change."""
    return kept["status"] == "draft" or (kept["status"] in UNSENT and change.get("status") == "draft")


def sender_of_new(email: Mapping[str, Any], owner_address: str) -> str | None:
    """The sender that a new email is kept with: its own, for sent the owner's address, else none yet."""
    sender = email.get("sender")
    if isinstance(sender, str) and not is_missing(sender):
        return sender.strip()
    return owner_address if email["status"] == "sent" else None


def sender_after_change(change: Mapping[str, Any], kept: Mapping[str, Any]) -> str | None:
    """The sender that a changed email is kept with.

    A null or blank sender takes the old one away, except from an email that is about to be sent.
    """
    before: str | None = kept["sender"]
    sender = change.get("sender")
    if isinstance(sender, str) and not is_missing(sender):
        return sender.strip()
    return before if "sender" not in change or change.get("status") in UNSENT else None


def _status_error(status: object) -> str | None:
    return None if status in STATUSES else NOT_A_CHOICE


def _has_address(text: str) -> bool:
    """Whether an "@" joins two things.

    Around them may stand a name, quotes, brackets, a comment or blanks, and any letter of any script will do: Close's
    own idea of an address is not published.
    """
    sides = pairwise(text.split("@"))
    return any(_stands(before[-1:], NOT_BEFORE_AT) and _stands(after[:1], NOT_AFTER_AT) for before, after in sides)


def _stands(letter: str, excluded: str) -> bool:
    return bool(letter.strip()) and letter not in excluded

"""Which emails are one conversation?

Rule    An answer (`in_reply_to_id`) is in the thread of what it answers. Else the emails of one lead with the same
        subject are a thread: "Re:" and "Fwd:" before it, its case and its blanks do not count. An email without a
        subject begins a thread.
Source  The published API description: one object for each conversation, "generally grouped by subject". What a thread
        looks like it does not say: the fields are those that clients of Close read.
Needs   Emails as they are kept. A thread has no record of its own: it is what its emails are.
"""

import re
from collections.abc import Iterable
from typing import Final

from gateway.sandbox.mailboxes import address_in, name_in
from gateway.sandbox.records import Record

ANSWERS: Final = re.compile(r"^(?:\s*(?:re|fwd?)\s*:)+", re.IGNORECASE)


def normalized(subject: str | None) -> str:
    """A subject without what answering and forwarding put before it."""
    return " ".join(ANSWERS.sub("", subject or "").split())


def topic_of(email: Record) -> tuple[str, str] | None:
    """What emails have in common that are one conversation; None for an email that begins one."""
    subject = normalized(email["subject"]).casefold()
    return (email["lead_id"], subject) if subject else None


def threads_of(emails: Iterable[Record]) -> list[Record]:
    """The threads of these emails, which come newest first. So do the threads, by their newest emails."""
    grouped: dict[str, list[Record]] = {}
    for email in emails:
        grouped.setdefault(email["thread_id"], []).append(email)
    return [_thread(members[::-1]) for members in grouped.values()]


def _thread(emails: list[Record]) -> Record:
    """One thread, of emails that come oldest first."""
    first, last = emails[0], emails[-1]
    same = ("organization_id", "lead_id", "contact_id", "user_id", "user_name", "updated_by", "updated_by_name")
    return {
        "_type": "EmailThread",
        "id": last["thread_id"],
        **{name: last[name] for name in same},
        "created_by": first["created_by"],
        "created_by_name": first["created_by_name"],
        "date_created": first["date_created"],
        "date_updated": max(email["date_updated"] for email in emails),
        "activity_at": last["activity_at"],
        "users": sorted({user for email in emails for user in email["users"]}),
        "latest_normalized_subject": normalized(last["subject"]),
        "n_emails": len(emails),
        "participants": _participants(emails),
        "emails": emails,
    }


def _participants(emails: list[Record]) -> list[Record]:
    """Everybody who wrote or was written to, once."""
    people: dict[str, str] = {}
    for email in emails:
        for text in (email["sender"] or "", *email["to"], *email["cc"]):
            if address := address_in(text):
                people[address] = people.get(address) or name_in(text)
    return [{"email": address, "name": name} for address, name in people.items()]

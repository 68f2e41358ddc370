"""What Close keeps: an email activity and a lead, shaped as the published API description shapes its answers."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from gateway.sandbox.ids import new_id
from gateway.sandbox.kinds import EMAIL
from gateway.sandbox.rules import sender_after_change, sender_of_new
from gateway.sandbox.users import User

Record: TypeAlias = dict[str, Any]

LISTS: Final = ("attachments", "bcc", "cc", "opens", "to")
NOT_KEPT: Final = ("account_id", "date_created", "followup_date", "send_in")
"""What a client may write, but no answer shows so."""
WRITABLE: Final = tuple(name for name in EMAIL if name not in NOT_KEPT)


def new_email(
    values: Mapping[str, Any], fields: Mapping[str, Any], people: tuple[User, User], email_id: str | None, now: str
) -> Record:
    """An email that has been found valid, with every field that an answer shows.

    `values` are those of its fields that have a kind, as they are kept; `people` are who makes it, and whose it is.
    """
    creator, owner = people
    email: Record = {
        "_type": "Email",
        "id": email_id or new_id("acti"),
        "organization_id": creator.organization_id,
        "lead_id": fields["lead_id"],
        "status": fields["status"],
        "sender": sender_of_new(fields, owner.email),
        "created_by": creator.id,
        "created_by_name": creator.name,
        "date_created": values.get("date_created") or now,
        "date_sent": values.get("activity_at") or values.get("date_created"),  # of what was sent elsewhere, before
        "activity_at": values.get("date_created") or now,
        "followup_sequence_add_cc_bcc": False,
        "has_reply": False,
        "need_smtp_credentials": False,
        **{name: [] for name in (*LISTS, "message_ids", "references", "send_attempts")},
        **dict.fromkeys(("body_html", "body_text", "bulk_email_action_id", "contact_id", "date_scheduled")),
        **dict.fromkeys(("email_account_id", "envelope", "followup_sequence_delay", "followup_sequence_id")),
        **dict.fromkeys(("in_reply_to_id", "opens_summary", "send_as_id", "sequence_id", "subject")),
        **dict.fromkeys(("template_id", "template_name", "thread_id")),
    }
    return _written(email, values, creator, owner, now)


def changed_email(
    kept: Record, values: Mapping[str, Any], fields: Mapping[str, Any], people: tuple[User, User], now: str
) -> Record:
    """The email as a valid change leaves it. The record before the change stays as it was."""
    changer, owner = people
    status = fields.get("status") or kept["status"]
    changes = {"status": status, "sender": sender_after_change(fields, kept)}
    return _written(kept | changes, values, changer, owner, now)


def sent_email(email: Record, when: str) -> Record:
    """The email as it is once it went out."""
    return email | {"status": "sent", "date_sent": when, "activity_at": when, "date_updated": when}


def failed_email(email: Record, reason: str, when: str, *, needs_credentials: bool) -> Record:
    """The email as it is once it failed to go out."""
    attempt = {"date": when, "error_class": "SandboxSendError", "error_message": reason}
    return email | {
        "status": "error",
        "date_updated": when,
        "need_smtp_credentials": needs_credentials,
        "send_attempts": [*email["send_attempts"], attempt],
    }


def new_lead(values: Mapping[str, Any], creator: User, lead_id: str | None, now: str) -> Record:
    """A lead with the few fields that the sandbox knows."""
    lead_id = lead_id or new_id("lead")
    return {
        "id": lead_id,
        "organization_id": creator.organization_id,
        "name": values.get("name"),
        "display_name": values.get("name") or "",
        "description": values.get("description"),
        "url": values.get("url"),
        "html_url": f"https://app.close.com/lead/{lead_id}/",
        "status_id": "stat_SandboxPotential",
        "status_label": "Potential",
        "contact_ids": [],
        "contacts": [],
        "addresses": [],
        "opportunities": [],
        "tasks": [],
        "created_by": creator.id,
        "created_by_name": creator.name,
        "updated_by": creator.id,
        "updated_by_name": creator.name,
        "date_created": now,
        "date_updated": now,
    }


def _written(email: Record, values: Mapping[str, Any], writer: User, owner: User, now: str) -> Record:
    """What creating and changing have in common."""
    given = {name: values[name] for name in WRITABLE if name in values}
    if given.get("activity_at", now) is None:
        del given["activity_at"]  # null means: now, or as it was
    return email | {
        **given,
        "direction": "incoming" if email["status"] == "inbox" else "outgoing",
        "date_sent": (email["date_sent"] or now) if email["status"] == "sent" else None,
        "date_updated": now,
        "updated_by": writer.id,
        "updated_by_name": writer.name,
        "user_id": owner.id,
        "user_name": owner.name,
        "users": [owner.id],
    }

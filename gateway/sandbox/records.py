"""What Close keeps: an email activity and a lead, shaped as the published API description shapes its answers."""

import secrets
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from gateway.sandbox.rules import sender_after_change, sender_of_new
from gateway.sandbox.users import User

Record: TypeAlias = dict[str, Any]

LISTS: Final = ("attachments", "bcc", "cc", "opens", "to")
WRITABLE: Final = (
    *LISTS,
    "activity_at",
    "body_html",
    "body_text",
    "contact_id",
    "date_scheduled",
    "followup_sequence_add_cc_bcc",
    "followup_sequence_delay",
    "followup_sequence_id",
    "in_reply_to_id",
    "subject",
    "template_id",
)
"""What a client may set beside status, sender, lead_id and user_id. Anything else in a request is not kept."""

_ID_LETTERS: Final = string.ascii_letters + string.digits


def new_id(kind: str) -> str:
    """An id as Close makes them: `acti_` and 43 letters and digits."""
    return f"{kind}_{''.join(secrets.choice(_ID_LETTERS) for _ in range(43))}"


def new_email(fields: Mapping[str, Any], creator: User, owner: User, email_id: str | None) -> Record:
    """An email that has been found valid, with every field that an answer shows."""
    now = _now()
    email: Record = {
        "_type": "Email",
        "id": email_id or new_id("acti"),
        "organization_id": creator.organization_id,
        "lead_id": fields["lead_id"],
        "status": fields["status"],
        "sender": sender_of_new(fields, owner.email),
        "created_by": creator.id,
        "created_by_name": creator.name,
        "date_created": now,
        "date_sent": None,
        "activity_at": now,
        "thread_id": new_id("acti"),
        "followup_sequence_add_cc_bcc": False,
        "has_reply": False,
        "need_smtp_credentials": False,
        **{name: [] for name in (*LISTS, "message_ids", "references", "send_attempts")},
        **dict.fromkeys(("body_html", "body_text", "bulk_email_action_id", "contact_id", "date_scheduled")),
        **dict.fromkeys(("email_account_id", "envelope", "followup_sequence_delay", "followup_sequence_id")),
        **dict.fromkeys(("in_reply_to_id", "opens_summary", "send_as_id", "sequence_id", "subject", "template_id")),
    }
    return _written(email, fields, creator, owner, now)


def changed_email(kept: Record, fields: Mapping[str, Any], changer: User, owner: User) -> Record:
    """The email as a valid change leaves it. The record before the change stays as it was."""
    status = fields.get("status") or kept["status"]
    changes = {"status": status, "sender": sender_after_change(fields, kept)}
    return _written(kept | changes, fields, changer, owner, _now())


def new_lead(fields: Mapping[str, Any], creator: User, lead_id: str | None) -> Record:
    """A lead with the few fields that the sandbox knows."""
    now = _now()
    lead_id = lead_id or new_id("lead")
    return {
        "id": lead_id,
        "organization_id": creator.organization_id,
        "name": fields.get("name"),
        "display_name": fields.get("name") or "",
        "description": fields.get("description"),
        "url": fields.get("url"),
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


def _written(email: Record, fields: Mapping[str, Any], writer: User, owner: User, now: str) -> Record:
    """What creating and changing have in common."""
    given = {name: fields[name] for name in WRITABLE if name in fields}
    given |= {name: [] for name in LISTS if name in given and given[name] is None}
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


def _now() -> str:
    return datetime.now(UTC).isoformat()

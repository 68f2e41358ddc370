"""Email templates, and what becomes of them for a lead and a contact.

Rule    `{{ contact.first_name }}` and its like stand for what they name; a name that nothing has stands for nothing.
        The subject is text. The body is HTML, so what is put into it is escaped.
Rule    An email that names a template and has no body of its own is written from it, when it is created.
Rule    A template that is not shared is its creator's alone.
Source  developer.close.com: Emails, "Create"; Email Templates, "Render". The tags that Close shows in examples are
        contact.first_name, lead.display_name and user.first_name; the others here are the fields beside them. Its
        filters and conditions are not documented, and are left as they stand.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from gateway.sandbox.ids import new_id
from gateway.sandbox.mailboxes import address_in
from gateway.sandbox.records import Record
from gateway.sandbox.refusal import invalid
from gateway.sandbox.users import User

LONGEST: Final = 4 * 1024 * 1024
"""Letters of a subject or a body that a template makes."""
TAG: Final = re.compile(r"\{\{\s*([a-z_]{1,40}\.[a-z_]{1,40})\s*\}\}")


def new_template(values: Mapping[str, Any], creator: User, template_id: str | None, now: str) -> Record:
    """A template of which every value has been found fit."""
    return {
        "id": template_id or new_id("tmpl"),
        "organization_id": creator.organization_id,
        "name": values.get("name"),
        "subject": values.get("subject"),
        "body": values.get("body"),
        "is_shared": values.get("is_shared", False),
        "is_archived": values.get("is_archived", False),
        "attachments": values.get("attachments", []),
        "bcc": values.get("bcc", []),
        "cc": values.get("cc", []),
        "unsubscribe_link_id": None,
        "created_by": creator.id,
        "updated_by": creator.id,
        "date_created": now,
        "date_updated": now,
    }


def is_seen_by(user: User, template: Record) -> bool:
    """Whether the template exists for this user."""
    return bool(template["is_shared"]) or template["created_by"] == user.id


def rendered(template: Record, user: User, lead: Record, contact: Record | None) -> Record:
    """The subject and the body of an email from this template. One without end is refused."""
    names = _names(user, lead, contact)
    safe = {name: escape(value) for name, value in names.items()}
    return {"subject": _filled(template["subject"] or "", names), "body": _filled(template["body"] or "", safe)}


def _filled(text: str, names: Mapping[str, str]) -> str:
    """The text with names in place of its tags: many tags and a long name are more than fits in memory."""
    if len(text) + sum(len(names.get(tag[1], "")) for tag in TAG.finditer(text)) > LONGEST:
        raise invalid(fields={"template_id": f"It makes more than {LONGEST:,} letters."})
    return TAG.sub(lambda tag: names.get(tag[1], ""), text)


def contact_of(lead: Record, contact_id: str | None, recipients: list[str]) -> Record | None:
    """Whom an email is written to: the contact that it names, else the one of the lead with such an address."""
    contacts: list[Record] = lead["contacts"]
    if contact_id is not None:
        return next((contact for contact in contacts if contact["id"] == contact_id), None)
    known = {one["email"].lower(): contact for contact in reversed(contacts) for one in contact["emails"]}
    return next((known[to] for to in map(address_in, recipients) if to in known), None)


def _names(user: User, lead: Record, contact: Record | None) -> dict[str, str]:
    names = {
        "lead.display_name": lead["display_name"],
        "lead.name": lead["name"],
        "lead.description": lead["description"],
        "lead.url": lead["url"],
        "user.first_name": user.first_name,
        "user.last_name": user.last_name,
        "user.email": user.email,
        "organization.name": user.organization_name,
    }
    if contact:
        first, _, last = (contact["name"] or "").strip().partition(" ")
        address = next((one["email"] for one in contact["emails"]), "")
        names |= {
            "contact.first_name": first,
            "contact.last_name": last.strip(),
            "contact.name": contact["name"],
            "contact.display_name": contact["display_name"],
            "contact.title": contact["title"],
            "contact.email": address,
        }
    return {name: value or "" for name, value in names.items()}

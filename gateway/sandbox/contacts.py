"""The people of a lead, shaped as the published API description shapes them."""

from collections.abc import Mapping
from typing import Any

from gateway.sandbox.ids import new_id
from gateway.sandbox.records import Record
from gateway.sandbox.users import User


def new_contact(values: Mapping[str, Any], lead: Record, creator: User, contact_id: str | None, now: str) -> Record:
    """A contact of which every value has been found fit."""
    return {
        "id": contact_id or new_id("cont"),
        "organization_id": creator.organization_id,
        "lead_id": lead["id"],
        "name": values.get("name"),
        "display_name": values.get("name") or "",
        "title": values.get("title"),
        "emails": values.get("emails", []),
        "phones": values.get("phones", []),
        "urls": [],
        "created_by": creator.id,
        "updated_by": creator.id,
        "date_created": now,
        "date_updated": now,
    }


def with_contact(lead: Record, contact: Record) -> Record:
    """The lead, with one contact more."""
    return lead | {"contacts": [*lead["contacts"], contact], "contact_ids": [*lead["contact_ids"], contact["id"]]}

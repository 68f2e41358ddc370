"""Through which account does an email go out, and may its sender's name be used?

Rule    Everybody may send as themselves. As a colleague only who was allowed to by that colleague (Send As).
        An address that is nobody's in the organization is no business of this rule: which accounts Close would find
        for it, the sandbox cannot know.
Rule    What goes through an account whose sending has failed (`send_status`) does not go out.
Source  developer.close.com: Connected Accounts, Send As. What Close answers to who may not is not documented: the field
        and the words are ours.
Needs   The accounts and the associations of the organization, oldest first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.sandbox.ids import new_id
from gateway.sandbox.mailboxes import address_in
from gateway.sandbox.records import Record
from gateway.sandbox.users import User

NOT_ALLOWED: Final = "You are not allowed to send as this user."
TYPES: Final = ("google", "microsoft", "custom_email")
SEND_STATUSES: Final = ("ok", "error")
UNUSED: Final = (
    "calendar_receive_status",
    "calendly",
    "imap",
    "latest_receive_error",
    "latest_send_error",
    "lead_suggestions_updated_at",
    "smtp",
    "sync_all_calendars",
    "zoom_account_plan",
)
"""Fields of an account that the sandbox has nothing for."""


@dataclass(frozen=True, slots=True)
class Road:
    """The way out of an email: its account, and the association that allows it; either may be none."""

    account: Record | None = None
    send_as: Record | None = None
    is_allowed: bool = True


def new_account(values: Mapping[str, Any], owner: User, account_id: str | None, now: str) -> Record:
    """An email account that somebody connected. `values` may name email, _type, name and send_status."""
    email = values.get("email") or owner.email
    identity = {"email": email, "name": values.get("name") or owner.name}
    return {
        "_type": values.get("_type") or "google",
        "id": account_id or new_id("emailacct"),
        "organization_id": owner.organization_id,
        "user_id": owner.id,
        "email": email,
        "identities": [identity],
        "default_identity": identity,
        "date_created": now,
        "send_status": values.get("send_status") or "ok",
        "receive_status": "ok",
        "email_receive_status": "ok",
        "available_features": ["email_sending", "email_syncing"],
        "enabled_features": ["email_sending", "email_syncing"],
        "available_calendars": [],
        "synced_calendars": [],
        "has_meeting_creation_scopes": False,
        "is_imap_archive_sync_enabled": False,
        **dict.fromkeys(UNUSED),
    }


def new_send_as(allowing: User, allowed: User, send_as_id: str | None) -> Record:
    """One user lets another send in their name."""
    return {
        "id": send_as_id or new_id("sdas"),
        "organization_id": allowing.organization_id,
        "allowing_user_id": allowing.id,
        "allowed_user_id": allowed.id,
    }


def accounts_for(user: User, accounts: Iterable[Record], send_as: Iterable[Record]) -> list[Record]:
    """The accounts that a user may send through: their own, and those of who lets them."""
    owners = {user.id, *(one["allowing_user_id"] for one in send_as if one["allowed_user_id"] == user.id)}
    return [account for account in accounts if account["user_id"] in owners]


def road_of(
    sender: str, user: User, users: Iterable[User], accounts: Iterable[Record], send_as: Iterable[Record]
) -> Road:
    """How an email of this sender goes out when this user sends it."""
    address = address_in(sender)
    of_address = {account["user_id"]: account for account in accounts if account["email"].lower() == address}
    owners = [*of_address, *(other.id for other in users if other.email.lower() == address)]
    if user.id in owners or not owners:
        return Road(of_address.get(user.id))
    allowed = {one["allowing_user_id"]: one for one in send_as if one["allowed_user_id"] == user.id}
    for owner in owners:
        if owner in allowed:
            return Road(of_address.get(owner), allowed[owner])
    return Road(is_allowed=False)

"""How each record of a seed file is made.

Rule    What is in the file goes through the rules that the API has, with ids that may be chosen.
Rule    `created_by` says whose doing a record is. Without it, it is the first user's; where the record belongs to a
        lead, the first user's of that organization.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.sandbox.accounts import SEND_STATUSES, TYPES
from gateway.sandbox.kinds import CONTACT, EMAIL, LEAD, TEMPLATE, fitted, text
from gateway.sandbox.people import NOT_YOURS
from gateway.sandbox.records import Record
from gateway.sandbox.refusal import NOT_A_CHOICE, REQUIRED, Refusal, invalid
from gateway.sandbox.rules import STATUSES, is_missing
from gateway.sandbox.users import User
from gateway.sandbox.world import World

Create: TypeAlias = Callable[[World, Mapping[str, User], Record], object]
"""Makes a record in a world with these users, or raises a `Refusal`."""
OWN: Final = ("id", "created_by")
"""What no request says of a record."""
ACCOUNT: Final = dict.fromkeys(("_type", "email", "name", "send_status", "user_id"), text)


@dataclass(frozen=True, slots=True)
class Section:
    """One list of the file: the names that its records may have, and what makes a record of one."""

    names: tuple[str, ...]
    create: Create

    @property
    def takes(self) -> tuple[str, ...]:
        """Of these, what a request has that makes one."""
        return tuple(name for name in self.names if name not in OWN)


def _author(world: World, users: Mapping[str, User], record: Record) -> User:
    """Whose doing a record is."""
    if "created_by" in record:
        return _named(users, record, "created_by")
    lead = world.leads.get(record.get("lead_id", "")) if isinstance(record.get("lead_id", ""), str) else None
    return next(user for user in world.users if lead is None or user.organization_id == lead["organization_id"])


def _named(users: Mapping[str, User], record: Record, name: str, also: Mapping[str, str] | None = None) -> User:
    """Find the user that a record names there. What is `also` wrong with it is told along."""
    user_id = record.get(name)
    errors = dict(also or {})
    if is_missing(user_id):
        errors = {name: REQUIRED} | errors
    elif not isinstance(user_id, str) or user_id not in users:
        errors = {name: NOT_YOURS} | errors
    if errors:
        raise invalid(fields=errors)
    return users[str(user_id)]


def _payload(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in OWN}


def _lead(world: World, users: Mapping[str, User], record: Record) -> None:
    world.create_lead(_author(world, users, record), _payload(record), lead_id=record.get("id"))


def _contact(world: World, users: Mapping[str, User], record: Record) -> None:
    world.create_contact(_author(world, users, record), _payload(record), contact_id=record.get("id"))


def _template(world: World, users: Mapping[str, User], record: Record) -> None:
    world.create_template(_author(world, users, record), _payload(record), template_id=record.get("id"))


def _account(world: World, users: Mapping[str, User], record: Record) -> None:
    values, errors = fitted({name: value for name, value in record.items() if name != "user_id"}, ACCOUNT)
    for name, choices in (("_type", TYPES), ("send_status", SEND_STATUSES)):
        if name not in errors and values.get(name) not in (None, *choices):
            errors[name] = f"It has to be one of {', '.join(choices)}"
    world.connect_account(_named(users, record, "user_id", errors), values, account_id=record.get("id"))


def _send_as(world: World, users: Mapping[str, User], record: Record) -> None:
    missing = {"allowed_user_id": REQUIRED} if is_missing(record.get("allowed_user_id")) else {}
    allowing = _named(users, record, "allowing_user_id", missing)
    world.allow(allowing, _payload(record), send_as_id=record.get("id"))


def _email(world: World, users: Mapping[str, User], record: Record) -> None:
    try:
        world.create_email(_author(world, users, record), _payload(record), email_id=record.get("id"))
    except Refusal as refusal:
        fields: dict[str, str] = refusal.body["field-errors"]
        if fields.get("status") == NOT_A_CHOICE:
            fields["status"] = f"It has to be one of {', '.join(STATUSES)}"
        raise


def _section(create: Create, *names: str, kinds: Iterable[str] = ()) -> Section:
    return Section(("id", *names, *kinds), create)


SECTIONS: Final[Mapping[str, Section]] = {
    "leads": _section(_lead, "created_by", kinds=LEAD),
    "contacts": _section(_contact, "created_by", "lead_id", kinds=CONTACT),
    "email_templates": _section(_template, "created_by", kinds=TEMPLATE),
    "connected_accounts": _section(_account, kinds=ACCOUNT),
    "send_as": _section(_send_as, "allowing_user_id", "allowed_user_id"),
    "emails": _section(_email, "created_by", "lead_id", "status", "sender", "user_id", kinds=EMAIL),
}
"""In the order in which they are made: each may name what comes before it."""

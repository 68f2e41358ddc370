"""What emails refer to: leads with their contacts, and templates. A no is raised as a `Refusal`."""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.sandbox.clock import Clock
from gateway.sandbox.contacts import new_contact, with_contact
from gateway.sandbox.kinds import CONTACT, LEAD, TEMPLATE, fitted
from gateway.sandbox.people import MOST_RECORDS, People, object_of
from gateway.sandbox.records import Record, new_lead
from gateway.sandbox.refusal import NO_SUCH_OBJECT, NOT_A_STRING, REQUIRED, invalid, refused
from gateway.sandbox.rules import is_missing
from gateway.sandbox.shelf import Shelf
from gateway.sandbox.templates import contact_of, is_seen_by, new_template, rendered
from gateway.sandbox.users import User


class Directory(People):
    """What stands beside the emails of a world. `most` is how many records of a kind are kept."""

    def __init__(self, users: Iterable[User] = (), *, most: int = MOST_RECORDS, clock: Clock | None = None) -> None:
        super().__init__(users, most=most, clock=clock)
        self.leads, self.contacts, self.templates = Shelf(most), Shelf(most), Shelf(most)

    # -- leads and their contacts --

    def leads_of(self, user: User) -> list[Record]:
        return self.leads.of(user)

    def lead(self, user: User, lead_id: str) -> Record:
        return self.leads.one(user, lead_id)

    def create_lead(self, user: User, payload: object, *, lead_id: str | None = None) -> Record:
        """Create a lead, with the contacts that it has in it. `lead_id` gives it an id known beforehand."""
        values, errors = fitted(object_of(payload), LEAD)
        if errors:
            raise invalid(fields=errors)
        lead = self.leads.add(new_lead(values, user, lead_id, self.now()))
        for contact in values.get("contacts", []):
            self._add_contact(user, lead["id"], contact, None)
        return self.leads[lead["id"]]

    def create_contact(self, user: User, payload: object, *, contact_id: str | None = None) -> Record:
        """Add a contact to the lead that it names."""
        fields = object_of(payload)
        values, errors = fitted(fields, CONTACT)
        if errors := errors | self.lead_errors(user, fields):
            raise invalid(fields=errors)
        return self._add_contact(user, fields["lead_id"], values, contact_id)

    def _add_contact(self, user: User, lead_id: str, values: Mapping[str, Any], contact_id: str | None) -> Record:
        lead = self.leads[lead_id]
        contact = self.contacts.add(new_contact(values, lead, user, contact_id, self.now()))
        self.leads[lead_id] = with_contact(lead, contact)
        return contact

    def lead_errors(self, user: User, fields: Mapping[str, Any]) -> dict[str, str]:
        lead_id = fields.get("lead_id")
        if is_missing(lead_id):
            return {"lead_id": REQUIRED}
        if not isinstance(lead_id, str):
            return {"lead_id": NOT_A_STRING}
        return {} if self.leads.find(user, lead_id) else {"lead_id": NO_SUCH_OBJECT}

    # -- templates --

    def templates_of(self, user: User) -> list[Record]:
        return [template for template in self.templates.of(user) if is_seen_by(user, template)]

    def template(self, user: User, template_id: str) -> Record:
        if found := self.find_template(user, template_id):
            return found
        raise refused(404, "Not Found")

    def find_template(self, user: User, template_id: object) -> Record | None:
        found = self.templates.find(user, template_id)
        return found if found and is_seen_by(user, found) else None

    def create_template(self, user: User, payload: object, *, template_id: str | None = None) -> Record:
        """Create a template. `template_id` gives it an id known beforehand."""
        fields = object_of(payload)
        values, errors = fitted(fields, TEMPLATE)
        errors |= {name: REQUIRED for name in ("name", "subject", "body") if is_missing(fields.get(name))}
        if errors:
            raise invalid(fields=errors)
        return self.templates.add(new_template(values, user, template_id, self.now()))

    def render(self, user: User, template_id: str, lead_id: str | None, contact_id: str | None) -> Record:
        """The template as an email to this contact would have it."""
        template = self.template(user, template_id)
        lead, contact = self.leads.find(user, lead_id), self.contacts.find(user, contact_id)
        found = {"lead_id": (lead_id, lead), "contact_id": (contact_id, contact)}
        if errors := {name: NO_SUCH_OBJECT if given else REQUIRED for name, (given, one) in found.items() if not one}:
            raise invalid(fields=errors)
        return rendered(template, user, lead or {}, contact)

    def written_from(
        self, template: Record, user: User, fields: Mapping[str, Any], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What an email that has no body of its own gets from its template."""
        lead = self.leads[fields["lead_id"]]
        whole = rendered(template, user, lead, contact_of(lead, values.get("contact_id"), values.get("to", [])))
        subject = values.get("subject")
        return {"subject": whole["subject"] if subject is None else subject, "body_html": whole["body"]}

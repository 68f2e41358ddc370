"""What a small Close remembers, and what it lets whom do with it. No HTTP: a no is raised as a `Refusal`.

Rule    A user sees and changes what belongs to their organization. All else does not exist for them.
Source  developer.close.com: Authentication (a key belongs to one user in one organization).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from gateway.sandbox import rules
from gateway.sandbox.records import Record, changed_email, new_email, new_lead
from gateway.sandbox.refusal import (
    NO_SUCH_OBJECT,
    NOT_A_STRING,
    NOT_AN_OBJECT,
    ONLY_DRAFTS,
    REQUIRED,
    invalid,
    refused,
)
from gateway.sandbox.users import User, seen_whole

MOST_RECORDS: Final = 10_000
"""Emails, and leads, that are kept. One more, and the oldest is forgotten."""


class World:
    """The state of a sandbox. It lives in memory and ends with the process.

    `most` is how many emails, and how many leads, are kept.
    """

    def __init__(self, users: Iterable[User] = (), *, most: int = MOST_RECORDS) -> None:
        self.users: list[User] = list(users)
        self.leads: dict[str, Record] = {}
        self.emails: dict[str, Record] = {}
        self._most = most

    def dump(self) -> Record:
        """All that it holds, in the order it came, for reading: credentials only as a hint."""
        return {
            "users": [seen_whole(user) for user in self.users],
            "leads": list(self.leads.values()),
            "emails": list(self.emails.values()),
        }

    # -- users --

    def users_beside(self, user: User) -> list[User]:
        return [other for other in self.users if other.organization_id == user.organization_id]

    def user(self, user: User, user_id: str) -> User:
        if found := self._colleague(user, user_id):
            return found
        raise refused(404, "Not Found")

    # -- leads --

    def leads_of(self, user: User) -> list[Record]:
        return _newest_first(self.leads, user)

    def lead(self, user: User, lead_id: str) -> Record:
        return _own(self.leads, user, lead_id)

    def create_lead(self, user: User, payload: object, *, lead_id: str | None = None) -> Record:
        """Create a lead. `lead_id` gives it an id known beforehand."""
        lead = new_lead(_object(payload), user, lead_id)
        _keep(self.leads, lead, self._most)
        return lead

    # -- emails --

    def emails_of(self, user: User, lead_ids: Collection[str] = ()) -> list[Record]:
        """List the emails, newest first; where leads are named, theirs alone."""
        emails = _newest_first(self.emails, user)
        return [email for email in emails if email["lead_id"] in lead_ids] if lead_ids else emails

    def email(self, user: User, email_id: str) -> Record:
        return _own(self.emails, user, email_id)

    def create_email(self, user: User, payload: object, *, email_id: str | None = None) -> Record:
        """Create an email. `email_id` gives it an id known beforehand."""
        fields = _object(payload)
        errors = self._lead_errors(user, fields) | rules.errors_in_new(fields) | self._user_errors(user, fields)
        if errors:
            raise invalid(fields=errors)
        owner = self._colleague(user, fields.get("user_id")) or user
        email = new_email(fields, user, owner, email_id)
        _keep(self.emails, email, self._most)
        return email

    def update_email(self, user: User, email_id: str, payload: object) -> Record:
        """Change an email. The record from before is left as it was and replaced."""
        kept = self.email(user, email_id)
        fields = _object(payload)
        if not rules.may_change(fields, kept):
            raise invalid(ONLY_DRAFTS)
        if errors := rules.errors_in_change(fields, kept) | self._user_errors(user, fields):
            raise invalid(fields=errors)
        owner = self._colleague(user, fields.get("user_id")) or self._colleague(user, kept["user_id"]) or user
        self.emails[email_id] = changed_email(kept, fields, user, owner)
        return self.emails[email_id]

    def delete_email(self, user: User, email_id: str) -> None:
        self.email(user, email_id)
        del self.emails[email_id]

    # -- what a request refers to --

    def _colleague(self, user: User, user_id: object) -> User | None:
        return next((other for other in self.users_beside(user) if other.id == user_id), None)

    def _lead_errors(self, user: User, fields: Mapping[str, Any]) -> dict[str, str]:
        lead_id = fields.get("lead_id")
        if rules.is_missing(lead_id):
            return {"lead_id": REQUIRED}
        if not isinstance(lead_id, str):
            return {"lead_id": NOT_A_STRING}
        lead = self.leads.get(lead_id)
        known = lead is not None and lead["organization_id"] == user.organization_id
        return {} if known else {"lead_id": NO_SUCH_OBJECT}

    def _user_errors(self, user: User, fields: Mapping[str, Any]) -> dict[str, str]:
        user_id = fields.get("user_id")
        if rules.is_missing(user_id) or self._colleague(user, user_id):
            return {}
        return {"user_id": NO_SUCH_OBJECT if isinstance(user_id, str) else NOT_A_STRING}


def _object(payload: object) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise invalid(NOT_AN_OBJECT)
    return payload


def _own(records: Mapping[str, Record], user: User, record_id: str) -> Record:
    record = records.get(record_id)
    if record is None or record["organization_id"] != user.organization_id:
        raise refused(404, "Not Found")
    return record


def _newest_first(records: Mapping[str, Record], user: User) -> list[Record]:
    return [record for record in reversed(list(records.values())) if record["organization_id"] == user.organization_id]


def _keep(records: dict[str, Record], record: Record, most: int) -> None:
    records[record["id"]] = record
    while len(records) > most:
        del records[next(iter(records))]

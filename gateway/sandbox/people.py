"""Who is there: users, the accounts that they connected, and who lets whom send in their name.

A no is raised as a `Refusal`.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from gateway.sandbox.accounts import Road, accounts_for, new_account, new_send_as, road_of
from gateway.sandbox.clock import Clock
from gateway.sandbox.records import Record
from gateway.sandbox.refusal import NO_SUCH_OBJECT, NOT_AN_OBJECT, REQUIRED, invalid, refused
from gateway.sandbox.rules import is_missing
from gateway.sandbox.shelf import Shelf
from gateway.sandbox.users import User

MOST_RECORDS: Final = 10_000
"""Of each kind that are kept. One more, and the oldest is forgotten."""
NOT_YOURS: Final = "This has to be your own user ID."


class People:
    """The users of a world, and what is theirs. `most` is how many records of a kind are kept."""

    def __init__(self, users: Iterable[User] = (), *, most: int = MOST_RECORDS, clock: Clock | None = None) -> None:
        self.users: list[User] = list(users)
        self.clock = clock or Clock()
        self.accounts, self.send_as = Shelf(most), Shelf(most)

    def now(self) -> str:
        return self.clock.now().isoformat()

    # -- users --

    def users_beside(self, user: User) -> list[User]:
        return [other for other in self.users if other.organization_id == user.organization_id]

    def user(self, user: User, user_id: str) -> User:
        if found := self.colleague(user, user_id):
            return found
        raise refused(404, "Not Found")

    def colleague(self, user: User, user_id: object) -> User | None:
        return next((other for other in self.users_beside(user) if other.id == user_id), None)

    # -- accounts, and who may send as whom --

    def accounts_of(self, user: User) -> list[Record]:
        """The accounts that the user may send through, newest first."""
        return accounts_for(user, self.accounts.of(user), self.send_as.of(user))

    def account(self, user: User, account_id: str) -> Record:
        if found := self.find_account(user, account_id):
            return found
        raise refused(404, "Not Found")

    def find_account(self, user: User, account_id: object) -> Record | None:
        return next((account for account in self.accounts_of(user) if account["id"] == account_id), None)

    def connect_account(self, user: User, values: Mapping[str, Any], *, account_id: str | None = None) -> Record:
        """Connect an account of this user's, by its email, _type, name and send_status, each with a default."""
        return self.accounts.add(new_account(values, user, account_id, self.now()))

    def road(self, user: User, sender: str) -> Road:
        """How an email of this sender goes out when the user sends it."""
        accounts, send_as = self.accounts.of(user)[::-1], self.send_as.of(user)[::-1]
        return road_of(sender, user, self.users_beside(user), accounts, send_as)

    def send_as_of(self, user: User, allowing: str | None, allowed: str | None) -> list[Record]:
        """List who may send as whom, as far as it concerns the user."""
        if not (allowing or allowed):
            allowing = user.id
        if user.id not in (allowing, allowed):
            raise invalid(fields={"allowing_user_id": NOT_YOURS})
        wanted = {"allowing_user_id": allowing, "allowed_user_id": allowed}
        given = {name: user_id for name, user_id in wanted.items() if user_id}
        return [one for one in self.send_as.of(user) if given.items() <= one.items()]

    def one_send_as(self, user: User, send_as_id: str) -> Record:
        found = self.send_as.one(user, send_as_id)
        if user.id not in (found["allowing_user_id"], found["allowed_user_id"]):
            raise refused(404, "Not Found")
        return found

    def allow(self, user: User, payload: object, *, send_as_id: str | None = None) -> Record:
        """Let a colleague send as the user."""
        fields = object_of(payload)
        allowed = self.colleague(user, fields.get("allowed_user_id"))
        errors = {} if fields.get("allowing_user_id") == user.id else {"allowing_user_id": NOT_YOURS}
        if allowed is None:
            errors["allowed_user_id"] = REQUIRED if is_missing(fields.get("allowed_user_id")) else NO_SUCH_OBJECT
        if errors or allowed is None:
            raise invalid(fields=errors)
        existing = self.send_as_of(user, user.id, allowed.id)
        return existing[0] if existing else self.send_as.add(new_send_as(user, allowed, send_as_id))

    def disallow(self, user: User, allowing: str | None, allowed: str | None) -> None:
        """Take back what the user allowed a colleague."""
        if allowing != user.id:
            raise invalid(fields={"allowing_user_id": NOT_YOURS})
        found = self.send_as_of(user, allowing, allowed) if allowed else []
        if not found:
            raise refused(404, "Not Found")
        del self.send_as[found[0]["id"]]

    def remove_send_as(self, user: User, send_as_id: str) -> None:
        found = self.one_send_as(user, send_as_id)
        if found["allowing_user_id"] != user.id:
            raise refused(403, "Forbidden")
        del self.send_as[send_as_id]

    def allow_many(self, user: User, payload: object) -> list[Record]:
        """Allow and disallow several colleagues at once: all of them, or none. Answers who may send as the user."""
        fields = object_of(payload)
        names = ("allowed_user_ids", "disallowed_user_ids")
        chosen = {name: self._colleagues(user, fields.get(name)) for name in names}
        if errors := {name: NO_SUCH_OBJECT for name, users in chosen.items() if users is None}:
            raise invalid(fields=errors)
        for colleague in chosen["allowed_user_ids"] or ():
            self.allow(user, {"allowing_user_id": user.id, "allowed_user_id": colleague.id})
        for colleague in chosen["disallowed_user_ids"] or ():
            for one in self.send_as_of(user, user.id, colleague.id):
                del self.send_as[one["id"]]
        return self.send_as_of(user, user.id, None)

    def _colleagues(self, user: User, user_ids: object) -> Collection[User] | None:
        if not isinstance(user_ids, list | None):
            return None
        found = [self.colleague(user, user_id) for user_id in user_ids or ()]
        known = [colleague for colleague in found if colleague]
        return known if len(known) == len(found) else None


def object_of(payload: object) -> dict[str, Any]:
    """The payload, if it is an object."""
    if not isinstance(payload, dict):
        raise invalid(NOT_AN_OBJECT)
    return payload

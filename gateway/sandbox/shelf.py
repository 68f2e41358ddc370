"""Records of one kind, by their id.

Rule    A user sees what belongs to their organization. All else does not exist for them.
Source  developer.close.com: Authentication (a key belongs to one user in one organization).
"""

from typing import TypeVar

from gateway.sandbox.records import Record
from gateway.sandbox.refusal import refused
from gateway.sandbox.users import User

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(dict[Key, Value]):
    """Up to `most` things, in the order they came. One more, and the oldest is forgotten."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: Key, value: Value) -> Value:
        self[key] = value
        while len(self) > self._most:
            del self[next(iter(self))]
        return value


class Shelf(Kept[str, Record]):
    """Records, of which each user sees some."""

    def add(self, record: Record) -> Record:
        return self.keep(record["id"], record)

    def of(self, user: User) -> list[Record]:
        """What the user sees, newest first."""
        return [record for record in reversed(self.values()) if record["organization_id"] == user.organization_id]

    def find(self, user: User, record_id: object) -> Record | None:
        """The record of this id, if the user sees one."""
        record = self.get(record_id) if isinstance(record_id, str) else None
        return record if record and record["organization_id"] == user.organization_id else None

    def one(self, user: User, record_id: str) -> Record:
        """The record of this id; a 404 where the user sees none."""
        if found := self.find(user, record_id):
            return found
        raise refused(404, "Not Found")

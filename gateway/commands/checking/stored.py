"""Emails that Close holds, as it gives them, for changes of them to be judged by.

Rule    One stored email is the one that every change is of, unless both say otherwise by their `id`. Of several, a
        change is of the one that it names by `id`. One that cannot be read is one of them all the same.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from gateway.commands.checking.found import Found, Payload, Unreadable, misread
from gateway.policy import StoredEmail, stored_email
from gateway.wire.submission import read

NO_SENDER: Final = 'It does not tell of a sender: give the stored email as Close does, with "sender", null or a text.'
NO_ID: Final = 'It has no "id", by which a change could name it: of several stored emails each needs one.'


class Stored:
    """What is known of stored emails. At first nothing is."""

    def __init__(self) -> None:
        self._by_id: dict[str, StoredEmail] = {}
        self._number = 0
        """How many the files hold."""
        self._first: tuple[object, StoredEmail] | None = None
        """The first, with its id."""

    def find(self, change: Mapping[str, object]) -> StoredEmail | None:
        """Find the one that a change is of."""
        named = change.get("id")
        if self._number == 1 and self._first is not None:
            its_id, email = self._first
            return email if named is None or its_id is None or named == its_id else None
        return self._by_id.get(named) if isinstance(named, str) else None

    def take(self, found: Iterator[Found], limit: int) -> Iterator[Unreadable]:
        """Take all that stands in a file; give what is wrong there."""
        nameless: Unreadable | None = None
        for one in found:
            reading = read(one.body, (), limit) if isinstance(one, Payload) else None
            if reading is None:
                self._number += 1
                yield one if isinstance(one, Unreadable) else misread(one)
                continue
            for members in _emails(reading.members):
                self._number += 1
                email = stored_email(members)
                if email is None:
                    yield Unreadable(one.line, one.column, NO_SENDER)
                    continue
                self._add(members.get("id"), email)
                if not isinstance(members.get("id"), str):
                    nameless = nameless or Unreadable(one.line, one.column, NO_ID)
        if nameless is not None and self._number > 1:
            yield nameless

    def _add(self, its_id: object, email: StoredEmail) -> None:
        self._first = self._first or (its_id, email)
        if isinstance(its_id, str):
            self._by_id[its_id] = email


def _emails(members: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Give the email, or those of a list as Close gives it: {"data": [...], "has_more": false}."""
    several = members.get("data")
    if "sender" in members or not isinstance(several, list):
        yield members
        return
    yield from (one if isinstance(one, dict) else {} for one in several)

"""The records of a seed file, made one after the other, and all that is wrong with them.

Rule    Whatever can be told is told at once. What is wrong with one record keeps no other from being looked at: it is
        made without that, as well as it can be. A world with problems is given to nobody.
Rule    Nothing is told that mending something else would mend: that a record is missing which is there and could not
        be made, that a name is missing of which one much alike is there, or that somebody may not send as another
        where what allows it may be among what is wrong.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from gateway.sandbox.accounts import NOT_ALLOWED
from gateway.sandbox.people import NOT_YOURS
from gateway.sandbox.records import Record
from gateway.sandbox.refusal import NO_SUCH_OBJECT, NOT_A_STRING, NOT_AN_ADDRESS, REQUIRED, Refusal
from gateway.sandbox.seeding import SECTIONS, Section
from gateway.sandbox.world import World

NOT_TEXT: Final = "has to be a text, not blank and without a slash"
MENDED: Final = {
    REQUIRED: "is missing: add it",
    NO_SUCH_OBJECT: "names nothing that the file has in this organization: add it, or name another",
    NOT_A_STRING: "has to be a text",
    NOT_AN_ADDRESS: 'has no address in it: write it as "Jane Roe <jane@example.com>"',
    NOT_ALLOWED: "is a colleague's address: add to send_as that they allow this",
    NOT_YOURS: "has to be a user of the file",
}
"""What is wrong, by what the API says to it."""
LEAVE: Final = ("connected_accounts", "send_as")
"""Lists that say who may send as whom."""


class Making:
    """Makes records in a world; `ids` are those that the file gives to any. `problems` is what is wrong with them."""

    def __init__(self, world: World, ids: Iterable[str]) -> None:
        self.problems: list[str] = []
        self._world = world
        self._users = {user.id: user for user in world.users}
        self._ids = frozenset(ids)
        self._doubtful: set[str] = set()
        """Of what is not as it was meant."""
        self._unknown = False
        """Whether more may be meant than `ids`."""
        self._leave_is_sure = True

    def doubt_users(self) -> None:
        """Some users are not as they were meant: so whose a record is, and who sees it, cannot be known."""
        self._doubtful |= self._ids
        self._leave_is_sure = False

    def doubt_ids(self) -> None:
        """There may be records whose ids are not known: a list could not be read."""
        self._unknown = True
        self._leave_is_sure = False

    def make(self, name: str, number: int, record: Record) -> None:
        """Make a record of this list."""
        section, where = SECTIONS[name], f"{name}[{number}]."
        unknown = unknown_names(where, record, section.names)
        bad = no_ids(where, record, ("id", "created_by"))
        kept = {key: value for key, value in record.items() if key in section.names and key not in bad}
        errors = self._refused(section, kept)
        if "created_by" in errors:
            errors |= self._refused(section, {key: value for key, value in kept.items() if key != "created_by"})
        author_is_sure = not {"created_by"} & {*errors, *bad} and not self._is_doubtful(kept.get("lead_id"))
        found = [
            f"{where}{key} {_mended(record.get(key), error)}"
            for key, error in errors.items()
            if self._is_sure(record.get(key), error, author_is_sure=author_is_sure)
            and not (error == REQUIRED and key in (*unknown.values(), *bad))
        ]
        self.problems += [*unknown, *bad.values(), *found]
        if unknown or bad or errors:
            self._doubt(name, record, has_lost_its_id="id" in bad or ("id" not in record and bool(unknown)))

    def _refused(self, section: Section, record: Record) -> dict[str, str]:
        """Make it; give what is wrong with it, by its names."""
        try:
            section.create(self._world, self._users, record)
        except Refusal as refusal:
            fields: dict[str, str] = refusal.body["field-errors"]
            return fields
        return {}

    def _is_sure(self, value: object, error: str, *, author_is_sure: bool) -> bool:
        """Whether this stays wrong, whatever else is mended."""
        if error == NOT_ALLOWED:
            return self._leave_is_sure and author_is_sure
        if error in (NO_SUCH_OBJECT, NOT_YOURS):
            return not self._is_doubtful(value) and (author_is_sure or value not in self._ids)
        return True

    def _is_doubtful(self, value: object) -> bool:
        return isinstance(value, str) and (self._unknown or value in self._doubtful)

    def _doubt(self, name: str, record: Record, *, has_lost_its_id: bool) -> None:
        its_id = record.get("id")
        if isinstance(its_id, str):
            self._doubtful.add(its_id)
        self._unknown = self._unknown or has_lost_its_id
        self._leave_is_sure = self._leave_is_sure and name not in LEAVE


def unknown_names(where: str, record: Mapping[str, Any], known: Iterable[str]) -> dict[str, str | None]:
    """Tell of names that are not known, each with the known one that may be meant."""
    names = list(known)
    found: dict[str, str | None] = {}
    for name in (name for name in record if name not in names):
        close = next(iter(get_close_matches(name, names, n=1)), None)
        mends = f"did you mean {close}?" if close else f"leave it out; there are {', '.join(sorted(names))}"
        found[f"{where}{name} is not known: {mends}"] = close
    return found


def no_ids(where: str, record: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Tell, by their names, of those of these that are given and could be no id."""
    given = {name: record[name] for name in names if name in record}
    return {
        name: f"{where}{name} {NOT_TEXT}"
        for name, value in given.items()
        if not isinstance(value, str) or not value.strip() or "/" in value
    }


def _mended(value: object, error: str) -> str:
    """What to do about it."""
    if isinstance(value, list):
        return f"has something in it that is not right: {error}"
    return MENDED.get(error) or f"is not right: {error}"

"""A world as a file tells of it: JSON, with a list for each kind of record. `example.json` beside this file is one.

Rule    Every problem is told at once, with where it stands and what mends it. A name that is not known is one.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from gateway.sandbox.accounts import NOT_ALLOWED
from gateway.sandbox.clock import Clock, read_time
from gateway.sandbox.kinds import fitted, text
from gateway.sandbox.people import MOST_RECORDS, NOT_YOURS
from gateway.sandbox.records import Record
from gateway.sandbox.refusal import NO_SUCH_OBJECT, NOT_A_STRING, NOT_AN_ADDRESS, REQUIRED, Refusal
from gateway.sandbox.rules import is_missing, sender_error
from gateway.sandbox.seeding import SECTIONS, Section
from gateway.sandbox.users import User
from gateway.sandbox.world import World

LARGEST: Final = 32 * 1024 * 1024
MOST_PROBLEMS: Final = 20
"""That are told. One mistake may have been copied a thousand times."""
KEY: Final = r"[!-9;-~]+"
NOT_TEXT: Final = "has to be a text, not blank and without a slash"
KNOWN: Final = ("now", "users", *SECTIONS)
USER: Final = dict.fromkeys((field.name for field in fields(User)), text)
MENDED: Final = {
    REQUIRED: "is missing: add it",
    NO_SUCH_OBJECT: "names nothing that the file has in this organization: add it, or name another",
    NOT_A_STRING: "has to be a text",
    NOT_AN_ADDRESS: 'has no address in it: write it as "Jane Roe <jane@example.com>"',
    NOT_ALLOWED: "is a colleague's address: add to send_as that they allow this",
    NOT_YOURS: "has to be a user of the file",
}
"""What is wrong, by what the API says to it."""


class SeedProblems(Exception):
    """A seed file cannot be used."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def read_seed(path: Path, clock: Clock | None = None) -> World:
    """Make the world that a file tells of. A clock that is given goes before the file's `now`. Raises SeedProblems."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise SeedProblems([f"It cannot be read: {(error.strerror or str(error)).lower()}."]) from None
    if len(content) > LARGEST:
        raise SeedProblems([f"It has more than {LARGEST // 1024**2} MiB."])
    try:
        document = json.loads(content)
    except RecursionError:
        raise SeedProblems(["It is nested too deeply."]) from None
    except ValueError as error:
        raise SeedProblems([f"It is not JSON: {error}."]) from None
    return world_of(document, clock)


def world_of(document: object, clock: Clock | None = None) -> World:
    """Make the world that a document tells of. Raises SeedProblems."""
    if not isinstance(document, dict):
        raise SeedProblems([f"It has to be an object with some of {', '.join(KNOWN)}."])
    problems: list[str] = []
    users = _users(_records(document, "users", problems), problems)
    if not (users or problems):
        problems.append("users is missing or empty: add at least one, with email and api_key")
    has_users = not problems
    problems += _unknown("", document, KNOWN)
    its_clock = _clock(document.get("now"), problems)
    world = World(users, clock=clock or its_clock)
    if not has_users:  # whose the rest is cannot be judged
        raise SeedProblems(problems[:MOST_PROBLEMS])
    by_id = {user.id: user for user in users}
    for name, section in SECTIONS.items():
        for number, record in enumerate(_records(document, name, problems)):
            problems += _made(f"{name}[{number}]", section, record, world, by_id)
    if problems:
        raise SeedProblems(problems[:MOST_PROBLEMS])
    return world


def _made(where: str, section: Section, record: Record, world: World, users: Mapping[str, User]) -> list[str]:
    """Make a record; say what is wrong with it, if anything is."""
    problems = _unknown(f"{where}.", record, section.names)
    problems += _no_ids(f"{where}.", record, ("id", "created_by"))
    if problems:
        return problems
    try:
        section.create(world, users, record)
    except Refusal as refusal:
        told: Mapping[str, str] = refusal.body["field-errors"]
        problems += [f"{where}.{name} {_mended(record.get(name), error)}" for name, error in told.items()]
    return problems


def _mended(value: object, error: str) -> str:
    """What to do about it."""
    if isinstance(value, list):
        return f"has something in it that is not right: {error}"
    return MENDED.get(error) or f"is not right: {error}"


def _users(records: Iterable[Record], problems: list[str]) -> list[User]:
    users: list[User] = []
    for number, record in enumerate(records):
        where = f"users[{number}]."
        values, errors = fitted({name: value for name, value in record.items() if value is not None}, USER)
        errors |= {name: REQUIRED for name in ("email", "api_key") if is_missing(record.get(name))}
        if "email" not in errors and (error := sender_error(values["email"])):
            errors["email"] = error
        found = [f"{where}{name} {MENDED[error]}" for name, error in errors.items()] + _unknown(where, record, USER)
        found += _no_ids(where, values, ("id", "organization_id"))
        if not found and not re.fullmatch(KEY, values["api_key"]):
            found = [f"{where}api_key can be no user name of HTTP Basic: write it in ASCII, without colons and blanks"]
        problems += found
        if not found:
            users.append(_user(values, number))
    for name in ("id", "api_key", "access_token"):
        given = [getattr(user, name) for user in users if getattr(user, name)]
        if len(given) > len(set(given)):
            problems.append(f"users: two of them have the same {name}: each needs one of their own")
    return users


def _user(values: Mapping[str, Any], number: int) -> User:
    defaults = {
        "id": f"user_Seed{number + 1}",
        "first_name": values["email"].partition("@")[0],
        "last_name": "",
        "organization_id": "orga_Seed",
        "organization_name": "Seed Inc.",
    }
    return User(**(defaults | values))


def _clock(now: object, problems: list[str]) -> Clock:
    clock = Clock()
    time = read_time(now) if isinstance(now, str) else None
    try:
        if time is not None:
            clock.set(time)
        elif now is not None:
            problems.append('now is no time: write it as "2026-03-01T09:00:00Z"')
    except ValueError as error:
        problems.append(f"now {error}")
    return clock


def _records(document: Mapping[str, Any], name: str, problems: list[str]) -> list[Record]:
    records = document.get(name, [])
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        problems.append(f"{name} has to be a list of objects")
        return []
    if len(records) > MOST_RECORDS:
        problems.append(
            f"{name} has {len(records):,} records, and no more than {MOST_RECORDS:,} are kept: leave some out"
        )
        return []
    ids = Counter(record["id"] for record in records if isinstance(record.get("id"), str))
    problems += [
        f"{name}: {count} of them have the id {one}: each needs its own" for one, count in ids.items() if count > 1
    ]
    return records


def _unknown(where: str, record: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    names = list(known)
    return [f"{where}{name} is not known: {_did_you_mean(name, names)}" for name in record if name not in names]


def _did_you_mean(name: str, names: list[str]) -> str:
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"leave it out; there are {', '.join(sorted(names))}"


def _no_ids(where: str, record: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Those of these that are given and could be no id."""
    given = {name: record[name] for name in names if name in record}
    return [
        f"{where}{name} {NOT_TEXT}"
        for name, value in given.items()
        if not isinstance(value, str) or not value.strip() or "/" in value
    ]

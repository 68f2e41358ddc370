"""A world as a file tells of it: JSON, with a list for each kind of record. `example.json` beside this file is one.

Rule    Every problem is told at once, with where it stands and what mends it. A name that is not known is one.
        What only follows from another is none.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from gateway.sandbox.clock import Clock, read_time
from gateway.sandbox.kinds import fitted, text
from gateway.sandbox.making import MENDED, Making, no_ids, unknown_names
from gateway.sandbox.people import MOST_RECORDS
from gateway.sandbox.records import Record
from gateway.sandbox.refusal import REQUIRED
from gateway.sandbox.rules import is_missing, sender_error
from gateway.sandbox.seeding import SECTIONS
from gateway.sandbox.users import User
from gateway.sandbox.world import World

LARGEST: Final = 32 * 1024 * 1024
MOST_PROBLEMS: Final = 20
"""That are told. One mistake may have been copied a thousand times."""
KEY: Final = r"[!-9;-~]+"
NO_KEY: Final = "can be no user name of HTTP Basic: write it in ASCII, without colons and blanks"
KNOWN: Final = ("now", "users", *SECTIONS)
USER: Final = dict.fromkeys((field.name for field in fields(User)), text)


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
    users_are_sound = not problems
    unread = unknown_names("", document, KNOWN)
    problems += unread
    its_clock = _clock(document.get("now"), problems)
    world = World(users or [_user({}, 0)], clock=clock or its_clock)
    making = Making(world, _ids(document))
    if not users_are_sound:
        making.doubt_users()
    if unread or not users:
        making.doubt_ids()
    for name in SECTIONS:
        _fill(making, name, document)
    if problems := problems + making.problems:
        raise SeedProblems(problems[:MOST_PROBLEMS])
    return world


def _fill(making: Making, name: str, document: Mapping[str, Any]) -> None:
    """Make all records of a list."""
    records = _records(document, name, making.problems)
    if document.get(name) and not records:
        making.doubt_ids()
    for number, record in enumerate(records):
        making.make(name, number, record)


def _ids(document: Mapping[str, Any]) -> set[str]:
    """All ids that the file gives, to whatever."""
    lists = [document[name] for name in ("users", *SECTIONS) if isinstance(document.get(name), list)]
    ids = (record.get("id") for records in lists for record in records if isinstance(record, dict))
    return {one for one in ids if isinstance(one, str)}


def _users(records: Iterable[Record], problems: list[str]) -> list[User]:
    """Make the users, those with problems too: what is theirs is judged all the same."""
    users: list[User] = []
    for number, record in enumerate(records):
        where = f"users[{number}]."
        values, errors = fitted({name: value for name, value in record.items() if value is not None}, USER)
        unknown = unknown_names(where, record, USER)
        missing = {name for name in ("email", "api_key") if is_missing(record.get(name))}
        errors |= dict.fromkeys(missing - set(unknown.values()), REQUIRED)
        if "email" in values and (error := sender_error(values["email"])):
            errors["email"] = error
        problems += [f"{where}{name} {MENDED[errors[name]]}" for name in USER if name in errors]
        problems += [*unknown, *no_ids(where, values, ("id", "organization_id")).values()]
        if "api_key" in values.keys() - missing and not re.fullmatch(KEY, values["api_key"]):
            problems.append(f"{where}api_key {NO_KEY}")
        users.append(_user(values, number))
    for name in ("id", "api_key", "access_token"):
        given = [getattr(user, name) for user in users if getattr(user, name)]
        if len(given) > len(set(given)):
            problems.append(f"users: two of them have the same {name}: each needs one of their own")
    return users


def _user(values: Mapping[str, Any], number: int) -> User:
    defaults = {
        "id": f"user_Seed{number + 1}",
        "email": "",
        "first_name": str(values.get("email", "")).partition("@")[0],
        "last_name": "",
        "organization_id": "orga_Seed",
        "organization_name": "Seed Inc.",
        "api_key": "",
    }
    return User(**{**defaults, **values})


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

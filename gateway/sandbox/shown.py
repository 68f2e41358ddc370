"""How what a sandbox holds is put for people.

Rule    A value may be anything that JSON can hold, and as long as a request: what is shown of it is short.
Rule    A dump may hold lists that nobody here knows. Whatever in it has an id is a record, and is shown.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from gateway.sandbox.records import Record

LONGEST: Final = 120
"""Letters of one value where it has one line."""
WIDEST: Final = 20
"""Items of one list or object that are looked at for it."""
INSIDE: Final = 2
"""Lists and objects in each other that are looked at for it."""
LONGEST_TEXT: Final = 2_000
"""Letters of one text where a record is shown whole."""
MOST_ITEMS: Final = 100
"""Items of one list or object there."""
DEEPEST: Final = 6
"""Lists and objects in each other there."""

Names: TypeAlias = Mapping[str, str]
"""Ids, and what people call what has them."""


def text_of(value: Any, depth: int = INSIDE) -> str:
    """A value in one line of bounded length."""
    if isinstance(value, list | dict) and value and not depth:
        return "…"
    if isinstance(value, list):
        text = ", ".join(text_of(item, depth - 1) for item in value[:WIDEST])
    elif isinstance(value, dict):
        pairs = list(value.items())[:WIDEST]
        text = ", ".join(f"{text_of(key)}: {text_of(item, depth - 1)}" for key, item in pairs)
    elif isinstance(value, str):
        text = value
    else:
        text = "" if value is None else json.dumps(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def clipped(value: Any, depth: int = DEEPEST) -> Any:
    """A value whose texts, lists and levels are few enough to be looked at."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "…"
    if isinstance(value, list | dict) and value and not depth:
        return "…"
    if isinstance(value, list):
        return [clipped(item, depth - 1) for item in value[:MOST_ITEMS]]
    if isinstance(value, dict):
        return {clipped(key): clipped(item, depth - 1) for key, item in list(value.items())[:MOST_ITEMS]}
    return value


def lists_in(dump: Mapping[str, Any]) -> dict[str, list[Record]]:
    """The lists of records, by their names."""
    lists = {name: value for name, value in dump.items() if isinstance(value, list)}
    return {name: records for name, records in lists.items() if all("id" in record for record in records)}


def names_in(lists: Mapping[str, list[Record]]) -> Names:
    """What people call these records, where they call them anything but their ids."""
    return {record["id"]: name for records in lists.values() for record in records if (name := name_of(record))}


def name_of(record: Record) -> str:
    """What people call this record, if anything."""
    known = (record.get(field) for field in ("display_name", "name", "subject", "latest_normalized_subject"))
    return next((text_of(name) for name in known if name), "")

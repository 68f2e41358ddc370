"""How records are laid out for people: one table for each thing a sandbox holds.

Rule    A dump may hold what no table here is for: it is shown by its names and ids. A value may be anything that JSON
        can hold, and as long as a request: what is shown of it is short.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from gateway.sandbox.markup import Html, joined, tag
from gateway.sandbox.records import Record
from gateway.sandbox.rules import STATUSES

LONGEST: Final = 120
"""Letters of one value in a table."""
WIDEST: Final = 20
"""Items of one list or object, and letters of a value that is no text, that are looked at."""

Names: TypeAlias = Mapping[str, str]
"""Ids, and what people call what has them."""
Show: TypeAlias = Callable[[Record, Names], tuple[str, str]]
"""What a cell says, and in small letters beneath."""


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, and columns by their headings. What grows while the sandbox runs is shown newest first."""

    title: str
    columns: Mapping[str, Show]
    grows: bool = True


def text_of(value: Any, most: int = LONGEST) -> str:
    """A value in one line of bounded length."""
    if isinstance(value, list):
        text = ", ".join(text_of(item, most) for item in value[:WIDEST])
    elif isinstance(value, dict):
        text = ", ".join(f"{text_of(key, most)}: {text_of(item, most)}" for key, item in list(value.items())[:WIDEST])
    elif isinstance(value, str):
        text = value
    else:
        text = "" if value is None else json.dumps(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def names_in(dump: Mapping[str, Any]) -> Names:
    """What people call the records of a dump, where they call them anything but their ids."""
    return {record["id"]: name for records in lists_in(dump).values() for record in records if (name := _name(record))}


def lists_in(dump: Mapping[str, Any]) -> dict[str, list[Record]]:
    """The lists of records with an id, by their names."""
    return {
        name: [record for record in value if isinstance(record, dict) and isinstance(record.get("id"), str)]
        for name, value in dump.items()
        if isinstance(value, list) and name != "requests"
    }


def table_of(name: str) -> Table:
    """The table for a list of a dump."""
    return TABLES.get(name) or Table(name.replace("_", " ").capitalize(), {"What": _what})


def rows(name: str, records: Sequence[Record], names: Names, link: Callable[[str], str]) -> Html:
    """The table as markup. Its roles keep it one for a screen reader where the style makes cards of its rows."""
    table = table_of(name)
    headings = [tag("th", title, scope="col", role="columnheader") for title in table.columns]
    lines = [_row(record, table, names, link(record["id"])) for record in records]
    return tag(
        "table",
        tag("caption", table.title, class_="unseen"),
        tag("thead", tag("tr", *headings, role="row"), role="rowgroup"),
        tag("tbody", *lines, role="rowgroup"),
        role="table",
        class_=f"{name} wide-{len(table.columns)}",
    )


def _row(record: Record, table: Table, names: Names, link: str) -> Html:
    cells: list[Html] = []
    for title, show in table.columns.items():
        first, second = show(record, names)
        above = first if cells else tag("a", first or "(nothing)", href=link)  # the first leads to all of it
        inside = [tag("div", above)] + ([tag("div", second, class_="second")] if second else [])
        cells.append(tag("td", *inside, role="cell", data_title=title))
    return tag("tr", *cells, role="row")


def _name(record: Record) -> str:
    known = (record.get(field) for field in ("display_name", "name", "subject"))
    return next((text_of(name) for name in known if name), "")


def _what(record: Record, _names: Names) -> tuple[str, str]:
    return _name(record) or text_of(record["id"]), text_of(record["id"])


def _field(first: str, second: str = "") -> Show:
    """Show one field, and another beneath; an id by the name of what has it."""

    def show(record: Record, names: Names) -> tuple[str, str]:
        return _named(record.get(first), names), _named(record.get(second), names)

    return show


def _named(value: Any, names: Names) -> str:
    return names.get(value, text_of(value)) if isinstance(value, str) else text_of(value)


def _subject(record: Record, _names: Names) -> tuple[str, str]:
    return text_of(record.get("subject")) or "(no subject)", text_of(record["id"])


def _status(record: Record, _names: Names) -> tuple[str, str]:
    status = record.get("status")
    kind = f" {status}" if status in STATUSES else ""
    return tag("span", text_of(status), class_=f"badge{kind}"), ""


def _from_and_to(record: Record, _names: Names) -> tuple[str, str]:
    sender, to = text_of(record.get("sender")), text_of(record.get("to"))
    return sender or tag("span", "no sender", class_="missing"), f"to {to}" if to else ""


def _when(field: str, beneath: str = "") -> Show:
    def show(record: Record, names: Names) -> tuple[str, str]:
        # As the records have it, 2026-11-26T22:19:51.123456+00:00, to the second.
        time = text_of(record.get(field))[:19].replace("T", " ", 1)
        return joined(tag("span", time, class_="time")), _named(record.get(beneath), names)

    return show


TABLES: Final[Mapping[str, Table]] = {
    "emails": Table(
        "Emails",
        {
            "Email": _subject,
            "Status": _status,
            "Sender": _from_and_to,
            "Lead": _field("lead_id", "user_name"),
            "Changed (UTC)": _when("date_updated"),
        },
    ),
    "leads": Table(
        "Leads",
        {
            "Lead": _what,
            "Address": _field("url"),
            "Status": _field("status_label"),
            "Created by": _field("created_by_name", "organization_id"),
            "Changed (UTC)": _when("date_updated"),
        },
    ),
    "users": Table(
        "Users and their keys",
        {
            "User": _what,
            "Email": _field("email"),
            "API key": _field("api_key"),
            "Access token": _field("access_token"),
            "Organization": _field("organization_name", "organization_id"),
        },
        grows=False,
    ),
}

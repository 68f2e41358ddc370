"""The tables that a sandbox is shown in: which columns, and what stands in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from gateway.sandbox.markup import Html, tag
from gateway.sandbox.records import Record
from gateway.sandbox.rules import STATUSES
from gateway.sandbox.shown import Names, name_of, text_of

Show: TypeAlias = Callable[[Record, Names], tuple[str, str]]
"""What a cell says, and in small letters beneath."""


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, and columns by their headings. What grows while the sandbox runs is shown newest first."""

    title: str
    columns: Mapping[str, Show]
    grows: bool = True


def table_of(name: str) -> Table:
    """The table for a list of a dump; for one that nobody here knows, one of names and ids."""
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
        class_=name,
    )


def _row(record: Record, table: Table, names: Names, link: str) -> Html:
    cells: list[Html] = []
    for title, show in table.columns.items():
        first, second = show(record, names)
        above = first if cells else tag("a", first, href=link)  # the first leads to all of the record
        beneath = [tag("div", second, class_="second")] if second else []
        cells.append(tag("td", tag("div", above), *beneath, role="cell", data_title=title))
    return tag("tr", *cells, role="row")


def _what(record: Record, _names: Names) -> tuple[str, str]:
    return name_of(record) or "(no name)", text_of(record["id"])


def _subject(record: Record, _names: Names) -> tuple[str, str]:
    return name_of(record) or "(no subject)", text_of(record["id"])


def _field(first: str, second: str = "") -> Show:
    """Show one field, and another beneath; an id by the name of what has it."""

    def show(record: Record, names: Names) -> tuple[str, str]:
        return _named(record.get(first), names), _named(record.get(second), names)

    return show


def _named(value: Any, names: Names) -> str:
    return names.get(value, text_of(value)) if isinstance(value, str) else text_of(value)


def _each(many: str, one: str) -> Show:
    """Show one field of each object in a list."""

    def show(record: Record, _names: Names) -> tuple[str, str]:
        return text_of([item.get(one) for item in record.get(many) or ()]), ""

    return show


def _status(record: Record, _names: Names) -> tuple[str, str]:
    status = record.get("status")
    kind = f" {status}" if status in STATUSES else ""
    return tag("span", text_of(status), class_=f"badge{kind}"), ""


def _from_and_to(record: Record, _names: Names) -> tuple[str, str]:
    sender, to = text_of(record.get("sender")), text_of(record.get("to"))
    return sender or tag("span", "no sender", class_="missing"), f"to {to}" if to else ""


def _allowance(record: Record, names: Names) -> tuple[str, str]:
    allowed, allowing = (_named(record.get(field), names) for field in ("allowed_user_id", "allowing_user_id"))
    return f"{allowed} may send as {allowing}", text_of(record["id"])


def moment(value: Any) -> str:
    """A point in time, to the second: 2026-11-26T22:19:51.123456+00:00 as the records have it."""
    return text_of(value)[:19].replace("T", " ", 1)


def _changed(record: Record, _names: Names) -> tuple[str, str]:
    return moment(record.get("date_updated")), ""


CHANGED: Final = "Changed (UTC)"
TABLES: Final[Mapping[str, Table]] = {
    "emails": Table(
        "Emails",
        {
            "Email": _subject,
            "Status": _status,
            "Sender": _from_and_to,
            "Lead": _field("lead_id", "user_name"),
            CHANGED: _changed,
        },
    ),
    "email_threads": Table(
        "Email threads",
        {
            "Thread": _subject,
            "Emails": _field("n_emails"),
            "Between": _each("participants", "email"),
            "Lead": _field("lead_id", "user_name"),
            CHANGED: _changed,
        },
    ),
    "leads": Table(
        "Leads",
        {
            "Lead": _what,
            "Address": _field("url"),
            "Status": _field("status_label"),
            "Created by": _field("created_by_name", "organization_id"),
            CHANGED: _changed,
        },
    ),
    "contacts": Table(
        "Contacts",
        {
            "Contact": _what,
            "Emails": _each("emails", "email"),
            "Lead": _field("lead_id"),
            CHANGED: _changed,
        },
    ),
    "email_templates": Table(
        "Email templates",
        {
            "Template": _what,
            "Subject": _field("subject"),
            "Created by": _field("created_by"),
            CHANGED: _changed,
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
    "connected_accounts": Table(
        "Connected accounts",
        {
            "Account": lambda record, _names: (text_of(record.get("email")), text_of(record["id"])),
            "Kind": _field("_type"),
            "User": _field("user_id"),
            "Sending": _field("send_status"),
        },
        grows=False,
    ),
    "send_as": Table("Send as", {"Who as whom": _allowance}, grows=False),
}

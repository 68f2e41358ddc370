"""Rejections for programs: JSON lines, which have everything as it is, or CSV.

Rule    A cell of CSV may meet a terminal or a spreadsheet: neither is to act on it.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, Final

from gateway.commands.texts import cell, clean

COLUMNS: Final = (
    "at",
    "last_at",
    "count",
    "code",
    "email_status",
    "enforced",
    "status",
    "credential",
    "owner",
    "client",
    "user_agent",
    "method",
    "path",
    "lead_id",
    "email_id",
    "request_id",
    "instance",
    "elapsed_ms",
    "shape",
    "captured",
    "id",
)
STEPS: Final = ("at", "code", "count")


def write(rows: Iterable[Mapping[str, Any]], file: IO[str], *, as_csv: bool, columns: Sequence[str] = COLUMNS) -> None:
    """Write rows as they come."""
    if as_csv:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        for row in rows:
            table.writerow([_cell(row.get(column)) for column in columns])
            file.flush()
    else:
        for row in rows:
            file.write(json.dumps(row) + "\n")
            file.flush()


def dump(document: object, file: IO[str]) -> None:
    """Write one JSON document."""
    file.write(json.dumps(document, indent=2) + "\n")


def _cell(value: object) -> object:
    match value:
        case None:
            return ""
        case str():
            return cell(clean(value, lines=True))
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case _:
            return json.dumps(value)

"""Entries are added and taken away here, and nowhere else: each time the counts are changed along with them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, TypeAlias

import orjson
from sqlalchemy import Connection, Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.rejections.entry import Entry
from gateway.rejections.store.tables import (
    ALL,
    COUNTED_BY,
    SIZES,
    WEEK,
    counts,
    entries,
    rejection_counts,
    rejections,
)

Key: TypeAlias = tuple[int, str, str, int, str, bool]
"""The primary key of a count."""

KEY: Final = tuple(column.name for column in rejection_counts.primary_key)
COLUMNS: Final = tuple(field.name for field in fields(Entry) if field.name != "seq")


def append(connection: Connection, batch: Sequence[Entry]) -> int:
    """Add what is not there yet; tell how many entries that were. They are numbered in the order given."""
    ids = select(entries.id).where(entries.id.in_([entry.id for entry in batch]))
    there = set(connection.scalars(ids))
    # A batch has each id once. It comes a second time where it was not known whether the first had arrived.
    rows = [_row(entry) for entry in batch if entry.id not in there]
    if rows:
        connection.execute(_insert(connection, rejections).on_conflict_do_nothing(), rows)
        _count(connection, rows, 1)
    return len(rows)


def trim(connection: Connection, *, before: int | None, keep: int | None, limit: int) -> int:
    """Take the oldest entries away: those from `before` that time, and those beyond `keep`; at most `limit` of them.

    Tell how many they were: fewer than `limit` once there are no more.
    """
    wanted: list[list[dict[str, Any]]] = []
    if before is not None:
        wanted.append(_oldest(connection, limit, entries.at < before))
    if keep is not None and (excess := held(connection) - keep) > 0:
        wanted.append(_oldest(connection, min(limit, excess)))
    rows = max(wanted, key=len, default=[])  # both are of the oldest: the longer has the shorter within
    if rows:
        connection.execute(delete(rejections).where(entries.seq.in_([row["seq"] for row in rows])))
        _forget(connection, _count(connection, rows, -1))
    return len(rows)


def held(connection: Connection) -> int:
    """Count the entries."""
    whole = select(func.sum(counts.entries)).where(counts.size == WEEK, counts.column == ALL)
    return int(connection.scalar(whole) or 0)


def _oldest(connection: Connection, limit: int, *conditions: Any) -> list[dict[str, Any]]:
    columns = (entries[name] for name in ("seq", "at", "code", "enforced", "count", *COUNTED_BY))
    oldest = select(*columns).where(*conditions).order_by(entries.at, entries.seq).limit(limit)
    return [dict(row) for row in connection.execute(oldest).mappings()]


def _row(entry: Entry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in COLUMNS}
    if entry.shape is not None:
        row["shape"] = orjson.dumps(entry.shape).decode()
    return row


def _count(connection: Connection, rows: Iterable[Mapping[str, Any]], sign: int) -> Sequence[Key]:
    """Change the counts that these entries are in; tell which they are."""
    requests: Counter[Key] = Counter()
    number: Counter[Key] = Counter()
    for row in rows:
        values = [(ALL, ""), *((column, row[column]) for column in COUNTED_BY if row[column] is not None)]
        for size in SIZES:
            bucket = row["at"] // size * size
            for column, value in values:
                key = (size, column, value, bucket, row["code"], row["enforced"])
                requests[key] += sign * row["count"]
                number[key] += sign
    # Sorted: neighbours in the table are written one after the other.
    keys = sorted(requests)
    changes = [dict(zip(KEY, key, strict=True), requests=requests[key], entries=number[key]) for key in keys]
    adding = _insert(connection, rejection_counts)
    excluded = adding.excluded
    connection.execute(
        adding.on_conflict_do_update(
            index_elements=KEY,
            set_={
                "requests": counts.requests + excluded.requests,
                "entries": counts.entries + excluded.entries,
            },
        ),
        changes,
    )
    return keys


def _forget(connection: Connection, keys: Iterable[Key]) -> None:
    """Remove those of these counts that count nothing any more."""
    of_key = (column == bindparam(f"the_{column.name}") for column in rejection_counts.primary_key)
    emptied = delete(rejection_counts).where(*of_key, counts.entries <= 0)
    names = [f"the_{name}" for name in KEY]
    connection.execute(emptied, [dict(zip(names, key, strict=True)) for key in keys])


def _insert(connection: Connection, table: Table) -> Any:
    """Begin an INSERT that may have an ON CONFLICT: both have one, and SQLAlchemy a class for each."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)

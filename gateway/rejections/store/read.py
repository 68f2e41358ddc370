"""The list: pages of it, single entries, and what came last.

How     An index finds the entries for one of the filters (FOUND_BY tells which), newest first. What the others leave
        of them is looked for in steps of so many entries, until the page is full or its reader has waited long enough.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson
from sqlalchemy import Connection, Row, Subquery, func, or_, select, tuple_

from gateway.rejections.entry import Entry
from gateway.rejections.query import MOST, SEARCHED, Cursor, Filters, Page
from gateway.rejections.store.tables import FOUND_BY, entries, rejections

Found: TypeAlias = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one may look."""

    step: int = 1000
    """Entries that are looked at with one statement."""
    patience: float = 0.03
    """Seconds after which no further step is begun."""


PACE: Final = Pace()


def find(connection: Connection, filters: Filters, cursor: Cursor | None, limit: int, pace: Pace = PACE) -> Page:
    """Give a page: what follows the cursor, or the newest."""
    limit = max(1, min(limit, MOST))
    rows: list[Found] = []
    end: Cursor | None = None
    for found, place in steps(connection, filters, cursor, pace, limit + 1, tuple(rejections.c)):
        rows += found
        end = place
        if len(rows) > limit:
            end = Cursor(rows[limit - 1].at, rows[limit - 1].seq)
            break
    return Page(tuple(map(entry_of, rows[:limit])), None if end is None else str(end))


def steps(
    connection: Connection,
    filters: Filters,
    cursor: Cursor | None,
    pace: Pace,
    wanted: int,
    columns: Sequence[Any],
) -> Iterator[tuple[Sequence[Found], Cursor | None]]:
    """Look step by step: at each, what is found, and how far that step looked (None: to the end).

    `wanted` rows or more of one step may be cut off there.
    """
    deadline = time.monotonic() + pace.patience
    while True:
        found, cursor = _step(connection, filters, cursor, pace.step, wanted, columns)
        yield found, cursor
        if cursor is None or time.monotonic() > deadline:
            return


def get(connection: Connection, entry_id: str) -> Entry | None:
    """Give the entry of this id."""
    row = connection.execute(select(rejections).where(entries.id == entry_id)).one_or_none()
    return None if row is None else entry_of(row)


def after(connection: Connection, seq: int, limit: int) -> tuple[Entry, ...]:
    """Give what got into the store after the entry of this number, oldest first."""
    news = select(rejections).where(entries.seq > seq).order_by(entries.seq).limit(max(1, min(limit, MOST)))
    return tuple(map(entry_of, connection.execute(news)))


def last(connection: Connection) -> int:
    """Give the number of the entry that got there last; 0 where there is none."""
    return int(connection.scalar(select(func.max(entries.seq))) or 0)


def entry_of(row: Found) -> Entry:
    """Make an entry of a row."""
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    if values["shape"] is not None:
        values["shape"] = orjson.loads(values["shape"])
    return Entry(**values)


def _step(
    connection: Connection, filters: Filters, cursor: Cursor | None, step: int, wanted: int, columns: Sequence[Any]
) -> tuple[Sequence[Found], Cursor | None]:
    exact = [name for name in FOUND_BY if getattr(filters, name) is not None]
    found_by, others = exact[:1], exact[1:]
    looked_at = [entries[name] == getattr(filters, name) for name in found_by]
    if filters.since is not None:
        looked_at.append(entries.at >= filters.since)
    if filters.until is not None:
        looked_at.append(entries.at < filters.until)
    if cursor is not None:
        looked_at.append(tuple_(entries.at, entries.seq) < tuple_(cursor.at, cursor.seq))
    newest = (entries.at.desc(), entries.seq.desc())
    size = step if others or filters.text is not None else wanted
    place = select(entries.at, entries.seq).where(*looked_at).order_by(*newest)
    searched = () if filters.text is None else SEARCHED
    names = dict.fromkeys((*(column.name for column in columns), "at", "seq", *others, *searched))
    some = select(*(entries[name] for name in names)).where(*looked_at).order_by(*newest).limit(size).subquery()
    rows = connection.execute(
        select(*(some.c[column.name] for column in columns))
        .where(*_left(some, filters, others))
        .order_by(some.c.at.desc(), some.c.seq.desc())
        .limit(wanted)
    ).all()
    end = connection.execute(place.offset(size - 1).limit(1)).one_or_none()
    return rows, None if end is None else Cursor(end.at, end.seq)


def _left(some: Subquery, filters: Filters, others: Sequence[str]) -> Iterator[Any]:
    """Give the conditions that no index was asked for."""
    for name in others:
        yield some.c[name] == getattr(filters, name)
    if filters.text is not None:
        yield or_(*(some.c[name].icontains(filters.text, autoescape=True) for name in SEARCHED))

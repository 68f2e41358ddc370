"""How many, over time and by whom.

How     What is asked about everything, or about one value of COUNTED_BY, has been counted when it was written. Who is
        behind one value, or what several filters leave, is counted here entry by entry, newest first, for as long as
        somebody may wait; where that ends early, the answer says from when on it counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Select, and_, func, select, union_all

from gateway.rejections.query import Bucket, Cursor, Filters, Stats, Step, Total
from gateway.rejections.store.read import PACE, Pace, steps
from gateway.rejections.store.tables import ALL, COUNTED_BY, DAY, FOUND_BY, HOUR, SIZES, WEEK, counts, entries

TOP: Final = 20
"""Values of a column that are told."""
TELLS_WHO: Final = ("credential", "owner", "user_agent")
MONDAY: Final = 4 * DAY
"""1970-01-05; the epoch began on a Thursday."""
Span: TypeAlias = tuple[int, int | None, int | None]
"""A size of bucket, and from where to where buckets of that size are taken."""


@dataclass(slots=True)
class Tally:
    """What is counted, while it is counted."""

    series: Counter[tuple[int, str]] = field(default_factory=Counter)
    enforced: Counter[bool] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    who: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in TELLS_WHO})

    def add(self, at: int, code: str, *, enforced: bool, count: int) -> None:
        self.series[at, code] += count
        self.enforced[enforced] += count
        self.codes[code] += count


def stats(connection: Connection, filters: Filters, bucket: Bucket, pace: Pace = PACE) -> Stats:
    """Count. Times are taken as whole hours: those in which `since` and `until` lie are counted from end to end."""
    filters = _by_the_hour(filters)
    exact = {name for name in FOUND_BY if getattr(filters, name) is not None} - {"code"}
    tally = Tally()
    who_from = series_from = None
    if filters.text is not None or not exact <= set(COUNTED_BY) or len(exact) > 1:
        who_from = series_from = _look(connection, filters, bucket, pace, tally, whole=True)
    else:
        column = next(iter(exact), ALL)
        value = getattr(filters, column) if exact else ""
        _take_series(connection, filters, bucket, (column, value), tally)
        if exact:
            who_from = _look(connection, filters, bucket, pace, tally, whole=False)
        else:
            _take_who(connection, filters, tally)
    return Stats(
        series=tuple(Step(at, code, count) for (at, code), count in sorted(tally.series.items())),
        rejected=tally.enforced[True],
        reported=tally.enforced[False],
        codes=_totals(tally.codes, None),
        credentials=_totals(tally.who["credential"], TOP),
        owners=_totals(tally.who["owner"], TOP),
        user_agents=_totals(tally.who["user_agent"], TOP),
        counted_from=who_from,
        series_from=series_from,
    )


def spans(since: int | None, until: int | None, sizes: Sequence[int]) -> Iterator[Span]:
    """Part a time of whole hours into buckets as large as may be; the last of the sizes is the hour."""
    size, *smaller = sizes
    first = None if since is None else -(-since // size) * size
    end = None if until is None else until // size * size
    if smaller and first is not None and end is not None and first >= end:
        yield from spans(since, until, smaller)
        return
    if since != first:
        yield from spans(since, first, smaller)
    yield size, first, end
    if until != end:
        yield from spans(end, until, smaller)


def _take_series(connection: Connection, filters: Filters, bucket: Bucket, of: tuple[str, str], tally: Tally) -> None:
    parts = spans(filters.since, filters.until, (HOUR,) if bucket is Bucket.HOUR else (DAY, HOUR))
    wanted = (counts.bucket, counts.code, counts.enforced, counts.requests)
    for span in parts:
        query = _counted(select(*wanted), filters, span, of[0]).where(counts.value == of[1])
        for at, code, enforced, number in connection.execute(query):
            tally.add(_begin(at, bucket), code, enforced=enforced, count=number)


def _take_who(connection: Connection, filters: Filters, tally: Tally) -> None:
    for column in TELLS_WHO:
        parts = (
            _counted(select(counts.value, counts.requests), filters, span, column)
            for span in spans(filters.since, filters.until, SIZES)
        )
        every = union_all(*parts).subquery()
        total = func.sum(every.c.requests).label("total")
        top = select(every.c.value, total).group_by(every.c.value).order_by(total.desc(), every.c.value).limit(TOP)
        tally.who[column].update({row.value: int(row.total) for row in connection.execute(top)})


def _counted(query: Select[Any], filters: Filters, span: Span, column: str) -> Select[Any]:
    size, first, end = span
    conditions = [counts.size == size, counts.column == column]
    if first is not None:
        conditions.append(counts.bucket >= first)
    if end is not None:
        conditions.append(counts.bucket < end)
    if filters.code is not None:
        conditions.append(counts.code == filters.code)
    return query.where(and_(*conditions))


def _look(
    connection: Connection, filters: Filters, bucket: Bucket, pace: Pace, tally: Tally, *, whole: bool
) -> int | None:
    """Count entry by entry, all of it or only who; give the time from which on that was done, None: all of it."""
    columns = [entries[name] for name in ("at", "seq", "code", "enforced", "count", *TELLS_WHO)]
    end: Cursor | None = None
    for rows, place in steps(connection, filters, None, pace, pace.step, columns):
        end = place
        for at, _, code, enforced, count, *who in rows:
            for column, value in zip(TELLS_WHO, who, strict=True):
                if value is not None:
                    tally.who[column][value] += count
            if whole:
                tally.add(_begin(at, bucket), code, enforced=enforced, count=count)
    return None if end is None else end.at


def _by_the_hour(filters: Filters) -> Filters:
    since, until = filters.since, filters.until
    return replace(
        filters,
        since=None if since is None else since // HOUR * HOUR,
        until=None if until is None else -(-until // HOUR) * HOUR,
    )


def _begin(at: int, bucket: Bucket) -> int:
    """Tell when the step begins that this time is in."""
    match bucket:
        case Bucket.HOUR:
            return at // HOUR * HOUR
        case Bucket.DAY:
            return at // DAY * DAY
        case Bucket.WEEK:
            return (at - MONDAY) // WEEK * WEEK + MONDAY


def _totals(counted: Counter[str], most: int | None) -> tuple[Total, ...]:
    ordered: Iterable[tuple[str, int]] = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Total(value, count) for value, count in ordered)[:most]

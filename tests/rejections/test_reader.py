import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gateway.rejections.entry import Entry
from gateway.rejections.query import (
    MOST,
    SEARCHED,
    Bucket,
    Cursor,
    CursorMalformed,
    FilterInvalid,
    Filters,
    Page,
    Stats,
    Step,
    Total,
)
from gateway.rejections.reader import AsyncReader, Reader
from gateway.rejections.store import Store
from gateway.rejections.store.read import Pace, find
from gateway.rejections.store.stats import spans, stats
from tests.rejections.stores import DAY, HOUR, NOON, SECOND, an_entry, filled, many

ENTRIES = many(150)
SHARED = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
IN_ONE_GO = Pace(10_000, 60.0)
BIT_BY_BIT = Pace(7, -1.0)
"""A step looks at seven entries, and nobody has the patience for a second one."""


@pytest.fixture
def full(store: Store) -> Store:
    """A store of each kind, with various entries."""
    return filled(store, ENTRIES)


def meets(entry: Entry, filters: Filters) -> bool:
    """Whether an entry is meant, as the docstrings of the filters have it."""
    exact = (field.name for field in fields(Filters) if field.name not in {"since", "until", "text"})
    return (
        all(getattr(filters, name) in {None, getattr(entry, name)} for name in exact)
        and (filters.since is None or entry.at >= filters.since)
        and (filters.until is None or entry.at < filters.until)
        and (
            filters.text is None
            or any(filters.text.lower() in (getattr(entry, name) or "").lower() for name in SEARCHED)
        )
    )


def pages(store: Store, filters: Filters, limit: int, pace: Pace) -> list[Page]:
    """Turn all pages."""
    turned: list[Page] = []
    cursor: Cursor | None = None
    with store.database.reading.begin() as connection:
        while True:
            page = find(connection, filters, cursor, limit, pace)
            turned.append(page)
            if page.next is None:
                return turned
            cursor = Cursor.parse(page.next)


def ids(entries: Sequence[Entry]) -> list[str]:
    """Name entries."""
    return [entry.id for entry in entries]


def values(name: str) -> st.SearchStrategy[str | None]:
    """Values that entries have, or none has, and often no filter at all."""
    there = sorted({str(getattr(entry, name)) for entry in ENTRIES})
    return st.none() | st.sampled_from([*there, "none such"])


times = st.none() | st.integers(NOON - 4 * DAY, NOON + DAY) | st.sampled_from([entry.at for entry in ENTRIES])
FILTERS = st.builds(
    Filters,
    **{name: values(name) for name in ("code", "credential", "owner", "email_status", "client", "lead_id", "path")},
    request_id=st.none() | st.none() | values("request_id"),
    since=times,
    until=times,
    text=st.none() | st.sampled_from(["JANE", "curl/8", "lead_2", "_", "%", "r-1", "\\"]),
)


@given(filters=FILTERS, entry=st.sampled_from(ENTRIES))
def test_one_entry_by_itself(filters: Filters, entry: Entry) -> None:
    """Whoever follows the log gets of it what the list would give."""
    assert filters.meet(entry) == meets(entry, filters)


@SHARED
@given(filters=FILTERS, limit=st.integers(1, 60), pace=st.sampled_from([IN_ONE_GO, BIT_BY_BIT]))
@example(filters=Filters(), limit=1, pace=IN_ONE_GO)
@example(filters=Filters(text="r-1"), limit=1, pace=BIT_BY_BIT)
def test_turning_pages_gives_every_entry_once(full: Store, filters: Filters, limit: int, pace: Pace) -> None:
    """Whatever is filtered for and however long the pages are: all that is meant, newest first, and nothing else."""
    turned = pages(full, filters, limit, pace)
    rows = [row for page in turned for row in page.rows]
    assert Counter(ids(rows)) == Counter(entry.id for entry in ENTRIES if meets(entry, filters))
    assert rows == sorted(rows, key=lambda row: (row.at, row.seq), reverse=True)
    assert all(len(page.rows) <= limit for page in turned)
    if pace is IN_ONE_GO:
        assert all(len(page.rows) == limit for page in turned[:-1])


def test_new_entries_do_not_shift_pages(full: Store) -> None:
    """What comes in between two pages is on neither of them, unless it is older than what was seen."""
    reader = Reader(full)
    first = reader.find(Filters(), None, 50)
    filled(full, [an_entry(NOON + SECOND)])
    second = reader.find(Filters(), first.next, 50)
    assert ids(first.rows + second.rows) == ids(list(reader.export(Filters())))[1:101]


def test_the_news_come_in_the_order_of_arrival(full: Store) -> None:
    """Who follows the log gets all that arrives, even what is older than what he had."""
    reader = Reader(full)
    place = reader.last()
    late = [an_entry(NOON + SECOND), an_entry(NOON - 9 * DAY), an_entry(NOON)]
    filled(full, late)
    assert ids(reader.after(place)) == ids(late)
    assert ids(reader.after(place, limit=1)) == ids(late[:1])
    assert reader.after(place + 3) == reader.after(2**99) == ()
    assert (place, reader.last()) == (150, 153)


def test_an_empty_store(store: Store) -> None:
    """It has one page, without rows, and nothing to count."""
    reader = Reader(store)
    assert (reader.find(Filters()), reader.after(0), reader.last()) == (Page((), None), (), 0)
    assert (reader.stats(Filters()).series, list(reader.export(Filters()))) == ((), [])


def test_a_page_has_a_limit(full: Store) -> None:
    """Who asks for more rows than that, or for none, gets as many as there may be, or one."""
    reader = Reader(filled(full, [an_entry(NOON - second) for second in range(MOST)]))
    assert [len(reader.find(Filters(), None, limit).rows) for limit in (-1, 0, MOST + 1)] == [1, 1, MOST]


@pytest.mark.parametrize("name", sorted(set(Filters.__slots__) - {"since", "until"}))
@pytest.mark.parametrize("value", ["", "\0", "a\nb", "\ud800", "x" * 257])
def test_a_text_that_no_entry_could_have(name: str, value: str) -> None:
    """It is refused before the store is asked, and the filter is named; what was given is not repeated."""
    given: dict[str, Any] = {name: value}
    with pytest.raises(FilterInvalid) as failure:
        Filters(**given)
    assert failure.value.field == name
    assert str(failure.value) == f"The filter {name} takes a text of 1 to 256 characters, all printable."


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("value", [-1, 2**53, 2**99])
def test_a_time_that_no_entry_could_have(name: str, value: int) -> None:
    """So with times."""
    given: dict[str, Any] = {name: value}
    with pytest.raises(FilterInvalid, match=f"The filter {name} takes a time from 1970 to 2199"):
        Filters(**given)


@pytest.mark.parametrize("entry_id", ["", "none", "\0" * 32, "\ud800", "é" * 32, "A" * 32, "a" * 32, "a" * 33])
def test_an_id_that_nothing_has(store: Store, entry_id: str) -> None:
    """There is no such entry, whatever the id is."""
    assert Reader(store).get(entry_id) is None


@pytest.mark.parametrize(
    "text", ["", "1", "1-", "-1", "1-g", "1-1 ", "1-1\n", "0x1-1", "f" * 16 + "-1", "1-" + "1" * 99]
)
def test_a_cursor_of_somebody_elses_making(text: str) -> None:
    """It is refused before the store is asked."""
    with pytest.raises(CursorMalformed):
        Cursor.parse(text)


@given(at=st.integers(0, 2**60 - 1), seq=st.integers(0, 2**60 - 1))
def test_a_cursor_is_read_back(at: int, seq: int) -> None:
    """Each one that is given out is taken again."""
    assert Cursor.parse(str(Cursor(at, seq))) == Cursor(at, seq)


def begin(at: int, bucket: Bucket) -> int:
    """Tell when the step of a series begins, counted the long way."""
    days = at // DAY
    match bucket:
        case Bucket.HOUR:
            return at - at % HOUR
        case Bucket.DAY:
            return days * DAY
        case Bucket.WEEK:
            return (days - (days + 3) % 7) * DAY  # 1970-01-01 was a Thursday


def totals(counted: Counter[str]) -> tuple[Total, ...]:
    """Give the most frequent first."""
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Total(value, count) for value, count in ordered)


@SHARED
@given(filters=FILTERS, bucket=st.sampled_from(Bucket))
@example(filters=Filters(), bucket=Bucket.WEEK)
@example(filters=Filters(credential="fp:1", code="sender_required"), bucket=Bucket.HOUR)
@example(filters=Filters(since=NOON - DAY - 5, until=NOON - 7), bucket=Bucket.DAY)
def test_what_is_counted_is_what_is_there(full: Store, filters: Filters, bucket: Bucket) -> None:
    """Whatever is filtered for: the counts are those of the entries, folded ones with their number."""
    with full.database.reading.begin() as connection:
        found = stats(connection, filters, bucket, IN_ONE_GO)
    since = None if filters.since is None else filters.since // HOUR * HOUR
    until = None if filters.until is None else -(-filters.until // HOUR) * HOUR
    by_the_hour = replace(filters, since=since, until=until)
    assert found == count([entry for entry in ENTRIES if meets(entry, by_the_hour)], bucket)


def count(entries: Sequence[Entry], bucket: Bucket) -> Stats:
    """Count them one by one."""
    series: Counter[tuple[int, str]] = Counter()
    for entry in entries:
        series[begin(entry.at, bucket), entry.code] += entry.count
    by: dict[str, Counter[str]] = {name: Counter() for name in ("code", "credential", "owner", "user_agent")}
    for entry in entries:
        for name, counter in by.items():
            if getattr(entry, name) is not None:
                counter[getattr(entry, name)] += entry.count
    return Stats(
        series=tuple(Step(at, code, number) for (at, code), number in sorted(series.items())),
        rejected=sum(entry.count for entry in entries if entry.enforced),
        reported=sum(entry.count for entry in entries if not entry.enforced),
        codes=totals(by["code"]),
        credentials=totals(by["credential"]),
        owners=totals(by["owner"]),
        user_agents=totals(by["user_agent"]),
    )


def test_a_count_that_ends_early_says_so(full: Store) -> None:
    """What no index helps with is counted from the newest on, and it is told how far that went."""
    with full.database.reading.begin() as connection:
        by_two = stats(connection, Filters(client="10.0.0.1", lead_id="lead_1"), Bucket.DAY, BIT_BY_BIT)
        by_one = stats(connection, Filters(credential="fp:1"), Bucket.DAY, BIT_BY_BIT)
    of_one = sorted((entry for entry in ENTRIES if entry.credential == "fp:1"), key=lambda entry: -entry.at)
    assert by_two.series_from == by_two.counted_from is not None
    assert (by_one.counted_from, by_one.series_from) == (of_one[6].at, None)
    assert by_one.rejected + by_one.reported == sum(entry.count for entry in of_one)
    assert by_one.credentials == (Total("fp:1", sum(entry.count for entry in of_one[:7])),)


@given(since=st.none() | st.integers(0, 144), until=st.none() | st.integers(0, 144))
def test_the_days_and_hours_of_a_time(since: int | None, until: int | None) -> None:
    """They cover each hour of it once, and no other."""
    since, until = (None if time is None else time * HOUR for time in (since, until))
    covered = Counter(
        hour
        for size, first, end in spans(since, until, (2 * DAY, DAY, HOUR))
        for hour in range(first or 0, 6 * DAY if end is None else end, HOUR)
        if (first or 0) % size == (end or 0) % size == 0
    )
    wanted = range(since or 0, 6 * DAY if until is None else until, HOUR)
    assert covered == Counter(wanted)


async def test_asked_from_an_event_loop(full: Store) -> None:
    """The same answers, several at once, and the loop goes on meanwhile."""
    reader, asked = Reader(full), AsyncReader(Reader(full))
    newest = reader.find(Filters(), None, 1).rows[0]
    answers = await asyncio.gather(
        asked.find(Filters(), None, 7),
        asked.get(newest.id),
        asked.stats(Filters(), Bucket.DAY),
        asked.after(140),
        asked.last(),
    )
    assert tuple(answers) == (
        reader.find(Filters(), None, 7),
        newest,
        reader.stats(Filters(), Bucket.DAY),
        reader.after(140),
        150,
    )
    assert [entry async for entry in asked.export(Filters(code="sender_required"))] == list(
        reader.export(Filters(code="sender_required"))
    )
    asked.close()

import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, inspect, select

from gateway.config.store import StoreLocation
from gateway.rejections.entry import Entry
from gateway.rejections.query import Bucket, Filters, StoreUnavailable
from gateway.rejections.reader import Reader
from gateway.rejections.store import Store
from gateway.rejections.store.migrations import SchemaNewer, migrate
from gateway.rejections.store.tables import COUNTED_BY, SIZES, rejection_counts, rejections
from gateway.rejections.store.write import append, held, trim
from tests.rejections.stores import NOON, SECOND, an_entry, filled, many, migrated


def kept(store: Store) -> list[Entry]:
    """Give all entries, newest first."""
    return list(Reader(store).export(Filters()))


def counted(connection: Connection) -> dict[tuple[object, ...], int]:
    """Count the requests as the table of counts has them."""
    rows = connection.execute(select(rejection_counts))
    return {
        (row.size, row.column, row.value, row.bucket, row.code, row.enforced): row.requests
        for row in rows
        if row.requests or row.entries
    }


def count(entries: list[Entry]) -> dict[tuple[object, ...], int]:
    """Count them anew."""
    totals: Counter[tuple[object, ...]] = Counter()
    for entry in entries:
        for size in SIZES:
            bucket = entry.at // size * size
            for column in COUNTED_BY:
                if getattr(entry, column) is not None:
                    totals[size, column, getattr(entry, column), bucket, entry.code, entry.enforced] += entry.count
            totals[size, "all", "", bucket, entry.code, entry.enforced] += entry.count
    return dict(totals)


def test_an_entry_comes_back_as_it_was(store: Store) -> None:
    """Every field, and its number in the store beside them; what is not there is None."""
    whole = an_entry(count=3, last_at=NOON + 5, email_id="acti_1", captured='{"to": "…"}')
    bare = replace(
        an_entry(NOON + 1, enforced=False, status=None, credential=None, owner=None, user_agent=None, shape=None),
        lead_id=None,
        email_status=None,
    )
    filled(store, [whole, bare])
    assert kept(store) == [replace(bare, seq=2), replace(whole, seq=1)]
    assert Reader(store).get(whole.id) == replace(whole, seq=1)
    assert Reader(store).get("none") is None


def test_what_is_there_is_not_added_again(store: Store) -> None:
    """An entry that is sent twice is one, in the list and in the counts."""
    first, second = many(20), many(20, seed=2)
    with store.database.writing.begin() as connection:
        assert append(connection, first) == 20
        assert append(connection, first[5:] + second) == 20
        assert append(connection, []) == 0
        assert counted(connection) == count(first + second)
    assert {entry.id for entry in kept(store)} == {entry.id for entry in first + second}


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    """Neither entries nor counts of them."""

    def fail() -> None:
        with store.database.writing.begin() as connection:
            append(connection, many(5))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.database.reading.begin() as connection:
        assert (held(connection), counted(connection)) == (0, {})


def test_the_oldest_go_first(store: Store) -> None:
    """By age and by number, in steps; the counts go with them, so that both always agree."""
    entries = sorted(many(60), key=lambda entry: entry.at)
    filled(store, entries)
    cut = entries[30].at
    with store.database.writing.begin() as connection:
        assert trim(connection, before=cut, keep=None, limit=10) == 10
        assert trim(connection, before=cut, keep=55, limit=1000) == sum(entry.at < cut for entry in entries) - 10
        assert trim(connection, before=cut, keep=None, limit=1000) == 0
        assert trim(connection, before=None, keep=20, limit=1000) == sum(entry.at >= cut for entry in entries) - 20
        left = kept_within(connection)
        assert (len(left), held(connection)) == (20, 20)
        assert counted(connection) == count([entry for entry in entries if entry.id in left])
        assert trim(connection, before=NOON + SECOND, keep=None, limit=1000) == 20
        assert connection.execute(select(rejection_counts)).all() == []


def kept_within(connection: Connection) -> set[str]:
    """Give the ids of all entries, within a transaction."""
    return set(connection.scalars(select(rejections.c.id)))


def test_a_number_is_given_once(store: Store) -> None:
    """Who asks for what came after a number misses nothing, even where all before is gone."""
    filled(store, many(5))
    assert sum(Reader(store).purge(NOON + SECOND)) == 5
    filled(store, [an_entry()])
    assert [entry.seq for entry in Reader(store).after(5)] == [6]


def test_purging_goes_by_age(store: Store) -> None:
    """What is older goes, in steps that others can write between; what is not stays."""
    filled(store, [an_entry(NOON - second * SECOND) for second in range(1200)])
    assert list(Reader(store).purge(NOON - 100 * SECOND)) == [200] * 5 + [99]
    stats = Reader(store).stats(Filters(), Bucket.DAY)
    assert (len(kept(store)), stats.rejected) == (101, 101)


def test_tables_are_made_once_and_brought_along(location: StoreLocation) -> None:
    """A step is taken once. A store that a newer gateway has changed is left alone."""
    store = migrated(location)
    taken: list[str] = []
    steps = [lambda _: taken.append("second"), lambda _: taken.append("third")]
    for known in (steps[:1], steps, steps):
        with store.database.writing.begin() as connection:
            migrate(connection, known)
    assert taken == ["second", "third"]
    with store.database.writing.begin() as connection, pytest.raises(SchemaNewer):
        migrate(connection)
    store.close()


def test_every_filter_has_its_index(location: StoreLocation) -> None:
    """The list is quick by each of its filters."""
    store = migrated(location)
    with store.database.reading.begin() as connection:
        first = {index["column_names"][0] for index in inspect(connection).get_indexes("rejections")}
    exact = set(Filters.__slots__) - {"since", "until", "text"}
    assert first == exact | {"id", "at"}
    store.close()


def test_a_file_is_for_nobody_else(tmp_path: Path) -> None:
    """Neither the file, nor what SQLite has beside it, nor the folder that was made for it."""
    file = tmp_path / "made" / "for it" / "rejections.sqlite3"
    store = migrated(StoreLocation.parse(str(file)))
    filled(store, many(5))
    with store.database.writing.begin():
        files = sorted(file.parent.iterdir())
        assert [path.name.removeprefix(file.name) for path in files] == ["", "-shm", "-wal"]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert file.parent.stat().st_mode & 0o777 == 0o700
    store.close()


def test_a_name_that_would_be_a_parameter(tmp_path: Path) -> None:
    """A file is called what the setting says, whatever a URL would make of it."""
    file = tmp_path / "a?mode=memory#%41.sqlite3"
    filled(migrated(StoreLocation.parse(str(file))), many(5)).close()
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM rejections").fetchone() == (5,)
    connection.close()


@pytest.mark.parametrize("where", ["/nowhere/at all", "postgresql://canary:canary@/db?host=/nowhere&password=canary"])
def test_a_store_that_is_not_there(where: str) -> None:
    """Who asks it is told, without a word of where it is or what was asked."""
    with pytest.raises(StoreUnavailable) as failure:
        Reader(Store(StoreLocation.parse(where))).find(Filters(text="canary"))
    assert str(failure.value) in {
        "The store of rejections does not answer (SQLITE_CANTOPEN).",
        "The store of rejections does not answer (NO_CONNECTION).",
    }
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    """A store that nobody has written to yet is not made by asking."""
    file = tmp_path / "rejections.sqlite3"
    with pytest.raises(StoreUnavailable, match="SQLITE_CANTOPEN"):
        Reader(Store(StoreLocation.parse(str(file)))).last()
    assert not file.exists()


@pytest.mark.parametrize("name", [None, *sorted(set(Filters.__slots__) - {"since", "until", "text"})])
def test_the_list_is_read_by_its_indexes(tmp_path: Path, name: str | None) -> None:
    """A page is found from its beginning on, in order: it takes as long however many entries there are."""
    store = filled(migrated(StoreLocation.parse(str(tmp_path / "rejections.sqlite3"))), many(50))
    filters = Filters(since=1, until=NOON * 2, text="a", **({} if name is None else {name: "a"}))
    asked: list[tuple[str, tuple[object, ...]]] = []

    @event.listens_for(store.database.reading, "before_cursor_execute")
    def note(_: object, __: object, statement: str, values: tuple[object, ...], *___: object) -> None:
        asked.append((statement, values))

    Reader(store).find(filters, "fffffffffffff-1")
    store.close()
    connection = sqlite3.connect(tmp_path / "rejections.sqlite3")
    (page, values), (place, _) = (asked[-2], asked[-1])
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {page}", values)]
    connection.close()
    by = "rejections_at (at>? AND at<?)" if name is None else f"rejections_{name} ({name}=? AND at>? AND at<?)"
    assert f"SEARCH rejections USING INDEX {by}" in plan
    assert "OFFSET" in place

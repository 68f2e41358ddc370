"""python -m tests.bench.store [--rows 5000000] [--only file|server]: how quick the store of rejections is when full.

The entries are loaded at once and the indexes made after, which is quicker than as a gateway writes, and the queries
then go the way that the admin listener and the commands go: through Reader. Each is asked some times, with other values
each time where there are any; what is shown is the first answer, the median, and the slowest. Goal: 100 ms.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import click
from sqlalchemy import Connection, Select, func, insert, literal, select, text
from sqlalchemy.schema import CreateIndex, DropIndex

from gateway.config.store import StoreLocation
from gateway.rejections.entry import Entry, new_id
from gateway.rejections.query import Bucket, Cursor, Filters
from gateway.rejections.reader import Reader
from gateway.rejections.store import Store
from gateway.rejections.store.migrations import migrate
from gateway.rejections.store.tables import (
    ALL,
    COUNTED_BY,
    DAY,
    SIZES,
    entries,
    rejection_counts,
    rejections,
)
from gateway.rejections.store.write import append, trim
from gateway.rejections.writer import BATCH, TRIMMED
from tests.rejections.postgres import postgres_server

DAYS: Final = 90
GOAL: Final = 0.1
ASKED: Final = 20
LOADED: Final = 20_000
BATCHES: Final = 40
SHAPE: Final = (
    '{"bytes":412,"sender":"absent","fields":{"lead_id":"lead_x","status":"outbox","subject":"text of 21",'
    '"to":"list of 1","body_text":"text of 240"},"others":0}'
)


class World:
    """Makes entries as a company of 500 keys might: a few of them are behind most, and some come once in a while."""

    def __init__(self, rows: int, now: int) -> None:
        self.rows = rows
        self.now = now
        self._chance = random.Random(4)
        self.start = now - DAYS * DAY
        weights = [1 / (rank + 1) for rank in range(500)]
        self._keys = self._chance.choices(range(500), weights, k=100_000)

    def row(self, number: int) -> dict[str, Any]:
        """Make the entry of this number, as a row; they come in the order of time."""
        at = self.start + number * (self.now - self.start) // self.rows
        key = self._keys[number % len(self._keys)]
        update = number % 10 < 3
        email = f"acti_{number % 100_003}"
        return {
            "id": f"{at:014x}{number:018x}",
            "at": at,
            "last_at": at,
            "count": 1 if number % 50 else 40,
            "instance": f"gateway-{number % 3}:8080",
            "enforced": True,
            "status": 400,
            "request_id": f"{number * 2654435761 % 2**64:032x}",
            "code": "sender_malformed" if number % 7 == 0 else "sender_required",
            "method": "PUT" if update else "POST",
            "path": f"/api/v1/activity/email/{email}/" if update else "/api/v1/activity/email/",
            "email_status": ("outbox", "scheduled", "inbox", "error")[number % 1000 // 350] if number % 11 else None,
            "lead_id": f"lead_{number * 7919 % 200_003}",
            "email_id": email if update else None,
            "credential": f"fp:{key:016x}",
            "owner": f"user{key % 300}@example.com" if number % 5 else None,
            "client": f"10.0.{key % 8}.{key % 25}",
            "user_agent": f"Close/2.{key % 40} python (Linux)",
            "elapsed_ms": 0.4,
            "shape": SHAPE,
            "captured": None,
        }


def fill(store: Store, world: World) -> None:
    """Load everything: the entries, the indexes, the counts."""
    indexes = sorted(rejections.indexes, key=lambda index: str(index.name))
    with store.database.writing.begin() as connection:
        migrate(connection)
        for index in indexes:
            connection.execute(DropIndex(index))
    with click.progressbar(range(0, world.rows, LOADED), label="loading") as parts:
        for first in parts:
            load(store, [world.row(number) for number in range(first, min(first + LOADED, world.rows))])
    with store.database.writing.begin() as connection, click.progressbar(indexes, label="indexes") as made:
        if connection.dialect.name == "postgresql":  # it allows 10 s for what a gateway does
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        for index in made:
            connection.execute(CreateIndex(index))
        for size in SIZES:
            for column in (ALL, *COUNTED_BY):
                connection.execute(insert(rejection_counts).from_select(list(rejection_counts.c), count(size, column)))
    with store.database.writing.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM ANALYZE"))  # what autovacuum does in time
            connection.execute(text("RESET statement_timeout"))
    store.database.reopen()


def load(store: Store, rows: Sequence[dict[str, Any]]) -> None:
    """Load some entries, by COPY where there is one."""
    with store.database.writing.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(insert(rejections), rows)
            return
        cursor: Any = connection.connection.cursor()
        names = ", ".join(f'"{name}"' for name in rows[0])
        with cursor.copy(f"COPY rejections ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(list(row.values()))


def count(size: int, column: str) -> Select[Any]:
    """Count, as the writer does it bit by bit."""
    bucket = (entries.at // size * size).label("bucket")
    value = literal("") if column == ALL else entries[column]
    keys = (literal(size), literal(column), value, bucket, entries.code, entries.enforced)
    counted = select(*keys, func.sum(entries["count"]), func.count())
    grouped = counted.group_by(*(key for key in (value, bucket, entries.code, entries.enforced) if key is not value))
    return grouped if column == ALL else grouped.group_by(value).where(value.is_not(None))


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask, in so many ways."""

    name: str
    ask: Callable[[Reader, int], object]


def listed(name: str, **filters: Callable[[World, int], Any]) -> Callable[[World], Question]:
    """Ask for a page of what these filters leave; each is given a number that is another each time."""

    def made(world: World) -> Question:
        def ask(reader: Reader, turn: int) -> object:
            return reader.find(Filters(**{key: value(world, turn) for key, value in filters.items()}))

        return Question(name, ask)

    return made


def of(name: str) -> Callable[[World, int], Any]:
    """Take a value from an entry somewhere in the store."""
    return lambda world, turn: world.row(world.rows * (turn + 1) // (ASKED + 2))[name]


LISTS: Final = (
    listed("newest page"),
    listed("a page from the middle", until=of("at")),
    listed("a frequent credential", credential=lambda _, __: f"fp:{0:016x}"),
    listed("a rare credential", credential=lambda _, turn: f"fp:{480 + turn % 20:016x}"),
    listed("a credential that is not there", credential=lambda _, turn: f"fp:{9999 + turn:016x}"),
    listed("a code", code=lambda _, __: "sender_malformed"),
    listed("an owner", owner=of("owner")),
    listed("a rare status", email_status=lambda _, __: "error"),
    listed("a frequent path", path=lambda _, __: "/api/v1/activity/email/"),
    listed("a path of one email", path=of("path")),
    listed("a client", client=of("client")),
    listed("a request id", request_id=of("request_id")),
    listed("a lead", lead_id=of("lead_id")),
    listed(
        "credential, code and status", credential=of("credential"), code=of("code"), email_status=of("email_status")
    ),
    listed("credential and a path that it never had", credential=of("credential"), path=lambda _, __: "/nowhere/"),
    listed("a credential within a day", credential=of("credential"), since=of("at"), until=of("at")),
    listed("text that is frequent", text=lambda _, turn: f"user{turn}@"),
    listed("text that is nowhere", text=lambda _, turn: f"no such text {turn}"),
)


def others(world: World) -> Iterator[Question]:
    """Ask for what is no page."""
    week, day = world.now - 7 * DAY, world.now - DAY
    yield Question("one entry by its id", lambda reader, turn: reader.get(of("id")(world, turn)))
    yield Question("what came last", lambda reader, turn: reader.after(world.rows - 100 * turn))
    yield Question("a page far back", lambda reader, turn: reader.find(Filters(), far(world, turn)))
    yield Question("counts by hour, all", lambda reader, _: reader.stats(Filters(), Bucket.HOUR))
    yield Question("counts by hour, a week", lambda reader, _: reader.stats(Filters(since=week), Bucket.HOUR))
    yield Question("counts by day, all", lambda reader, _: reader.stats(Filters(), Bucket.DAY))
    yield Question(
        "counts by week, a code", lambda reader, _: reader.stats(Filters(code="sender_malformed"), Bucket.WEEK)
    )
    yield Question(
        "counts by hour, a credential",
        lambda reader, turn: reader.stats(Filters(credential=of("credential")(world, turn)), Bucket.HOUR),
    )
    yield Question(
        "counts by hour, a lead",
        lambda reader, turn: reader.stats(Filters(lead_id=of("lead_id")(world, turn)), Bucket.HOUR),
    )
    yield Question(
        "counts by hour, a client of a day",
        lambda reader, turn: reader.stats(Filters(client=of("client")(world, turn), since=day), Bucket.HOUR),
    )


def far(world: World, turn: int) -> str:
    """Give a cursor far down the list."""
    return str(Cursor(of("at")(world, turn), 0))


def timed(reader: Reader, question: Question) -> list[float]:
    """Ask, and give the seconds of each answer."""
    took: list[float] = []
    for turn in range(ASKED):
        began = time.perf_counter()
        question.ask(reader, turn)
        took.append(time.perf_counter() - began)
    return took


def measure(store: Store, world: World) -> None:
    """Ask everything, then write and trim; print a line for each."""
    reader = Reader(store)
    click.echo(f"{'':44}{'first':>9}{'median':>9}{'slowest':>9}  ms")
    for question in (*(make(world) for make in LISTS), *others(world)):
        show(question.name, timed(reader, question))
    more = cycle(range(world.rows))
    writing = [entry_of(world.row(number), new_id(world.now)) for number in islice(more, BATCHES * BATCH)]
    show(f"write a batch of {BATCH}", [written(store, writing[i * BATCH :][:BATCH]) for i in range(BATCHES)])
    show(f"remove the oldest {TRIMMED}", [trimmed(store, world) for _ in range(ASKED)])


def entry_of(row: dict[str, Any], new: str) -> Entry:
    """Make an entry of a row, with another id."""
    return Entry(**(row | {"id": new, "shape": {"bytes": 412}}))


def written(store: Store, batch: Sequence[Entry]) -> float:
    """Write a batch; give the seconds it took."""
    return _timed(store, lambda connection: append(connection, batch))


def trimmed(store: Store, world: World) -> float:
    """Take a step of what retention does; give the seconds it took."""
    return _timed(store, lambda connection: trim(connection, before=world.now, keep=None, limit=TRIMMED))


def _timed(store: Store, work: Callable[[Connection], object]) -> float:
    began = time.perf_counter()
    with store.database.writing.begin() as connection:
        work(connection)
    return time.perf_counter() - began


def show(name: str, took: Sequence[float]) -> None:
    """Print a line."""
    figures = "".join(f"{seconds * 1000:9.1f}" for seconds in (took[0], statistics.median(took), max(took)))
    click.echo(f"{name:44}{figures}{'  over the goal' if max(took) > GOAL else ''}")


def run(location: StoreLocation, rows: int) -> None:
    """Fill a store and ask it."""
    store = Store(location)
    try:
        world = World(rows, time.time_ns() // 1000)
        began = time.perf_counter()
        fill(store, world)
        click.echo(f"{location.kind.value}: {rows} entries in {time.perf_counter() - began:.0f} s")
        measure(store, world)
    finally:
        store.close()


@click.command()
@click.option("--rows", default=5_000_000, show_default=True, help="Entries in the store.")
@click.option("--only", type=click.Choice(["file", "server"]), help="Measure SQLite or PostgreSQL alone.")
def main(rows: int, only: str | None) -> None:
    """Measure the store of rejections. It takes some 5 GB of disk, and minutes."""
    if only != "server":
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            file = Path(folder) / "rejections.sqlite3"
            run(StoreLocation.parse(str(file)), rows)
            click.echo(f"the file has {file.stat().st_size / 1e9:.1f} GB\n")
    if only != "file":
        with postgres_server() as server:
            run(StoreLocation.parse(server.url()), rows)


if __name__ == "__main__":
    main()

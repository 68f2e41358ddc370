"""Where a command gets rejections from: the store itself, or the admin listener of a gateway.

Both give what the HTTP API gives: JSON, read. A question is a mapping of the API's parameters.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from gateway.commands.client import AdminClient, Broken
from gateway.commands.configured import configured
from gateway.commands.failures import Failed
from gateway.commands.flags import told_by_flags

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.rejections.reader import Reader

Row: TypeAlias = dict[str, Any]
Query: TypeAlias = Mapping[str, str]

PAGE: Final = 200
POLL: Final = 0.5
AGAIN: Final = 2.0
"""Seconds until a stream that broke off is taken up again."""
GIVEN_UP: Final = 60.0
"""Seconds after which it is not."""
OTHERS: Final = 10


class Source(Protocol):
    """Answers questions. Every method raises Failed."""

    def page(self, query: Query) -> tuple[list[Row], str | None]:
        """Give a page of the list, and the cursor of the next."""

    def one(self, entry_id: str) -> Row | None:
        """Give one rejection with its explanation and others of the same credential."""

    def stats(self, query: Query) -> Row:
        """Count."""

    def follow(self, query: Query) -> Iterator[Row]:
        """Give what comes, for as long as somebody takes it."""


def source(file: Path | None, admin: str | None, token: str | None) -> Source:
    """Choose: the admin listener where one is named, else the store of the settings.

    A token that is not given is that of the settings: who runs a gateway asks it so.
    """
    if admin is None:
        return StoreSource(configured(file).settings)
    if token is None:
        from gateway.config.token import admin_token

        secret = admin_token(configured(file).settings.admin)
        token = None if secret is None else secret.reveal()
    return AdminSource(AdminClient(admin, token))


def every(source: Source, query: Query) -> Iterator[Row]:
    """Give all that is meant, newest first, a page at a time."""
    cursor: str | None = None
    while True:
        place = {} if cursor is None else {"cursor": cursor}
        rows, cursor = source.page({**query, "limit": str(PAGE), **place})
        yield from rows
        if cursor is None:
            return


class AdminSource:
    """Asks a gateway."""

    def __init__(self, client: AdminClient) -> None:
        self._client = client

    def page(self, query: Query) -> tuple[list[Row], str | None]:
        body = self._client.get("/api/rejections", query, "data", "next")
        return body["data"], body["next"]

    def one(self, entry_id: str) -> Row | None:
        from urllib.parse import quote

        found: Row = self._client.get(
            f"/api/rejections/{quote(entry_id, safe='')}", {}, "data", "explanation", "others"
        )
        return found

    def stats(self, query: Query) -> Row:
        found: Row = self._client.get("/api/stats", query, "series", "rejected", "reported")
        return found

    def follow(self, query: Query) -> Iterator[Row]:
        place: str | None = None
        broken: float | None = None
        while True:
            try:
                for number, row in self._client.stream("/api/stream", query, place):
                    # The place moves on once a row is taken: what breaks off between the two comes again.
                    if row is not None:
                        yield row
                        place = number
                    elif place is None:
                        place = number
            except Broken:
                broken = time.monotonic()
            except Failed:
                if broken is None or time.monotonic() - broken > GIVEN_UP:
                    raise
            time.sleep(AGAIN)


class StoreSource:
    """Reads the store."""

    def __init__(self, settings: "Settings") -> None:
        from gateway.config.reach import Reach

        self._reader = open_store(settings)
        self._reach = Reach(settings.listener.listen, tls=settings.listener.tls_certificate is not None)

    def page(self, query: Query) -> tuple[list[Row], str | None]:
        from gateway.rejections.shown import entry_json

        with told():
            asked = _asked(query)
            filters, cursor, limit = asked.filters(), asked.cursor(), asked.limit()
            asked.done()
            page = self._reader.find(filters, cursor, limit)
        return [entry_json(row) for row in page.rows], page.next

    def one(self, entry_id: str) -> Row | None:
        from gateway.rejections.explain import explain
        from gateway.rejections.query import Filters
        from gateway.rejections.shown import entry_json

        with told():
            entry = self._reader.get(entry_id)
            if entry is None:
                return None
            others = (
                []
                if entry.credential is None
                else self._reader.find(Filters(credential=entry.credential), None, 11).rows
            )
        explanation = explain(entry, self._reach.url, self._reach.curl)
        return {
            "data": entry_json(entry),
            "explanation": None if explanation is None else asdict(explanation),
            "others": [entry_json(other) for other in others if other.id != entry.id][:OTHERS],
        }

    def stats(self, query: Query) -> Row:
        from gateway.rejections.shown import stats_json

        with told():
            asked = _asked(query)
            filters, bucket = asked.filters(), asked.bucket()
            asked.done()
            return stats_json(self._reader.stats(filters, bucket))

    def follow(self, query: Query) -> Iterator[Row]:
        from gateway.rejections.shown import entry_json

        with told():
            asked = _asked(query)
            filters = asked.filters()
            asked.done()
            place = self._reader.last()
        while True:
            with told():
                news = self._reader.after(place)
            for entry in news:
                place = entry.seq
                if filters.meet(entry):
                    yield entry_json(entry)
            if not news:
                time.sleep(POLL)


def open_store(settings: "Settings") -> "Reader":
    """Open the store of the settings, where there is one that another process can open."""
    from gateway.config.store import StoreKind
    from gateway.rejections.reader import Reader
    from gateway.rejections.store import Store

    location = settings.rejections.store
    ask = "ask the gateway that has it: --admin http://127.0.0.1:8081"
    if location is None:
        raise Failed('Rejections are not kept: the setting rejections.store is "off". Name a file there.')
    if location.kind is StoreKind.MEMORY:
        raise Failed(f"The store is in the memory of the gateway; {ask}.")
    if location.kind is StoreKind.FILE and not location.path.exists():
        raise Failed(
            f"There is no store at {location} yet: a gateway makes it at its start. "
            f"Name another with CLOSE_GATEWAY_REJECTIONS__STORE or --config, or {ask}."
        )
    return Reader(Store(location))


@contextmanager
def told() -> Iterator[None]:
    """Tell what the store, or who asked it, has to do with a failure."""
    from gateway.rejections.asked import AskedAmiss
    from gateway.rejections.query import StoreUnavailable

    try:
        yield
    except AskedAmiss as amiss:
        raise told_by_flags(amiss.fields) from None
    except StoreUnavailable as down:
        raise Failed(
            f"{down} See that it can be reached and read from here, or ask the gateway that has it: "
            "--admin http://127.0.0.1:8081."
        ) from None


def _asked(query: Query) -> Any:
    from gateway.rejections.asked import Asked

    return Asked(query.items(), now=time.time_ns() // 1000)

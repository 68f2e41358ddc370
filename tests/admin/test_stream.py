"""`GET /api/stream`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.admin.news import Crowded, News, Rhythm
from gateway.rejections.entry import Entry
from gateway.rejections.query import Filters
from gateway.rejections.reader import AsyncReader, Reader
from tests.admin.asking import Admin, admin
from tests.rejections.stores import NOON, an_entry, filled

QUICK = Rhythm(poll=0.01, heartbeat=0.05, listeners=2, behind=5)


@asynccontextmanager
async def events(asked: Admin, query: str = "", **headers: str) -> AsyncIterator[AsyncIterator[tuple[int, Any]]]:
    """Listen; give number and entry of each event."""
    async with asked.client.get(f"{asked.url}/api/stream{query}", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")

        async def each() -> AsyncIterator[tuple[int, Any]]:
            number = 0
            async for line in answer.content:
                name, _, value = line.decode().strip().partition(": ")
                if name == "id":
                    number = int(value)
                elif name == "data":
                    yield number, json.loads(value)

        yield each()


async def test_new_entries_arrive_at_once(tmp_path: Path) -> None:
    """Those that are meant, in the order of arrival; what was there before does not come."""
    async with admin(tmp_path, [an_entry()]) as asked, events(asked, "?code=a") as heard:
        await asyncio.sleep(0.1)
        news = [an_entry(NOON - number, code=code) for number, code in enumerate("aba")]
        filled(asked.store, news)
        async with asyncio.timeout(5):
            found = [await anext(heard), await anext(heard)]
    assert [(number, entry["id"]) for number, entry in found] == [(2, news[0].id), (4, news[2].id)]


@pytest.mark.parametrize(("query", "headers"), [("", {"Last-Event-ID": "700"}), ("?last_event_id=700", {})])
async def test_who_comes_back_misses_nothing(tmp_path: Path, query: str, headers: dict[str, str]) -> None:
    """However much came meanwhile: each entry once."""
    async with admin(tmp_path, [an_entry() for _ in range(1501)]) as asked, events(asked, query, **headers) as heard:
        async with asyncio.timeout(10):
            numbers = [(await anext(heard))[0] for _ in range(801)]
            filled(asked.store, [an_entry()])
            numbers.append((await anext(heard))[0])
    assert numbers == list(range(701, 1503))


async def test_a_number_of_another_store(tmp_path: Path) -> None:
    """Where the store was made anew, all that is there is new."""
    async with admin(tmp_path, [an_entry()]) as asked, events(asked, "?last_event_id=99") as heard:
        async with asyncio.timeout(5):
            assert (await anext(heard))[0] == 1


async def test_a_stop_ends_the_stream(tmp_path: Path) -> None:
    """At once, and cleanly: a listener is no request that is waited for."""
    async with admin(tmp_path) as asked, events(asked) as heard:
        await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            await asked.gateway.stop()
            assert [event async for event in heard] == []


async def test_a_readiness_that_ends(tmp_path: Path) -> None:
    """While the gateway waits for its last requests it is not ready for further ones."""
    async with admin(tmp_path) as asked:
        assert (await asked.get("/readyz"))["status"] == "ready"
        asked.gateway.gateway.serving.stopping = True
        assert (await asked.get("/readyz", 503))["status"] == "draining"


async def test_listeners_are_bounded(tmp_path: Path) -> None:
    """One more than may be is told so; who leaves makes room."""
    async with admin(tmp_path) as asked:
        streams = [await asked.client.get(f"{asked.url}/api/stream") for _ in range(32)]
        found = await asked.get("/api/stream", 503)
        assert found["errors"] == ["32 listen already, which is as many as may. Close one of them."]
        streams[0].close()
        await asyncio.sleep(0.2)
        async with events(asked):
            pass
        for stream in streams:
            stream.close()


class Counting(AsyncReader):
    """Counts how often the store is asked for news, and never has any but those given."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self.asked = 0
        self.news: list[Entry] = []

    async def last(self) -> int:
        return 0

    async def after(self, seq: int, limit: int = 100) -> tuple[Entry, ...]:
        self.asked += 1
        return tuple(entry for entry in self.news if entry.seq > seq)[:limit]


async def test_one_asks_for_all_and_nobody_for_none(tmp_path: Path) -> None:
    """The store is left alone while nobody listens."""
    async with admin(tmp_path) as asked:
        reader = Counting(Reader(asked.store))
        news = News(reader, QUICK)
        await asyncio.sleep(0.05)
        assert reader.asked == 0
        async with news.listener(Filters(), None) as one, news.listener(Filters(), None) as other:
            with pytest.raises(Crowded):
                async with news.listener(Filters(), None):
                    pass
            heard = [aiter(one.hear()), aiter(other.hear())]
            assert [await anext(each) for each in heard] == [(), ()]  # heartbeats
            reader.news = [an_entry(seq=1)]
            assert [await anext(each) for each in heard] == [tuple(reader.news)] * 2
        asked_by_then = reader.asked
        await asyncio.sleep(0.05)
        assert (reader.asked, news.listening) == (asked_by_then, 0)
        reader.close()


async def test_who_falls_behind_is_dropped(tmp_path: Path) -> None:
    """What waits for one listener is bounded; it may come back and go on."""
    async with admin(tmp_path) as asked:
        reader = Counting(Reader(asked.store))
        news = News(reader, QUICK)
        async with news.listener(Filters(), None) as slow:
            heard = aiter(slow.hear())
            assert await anext(heard) == ()
            reader.news = [an_entry(seq=number) for number in range(1, 10)]
            await asyncio.sleep(0.1)
            assert [entries async for entries in heard] == []
        reader.close()


async def test_who_takes_nothing_is_cut_off(tmp_path: Path) -> None:
    """A client that has stopped to read is let go, and its place is free."""
    large = "x" * 60_000
    async with admin(tmp_path, [an_entry(captured=large) for _ in range(400)]) as asked:
        panel = asked.gateway.gateway.panel
        assert panel is not None
        news = panel.news
        assert news is not None
        news._rhythm = QUICK
        host, port = asked.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(b"GET /api/stream?last_event_id=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(10):
            for number in (1, 0):
                while news.listening != number:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.01)
        writer.close()


class Faulty(Counting):
    """Fails when it is asked for news, in a way that nobody foresaw."""

    async def after(self, seq: int, limit: int = 100) -> tuple[Entry, ...]:
        self.asked += 1
        if self.asked == 2:
            raise ZeroDivisionError
        return ()


async def test_a_fault_leaves_nobody_deaf(tmp_path: Path) -> None:
    """Those who listen are let go, and once they are back somebody asks again."""
    async with admin(tmp_path) as asked:
        reader = Faulty(Reader(asked.store))
        news = News(reader, QUICK)
        async with news.listener(Filters(), None) as listener:
            async with asyncio.timeout(5):
                assert all(entries == () for entries in [entries async for entries in listener.hear()])
        async with news.listener(Filters(), None) as listener:
            assert await anext(aiter(listener.hear())) == ()
        assert reader.asked > 3
        reader.close()


async def test_a_look_is_not_a_listener(tmp_path: Path) -> None:
    """HEAD tells what there is to hear, and is over."""
    async with admin(tmp_path) as asked, asked.client.head(f"{asked.url}/api/stream") as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")

"""The log of rejections, asked over HTTP: the list, one entry, the counts, and what has just come."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final

import orjson
from aiohttp import web

from gateway.admin.answers import Handler, answer, refusal
from gateway.admin.health import store_json
from gateway.admin.news import Crowded, News
from gateway.rejections.asked import Asked
from gateway.rejections.entry import Entry
from gateway.rejections.explain import explain
from gateway.rejections.query import Filters
from gateway.rejections.reader import AsyncReader
from gateway.rejections.shown import entry_json, stats_json
from gateway.snapshot import Look

OTHERS: Final = 10
"""Entries of the same credential that are shown with one."""
INSPECTED: Final = ("forwarded", "filled", "rejected", "reported", "oversize")
LIST: Final = "/api/rejections"
ENTRY: Final = "/api/rejections/{id}"
STATS: Final = "/api/stats"
STREAM: Final = "/api/stream"


def switched_off() -> Mapping[str, Handler]:
    """Make the handlers where nothing is kept."""

    async def handle(_: web.Request) -> web.Response:
        return refusal(404, 'Rejections are not kept: the setting rejections.store is "off". Name a file there.')

    return dict.fromkeys((LIST, ENTRY, STATS, STREAM), handle)


class RejectionsApi:
    """Answers what is asked. `url` tells where clients reach the gateway."""

    def __init__(
        self,
        reader: AsyncReader,
        news: News,
        look: Look,
        url: Callable[[], str],
    ) -> None:
        self._reader = reader
        self._news = news
        self._look = look
        self._url = url

    def routes(self) -> Mapping[str, Handler]:
        """Give the handlers by path."""
        return {LIST: self._list, ENTRY: self._entry, STATS: self._stats, STREAM: self._stream}

    async def _list(self, request: web.Request) -> web.Response:
        asked = _asked(request)
        filters, cursor, limit = asked.filters(), asked.cursor(), asked.limit()
        asked.done()
        page = await self._reader.find(filters, cursor, limit)
        return answer({"data": [entry_json(row) for row in page.rows], "next": page.next})

    async def _entry(self, request: web.Request) -> web.Response:
        _asked(request).done()
        entry = await self._reader.get(request.match_info["id"])
        if entry is None:
            return refusal(404, "There is no rejection of this id; it may have been removed by its age.")
        explanation = explain(entry, self._url())
        return answer(
            {
                "data": entry_json(entry),
                "explanation": None if explanation is None else asdict(explanation),
                "others": [entry_json(other) for other in await self._others(entry)],
            }
        )

    async def _others(self, entry: Entry) -> list[Entry]:
        if entry.credential is None:
            return []
        page = await self._reader.find(Filters(credential=entry.credential), None, OTHERS + 1)
        return [row for row in page.rows if row.id != entry.id][:OTHERS]

    async def _stats(self, request: web.Request) -> web.Response:
        asked = _asked(request)
        filters, bucket = asked.filters(), asked.bucket()
        asked.done()
        stats = stats_json(await self._reader.stats(filters, bucket))
        now = await self._look()
        inspected = {name: now.counts[name] for name in INSPECTED}
        return answer(stats | {"inspected": inspected, "store": store_json(now.store)})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        asked = _asked(request)
        filters, after = asked.filters(), asked.last_event_id(request.headers.get("Last-Event-ID"))
        asked.done()
        if request.method == "HEAD":  # who asks so does not stay to listen
            return web.Response(content_type="text/event-stream")
        response = web.StreamResponse(headers={"X-Accel-Buffering": "no"})  # nginx would hold it back
        response.content_type = "text/event-stream"
        response.charset = "utf-8"
        try:
            async with self._news.listener(filters, after) as listener:
                await response.prepare(request)
                # Who has heard nothing yet can take the stream up again as well.
                await response.write(b"retry: 2000\nid: %d\n\n" % listener.place)
                async for entries in listener.hear():
                    await self._write(request, response, b"".join(map(_event, entries)) or b": nothing new\n\n")
        except Crowded as crowded:
            return refusal(503, str(crowded), {"Retry-After": "10"})
        return response

    async def _write(self, request: web.Request, response: web.StreamResponse, data: bytes) -> None:
        """Write, unless the listener takes nothing for too long: then it is cut off."""
        try:
            async with asyncio.timeout(self._news.patience):
                await response.write(data)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError from None


def _asked(request: web.Request) -> Asked:
    return Asked(request.query.items(), now=time.time_ns() // 1000)


def _event(entry: Entry) -> bytes:
    return b"id: %d\nevent: rejection\ndata: %b\n\n" % (entry.seq, orjson.dumps(entry_json(entry)))

"""What is learnt of requests that walk through a real gateway."""

import asyncio
import gzip

import pytest

from gateway.config.settings import LookupSettings
from gateway.live.story import Filled
from gateway.policy import FillSender, Reject
from tests.forwarding.emails import LOGGED, SENDERLESS, change, write
from tests.gateways import until
from tests.live.watching import watched
from tests.raw import chunked, connected, with_length
from tests.recording import OK, OWNER, Call, answers, by_path, hangs, recording

ME = b"/api/v1/me/"
STORED = b"/api/v1/activity/email/acti_1/"
NO_SENDER = with_length(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", b'{"sender": null}')
UNAUTHORIZED = with_length(b"HTTP/1.1 401 Unauthorized\r\n", b"")
CLOSE = by_path({ME: answers(OWNER), STORED: answers(NO_SENDER)}, answers(OK))
POST = b"POST /api/v1/lead/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET /api/v1/lead/?a=b HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_a_rejected_email() -> None:
    """Its body, its verdict, and the answer that it got; and all of the time was the gateway's own."""
    async with recording(CLOSE) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        answer = await client.ask(write(SENDERLESS))
        (story,) = close.stories
    assert story.judged is not None
    assert (story.judged.plain, story.judged.update) == (SENDERLESS, False)
    assert isinstance(story.judged.verdict, Reject)
    assert (story.came.heard, story.came.size) == (SENDERLESS, len(SENDERLESS))
    assert story.went.heard == answer.head + answer.body
    assert (story.exchange.status, story.exchange.complete, story.by_close) == (400, True, 0.0)
    assert story.own == story.total > 0


async def test_a_filled_email() -> None:
    """Whose address it is, and whether Close was asked for it, or had been before."""
    async with recording(CLOSE) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        await client.ask(write(LOGGED))
        await client.ask(write(LOGGED))
        first, second = close.stories
    assert [first.filled, second.filled] == [
        Filled("jane@example.com", None, asked=True),
        Filled("jane@example.com", None, asked=False),
    ]
    assert first.judged is not None
    assert isinstance(first.judged.verdict, FillSender)
    assert 0 < first.own < first.total
    assert first.by_close == pytest.approx(first.total - first.own)


async def test_a_look_up_that_fails() -> None:
    """What could not be known, and why."""
    refuses = by_path({ME: answers(UNAUTHORIZED)}, answers(OK))
    async with recording(refuses) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        await client.ask(write(LOGGED))
        (story,) = close.stories
    assert (story.filled, story.unknown) == (None, [("owner", "status_401")])
    assert story.exchange.mark == "forwarded"


async def test_a_stored_email_that_is_asked_for() -> None:
    """The wait for it is Close's; where it does not answer in time, that is told."""

    async def silent(call: Call) -> None:
        await (hangs() if call.request.method == b"GET" else answers(OK))(call)

    body = b'{"status": "outbox"}'
    async with recording(CLOSE) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        await client.ask(change(body))
        (story,) = close.stories
    assert story.judged is not None
    assert isinstance(story.judged.verdict, Reject)
    assert story.judged.update
    assert 0 < story.by_close < story.total
    lookups = LookupSettings(timeout=0.05)
    async with (
        recording(silent) as upstream,
        watched(upstream.url, lookups=lookups) as close,
        connected(close.port) as client,
    ):
        await client.ask(change(body))
        (story,) = close.stories
    assert story.unknown == [("stored_email", "timed_out")]


async def test_what_passes_through() -> None:
    """It has no verdict, and its bodies are kept as far as asked, without framing."""
    async with recording(CLOSE) as upstream, watched(upstream.url, 4) as close, connected(close.port) as client:
        await client.ask(GET)
        await client.ask(POST + chunked(b"abc", b"def"))
        got, posted = close.stories
    assert (got.judged, got.came.size, got.exchange.kind) == (None, 0, "pass_through")
    assert (posted.came.heard, posted.came.size, posted.came.cut) == (b"abcd", 6, True)


async def test_a_body_that_comes_late_is_the_clients_time() -> None:
    """Neither Close nor the gateway is blamed for it."""
    request = write(SENDERLESS)
    async with recording(CLOSE) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        await client.send(request[:-5])
        await asyncio.sleep(0.05)
        await client.ask(request[-5:])
        (story,) = close.stories
    assert 0 < story.by_client < story.total
    assert story.by_close < story.by_client
    assert story.came.heard == SENDERLESS


async def test_a_coded_body_is_seen_without_its_coding() -> None:
    """What is shown is what the rules look at."""
    async with recording(CLOSE) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        await client.ask(write(gzip.compress(SENDERLESS), b"Content-Encoding: gzip\r\n"))
        (story,) = close.stories
    assert story.judged is not None
    assert story.judged.plain == SENDERLESS


async def test_who_leaves_is_seen_to() -> None:
    """The story ends, without a status; and nothing stays behind."""
    async with recording(hangs()) as upstream, watched(upstream.url) as close:
        async with connected(close.port) as client:
            await client.send(GET)
            await until(lambda: bool(upstream.requests))
        await until(lambda: bool(close.stories))
    assert (close.stories[0].exchange.status, close.watch._open, close.watch._by_id) == (0, {}, {})


async def test_an_event_belongs_to_the_exchange_of_its_id() -> None:
    """As long as that is open; what belongs to none is for the log alone."""
    async with recording(hangs()) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        await client.send(GET.replace(b"Host", b"X-Request-Id: r-1\r\nHost"))
        await until(lambda: bool(upstream.requests))
        told = [close.watch.noted(event) for event in ({"request_id": "r-1"}, {"request_id": "r-2"}, {})]
    assert told == [True, False, False]

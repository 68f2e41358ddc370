"""What one client may cost: limits in size, number and time, each with an answer that says which."""

import asyncio
import json

import pytest

from gateway.config.settings import ListenerSettings, UpstreamSettings
from tests.forwarding.emails import EMAILS
from tests.gateways import Running, running
from tests.raw import Answer, Client, ask, connected, with_length
from tests.recording import OK, answers, in_turn, recording

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
SMALL = ListenerSettings(max_target=200, max_header=300, max_headers=10)
EQUAL = ListenerSettings(max_target=300, max_header=300)
QUICK = ListenerSettings(head_timeout=0.2, body_timeout=0.2)
BRIEF = ListenerSettings(idle_timeout=0.2)


def told(answer: Answer) -> tuple[int, str, list[bytes]]:
    """Give status, code, and what the answer says of the connection."""
    return answer.status, json.loads(answer.body)["gateway"]["code"], answer.values(b"connection")


async def with_field(gateway: Running, field: bytes) -> Answer:
    """Send a GET with one field more."""
    return await ask(gateway.port, GET.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n\r\n"))


@pytest.mark.parametrize("limits", [SMALL, EQUAL])
async def test_a_target_has_a_longest(limits: ListenerSettings) -> None:
    """RFC 9110, 15.5.15: 414 for one byte more than `max_target`; at the limit it is forwarded."""
    async with recording() as upstream, running(upstream.url, listener=limits) as gateway:
        longest = b"/" + b"x" * (limits.max_target - 1)
        assert (await ask(gateway.port, GET.replace(b"/x", longest))).status == 200
        refused = await ask(gateway.port, GET.replace(b"/x", longest + b"x"))
        assert told(refused) == (414, "target_too_long", [b"close"])
        assert upstream.targets == [longest]


@pytest.mark.parametrize("limits", [SMALL, EQUAL])
async def test_a_field_has_a_longest(limits: ListenerSettings) -> None:
    """RFC 6585, 5: 431 for a header field that is clearly longer than `max_header`, whether name or value is."""
    async with recording() as upstream, running(upstream.url, listener=limits) as gateway:
        assert (await with_field(gateway, b"x: " + b"y" * (limits.max_header - 1))).status == 200
        for field in (b"x: " + b"y" * (limits.max_header + 2), b"x" * (limits.max_header + 2) + b": y"):
            assert told(await with_field(gateway, field)) == (431, "head_too_large", [b"close"])
        assert upstream.targets == [b"/x"]


async def test_there_is_a_most_of_fields() -> None:
    """RFC 6585, 5: the limit holds for all of them together, Host among them."""
    async with recording() as upstream, running(upstream.url, listener=SMALL) as gateway:
        assert (await with_field(gateway, b"\r\n".join([b"x: y"] * (SMALL.max_headers - 1)))).status == 200
        refused = await with_field(gateway, b"\r\n".join([b"x: y"] * SMALL.max_headers))
        assert told(refused) == (431, "head_too_large", [b"close"])
        assert upstream.targets == [b"/x"]


@pytest.mark.parametrize("begun", [b"GET /", b"GET /x HTTP/1.1\r\nHost: a\r\n"])
async def test_a_head_has_to_come_in_time(begun: bytes) -> None:
    """RFC 9110, 15.5.9: 408 for who sends a head too slowly, byte by byte though it may be."""
    async with recording() as upstream, running(upstream.url, listener=QUICK) as gateway:
        async with connected(gateway.port) as client:
            await client.send(begun)
            drip = asyncio.create_task(dripping(client))
            answer = await client.answer()
            drip.cancel()
            assert told(answer) == (408, "request_timed_out", [b"close"])
            assert await client.rest() == b""
        assert upstream.targets == []


async def dripping(client: Client) -> None:
    """Send a header that never ends."""
    while True:
        await asyncio.sleep(0.05)
        await client.send(b"x")


@pytest.mark.parametrize("target", [b"/x", EMAILS])
@pytest.mark.parametrize("framing", [b"Content-Length: 10\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"])
async def test_a_body_has_to_come_on(target: bytes, framing: bytes) -> None:
    """408 for who stops in mid-body, and the upstream is not left waiting for the rest."""
    async with recording() as upstream, running(upstream.url, listener=QUICK) as gateway:
        async with connected(gateway.port) as client:
            await client.send(b"POST " + target + b" HTTP/1.1\r\nHost: a\r\n" + framing)
            assert told(await client.answer()) == (408, "request_timed_out", [b"close"])
        assert gateway.events("upstream_failed") == []
        await upstream.until(lambda: all(not request.complete for request in upstream.requests))


async def test_a_slow_body_that_comes_on_is_fine() -> None:
    """The limit is on the pauses, not on the whole."""
    async with recording() as upstream, running(upstream.url, listener=QUICK) as gateway:
        async with connected(gateway.port) as client:
            await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
            for _ in range(6):
                await asyncio.sleep(0.08)
                await client.send(b"x")
            assert (await client.answer()).status == 200
        assert upstream.requests[0].body == b"xxxxxx"


async def test_who_takes_nothing_of_an_answer_is_cut_off() -> None:
    """It would hold a connection to Close for as long as it likes; the connection is free again, and the log tells."""
    large = with_length(b"HTTP/1.1 200 OK\r\n", b"x" * 30_000_000)
    narrow = UpstreamSettings(max_connections=1, connect_timeout=5.0)
    script = in_turn(answers(large), answers(OK))
    async with recording(script) as upstream, running(upstream.url, upstream=narrow, listener=QUICK) as gateway:
        async with connected(gateway.port) as staller:
            await staller.send(GET)
            await upstream.received(1)
            assert (await ask(gateway.port, GET)).status == 200
        (event,) = gateway.events("client_stalled")
        assert (event["code"], event["client"]) == ("answer_not_taken", "127.0.0.1")


async def test_an_unused_connection_is_closed() -> None:
    """After `idle_timeout`, without a word: nothing was asked. So it is with one that was used before."""
    async with recording() as upstream, running(upstream.url, listener=BRIEF) as gateway:
        async with connected(gateway.port) as unused, connected(gateway.port) as used:
            await used.ask(GET)
            assert await unused.rest() == b""
            assert await used.rest() == b""
        assert [event["event"] for event in gateway.log if event["level"] != "info"] == []


async def test_there_is_a_most_of_connections() -> None:
    """One more is told so and closed, the others go on, and a place that becomes free is used again."""
    limits = ListenerSettings(max_connections=2)
    async with recording() as upstream, running(upstream.url, listener=limits) as gateway:
        async with connected(gateway.port) as first, connected(gateway.port) as second:
            await first.ask(GET)
            await second.ask(GET)
            async with connected(gateway.port) as third:
                assert told(await third.answer()) == (502, "gateway_full", [b"close"])
                assert await third.rest() == b""
            assert (await first.ask(GET)).status == 200
        async with connected(gateway.port) as fourth:
            assert (await fourth.ask(GET)).status == 200

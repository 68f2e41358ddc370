"""Connections on both sides: reused, retired, closed, and never mixed up."""

import asyncio
import json

import pytest

from gateway.config.settings import UpstreamSettings
from tests.gateways import running
from tests.pools import until
from tests.raw import ask, chunked, connected, with_length
from tests.recording import OK, Call, Script, answers, closes, hangs, in_turn, recording

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = with_length(b"POST /x HTTP/1.1\r\nHost: a\r\n", b"once")
HALF_POST = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"


async def echo(call: Call) -> None:
    """Answer with the target, so that a mix-up shows."""
    await answers(with_length(b"HTTP/1.1 200 OK\r\n", call.request.target))(call)


# -- reuse --


async def test_one_connection_serves_one_request_after_the_other() -> None:
    """Whoever sends them, and whether there is a body or not."""
    script = in_turn(answers(OK), answers(OK), answers(OK.removesuffix(b"recorded")), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway:
        for request in (GET, POST, HEAD, GET):
            assert (await ask(gateway.port, request)).status == 200
        assert [request.connection for request in upstream.requests] == [0, 0, 0, 0]


async def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    """One connection carries one exchange at a time; afterwards both are free."""
    together = asyncio.Barrier(2)

    async def script(call: Call) -> None:
        await together.wait()
        await echo(call)

    async with recording(script) as upstream, running(upstream.url) as gateway:
        for _ in range(2):
            asked = [ask(gateway.port, b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number) for number in range(2)]
            assert [answer.body for answer in await asyncio.gather(*asked)] == [b"/0", b"/1"]
        assert len(upstream.connections) == 2


LAST = [
    (answers(with_length(b"HTTP/1.1 200 OK\r\nConnection: close\r\n", b"recorded"))),
    (answers(with_length(b"HTTP/1.0 200 OK\r\n", b"recorded"))),
    (closes(b"HTTP/1.1 200 OK\r\n\r\nrecorded")),
]


@pytest.mark.parametrize("script", LAST, ids=["Connection: close", "HTTP/1.0", "until close"])
async def test_a_connection_that_the_upstream_ends_is_not_reused(script: Script) -> None:
    """RFC 9112, 9.3; the client's connection goes on."""
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for _ in range(3):
            assert (await client.ask(POST)).body == b"recorded"
        assert [request.connection for request in upstream.requests] == [0, 1, 2]


async def test_an_unused_connection_is_closed_after_a_while() -> None:
    """upstream.idle_timeout: before the upstream itself would close it."""
    async with recording() as upstream, running(upstream.url, upstream=UpstreamSettings(idle_timeout=0.05)) as gateway:
        await ask(gateway.port, GET)
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)
        assert (await ask(gateway.port, POST)).status == 200


# -- bytes that belong to no answer --

WRONG = b"HTTP/1.1 500 Wrong\r\nX: wrong\r\nContent-Length: 5\r\n\r\nwrong"

SURPLUS = [
    (GET, OK + OK),
    (GET, OK + WRONG),
    (HEAD, OK.removesuffix(b"recorded") + WRONG),
    (GET, b"HTTP/1.1 204 No Content\r\n\r\n" + WRONG),
    (GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"x") + WRONG),
    (GET, OK + b"surplus"),
    (GET, OK + b"\r\n"),
    (GET, OK + b"HTTP/1.1 100 Continue\r\n\r\n"),
    (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody"),
    (HEAD, OK),
    (HEAD, OK + OK),
]


@pytest.mark.parametrize(("request_", "answer"), SURPLUS)
async def test_surplus_reaches_nobody(request_: bytes, answer: bytes) -> None:
    """What follows an answer's end is not the next one's beginning: its connection is retired."""
    script = in_turn(answers(answer), echo)
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        got = await client.ask(request_)
        assert answer.startswith(got.head)
        assert got.body in {b"", b"recorded", b"x"}
        for number in range(2):
            target = b"/%d" % number
            assert (await client.ask(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)).body == target


async def test_what_comes_while_nothing_is_due_reaches_nobody() -> None:
    """An answer pushed onto an unused connection would put all later ones off by one."""
    async with recording(echo) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(GET)
        await upstream.connections[0].send(OK)
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)
        for number in range(3):
            target = b"/%d" % number
            assert (await client.ask(b"POST %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)).body == target
        assert [request.connection for request in upstream.requests] == [0, 1, 1, 1]


# -- clients that leave, or do not wait --


LEAVING = {  # what is asked, what is answered, whether an answer has begun
    "before the answer": (GET, hangs(), False),
    "in a download": (GET, hangs(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhalf"), True),
    "in chunks": (GET, hangs(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), True),
    "in an upload": (HALF_POST, answers(OK), False),
    "in an upload that hangs": (HALF_POST, hangs(), False),
}


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
@pytest.mark.parametrize(("request_", "script", "begun"), LEAVING.values(), ids=LEAVING)
async def test_a_client_that_leaves_takes_its_upstream_connection_along(
    request_: bytes, script: Script, *, begun: bool, reset: bool
) -> None:
    """What is half done cannot be reused, and nobody waits for the rest; all others are served."""
    async with recording(script) as upstream, running(upstream.url) as gateway:
        async with connected(gateway.port) as client:
            await client.send(request_)
            await upstream.received(1)
            if begun:
                await client.head()
            if reset:
                client.reset()
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)
        upstream.script = answers(OK)
        assert (await ask(gateway.port, POST)).status == 200
        assert [request.connection for request in upstream.requests] == [0, 1]
        assert gateway.events("upstream_failed") == []


async def early(call: Call) -> None:
    """Answer before the request has come."""
    await call.send(with_length(b"HTTP/1.1 403 Forbidden\r\n", b"early"))


@pytest.mark.parametrize("rest", [b"", b" rest"], ids=["client stops", "client goes on"])
async def test_an_answer_may_come_before_the_upload_ended(rest: bytes) -> None:
    """It comes down whole. Neither connection goes on: a request is still open on them."""
    async with recording(early) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(HALF_POST)
        answer = await client.answer()
        assert (answer.status, answer.body, answer.values(b"connection")) == (403, b"early", [b"close"])
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)
        await client.send(rest)
        assert (await ask(gateway.port, GET)).status == 403
        assert [request.connection for request in upstream.requests] == [0, 1]
        if rest:
            assert await client.rest() == b""


async def test_a_large_upload_that_nobody_wants_ends() -> None:
    """The upstream answers and reads no more; the client learns of the answer though it is still sending."""

    async def script(call: Call) -> None:
        await early(call)
        await asyncio.Event().wait()

    request = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n"
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        sending = asyncio.create_task(client.send(request + bytes(20_000_000)))
        answer = await client.answer()
        assert (answer.status, answer.body) == (403, b"early")
        await sending
        assert await client.rest() == b""


async def test_pipelined_requests_are_answered_in_order() -> None:
    """RFC 9112, 9.3.2: whatever each takes, and whatever kinds they are."""
    async with recording(echo) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        requests = [b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(20)]
        requests[7] = with_length(b"POST /7 HTTP/1.1\r\nHost: a\r\n", b"GET /wrong HTTP/1.1\r\n\r\n")
        requests[19] = b"PUT /19 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"x")
        await client.send(b"".join(requests))
        assert [(await client.answer()).body for _ in requests] == [b"/%d" % number for number in range(20)]


async def test_what_is_pipelined_behind_a_chunked_request_is_served() -> None:
    """RFC 9112, 9.3.2: in its turn, whether the chunks came in the same piece or not."""
    put = b"PUT /0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"x")
    async with recording(echo) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(put + b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + put + b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [(await client.answer()).body for _ in range(4)] == [b"/0", b"/1", b"/0", b"/2"]
        assert upstream.targets == [b"/0", b"/1", b"/0", b"/2"]


async def test_after_close_nothing_more_is_read() -> None:
    """RFC 9112, 9.6: requests behind a `Connection: close` are not served."""
    surplus_sent = asyncio.Event()

    async def script(call: Call) -> None:
        if call.request.target == b"/last":
            await surplus_sent.wait()
        await echo(call)

    last = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(GET + last)
        await upstream.received(2)
        await client.send(GET)
        surplus_sent.set()
        assert [(await client.answer()).body for _ in range(2)] == [b"/x", b"/last"]
        assert await client.rest() == b""
        assert upstream.targets == [b"/x", b"/last"]


# -- more requests than connections --


async def test_requests_wait_for_a_free_connection() -> None:
    """upstream.max_connections holds, and everyone is served in the end."""
    async with (
        recording(echo) as upstream,
        running(upstream.url, upstream=UpstreamSettings(max_connections=2)) as gateway,
    ):
        asked = [ask(gateway.port, b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number) for number in range(30)]
        assert [answer.body for answer in await asyncio.gather(*asked)] == [b"/%d" % number for number in range(30)]
        assert len(upstream.connections) == 2


async def test_nobody_waits_for_ever_for_a_free_connection() -> None:
    """After upstream.connect_timeout it is a 502: Close has not seen the request."""
    few = UpstreamSettings(max_connections=1, connect_timeout=0.1)
    async with (
        recording(hangs()) as upstream,
        running(upstream.url, upstream=few) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(GET)
        await upstream.received(1)
        answer = await ask(gateway.port, GET)
        assert (answer.status, json.loads(answer.body)["gateway"]["code"]) == (502, "upstream_busy")
        assert len(upstream.requests) == 1


async def test_a_client_that_leaves_while_it_waits_holds_nobody_up() -> None:
    """Its place goes to the next."""
    release = asyncio.Event()

    async def script(call: Call) -> None:
        await release.wait()
        await echo(call)

    async with (
        recording(script) as upstream,
        running(upstream.url, upstream=UpstreamSettings(max_connections=1)) as gateway,
        connected(gateway.port) as first,
    ):
        await first.send(GET)
        await upstream.received(1)
        queue = gateway.gateway.serving.road.pool._waiting
        async with connected(gateway.port) as leaver, connected(gateway.port) as last:
            await leaver.send(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n")
            await until(lambda: len(queue) == 1)
            await last.send(b"GET /last HTTP/1.1\r\nHost: a\r\n\r\n")
            await until(lambda: len(queue) == 2)
            leaver.reset()
            await until(lambda: len(queue) == 1)
            release.set()
            assert (await last.answer()).body == b"/last"
        assert upstream.targets == [b"/x", b"/last"]


async def test_a_broken_message_is_the_end_of_its_connection() -> None:
    """Answered once and in its turn, in Close's shape; nothing behind it is served."""
    async with recording(echo) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(GET)
        await upstream.received(1)
        await client.send(b"no request at all\r\n\r\n" + GET)
        assert (await client.answer()).body == b"/x"
        answer = await client.answer()
        assert (answer.status, json.loads(answer.body)["gateway"]["code"]) == (400, "request_malformed")
        assert await client.rest() == b""
        assert upstream.targets == [b"/x"]


async def test_what_comes_in_one_piece_with_a_broken_message_is_answered_first() -> None:
    """What came whole is a request like any other; what is none ends the connection, and nothing behind it is read."""
    async with recording(echo) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(GET + b"no request at all\r\n\r\n" + GET)
        assert (await client.answer()).status == 200
        assert (await client.answer()).status == 400
        assert await client.rest() == b""
        assert upstream.targets == [b"/x"]


async def test_an_upload_that_is_framed_wrongly_breaks_off() -> None:
    """The upstream sees a request that never ends, the client one 400 and then the end of its connection."""
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with recording(echo) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(head + b"4\r\nbody\r\n")
        await upstream.received(1)
        await client.send(b"nonsense\r\n")
        answer = await client.answer()
        assert (answer.status, answer.values(b"connection")) == (400, [b"close"])
        assert json.loads(answer.body)["gateway"]["code"] == "request_broken"
        assert await client.rest() == b""
        await upstream.connections[0].left.wait()
        assert (upstream.requests[0].body, upstream.requests[0].complete) == (b"body", False)
        assert len(gateway.events("request_broken")) == 1

"""What the client gets where the upstream fails: one clear answer, or one that is visibly broken off."""

import asyncio
import json
import socket

import pytest

from gateway.config.settings import UpstreamSettings
from tests.forwarding.emails import DRAFT, write
from tests.gateways import Running, running
from tests.raw import Answer, Ended, ask, chunked, connected, with_length
from tests.recording import OK, Call, Recording, Script, answers, closes, hangs, in_turn, recording, resets

GET = b"GET /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\n\r\n"
OLD_GET = GET.replace(b"HTTP/1.1", b"HTTP/1.0")
IMPATIENT = UpstreamSettings(timeout=0.2)
OK_HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def assert_failed(gateway: Running, answer: Answer, status: int, code: str) -> None:
    """The answer is JSON in Close's shape and names its request; the log has one event that does so too."""
    assert answer.status == status
    assert answer.values(b"content-type") == [b"application/json"]
    assert answer.values(b"x-request-id") == [b"r-1"]
    told = json.loads(answer.body)
    assert told["gateway"] == {"code": code, "request_id": "r-1"}
    assert told["field-errors"] == {}
    (message,) = told["errors"]
    (event,) = gateway.events("upstream_failed")
    assert (event["level"], event["request_id"], event["code"]) == ("warning", "r-1", code)
    assert (event["reason"], event["client"]) == (message, "127.0.0.1")


@pytest.mark.parametrize("request_", [GET, OLD_GET, write(DRAFT, b"X-Request-Id: r-1\r\n")])
async def test_an_upstream_that_is_not_there(request_: bytes) -> None:
    """502, at once, and the reason is one to work with."""
    async with recording() as upstream:
        await upstream.stop()
        async with running(upstream.url) as gateway:
            answer = await ask(gateway.port, request_)
            assert_failed(gateway, answer, 502, "upstream_unreachable")
            assert f"127.0.0.1:{upstream.port}: connection refused" in json.loads(answer.body)["errors"][0]


async def test_an_upstream_whose_name_is_not_known() -> None:
    """The name is in the message: it is the operator's own."""
    async with running("http://close.invalid") as gateway:
        answer = await ask(gateway.port, GET)
        assert_failed(gateway, answer, 502, "upstream_unreachable")
        assert "close.invalid" in json.loads(answer.body)["errors"][0]


async def test_an_upstream_that_comes_back_is_used_again() -> None:
    """Nothing is held against it."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await upstream.stop()
        assert (await client.ask(GET)).status == 502
        await upstream.start()
        assert (await client.ask(GET)).body == b"recorded"


async def test_an_upstream_that_accepts_nobody() -> None:
    """A connection that does not come about counts as failed after upstream.connect_timeout."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        hasty = UpstreamSettings(connect_timeout=0.2)
        async with running(f"http://127.0.0.1:{port}", upstream=hasty) as gateway:
            answer = await ask(gateway.port, GET)
            assert_failed(gateway, answer, 502, "upstream_unreachable")
            assert "it took too long" in json.loads(answer.body)["errors"][0]
        for filler in fillers:
            filler.close()


HANGING = [hangs(), hangs(b"HTTP/1.1 200 OK\r\nX: 1\r\n"), hangs(b"HTTP/1.1 103 Early Hints\r\n\r\n")]


@pytest.mark.parametrize("script", HANGING, ids=["nothing", "half a head", "a hint"])
async def test_an_upstream_that_hangs(script: Script) -> None:
    """504 within upstream.timeout, and its connection is given up."""
    async with recording(script) as upstream, running(upstream.url, upstream=IMPATIENT) as gateway:
        async with connected(gateway.port) as client:
            answer = await client.ask(GET)
            if answer.status == 103:
                answer = await client.answer()
            assert_failed(gateway, answer, 504, "upstream_timed_out")
            upstream.script = answers(OK)
            assert (await client.ask(GET)).body == b"recorded"
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)


async def test_a_timely_answer_may_take_its_time() -> None:
    """The limit is on silence: an answer whose pieces keep coming takes as long as it takes."""
    pieces = [OK_HEAD + b"Content-Length: 100\r\n\r\n", *[bytes(1)] * 100]
    settings = UpstreamSettings(timeout=0.25)
    async with recording(answers(*pieces)) as upstream, running(upstream.url, upstream=settings) as gateway:
        assert (await ask(gateway.port, GET)).body == bytes(100)


async def test_a_slow_client_is_not_the_upstreams_fault() -> None:
    """While an answer waits for its client, the upstream is waiting too, and its time does not run."""
    large = bytes(30_000_000)
    script = answers(with_length(OK_HEAD, large))
    async with (
        recording(script) as upstream,
        running(upstream.url, upstream=IMPATIENT) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(GET)
        await asyncio.sleep(4 * IMPATIENT.timeout)
        assert (await client.answer()).body == large
        assert gateway.events("upstream_failed") == []


BROKEN = {
    "closed": closes(),
    "reset": resets(),
    "half a status line": closes(b"HTTP/1.1 2"),
    "half a head": closes(b"HTTP/1.1 200 OK\r\nContent-Len"),
    "half a head, reset": resets(b"HTTP/1.1 200 OK\r\nContent-Len"),
    "a hint and no more": closes(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "garbage": answers(b"garbage\r\n\r\n"),
    "another protocol": answers(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "zeros": answers(bytes(100)),
    "another version": answers(b"HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "no number for a status": answers(b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n"),
    "two digits": answers(b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    "a line that is no field": answers(b"HTTP/1.1 200 OK\r\nno field\r\nContent-Length: 0\r\n\r\n"),
    "a blank before the colon": answers(b"HTTP/1.1 200 OK\r\nX : 1\r\nContent-Length: 0\r\n\r\n"),
    "a NUL in a value": answers(b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"),
    "a bare CR in a value": answers(b"HTTP/1.1 200 OK\r\nX: a\rY: b\r\nContent-Length: 0\r\n\r\n"),
    "two lengths": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody!"),
    "two lengths in one": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nbody!"),
    "a length with a sign": answers(b"HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nbody"),
    "a length in hexadecimal": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0x4\r\n\r\nbody"),
    "a length beyond measure": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nbody"),
    "a length and chunks": answers(
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"body")
    ),
    "a coding nobody asked for": closes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nbody"),
    "two codings": closes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + chunked(b"body")),
    "chunked twice": closes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n" + chunked(b"body")),
    "another protocol agreed to": answers(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    "a head without an end": answers(b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 50_000),
    "hints without an end": answers(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 10_000),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
async def test_an_upstream_that_sends_no_answer(script: Script) -> None:
    """502 where nothing of an answer has gone down; the client's connection goes on, the upstream's does not."""
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(GET)
        while answer.status == 103:
            answer = await client.answer()
        assert_failed(gateway, answer, 502, "upstream_broken")
        upstream.script = answers(OK)
        assert (await client.ask(GET)).body == b"recorded"
        assert [request.connection for request in upstream.requests] == [0, 1]


CUT_SHORT = {
    "length, closed": closes(with_length(OK_HEAD, b"x" * 9)[:-1]),
    "length, reset": resets(with_length(OK_HEAD, b"x" * 9)[:-1]),
    "length, nothing of the body": closes(OK_HEAD + b"Content-Length: 9\r\n\r\n"),
    "length, hangs": hangs(with_length(OK_HEAD, b"x" * 9)[:-1]),
    "chunked, closed between chunks": closes(CHUNKED + chunked(b"one", end=b"")),
    "chunked, reset between chunks": resets(CHUNKED + chunked(b"one", end=b"")),
    "chunked, closed in a chunk": closes(CHUNKED + b"9\r\none"),
    "chunked, closed in the last chunk": closes(CHUNKED + chunked(b"one", end=b"0\r\n")),
    "chunked, closed in a trailer": closes(CHUNKED + chunked(b"one", end=b"0\r\nX: 1\r\n")),
    "chunked, hangs": hangs(CHUNKED + chunked(b"one", end=b"")),
    "chunked, garbage": answers(CHUNKED + chunked(b"one", end=b""), b"garbage\r\n"),
    "chunked, a chunk too long": answers(CHUNKED, b"3\r\nlong\r\n0\r\n\r\n"),
    "until close, reset": resets(OK_HEAD + b"\r\n", b"half"),
    "until close, hangs": hangs(OK_HEAD + b"\r\nhalf"),
    "large, closed": closes(OK_HEAD + b"Content-Length: 9000000\r\n\r\n" + bytes(8_000_000)),
    "large and chunked, closed": closes(CHUNKED + chunked(bytes(8_000_000), end=b"")),
}


@pytest.mark.parametrize("request_", [GET, OLD_GET], ids=["1.1", "1.0"])
@pytest.mark.parametrize("script", CUT_SHORT.values(), ids=CUT_SHORT)
async def test_an_answer_that_is_cut_short_never_looks_complete(script: Script, request_: bytes) -> None:
    """RFC 9112, 8: what is missing of the length or of the chunks shows it, and where neither is there, a reset."""
    async with recording(script) as upstream, running(upstream.url, upstream=IMPATIENT) as gateway:
        async with connected(gateway.port) as client:
            with pytest.raises(Ended):
                await client.ask(request_)
        (event,) = gateway.events("upstream_failed")
        assert event["request_id"] == "r-1"
        assert (await ask_well(upstream, gateway)).body == b"recorded"


async def ask_well(upstream: Recording, gateway: Running) -> Answer:
    """Ask once more, now that the upstream is well again."""
    upstream.script = answers(OK)
    return await ask(gateway.port, GET)


async def test_what_has_come_of_a_cut_answer_goes_down_first() -> None:
    """A client that can do with a part of it has that part."""
    whole = bytes(range(256)) * 10_000
    script = closes(OK_HEAD + b"Content-Length: 9000000\r\n\r\n" + whole)
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(GET)
        await client.head()
        assert await client.rest() == whole


async def test_while_one_upload_hangs_others_are_served() -> None:
    """A failure is one request's."""
    script = in_turn(hangs(), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(GET)
        await upstream.received(1)
        answers_ = await asyncio.gather(*(ask(gateway.port, GET) for _ in range(10)))
        assert {answer.status for answer in answers_} == {200}


async def test_an_upstream_that_takes_nothing_of_an_upload() -> None:
    """It has no more time than any other: 504, and the rest of the upload is not waited for."""

    async def script(call: Call) -> None:
        await asyncio.Event().wait()

    request = b"POST /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\nContent-Length: 50000000\r\n\r\n"
    async with (
        recording(script, keep=False) as upstream,
        running(upstream.url, upstream=IMPATIENT) as gateway,
        connected(gateway.port) as client,
    ):
        sending = asyncio.create_task(client.send(request + bytes(50_000_000)))
        assert_failed(gateway, await client.answer(), 504, "upstream_timed_out")
        await sending


async def test_head_fails_without_a_body() -> None:
    """RFC 9110, 9.3.2 is for our own answers too."""
    async with recording(closes()) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n")).status == 502
        upstream.script = answers(OK)
        assert (await client.ask(GET)).body == b"recorded"


UNFRAMED = [b"gzip", b"gzip, chunked", b"identity", b"chunked, identity"]


@pytest.mark.parametrize("coding", UNFRAMED)
async def test_a_coding_of_the_client_that_is_not_chunked(coding: bytes) -> None:
    """RFC 9112, 6.1 and 6.3: 501 or 400, the connection ends, and nothing goes up."""
    request = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: %b\r\n\r\n" % coding
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(request + chunked(b"body"))
        assert answer.status in {400, 501}
        assert answer.values(b"connection") == [b"close"]
        assert await client.rest() == b""
        assert upstream.requests == []


async def test_no_tunnel_is_opened() -> None:
    """CONNECT is refused, in Close's shape."""
    request = b"CONNECT api.close.com:443 HTTP/1.1\r\nHost: api.close.com:443\r\n\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(request)
        assert (answer.status, json.loads(answer.body)["gateway"]["code"]) == (405, "method_refused")
        assert await client.rest() == b""
        assert upstream.connections == []

"""The end of a connection: whoever still sends has its last answer all the same (RFC 9112, 9.6)."""

from typing import Final

import pytest

from gateway.config.settings import InspectSettings, Oversize
from tests.forwarding.emails import write
from tests.gateways import running
from tests.raw import chunked, connected
from tests.recording import OK, answers, closes, in_turn, recording

SURPLUS: Final = b"GET /behind HTTP/1.1\r\nHost: a\r\n\r\n" * 700_000
"""More than the systems of both sides hold of what nobody reads: some 23 MB."""
STRICT: Final = InspectSettings(max_body=1000, oversize=Oversize.REJECT)

REFUSED = {  # what is refused, with which status
    "no request": (b"no request at all\r\n\r\n", 400),
    "another version": (b"GET /x HTTP/2.0\r\nHost: a\r\n\r\n", 400),
    "no host": (b"GET /x HTTP/1.1\r\n\r\n", 400),
    "a tunnel": (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405),
    "too large, as its length says": (write(b"").replace(b"Length: 0", b"Length: 99999999"), 413),
}


@pytest.mark.parametrize(("request_", "status"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_is_read_by_who_still_sends(request_: bytes, status: int) -> None:
    """A client that sends all before it reads gets the whole refusal and a good end, and no reset in their place."""
    async with recording() as upstream, running(upstream.url, inspect=STRICT) as gateway:
        async with connected(gateway.port) as client:
            await client.send(request_ + SURPLUS)
            answer = await client.answer()
            assert (answer.status, answer.values(b"connection")) == (status, [b"close"])
            assert await client.rest() == b""
        assert upstream.requests == []


async def test_so_it_is_where_a_body_turns_out_too_large() -> None:
    """It was waited for until then, and is thrown away from there on."""
    head = write(b"", b"Expect: 100-continue\r\n").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    async with recording() as upstream, running(upstream.url, inspect=STRICT) as gateway:
        async with connected(gateway.port) as client:
            assert (await client.ask(head)).status == 100
            await client.send(chunked(SURPLUS))
            answer = await client.answer()
            assert (answer.status, answer.values(b"connection")) == (413, [b"close"])
            assert await client.rest() == b""
        assert upstream.requests == []


async def test_so_it_is_where_many_requests_came_along() -> None:
    """A gateway about to stop ends a connection after one answer, though a crowd waits behind it and more comes."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        gateway.listener._downstream.draining = True
        await client.send(write(b'{"status": "outbox"}') + SURPLUS)
        answer = await client.answer()
        assert (answer.status, answer.values(b"connection")) == (400, [b"close"])
        assert await client.rest() == b""
        assert upstream.requests == []


BROKEN_OFF = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"half"),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", b"4\r\nhalf\r\n"),
}


@pytest.mark.parametrize(("begun", "body"), BROKEN_OFF.values(), ids=BROKEN_OFF)
async def test_an_answer_that_breaks_off_takes_none_before_it_along(begun: bytes, body: bytes) -> None:
    """Of requests sent together, those answered well stay so; the broken one ends early, and that is all."""
    script = in_turn(answers(OK), closes(begun))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n" + SURPLUS)
        assert (await client.answer()).body == b"recorded"
        await client.head()
        assert await client.rest() == body
        assert len(gateway.events("upstream_failed")) == 1

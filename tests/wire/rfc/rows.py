"""What the tables of this folder share: how a row is held against the gateway.

Rule    A request is refused with one answer and the end of its connection, and nothing of it goes up; or it goes up in
        exactly one form, and the request behind it on the same connection goes up as itself.
Needs   The name of a row begins with the section that decides it: of RFC 9112, or as 9110-x of RFC 9110.
"""

import json
from typing import Final

from tests.gateways import running
from tests.raw import connected
from tests.recording import recording

GET: Final = b"GET /x HTTP/1.1\r\n"
POST: Final = b"POST /x HTTP/1.1\r\n"
HOST: Final = b"Host: a\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
END: Final = b"\r\n"
LARGEST: Final = b"18446744073709551615"
"""2**64 - 1, the largest number that the parser knows."""
BEHIND: Final = b"GET /behind HTTP/1.1\r\nHost: a\r\n\r\n"
MALFORMED: Final = (400, "request_malformed")
"""The parser's refusal."""
INVALID: Final = (400, "request_invalid")
"""Refused by a check of the gateway's own."""
UNKNOWN_CODING: Final = (501, "unknown_transfer_coding")


async def assert_refused(request: bytes, expected: tuple[int, str]) -> None:
    """One answer, the end of the connection, and nothing goes up: not the request, and nothing that is hidden in it."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(request)
        answer = await client.answer(bodiless=request.startswith(b"HEAD "))
        code = json.loads(answer.body)["gateway"]["code"]
        assert ((answer.status, code), answer.values(b"connection")) == (expected, [b"close"])
        assert await client.rest() == b""
        assert upstream.requests == []


async def assert_goes_up(request: bytes, head: bytes, body: bytes = b"", *, last: bool = False) -> None:
    """The request goes up with this head (Host left out) and body, and what follows it is the request behind it.

    `last`: the connection ends after its answer, and the request behind it is not served.
    """
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(request)
        bodiless = request.startswith(b"HEAD ")
        answer = await client.answer(bodiless=bodiless)
        assert (answer.status, answer.body) == (200, b"" if bodiless else b"recorded")
        if last:
            assert answer.values(b"connection") == [b"close"]
            assert await client.rest() == b""
        else:
            assert (await client.ask(BEHIND)).status == 200
        host = b"Host: %b\r\n" % upstream.authority
        expected = [(head, body)] if last else [(head, body), (b"GET /behind HTTP/1.1\r\n\r\n", b"")]
        seen = [(received.head.replace(host, b""), received.body) for received in upstream.requests]
        assert seen == expected
        assert all(host in received.head and received.complete for received in upstream.requests)


async def assert_broken_off(head: bytes, body: bytes, arrived: bytes) -> None:
    """The body turns out wrong after the head went up: a 400, the end of both connections, and no whole request."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(head)
        await upstream.received(1)
        await client.send(body)
        answer = await client.answer()
        code = json.loads(answer.body)["gateway"]["code"]
        assert (answer.status, code, answer.values(b"connection")) == (400, "request_broken", [b"close"])
        assert await client.rest() == b""
        await upstream.connections[0].left.wait()
        (request,) = upstream.requests
        assert (request.complete, arrived.startswith(request.body)) == (False, True)


async def left_unanswered(request: bytes) -> None:
    """Send a request whose end does not come, and leave: the upstream never sees it whole."""
    async with recording() as upstream, running(upstream.url) as gateway:
        async with connected(gateway.port) as client:
            await client.send(request)
            await upstream.received(1)
        await upstream.connections[0].left.wait()
        assert [received.complete for received in upstream.requests] == [False]

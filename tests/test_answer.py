import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import pytest
from aiohttp import web

from gateway.answer import OwnAnswer, RelayedAnswer, chunk, sent, write, write_interim
from tests.raw import Broken, Client, Ended, connected

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
REFUSAL = OwnAnswer(400, {"errors": ["No."], "field-errors": {}})
TEXT = b'{"errors":["No."],"field-errors":{}}'
PIECES = (b"one", b"two and more", b"")


def request(method: bytes = b"GET", version: bytes = b"1.1", *fields: bytes) -> bytes:
    """Write a request."""
    return b"%b / HTTP/%b\r\nHost: a\r\n%b\r\n" % (method, version, b"".join(field + b"\r\n" for field in fields))


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Client]:
    """Run a server like the listener's; give a connection to it."""
    runner = web.ServerRunner(web.Server(handler, access_log=None, auto_decompress=False))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with connected(runner.addresses[0][1]) as client:
            yield client
    finally:
        await runner.cleanup()


def refusing(*, keep_alive: bool = True) -> Handler:
    """Answer each request with the refusal."""

    async def handle(received: web.BaseRequest) -> web.StreamResponse:
        return REFUSAL.send(received, b"X-Request-Id: r-1\r\n", keep_alive=keep_alive)

    return handle


OWN = [  # version, the request's Connection, whether we would keep it; what the answer tells, whether it is kept
    (b"1.1", b"", True, b"", True),
    (b"1.1", b"", False, b"Connection: close\r\n", False),
    (b"1.0", b"keep-alive", True, b"Connection: keep-alive\r\n", True),
    (b"1.0", b"keep-alive", False, b"Connection: close\r\n", False),
]  # fmt: skip


@pytest.mark.parametrize("method", [b"GET", b"POST", b"HEAD"])
@pytest.mark.parametrize(("version", "asked", "keep_alive", "told", "kept"), OWN)
async def test_an_answer_of_our_own(
    method: bytes, version: bytes, asked: bytes, told: bytes, *, keep_alive: bool, kept: bool
) -> None:
    """JSON with its length and date, our fields, what is stamped on it; to HEAD the same without its body."""
    asking = request(method, version, b"Connection: " + asked)
    async with serving(refusing(keep_alive=keep_alive)) as client:
        for _ in range(2 if kept else 1):
            answer = await client.ask(asking)
            head = re.sub(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", b"Date: now\r\n", answer.head)
            assert head == (
                b"HTTP/1.1 400 Bad Request\r\nDate: now\r\nContent-Type: application/json\r\nContent-Length: 36\r\n"
                b"X-Request-Id: r-1\r\n" + told + b"\r\n"
            )
            assert answer.body == (b"" if method == b"HEAD" else TEXT)
        if not kept:
            assert await client.rest() == b""


async def test_a_request_that_was_not_read_to_its_end_ends_the_connection() -> None:
    """What is left of it would be taken for the next request."""
    async with serving(refusing()) as client:
        answer = await client.ask(request(b"POST", b"1.1", b"Content-Length: 9") + b"half")
        assert (answer.status, answer.values(b"connection")) == (400, [b"close"])


async def test_a_request_that_was_read_does_not() -> None:
    """The client goes on where it was."""

    async def handle(received: web.BaseRequest) -> web.StreamResponse:
        await received.read()
        return REFUSAL.send(received, keep_alive=True)

    async with serving(handle) as client:
        for _ in range(2):
            answer = await client.ask(request(b"POST", b"1.1", b"Content-Length: 4") + b"body")
            assert (answer.values(b"connection"), json.loads(answer.body)) == ([], REFUSAL.body)


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\nc\r\ntwo and more\r\n0\r\n\r\n"
LENGTH = b"Content-Length: 15\r\n"
RELAYED = [  # method, version, status, lines, the bytes that come down after the first line and the lines, kept
    (b"GET", b"1.1", 200, LENGTH, b"\r\nonetwo and more", True),
    (b"GET", b"1.1", 200, b"", CHUNKED, True),
    (b"GET", b"1.0", 200, LENGTH, b"Connection: keep-alive\r\n\r\nonetwo and more", True),
    (b"GET", b"1.0", 200, b"", b"Connection: close\r\n\r\nonetwo and more", False),
    (b"HEAD", b"1.1", 200, LENGTH, b"\r\n", True),
    (b"HEAD", b"1.1", 200, b"", b"\r\n", True),
    (b"HEAD", b"1.0", 200, b"", b"Connection: keep-alive\r\n\r\n", True),
    (b"GET", b"1.1", 204, b"", b"\r\n", True),
    (b"GET", b"1.1", 304, LENGTH, b"\r\n", True),
    (b"GET", b"1.0", 304, b"", b"Connection: keep-alive\r\n\r\n", True),
]


@pytest.mark.parametrize(("method", "version", "status", "lines", "expected", "kept"), RELAYED)
async def test_an_answer_of_closes(
    method: bytes, version: bytes, status: int, lines: bytes, expected: bytes, *, kept: bool
) -> None:
    """Its head as it came; a body without a length is chunked, and for HTTP/1.0 ends with the connection."""
    pieces = (b"",) if method == b"HEAD" or status != 200 else PIECES

    async def handle(received: web.BaseRequest) -> web.StreamResponse:
        answer = RelayedAnswer(received, keep_alive=True)
        first, *rest = pieces
        answer.begin(status, b"Why", b"A: 1\r\n" + lines, has_length=bool(lines), piece=first, end=not rest)
        for piece in rest:
            await answer.go_on(piece, end=not piece)
        return sent(keep_alive=answer.keep_alive)

    whole = b"HTTP/1.1 %d Why\r\nA: 1\r\n%b%b" % (status, lines, expected)
    async with serving(handle) as client:
        for _ in range(2 if kept else 1):
            await client.send(request(method, version, b"Connection: keep-alive"))
            assert await client.reader.readexactly(len(whole)) == whole
        if not kept:
            assert await client.rest() == b""


async def test_an_answer_may_be_the_last() -> None:
    """Where the connection is not to be kept, the client is told."""

    async def handle(received: web.BaseRequest) -> web.StreamResponse:
        answer = RelayedAnswer(received, keep_alive=False)
        answer.begin(200, b"OK", b"Content-Length: 1\r\n", has_length=True, piece=b"x", end=True)
        return sent(keep_alive=answer.keep_alive)

    async with serving(handle) as client:
        await client.send(request())
        assert await client.rest() == b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize("lines", [b"", LENGTH])
async def test_an_answer_that_is_broken_off_does_not_look_complete(version: bytes, lines: bytes) -> None:
    """No last chunk, less than its length, or a reset: the client can tell."""

    async def handle(received: web.BaseRequest) -> web.StreamResponse:
        answer = RelayedAnswer(received, keep_alive=True)
        answer.begin(200, b"OK", lines, has_length=bool(lines), piece=b"one", end=False)
        await asyncio.sleep(0.01)
        answer.break_off()
        assert answer.keep_alive is False
        return sent(keep_alive=answer.keep_alive)

    async with serving(handle) as client:
        with pytest.raises(Broken):
            await client.ask(request(b"GET", version))


async def test_interim_answers_go_first() -> None:
    """Before the answer itself, which is then as whole as ever."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"

    async def handle(received: web.BaseRequest) -> web.StreamResponse:
        write_interim(received, hints)
        assert received.writer.output_size == 0
        return REFUSAL.send(received, keep_alive=True)

    async with serving(handle) as client:
        await client.send(request())
        assert (await client.answer()).head == hints
        assert (await client.answer()).body == TEXT


async def test_to_a_client_that_has_left_nothing_can_be_written() -> None:
    """Who writes learns it, and stops."""
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def handle(received: web.BaseRequest) -> web.StreamResponse:
        try:
            while True:
                write(received, b"x")
                await asyncio.sleep(0.001)
        except ConnectionResetError as error:
            write_interim(received, b"HTTP/1.1 103 Late\r\n\r\n")  # is not an error
            outcome.set_result(str(error))
            raise

    async with serving(handle) as client:
        await client.send(request())
        await client.reader.readexactly(1)
        client.reset()
        assert await asyncio.wait_for(outcome, 5) == "The client has left."
        with pytest.raises(Ended):
            await client.head()


CHUNKS = [
    (b"", False, b""),
    (b"", True, b"0\r\n\r\n"),
    (b"x", False, b"1\r\nx\r\n"),
    (b"x" * 255, True, b"ff\r\n" + b"x" * 255 + b"\r\n0\r\n\r\n"),
    (b"\r\n", False, b"2\r\n\r\n\r\n"),
]


@pytest.mark.parametrize(("piece", "last", "expected"), CHUNKS)
def test_a_piece_is_framed(piece: bytes, expected: bytes, *, last: bool) -> None:
    """RFC 9112, 7.1. An empty piece is no chunk: that would be the end."""
    assert chunk(piece, last=last) == expected

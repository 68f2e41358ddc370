"""What comes down: the answer as it came, but for what ends at this hop."""

import asyncio

import pytest

from tests.forwarding.emails import DRAFT
from tests.gateways import running
from tests.raw import Answer, chunked, connected, with_length
from tests.recording import OK, Call, Script, answers, closes, in_turn, recording

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
OLD_GET = b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

AS_THEY_CAME = [
    with_length(b"HTTP/1.1 200 OK\r\n", b""),
    with_length(b"HTTP/1.1 200 \r\n", b"empty reason"),
    with_length(b"HTTP/1.1 200 All is well, isn't it?\r\n", b"another reason"),
    with_length(b"HTTP/1.1 200 caf\xe9\r\n", b"a reason that is not UTF-8"),
    with_length(b"HTTP/1.1 299 Odd\r\n", b"unknown status"),
    with_length(b"HTTP/1.1 418 Teapot\r\n", b"tea"),
    with_length(b"HTTP/1.1 599 Nobody knows\r\n", b"x"),
    with_length(b"HTTP/1.1 999 Out of range\r\n", b"x"),
    with_length(b"HTTP/1.1 302 Found\r\nLocation: /a?b#c\r\n", b"moved"),
    with_length(b"HTTP/1.1 200 OK\r\nset-cookie: a=1; Path=/\r\nX: 1\r\nSet-Cookie: b=2\r\nSET-COOKIE: a=1\r\n", b"x"),
    with_length(b"HTTP/1.1 200 OK\r\nRateLimit: limit=100, remaining=50, reset=5\r\n", b"x"),
    with_length(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nRateLimit: reset=3\r\n", b"x"),
    with_length(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\n", b"Close's own"),
    with_length(b"HTTP/1.1 200 OK\r\nX-Empty: \r\nx-bytes: caf\xe9\xff\r\nX_Odd!: 1\r\nServer: a/1 (b)\r\n", b"x"),
    with_length(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nVary: *\r\n", b"\x1f\x8bnot gzip at all"),
    with_length(b'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nETag: W/"x"\r\n', b"\0\xff"),
    b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 4\r\nX-Last: 1\r\n\r\nbody",
    b"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n",
    b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: 1\r\n%b\r\n" % CHUNKED + chunked(b"one"),
    b"HTTP/1.1 200 OK\r\n%b\r\n" % CHUNKED + chunked(),
    with_length(b"HTTP/1.1 200 OK\r\n", b"big" * 1_000_000),
]  # fmt: skip


async def test_answers_come_down_as_they_came() -> None:
    """Byte for byte, one after the other on the same connection."""
    script = in_turn(*(answers(answer) for answer in AS_THEY_CAME))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for expected in AS_THEY_CAME:
            await client.send(GET)
            assert await client.reader.readexactly(len(expected)) == expected
        assert len(upstream.connections) == 1


HOP_BY_HOP = [  # what comes, and what of it goes down
    (b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", b""),
    (b"Connection: close\r\n", b""),
    (b"Proxy-Connection: close\r\n", b""),
    (b"Connection: upgrade\r\nUpgrade: h2c\r\n", b""),
    (b"X-Mine: 1\r\nX-Other: 2\r\nConnection: X-MINE\r\nx-mine: 3\r\n", b"X-Other: 2\r\n"),
    (b"Connection: x-mine\r\nX-Mine: 1\r\nX-Other: 2\r\nConnection: x-other\r\n", b""),
    (b"Connection: set-cookie, content-length\r\nSet-Cookie: a=1\r\n", b"Set-Cookie: a=1\r\n"),
]
EMAIL = with_length(b"POST /api/v1/activity/email/ HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\n", DRAFT)
STAMP = b"X-Request-Id: r-1\r\nX-Close-Gateway: forwarded\r\n"


@pytest.mark.parametrize(("request_", "stamp"), [(GET, b""), (EMAIL, STAMP)], ids=["forwarded", "intercepted"])
@pytest.mark.parametrize(("fields", "expected"), HOP_BY_HOP)
async def test_what_ends_at_this_hop(request_: bytes, stamp: bytes, fields: bytes, expected: bytes) -> None:
    """RFC 9110, 7.6.1, on whichever way the request went."""
    answer = with_length(b"HTTP/1.1 200 OK\r\n" + fields, b"body")
    async with recording(answer) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        head = b"HTTP/1.1 200 OK\r\n" + expected + b"Content-Length: 4\r\n" + stamp + b"\r\n"
        assert await client.ask(request_) == Answer(head, b"body")


BODILESS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
]


async def test_head_is_answered_without_a_body() -> None:
    """RFC 9110, 9.3.2: whatever the head says of a body, none follows, and the next answer is the next request's."""
    script = in_turn(*(answers(answer) for answer in [*BODILESS, OK]))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for expected in BODILESS:
            assert (await client.ask(b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n")).head == expected
        assert (await client.ask(GET)).body == b"recorded"
        assert [request.method for request in upstream.requests] == [b"HEAD"] * len(BODILESS) + [b"GET"]


async def test_head_of_a_chunked_answer() -> None:
    """Transfer-Encoding is of the hop and may be left out (RFC 9112, 6.1); no end of chunks is sent either."""
    script = in_turn(answers(b"HTTP/1.1 200 OK\r\nX: 1\r\n%b\r\n" % CHUNKED), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.head == b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\n"
        assert (await client.ask(GET)).body == b"recorded"


HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>\r\n\r\n"


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n\r\n", HINT, HINT + HINT, b"HTTP/1.1 199 \r\n\r\n"])
async def test_interim_answers_come_down_too(interim: bytes) -> None:
    """RFC 9110, 15.2: each is passed on as it came, the final one after them."""
    async with recording(interim + OK) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(GET)
        assert await client.reader.readexactly(len(interim + OK)) == interim + OK
        assert (await client.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")).start_line == interim.partition(b"\r\n")[0]


async def test_an_interim_answer_comes_down_at_once() -> None:
    """It is of use only before the final answer."""
    client_has_it = asyncio.Event()

    async def script(call: Call) -> None:
        await call.send(HINT)
        await client_has_it.wait()
        await call.send(OK)

    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(GET)).head == HINT
        client_has_it.set()
        assert (await client.answer()).body == b"recorded"


async def test_there_is_no_interim_answer_for_http_1_0() -> None:
    """RFC 9110, 15.2: 1xx did not exist then."""
    async with recording(HINT + OK) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(OLD_GET)).body == b"recorded"


PIECES = [b"HTTP/1.1 200 OK\r\nX: 1\r\n%b\r\n" % CHUNKED, b"3\r\none\r\n", b"5\r\ntwo", b"\r\n\r\n0\r", b"\n\r\n"]


async def test_chunks_come_down_as_they_come() -> None:
    """Cut anew, perhaps; the bytes in them are the same."""
    script = answers(*PIECES)
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for _ in range(2):
            assert await client.ask(GET) == Answer(PIECES[0], b"onetwo\r\n")
        assert len(upstream.connections) == 1


async def test_each_piece_comes_down_at_once() -> None:
    """Nothing waits for a piece that may take its time: a client can follow a slow answer."""
    client_has_it = asyncio.Event()

    async def script(call: Call) -> None:
        await call.send(b"HTTP/1.1 200 OK\r\n%b\r\n3\r\none\r\n" % CHUNKED)
        await client_has_it.wait()
        await call.send(chunked(b"two"))

    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(GET)
        assert await client.head()
        assert await client.reader.readexactly(8) == b"3\r\none\r\n"
        client_has_it.set()
        assert await client.reader.readexactly(13) == chunked(b"two")


async def test_extensions_and_trailers_end_at_this_hop() -> None:
    """RFC 9110, 6.5.1 and RFC 9112, 7.1.1; and the connection is as good as before."""
    answer = b'HTTP/1.1 200 OK\r\n%b\r\n3;x="y"\r\none\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=1\r\n\r\n' % CHUNKED
    script = in_turn(answers(answer), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert await client.ask(GET) == Answer(b"HTTP/1.1 200 OK\r\n%b\r\n" % CHUNKED, b"one")
        assert (await client.ask(GET)).body == b"recorded"
        assert len(upstream.connections) == 1


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
async def test_a_body_that_ends_with_the_connection(version: bytes) -> None:
    """RFC 9112, 6.3: downstream it is chunked, and the client's connection goes on."""
    script = in_turn(closes(version + b" 200 OK\r\nX: 1\r\n\r\nuntil the end"), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert await client.ask(GET) == Answer(b"HTTP/1.1 200 OK\r\nX: 1\r\n%b\r\n" % CHUNKED, b"until the end")
        assert (await client.ask(GET)).body == b"recorded"
        assert [request.connection for request in upstream.requests] == [0, 1]


async def test_http_1_0_keeps_its_connection_where_the_length_is_known() -> None:
    """It has to ask for that, and to be told (RFC 9112, 9.3)."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for _ in range(2):
            answer = await client.ask(OLD_GET)
            assert (answer.body, answer.values(b"connection")) == (b"recorded", [b"keep-alive"])


@pytest.mark.parametrize(
    "request_", [b"GET /x HTTP/1.0\r\n\r\n", b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"]
)
async def test_a_connection_is_closed_where_the_client_wants_it(request_: bytes) -> None:
    """The answer says so, and it is so; the connection to the upstream is not touched by it."""
    async with recording() as upstream, running(upstream.url) as gateway:
        for _ in range(2):
            async with connected(gateway.port) as client:
                answer = await client.ask(request_)
                assert (answer.body, answer.values(b"connection")) == (b"recorded", [b"close"])
                assert await client.rest() == b""
        assert len(upstream.connections) == 1


UNTIL_CLOSE = [
    answers(b"HTTP/1.1 200 OK\r\n%b\r\n" % CHUNKED + chunked(b"one", b"two")),
    closes(b"HTTP/1.1 200 OK\r\n\r\nonetwo"),
]


@pytest.mark.parametrize("script", UNTIL_CLOSE, ids=["chunked", "until close"])
async def test_without_a_length_an_answer_to_http_1_0_ends_with_the_connection(script: Script) -> None:
    """It knows no chunks (RFC 9112, 7.1)."""
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(OLD_GET)
        assert answer == Answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"onetwo")


async def test_an_answer_that_comes_byte_by_byte() -> None:
    """Where the pieces are cut does not show."""
    answer = HINT + with_length(b"HTTP/1.1 200 OK\r\nX: 1\r\n", b"slowly")
    script = answers(*(answer[place : place + 1] for place in range(len(answer))))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(GET)
        assert await client.reader.readexactly(len(answer)) == answer

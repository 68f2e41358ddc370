"""What goes up: the request as it came, but for Host and for what ends at this hop."""

import asyncio
import gzip
import json

import pytest

from gateway.config.settings import UpstreamSettings
from tests.gateways import running
from tests.raw import chunked, connected, values, with_length
from tests.recording import OK, Call, answers, recording

LONG = b"/" + b"long" * 1900

TARGETS = [
    b"/",
    b"/q?",
    b"/?",
    b"//x",
    b"/x//y/",
    b"/%7E",
    b"/~",
    b"/a%2Fb",
    b"/a%2fb",
    b"/%zz",
    b"/%",
    b"/a/../b/./c",
    b"/?x=1&x=2",
    b"/?x=a%20b+c&&=&y",
    b"/?q=/?/??",
    b"/a;b=c;d/;",
    b"/a:b@c",
    b"/'\"<>\\^`{|}",
    b"/http://other.example/",
    b"/api/v1/activity/emailthread/",
    b"/api/v1/activity/email/",
    b"/api/v1/lead/?query=email%3Ajane@example.com",
    LONG,
]


async def test_targets_go_up_as_they_came() -> None:
    """No spelling is tidied up: what a path means is Close's to say."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for target in TARGETS:
            answer = await client.ask(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
            assert (answer.status, answer.body) == (200, b"recorded"), target
        assert upstream.targets == TARGETS


@pytest.mark.parametrize("target", [b"/caf\xc3\xa9", b"/\xff", b"/?q=\xc3\xa9"])
async def test_bytes_that_no_target_may_hold_are_refused(target: bytes) -> None:
    """RFC 9112, 3.2: a target is ASCII. The client is told in Close's shape, and nothing goes up."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
        assert (answer.status, answer.values(b"connection")) == (400, [b"close"])
        assert json.loads(answer.body)["gateway"]["code"] == "request_malformed"
        assert upstream.requests == []


ABSOLUTE = [
    (b"http://api.close.com/x?y", b"/x?y"),
    (b"http://api.close.com", b"/"),
    (b"http://api.close.com?y", b"/?y"),
    (b"https://api.close.com:443/a//b/", b"/a//b/"),
    (b"HTTP://other.example/%7E", b"/%7E"),
]


@pytest.mark.parametrize(("target", "expected"), ABSOLUTE)
async def test_an_absolute_target_goes_up_without_its_authority(target: bytes, expected: bytes) -> None:
    """RFC 9112, 3.2.2: every server takes it; the upstream is ours to choose, not the client's."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
        assert upstream.requests[0].head == b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (expected, upstream.authority)


async def test_options_of_the_server() -> None:
    """RFC 9112, 3.2.4: the asterisk stands for the server and is no path."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")).status == 200
        assert upstream.targets == [b"*"]


async def test_methods_go_up_as_they_came() -> None:
    """Also those that Close has no use for: its 405 is the better answer."""
    methods = [b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND", b"QUERY"]
    async with recording() as upstream, running(upstream.url) as gateway:
        for method in methods:
            async with connected(gateway.port) as client:
                await client.send(b"%b / HTTP/1.1\r\nHost: a\r\n\r\n" % method)
                assert await client.head()
        assert [request.method for request in upstream.requests] == methods


# A head with everything that a careless relay loses: order, case, duplicates, bytes, and fields that are usual, but
# not there.
FIELDS = (
    b"aUTHORIZATION: Basic a2V5Og==\r\n"
    b"X-TZ-Offset: -7\r\n"
    b"cookie: a=1\r\n"
    b"X-Twice: first\r\n"
    b"Accept: */*\r\n"
    b"x-twice: second\r\n"
    b"Cookie: b=2\r\n"
    b"X-TWICE: first\r\n"
    b"X-Bytes: caf\xe9 \xff\xfe\r\n"
    b"X-Utf: caf\xc3\xa9\r\n"
    b"X-Empty: \r\n"
    b"X_Under.score!#$%&'*+^`|~: 1\r\n"
    b'X-Signs: "a,b";c="\\"" (d) [e] \t:,;\r\n'
    b"X-Forwarded-For: 192.0.2.1\r\n"
    b"Forwarded: for=192.0.2.1\r\n"
    b"Via: 1.1 before\r\n"
    b"Trailer: X-Sum\r\n"
    b"Max-Forwards: 3\r\n"
    b"Range: bytes=0-1\r\n"
    b'If-None-Match: W/"x"\r\n'
)


@pytest.mark.parametrize("before", [b"", b"X-First: 1\r\n"])
async def test_the_head_goes_up_as_it_came(before: bytes) -> None:
    """Field for field and byte for byte; Host alone is the upstream's, in the place where Host stood."""
    head = b"GET /x HTTP/1.1\r\n%bHost: %b\r\n%b\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(head % (before, b"api.close.com", FIELDS))
        assert upstream.requests[0].head == head % (before, upstream.authority, FIELDS)


async def test_blanks_around_a_value_are_not_part_of_it() -> None:
    """RFC 9110, 5.5."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX: \t a b \t\r\nY:c\r\n\r\n")
        assert upstream.requests[0].head.endswith(b"\r\nX: a b\r\nY: c\r\n\r\n")


HOP_BY_HOP = [  # what comes, and what of it goes up
    (b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", b""),
    (b"Proxy-Connection: keep-alive\r\n", b""),
    (b"TE: trailers\r\n", b""),
    (b"Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n", b""),
    (b"X-Mine: 1\r\nX-Other: 2\r\nConnection: x-mine\r\n", b"X-Other: 2\r\n"),
    (b"Connection: X-MINE ,, x-other\r\nX-Mine: 1\r\nX-Other: 2\r\nx-mine: 3\r\n", b""),
    (b"Connection: x-mine\r\nX-Mine: 1\r\nX-Other: 2\r\nConnection: x-other\r\n", b""),
    (b"Connection: authorization\r\nAuthorization: Basic eA==\r\n", b"Authorization: Basic eA==\r\n"),
    (b"Connection: cookie, host, content-type\r\nCookie: a=1\r\n", b"Cookie: a=1\r\n"),
]


@pytest.mark.parametrize(("fields", "expected"), HOP_BY_HOP)
async def test_what_ends_at_this_hop(fields: bytes, expected: bytes) -> None:
    """RFC 9110, 7.6.1; and no nomination takes away what a request means."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
        assert upstream.requests[0].head == (
            b"GET / HTTP/1.1\r\nHost: %b\r\n" % upstream.authority + expected + b"\r\n"
        )


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c", b"h2c, websocket"])
async def test_an_upgrade_is_not_taken_up(protocol: bytes) -> None:
    """RFC 9110, 7.8: the answer is an ordinary one."""
    upgrade = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n" % protocol
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(upgrade)).body == b"recorded"
        assert upstream.requests[0].head == b"GET /ws HTTP/1.1\r\nHost: %b\r\n\r\n" % upstream.authority


INSIDE = b"GET /inside HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADES = [  # pieces, with a request behind that holds another one in its body
    [b"\r\n" + with_length(b"POST /behind HTTP/1.1\r\nHost: a\r\n", INSIDE)],
    [b"\r\n", with_length(b"POST /behind HTTP/1.1\r\nHost: a\r\n", INSIDE)],
    [b"\r\n" + with_length(b"POST /behind HTTP/1.1\r\nHost: a\r\n", INSIDE).removesuffix(INSIDE), INSIDE],
    [b"Content-Length: 4\r\n\r\nbo", b"dyPOST /behind HTTP/1.1\r\nHost: a\r\nContent-Length: 33\r\n\r\n", INSIDE],
]


@pytest.mark.parametrize("pieces", UPGRADES)
@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
async def test_what_follows_an_upgrade_is_itself_or_nothing(protocol: bytes, pieces: list[bytes]) -> None:
    """Served in its turn, or not at all; never is a body taken for a request, and nobody is left waiting."""
    upgrade = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %b\r\n" % protocol
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for piece in [upgrade + pieces[0], *pieces[1:]]:
            await client.send(piece)
            await asyncio.sleep(0.05)
        answer = await client.answer()
        assert answer.status == 200
        if answer.values(b"connection") == [b"close"]:
            assert await client.rest() == b""
        else:
            assert (await client.answer()).status == 200
            assert upstream.targets == [b"/ws", b"/behind"]
            assert upstream.requests[1].body == INSIDE
        assert b"/inside" not in upstream.targets


BODIES = [b"", b"x", b"\r\n\r\n", b"\0\xff" * 1000, gzip.compress(b"coded", mtime=0), b"big" * 500_000]


@pytest.mark.parametrize("body", BODIES, ids=len)
async def test_a_body_with_a_length_goes_up_as_it_came(body: bytes) -> None:
    """Length, coding and bytes; nothing is decoded on the way."""
    head = b"POST /x HTTP/1.1\r\nHost: %b\r\ncontent-LENGTH: %d\r\nContent-Encoding: gzip\r\nX-Last: 1\r\n\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(head % (b"a", len(body)) + body)).status == 200
        request = upstream.requests[0]
        assert (request.head, request.body) == (head % (upstream.authority, len(body)), body)


@pytest.mark.parametrize("pieces", [(), (b"x",), (b"a" * 17, b"b", b"c" * 100_000), (b"\r\n0\r\n\r\n",)], ids=len)
async def test_a_chunked_body_goes_up_chunked(pieces: tuple[bytes, ...]) -> None:
    """The chunks may be cut anew, the bytes in them are the same (RFC 9112, 7.1)."""
    head = b"POST /x HTTP/1.1\r\nHost: %b\r\nX-Before: 1\r\n%bX-After: 2\r\n%b\r\n"
    coding = b"Transfer-Encoding: chunked\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(head % (b"a", coding, b"") + chunked(*pieces))).status == 200
        request = upstream.requests[0]
        assert (request.head, request.body) == (head % (upstream.authority, b"", coding), b"".join(pieces))


async def test_chunk_extensions_and_trailers_end_at_this_hop() -> None:
    """RFC 9112, 7.1.1 and 7.1.2: both may be left out, and nobody downstream counts on them."""
    body = b'3;name="value"\r\none\r\n0;last\r\nX-Sum: 1\r\n\r\n'
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(head + body)).status == 200
        assert upstream.requests[0].body == b"one"
        assert b"X-Sum" not in upstream.requests[0].head


async def test_a_body_that_comes_byte_by_byte() -> None:
    """Where the pieces are cut does not show."""
    request = with_length(b"POST /x HTTP/1.1\r\nHost: a\r\n", b"slowly")
    request += b"POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"more", b"slowly")
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for place in range(len(request)):
            await client.send(request[place : place + 1])
            await upstream.until(lambda: True)
        assert [(await client.answer()).status, (await client.answer()).status] == [200, 200]
        assert [request.body for request in upstream.requests] == [b"slowly", b"moreslowly"]


async def test_an_odd_get_with_a_body() -> None:
    """RFC 9110, 9.3.1 gives it no meaning, but it is not ours to take away."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(with_length(b"GET /x HTTP/1.1\r\nHost: a\r\n", b"body"))
        assert upstream.requests[0].body == b"body"


OLD_CLIENTS = [b"", b"Host: a\r\n", b"Connection: keep-alive\r\nHost: a\r\n"]


@pytest.mark.parametrize("fields", OLD_CLIENTS)
async def test_a_client_of_http_1_0_is_served(fields: bytes) -> None:
    """RFC 9110, 6.2: the version on each hop is that of its own two parties. Host is there though none came."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(b"GET /x HTTP/1.0\r\n" + fields + b"\r\n")).body == b"recorded"
        assert upstream.requests[0].head == b"GET /x HTTP/1.1\r\nHost: %b\r\n\r\n" % upstream.authority


async def test_who_the_client_is_stays_untold_unless_asked_for() -> None:
    """With upstream.forwarded the three fields come last, and what the client itself sent in them is gone."""
    request = b"GET / HTTP/1.1\r\nHost: api.close.com\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
    added = b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: api.close.com\r\n\r\n"
    async with recording() as upstream:
        for forwarded in (False, True):
            settings = UpstreamSettings(forwarded=forwarded)
            async with running(upstream.url, upstream=settings) as gateway, connected(gateway.port) as client:
                await client.ask(request)
        assert values(upstream.requests[0].head, b"x-forwarded-for") == [b"192.0.2.1"]
        assert upstream.requests[1].head.endswith(b"\r\nHost: %b\r\n%b" % (upstream.authority, added))


async def test_the_client_waits_for_continue() -> None:
    """RFC 9110, 10.1.1: the question goes up, the upstream's leave comes down, then the body goes up."""
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"

    async def script(call: Call) -> None:
        assert not call.request.length
        await call.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await answers(OK)(call)

    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(head)).start_line == b"HTTP/1.1 100 Continue"
        assert (await client.ask(b"body")).body == b"recorded"
        assert values(upstream.requests[0].head, b"expect") == [b"100-continue"]
        assert upstream.requests[0].body == b"body"


async def test_the_upstream_refuses_before_the_body_comes() -> None:
    """The refusal comes down at once; what the client then does with its body disturbs nobody."""
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    refusal = with_length(b"HTTP/1.1 417 Expectation Failed\r\n", b"no")

    async def script(call: Call) -> None:
        await call.send(refusal)

    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(head)
        assert (answer.status, answer.body, answer.values(b"connection")) == (417, b"no", [b"close"])
        assert upstream.requests[0].length == 0

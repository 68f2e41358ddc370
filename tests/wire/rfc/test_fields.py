"""Fields: lines of name, colon and value; Host once and a host; Connection takes away only what may go."""

import string

import pytest

from gateway.config.settings import UpstreamSettings
from tests.gateways import running
from tests.raw import connected, values
from tests.recording import recording
from tests.wire.rfc.rows import CHUNKED, END, GET, HOST, INVALID, MALFORMED, POST, assert_goes_up, assert_refused

LINES_REFUSED = {
    "2.2 blank before the first": (b" X: 1\r\n" + HOST),
    "5.2 blank before": HOST + b" X: 1\r\n",
    "5.2 tab before": HOST + b"\tX: 1\r\n",
    "5.2 folded": HOST + b"X: 1\r\n 2\r\n",
    "5.2 folded by a tab": HOST + b"X: 1\r\n\t2\r\n",
    "5.2 folded by a blank line": HOST + b"X: 1\r\n \r\n",
    "5.1 blank before the colon": HOST + b"X : 1\r\n",
    "5.1 tab before the colon": HOST + b"X\t: 1\r\n",
    "5 no colon": HOST + b"X\r\n",
    "5 no name": HOST + b": 1\r\n",
    "2.2 bare LF": HOST + b"X: 1\n",
    "2.2 bare LF in a value": HOST + b"X: 1\nY: 2\r\n",
    "2.2 bare CR": HOST + b"X: 1\r",
    "2.2 bare CR in a value": HOST + b"X: 1\r2\r\n",
    "2.2 CR CR LF": HOST + b"X: 1\r\r\n",
    "2.2 LF CR": HOST + b"X: 1\n\r",
    "2.2 request behind bare LFs": HOST + b"X: 1\n\nGET /inside HTTP/1.1\r\nHost: a\r\n",
    "2.2 request behind bare CRs": HOST + b"X: 1\r\rGET /inside HTTP/1.1\r\nHost: a\r\n",
    "2.2 head ends with bare LF": HOST + b"\n",
    "2.2 head ends with CR CR LF": HOST + b"\r\r\n",
}


@pytest.mark.parametrize("lines", LINES_REFUSED.values(), ids=LINES_REFUSED)
async def test_lines_out_of_shape_are_refused(lines: bytes) -> None:
    """RFC 9112, 2.2 and 5: each is read by some as one field, by others as two, or as the end of the head."""
    await assert_refused(GET + lines + END, MALFORMED)


CONTROLS = [*range(0x09), *range(0x0B, 0x0D), *range(0x0E, 0x20), 0x7F]


@pytest.mark.parametrize("byte", CONTROLS, ids=[f"9110-5.5 {byte:02x}" for byte in CONTROLS])
async def test_control_bytes_in_a_value_are_refused(byte: int) -> None:
    """RFC 9110, 5.5: CR, LF and NUL are dangerous, the others invalid."""
    await assert_refused(GET + HOST + b"X: a%cb\r\n" % byte + END, MALFORMED)


async def test_every_other_byte_in_a_value_goes_up() -> None:
    """RFC 9110, 5.5: visible ones, blank, tab, and those beyond ASCII, which are opaque."""
    taken = bytes(byte for byte in range(256) if byte not in {*CONTROLS, 0x0A, 0x0D})
    await assert_goes_up(GET + HOST + b"X: a" + taken + b"b\r\n\r\n", GET + b"X: a" + taken + b"b\r\n\r\n")


TOKEN = (string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode()
NO_TOKEN = [byte for byte in range(256) if byte not in TOKEN and byte not in b"\r\n:"]


async def test_bytes_that_no_name_may_hold_are_refused() -> None:
    """RFC 9110, 5.1 and 5.6.2: a name is a token, and this is every byte that is none of one."""
    async with recording() as upstream, running(upstream.url) as gateway:
        for byte in NO_TOKEN:
            async with connected(gateway.port) as client:
                answer = await client.ask(GET + HOST + b"X%cb: 1\r\n" % byte + END)
                assert (answer.status, answer.values(b"connection")) == (400, [b"close"]), byte
                assert await client.rest() == b""
        assert upstream.requests == []


async def test_a_name_of_every_byte_of_a_token_goes_up() -> None:
    """RFC 9110, 5.6.2: in the case in which it came."""
    await assert_goes_up(GET + HOST + TOKEN + b": 1\r\n\r\n", GET + TOKEN + b": 1\r\n\r\n")


HOSTS_REFUSED = {  # RFC 9112, 3.2: a server MUST answer 400 to each
    "3.2 missing": (b"", MALFORMED),
    "3.2 twice": (b"Host: a\r\nHost: a\r\n", MALFORMED),
    "3.2 twice, different": (b"Host: a\r\nHost: b\r\n", MALFORMED),
    "3.2 twice, far apart and in another case": (b"Host: a\r\nX: 1\r\nhOST: b\r\n", MALFORMED),
    "3.2 the second empty": (b"Host: a\r\nHost:\r\n", MALFORMED),
    "5.1 blank before the colon": (b"Host : a\r\n", MALFORMED),
    "5.2 as a continuation": (b"X: 1\r\n Host: a\r\n", MALFORMED),
    "5.2 folded": (b"Host: a\r\n b\r\n", MALFORMED),
    "9110-5.5 NUL": (b"Host: a\0b\r\n", MALFORMED),
    "9110-5.5 control byte": (b"Host: a\x01\r\n", MALFORMED),
    "9110-4.2.1 empty": (b"Host:\r\n", INVALID),
    "9110-4.2.1 port alone": (b"Host: :80\r\n", INVALID),
    "3.2 blank in it": (b"Host: a b\r\n", INVALID),
    "3.2 tab in it": (b"Host: a\tb\r\n", INVALID),
    "3.2 list": (b"Host: a, b\r\n", INVALID),
    "3.2 path": (b"Host: a/b\r\n", INVALID),
    "3.2 query": (b"Host: a?b\r\n", INVALID),
    "3.2 fragment": (b"Host: a#b\r\n", INVALID),
    "3.2 user": (b"Host: u@a\r\n", INVALID),
    "3.2 user and password": (b"Host: u:p@a\r\n", INVALID),
    "3.2 URL": (b"Host: http://a\r\n", INVALID),
    "3.2 backslash": (b"Host: a\\b\r\n", INVALID),
    "3.2 quotes": (b'Host: "a"\r\n', INVALID),
    "3.2 angle brackets": (b"Host: <a>\r\n", INVALID),
    "3.2 port of letters": (b"Host: a:x\r\n", INVALID),
    "3.2 two ports": (b"Host: a:80:80\r\n", INVALID),
    "3.2 negative port": (b"Host: a:-1\r\n", INVALID),
    "3.2 percent alone": (b"Host: a%zz\r\n", INVALID),
    "3.2 bare address": (b"Host: ::1\r\n", INVALID),
    "3.2 open bracket": (b"Host: [::1\r\n", INVALID),
    "3.2 no address in brackets": (b"Host: [zz]\r\n", INVALID),
    "3.2 UTF-8": (b"Host: caf\xc3\xa9\r\n", INVALID),
    "3.2 byte": (b"Host: \xff\r\n", INVALID),
}


@pytest.mark.parametrize(("lines", "expected"), HOSTS_REFUSED.values(), ids=HOSTS_REFUSED)
@pytest.mark.parametrize("target", [b"/x", b"http://b/x"], ids=["origin-form", "absolute-form"])
async def test_bad_hosts_are_refused(target: bytes, lines: bytes, expected: tuple[int, str]) -> None:
    """RFC 9112, 3.2: with an absolute target too, which makes Host count for nothing and not dispensable."""
    await assert_refused(b"GET " + target + b" HTTP/1.1\r\n" + lines + END, expected)


async def test_a_bad_host_is_refused_before_an_email_is_looked_into() -> None:
    """RFC 9112, 3.2: nothing is said of what the request holds."""
    await assert_refused(b"POST /api/v1/activity/email/ HTTP/1.1\r\nHost: a b\r\nContent-Length: 2\r\n\r\n{}", INVALID)


HOSTS_TAKEN = [
    b"a", b"a.", b"a:80", b"a:", b"api.close.com", b"API.CLOSE.COM:443", b"127.0.0.1:8080", b"[::1]:8080", b"a_b",
    b"xn--caf-dma.example", b"a%20b", b"a!$&'()*+,;=~-b",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS_TAKEN, ids=[f"9110-7.2 {host.decode()}" for host in HOSTS_TAKEN])
async def test_a_host_goes_up_as_the_upstreams_own(host: bytes) -> None:
    """RFC 9110, 7.2 and RFC 3986, 3.2.2: whoever the client takes the gateway for, it speaks to Close."""
    await assert_goes_up(GET + b"Host: " + host + END + END, GET + END)


FORWARDED_HOSTS = {  # what the client takes the gateway for
    "9110-7.2 Host": (b"GET /x HTTP/1.1\r\nHost: a:80\r\n\r\n", [b"a:80"]),
    "3.2.2 absolute-form": (b"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", [b"b"]),
    "3.2.2 absolute-form, port and query": (b"GET http://b:81?x HTTP/1.1\r\nHost: a\r\n\r\n", [b"b:81"]),
    "3.2.2 absolute-form, user": (b"GET http://u:p@b/x HTTP/1.1\r\nHost: a\r\n\r\n", [b"b"]),
    "3.2.2 absolute-form, HTTP/1.0": (b"GET http://b/x HTTP/1.0\r\n\r\n", [b"b"]),
    "3.2 HTTP/1.0 without": (b"GET /x HTTP/1.0\r\n\r\n", []),
    "3.2.4 asterisk-form": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", [b"a"]),
}


@pytest.mark.parametrize(("request_", "expected"), FORWARDED_HOSTS.values(), ids=FORWARDED_HOSTS)
async def test_the_host_of_an_absolute_target_goes_before_the_field(request_: bytes, expected: list[bytes]) -> None:
    """RFC 9112, 3.2.2: Host MUST be ignored then. It shows where upstream.forwarded tells the upstream of it."""
    settings = UpstreamSettings(forwarded=True)
    async with recording() as upstream, running(upstream.url, upstream=settings) as gateway:
        async with connected(gateway.port) as client:
            assert (await client.ask(request_)).status == 200
        assert values(upstream.requests[0].head, b"x-forwarded-host") == expected
        assert values(upstream.requests[0].head, b"host") == [upstream.authority]


PROTECTED = [
    b"Authorization", b"Cookie", b"Content-Type", b"Content-Encoding", b"Content-Range", b"Cache-Control", b"Accept",
    b"If-Match", b"If-None-Match", b"If-Modified-Since", b"If-Unmodified-Since", b"If-Range", b"Range", b"Date",
    b"Idempotency-Key", b"X-HTTP-Method-Override", b"X-Request-Id", b"X-Forwarded-For", b"Forwarded", b"Via",
]  # fmt: skip


@pytest.mark.parametrize("name", PROTECTED, ids=[f"9110-7.6.1 {name.decode()}" for name in PROTECTED])
async def test_connection_takes_away_nothing_that_a_request_needs(name: bytes) -> None:
    """RFC 9110, 7.6.1: no sender may name what is for all recipients; without it, this would be another request."""
    fields = name + b": 1\r\nContent-Length: 4\r\n\r\n"
    await assert_goes_up(POST + HOST + b"Connection: " + name.lower() + END + fields + b"body", POST + fields, b"body")


FRAMED = {
    "9110-7.6.1 Content-Length": (b"content-length", b"Content-Length: 4\r\n\r\n", b"body"),
    "9110-7.6.1 Content-Length, Host": (b"host, CONTENT-LENGTH", b"Content-Length: 4\r\n\r\n", b"body"),
    "9110-7.6.1 Transfer-Encoding": (b"transfer-encoding", CHUNKED + END, b"4\r\nbody\r\n0\r\n\r\n"),
    "9110-7.6.1 Connection": (b"connection", b"Content-Length: 4\r\n\r\n", b"body"),
}  # fmt: skip


@pytest.mark.parametrize(("named", "framing", "body"), FRAMED.values(), ids=FRAMED)
@pytest.mark.parametrize("first", [True, False], ids=["before", "behind"])
async def test_connection_does_not_take_away_the_framing(
    *, named: bytes, framing: bytes, body: bytes, first: bool
) -> None:
    """RFC 9110, 7.6.1: or the body would go up as a request of its own."""
    connection = b"Connection: " + named + END
    fields = connection + framing if first else framing.removesuffix(END) + connection + END
    await assert_goes_up(POST + HOST + fields + body, POST + framing, b"body")


async def test_an_upgrade_of_tls_is_not_taken_up() -> None:
    """RFC 9110, 7.8 and RFC 2817: the answer is plain, and the protocol stays what it was."""
    upgrade = b"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(GET + HOST + upgrade)).status == 200
        assert upstream.requests[0].head == GET + b"Host: %b\r\n\r\n" % upstream.authority


async def test_an_upgrade_in_http_1_0_is_no_upgrade() -> None:
    """RFC 9110, 7.8: it MUST be ignored there."""
    upgrade = b"GET /x HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    await assert_goes_up(upgrade, GET + END, last=True)

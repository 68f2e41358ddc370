"""The request line: a method, a target in one of its four forms, and a version that is spoken here."""

import pytest

from tests.gateways import running
from tests.raw import connected
from tests.recording import recording
from tests.wire.rfc.rows import BEHIND, END, GET, HOST, INVALID, MALFORMED, assert_goes_up, assert_refused

METHODS_REFUSED = {
    "9110-9.1 small letters": b"get",
    "9110-9.1 mixed letters": b"Get",
    "9110-9.1 unknown": b"FOO",
    "9110-9.1 beginning of one": b"GE",
    "9110-9.1 one and more": b"GETX",
    "9110-9.1 two": b"GET,POST",
    "9110-9.1 overlong": b"X" * 9000,
    "9110-5.6.2 not ASCII": b"G\xc3\x89T",
    "9110-5.6.2 colon": b"GET:",
    "9110-5.6.2 parentheses": b"(GET)",
    "9110-5.6.2 NUL": b"GET\0",
    "9110-5.6.2 BEL": b"GE\x07T",
    "3 none": b"",
    "3 blank in it": b"GE T",
    "3 tab behind": b"GET\t",
    "3 another protocol": b"DESCRIBE",
    "3 HTTP/2": b"PRI",
}


@pytest.mark.parametrize("method", METHODS_REFUSED.values(), ids=METHODS_REFUSED)
async def test_bad_methods_are_refused(method: bytes) -> None:
    """RFC 9110, 9.1: methods are told apart by case and byte; those that nobody knows, the parser refuses."""
    await assert_refused(method + b" /x HTTP/1.1\r\n" + HOST + END, MALFORMED)


LINES_REFUSED = {
    "3 tabs for blanks": b"GET\t/x\tHTTP/1.1\r\n",
    "3 vertical tab for a blank": b"GET\x0b/x HTTP/1.1\r\n",
    "3 fourth part": b"GET /x y HTTP/1.1\r\n",
    "3 blank before": b" GET /x HTTP/1.1\r\n",
    "3 tab before": b"\tGET /x HTTP/1.1\r\n",
    "3 blank behind": b"GET /x HTTP/1.1 \r\n",
    "3 tab behind": b"GET /x HTTP/1.1\t\r\n",
    "3 NUL before": b"\0GET /x HTTP/1.1\r\n",
    "3 byte order mark": b"\xef\xbb\xbfGET /x HTTP/1.1\r\n",
    "3 no target": b"GET HTTP/1.1\r\n",
    "3 no target, two blanks": b"GET  HTTP/1.1\r\n",
    "2.2 bare LF": b"GET /x HTTP/1.1\n",
    "2.2 bare CR": b"GET /x HTTP/1.1\r",
    "2.2 CR CR LF": b"GET /x HTTP/1.1\r\r\n",
    "2.2 blank line of a blank": b"GET /x HTTP/1.1\r\n \r\n",
    "2.2 TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    "9113-3.4 HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("line", LINES_REFUSED.values(), ids=LINES_REFUSED)
async def test_lines_out_of_shape_are_refused(line: bytes) -> None:
    """RFC 9112, 3: lenient splitting is how two readers come to different targets."""
    await assert_refused(line + HOST + END, MALFORMED)


LINES_TAKEN = {  # RFC 9112, 2.2: a server should ignore at least one empty line before the request line
    "2.2 empty line before": b"\r\n" + GET,
    "2.2 empty lines before": b"\r\n\r\n\r\n" + GET,
    "2.2 bare LF before": b"\n" + GET,
    "2.2 bare CR before": b"\r" + GET,
    "3 two blanks": b"GET  /x HTTP/1.1\r\n",
    "3 two blanks behind": b"GET /x  HTTP/1.1\r\n",
}


@pytest.mark.parametrize("line", LINES_TAKEN.values(), ids=LINES_TAKEN)
async def test_what_the_parser_forgives_goes_up_in_one_form(line: bytes) -> None:
    """RFC 9112, 2.2 and 3: nothing of the leniency is left for the next reader."""
    await assert_goes_up(line + HOST + END, GET + END)


VERSIONS_REFUSED = {
    "2.3 0.9": (b"HTTP/0.9", INVALID),
    "2.3 2.0": (b"HTTP/2.0", INVALID),
    "2.3 2": (b"HTTP/2", MALFORMED),
    "2.3 3.0": (b"HTTP/3.0", MALFORMED),
    "2.3 9.9": (b"HTTP/9.9", MALFORMED),
    "2.3 1.2": (b"HTTP/1.2", MALFORMED),  # might be taken for 1.1 (RFC 9110, 2.5), and is not
    "2.3 1.10": (b"HTTP/1.10", MALFORMED),
    "2.3 01.1": (b"HTTP/01.1", MALFORMED),
    "2.3 1": (b"HTTP/1", MALFORMED),
    "2.3 1.": (b"HTTP/1.", MALFORMED),
    "2.3 .1": (b"HTTP/.1", MALFORMED),
    "2.3 comma": (b"HTTP/1,1", MALFORMED),
    "2.3 sign": (b"HTTP/+1.1", MALFORMED),
    "2.3 letter behind": (b"HTTP/1.1x", MALFORMED),
    "2.3 NUL behind": (b"HTTP/1.1\0", MALFORMED),
    "2.3 arabic digit": (b"HTTP/1.\xd9\xa1", MALFORMED),
    "2.3 small letters": (b"http/1.1", MALFORMED),
    "2.3 blank before the slash": (b"HTTP /1.1", MALFORMED),
    "2.3 blank behind the slash": (b"HTTP/ 1.1", MALFORMED),
    "2.3 backslash": (b"HTTP\\1.1", MALFORMED),
    "2.3 HTTPS": (b"HTTPS/1.1", MALFORMED),
    "2.3 SIP": (b"SIP/2.0", MALFORMED),
    "2.3 ICE": (b"ICE/1.0", MALFORMED),
}


@pytest.mark.parametrize(("version", "expected"), VERSIONS_REFUSED.values(), ids=VERSIONS_REFUSED)
async def test_other_versions_are_refused(version: bytes, expected: tuple[int, str]) -> None:
    """RFC 9112, 2.3: a version says how the message is framed, so no other one can be guessed at."""
    await assert_refused(b"GET /x " + version + b"\r\n" + HOST + END, expected)


async def test_a_line_without_a_version_is_refused() -> None:
    """RFC 9112, 2.3: so HTTP/0.9 asked, and its answer would have no head."""
    await assert_refused(b"GET /x\r\n\r\n", INVALID)


async def test_what_the_parser_takes_for_http_1_0_goes_up_as_http() -> None:
    """RFC 9112, 2.3: it knows RTSP and does not tell; what goes up is a plain request, and the connection ends."""
    await assert_goes_up(b"GET /x RTSP/1.0\r\n\r\n", GET + END, last=True)


TARGETS_REFUSED = {
    "3.2 no slash": (b"x", MALFORMED),
    "3.2 dots": (b"../x", MALFORMED),
    "3.2 query alone": (b"?x", MALFORMED),
    "3.2 fragment alone": (b"#x", MALFORMED),
    "3.2 blank in it": (b"/x y", MALFORMED),
    "3.2 tab in it": (b"/x\ty", MALFORMED),
    "3.2 NUL": (b"/x\0", MALFORMED),
    "3.2 control byte": (b"/x\x01", MALFORMED),
    "3.2 vertical tab": (b"/\x0bx", MALFORMED),
    "3.2 form feed": (b"/x\x0c", MALFORMED),
    "3.2 DEL": (b"/x\x7f", MALFORMED),
    "3.2 bare CR": (b"/x\r/y", MALFORMED),
    "3.2.1 fragment": (b"/x#y", INVALID),
    "3.2.1 empty fragment": (b"/x#", INVALID),
    "3.2.1 fragment behind a query": (b"/x?y#z", INVALID),
    "3.2.1 fragment before a query": (b"/x#y?z", INVALID),
    "3.2.2 fragment": (b"http://b/x#y", INVALID),
    "3.2.2 fragment, no path": (b"http://b#y", MALFORMED),
    "3.2.2 no authority": (b"http:///x", MALFORMED),
    "3.2.2 no host": (b"http://:80/x", MALFORMED),
    "3.2.2 one slash": (b"http:/x", MALFORMED),
    "3.2.2 no slash": (b"http:x", MALFORMED),
    "3.2.2 file": (b"file:///etc/passwd", MALFORMED),
    "3.2.2 no such scheme": (b"1http://b/x", MALFORMED),
    "3.2.2 port of letters": (b"http://b:x/", MALFORMED),
    "3.2.2 port beyond measure": (b"http://b:99999/", MALFORMED),
    "3.2.2 open bracket": (b"http://[::1/x", MALFORMED),
    "3.2.2 backslash": (b"http://b\\c/x", MALFORMED),
    "3.2.2 blank in the host": (b"http://b /x", MALFORMED),
    "3.2.2 host not ASCII": (b"http://\xc3\xa9/x", MALFORMED),
    "3.2.3 authority-form": (b"a:443", MALFORMED),  # of CONNECT alone
    "3.2.4 asterisk-form": (b"*", MALFORMED),  # of OPTIONS alone
    "3.2.4 two asterisks": (b"**", MALFORMED),
    "3.2.4 asterisk and path": (b"*/x", MALFORMED),
}


@pytest.mark.parametrize(("target", "expected"), TARGETS_REFUSED.values(), ids=TARGETS_REFUSED)
async def test_bad_targets_are_refused(target: bytes, expected: tuple[int, str]) -> None:
    """RFC 9112, 3.2: nothing is repaired, since a target that was repaired is another one than was judged before us."""
    await assert_refused(b"GET " + target + b" HTTP/1.1\r\n" + HOST + END, expected)


TARGETS_TAKEN = {  # of these tests/forwarding has none
    "3.2.2 port": (b"GET", b"http://b:80/x", b"/x"),
    "3.2.2 empty port": (b"GET", b"http://b:/x", b"/x"),
    "3.2.2 address": (b"GET", b"http://[::1]:80/x", b"/x"),
    "3.2.2 user": (b"GET", b"http://u:p@b/x", b"/x"),
    "3.2.2 two users": (b"GET", b"http://b@c@d/x", b"/x"),
    "3.2.2 another scheme": (b"GET", b"ws://b/x", b"/x"),
    "3.2.2 two slashes": (b"GET", b"http://b//c", b"//c"),
    "3.2.2 dots": (b"GET", b"http://b/../c", b"/../c"),
    "3.2.2 one in another": (b"GET", b"http://b/http://c/x", b"/http://c/x"),
    "3.2.4 OPTIONS of a host": (b"OPTIONS", b"http://b", b"/"),
    "3.2.4 OPTIONS of a host and query": (b"OPTIONS", b"http://b?q", b"/?q"),
    "3.2.4 asterisk": (b"OPTIONS", b"*", b"*"),
}


@pytest.mark.parametrize(("method", "target", "goes"), TARGETS_TAKEN.values(), ids=TARGETS_TAKEN)
async def test_targets_go_up_without_an_authority(method: bytes, target: bytes, goes: bytes) -> None:
    """RFC 9112, 3.2.2: whatever host the client names in it, the upstream is named in Host, and nowhere else."""
    line = b"%b %b HTTP/1.1\r\n"
    await assert_goes_up(line % (method, target) + HOST + END, line % (method, goes) + END)


CONNECTS = {
    "3.2.3 host and port": (b"CONNECT a:443", b"", (405, "method_refused")),
    "3.2.3 host alone": (b"CONNECT a", b"", (405, "method_refused")),
    "3.2.3 path": (b"CONNECT /x", b"", (405, "method_refused")),
    "3.2.3 absolute": (b"CONNECT http://a/", b"", MALFORMED),
    "3.2.3 host, port and path": (b"CONNECT a:443/x", b"", MALFORMED),
    "3.2.3 no host": (b"CONNECT :443", b"", MALFORMED),
    "9110-9.3.6 what would go through the tunnel": (b"CONNECT a:443", BEHIND, (405, "method_refused")),
}


@pytest.mark.parametrize(("line", "behind", "expected"), CONNECTS.values(), ids=CONNECTS)
async def test_connect_is_refused(line: bytes, behind: bytes, expected: tuple[int, str]) -> None:
    """RFC 9110, 9.3.6: no tunnel, and what was meant for one is not served as a request."""
    await assert_refused(line + b" HTTP/1.1\r\n" + HOST + END + behind, expected)


async def test_who_is_refused_a_method_is_told_which_are_allowed() -> None:
    """RFC 9110, 15.5.6: a 405 has an Allow."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(b"CONNECT a:443 HTTP/1.1\r\n" + HOST + END)
        assert answer.values(b"allow") == [b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]


OVERLONG = {"3 target": (b"/" + b"x" * 70_000, b""), "5 value": (b"/x", b"X: " + b"x" * 70_000 + b"\r\n")}


@pytest.mark.parametrize(("target", "field"), OVERLONG.values(), ids=OVERLONG)
async def test_overlong_requests_do_not_go_up(target: bytes, field: bytes) -> None:
    """RFC 9112, 3 and RFC 9110, 5.4: a 4xx that says so, and the end of the connection; never a part of them."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(b"GET " + target + b" HTTP/1.1\r\n" + HOST + field + END)
        assert (400 <= answer.status < 500, answer.values(b"connection")) == (True, [b"close"])
        assert upstream.requests == []

"""Content-Length: one number in decimal digits, or no request."""

import json

import pytest

from tests.gateways import running
from tests.raw import connected
from tests.recording import recording
from tests.wire.rfc.rows import (
    BEHIND,
    CHUNKED,
    END,
    HOST,
    INVALID,
    LARGEST,
    MALFORMED,
    POST,
    assert_goes_up,
    assert_refused,
    left_unanswered,
)

VALUES_REFUSED = {  # RFC 9110, 8.6: Content-Length = 1*DIGIT
    "9110-8.6 plus": b"+4",
    "9110-8.6 minus": b"-4",
    "9110-8.6 minus zero": b"-0",
    "9110-8.6 hexadecimal": b"0x4",
    "9110-8.6 letter behind": b"4x",
    "9110-8.6 fraction": b"4.0",
    "9110-8.6 exponent": b"4e0",
    "9110-8.6 underscore": b"1_0",
    "9110-8.6 quoted": b'"4"',
    "9110-8.6 word": b"four",
    "9110-8.6 empty": b"",
    "9110-8.6 blank": b" ",
    "9110-8.6 two with a blank": b"4 4",
    "9110-8.6 semicolon": b"4;4",
    "9110-8.6 arabic digit": b"\xd9\xa4",
    "9110-8.6 vertical tab before": b"\x0b4",
    "9110-8.6 vertical tab behind": b"4\x0b",
    "9110-8.6 form feed behind": b"4\x0c",
    "9110-8.6 no-break space behind": b"4\xa0",
    "9110-5.5 NUL behind": b"4\0",
    "2.2 bare CR": b"4\r5",
    "5.2 folded": b"\r\n 4",
    "6.3 list of equals": b"4, 4",  # may be refused or made one; refused
    "6.3 list of equals, no blank": b"4,4",
    "6.3 list of different ones": b"4, 5",
    "6.3 trailing comma": b"4,",
    "9110-8.6 2**64": b"18446744073709551616",  # wraps round to 0
    "9110-8.6 2**64 + 4": b"18446744073709551620",  # wraps round to 4
    "9110-8.6 thirty digits": b"9" * 30,
}


@pytest.mark.parametrize("value", VALUES_REFUSED.values(), ids=VALUES_REFUSED)
async def test_what_is_no_length_is_refused(value: bytes) -> None:
    """RFC 9112, 6.3, 5: an invalid Content-Length cannot be recovered from."""
    await assert_refused(POST + HOST + b"Content-Length: " + value + b"\r\n\r\nbody", MALFORMED)


BEYOND = {
    "9110-8.6 19 digits": b"1" + b"0" * 18,
    "9110-8.6 2**63": b"9223372036854775808",
    "9110-8.6 2**64 - 1": LARGEST,
}


@pytest.mark.parametrize("value", BEYOND.values(), ids=BEYOND)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_a_length_beyond_all_measure_is_refused(method: bytes, value: bytes) -> None:
    """RFC 9110, 8.6: the largest one the parser takes for no body; others on the way may lose the first digits.

    The connection ends once the client has nothing more to say: it is still sending a body.
    """
    request = method + b" /x HTTP/1.1\r\n" + HOST + b"Content-Length: " + value + b"\r\n\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(request + BEHIND)
        code = json.loads(answer.body)["gateway"]["code"]
        assert ((answer.status, code), answer.values(b"connection")) == (INVALID, [b"close"])
        client.end()
        assert await client.rest() == b""
        assert upstream.requests == []


FIELDS_REFUSED = {
    "6.3 twice the same": b"Content-Length: 4\r\nContent-Length: 4\r\n",
    "6.3 twice, different": b"Content-Length: 4\r\nContent-Length: 0\r\n",
    "6.3 twice, far apart": b"Content-Length: 0\r\nX: 1\r\nY: 2\r\ncontent-length: 4\r\n",
    "6.3 the second empty": b"Content-Length: 4\r\nContent-Length:\r\n",
    "5.1 blank before the colon": b"Content-Length : 4\r\n",
    "5.1 tab before the colon": b"Content-Length\t: 4\r\n",
    "9110-5.1 NUL in the name": b"Content-Length\0: 4\r\n",
    "5.2 as a continuation": b"X: 1\r\n Content-Length: 4\r\n",
    "2.2 behind a bare LF": b"X: 1\nContent-Length: 4\r\n",
    "2.2 behind a bare CR": b"X: 1\rContent-Length: 4\r\n",
}


@pytest.mark.parametrize("fields", FIELDS_REFUSED.values(), ids=FIELDS_REFUSED)
async def test_lengths_that_two_readers_read_differently_are_refused(fields: bytes) -> None:
    """Whoever reads the other length, or none, would take the body for a request."""
    await assert_refused(POST + HOST + fields + END + b"body" + BEHIND, MALFORMED)


VALUES_TAKEN = {  # RFC 9110, 8.6 allows leading zeros; some readers take them for an octal number
    "9110-8.6 plain": (b" 4", b"4", b"body"),
    "9110-5.5 no blank": (b"4", b"4", b"body"),
    "9110-5.5 blanks around": (b" \t 4 \t", b"4", b"body"),
    "9110-8.6 leading zero": (b" 010", b"10", b"0123456789"),
    "9110-8.6 many zeros": (b" " + b"0" * 100 + b"4", b"4", b"body"),
    "9110-8.6 zero": (b" 0", b"0", b""),
    "9110-8.6 zeros": (b" 000", b"0", b""),
}


@pytest.mark.parametrize(("came", "goes", "body"), VALUES_TAKEN.values(), ids=VALUES_TAKEN)
async def test_a_length_goes_up_in_plain_digits(came: bytes, goes: bytes, body: bytes) -> None:
    """RFC 9110, 8.6: and what follows the body is the next request."""
    request = POST + HOST + b"Content-Length:" + came + b"\r\n\r\n" + body
    await assert_goes_up(request, POST + b"Content-Length: " + goes + b"\r\n\r\n", body)


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH"])
async def test_a_body_is_a_body_whatever_the_method(method: bytes) -> None:
    """RFC 9112, 6: the framing does not depend on the method; one who thinks so sees `BEHIND` twice."""
    head = method + b" /x HTTP/1.1\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(BEHIND)
    await assert_goes_up(head + HOST + length + BEHIND, head + length, BEHIND)


async def test_without_a_framing_there_is_no_body() -> None:
    """RFC 9112, 6.3, 7: what follows the head is the next request, for a POST too."""
    await assert_goes_up(POST + HOST + END, POST + END)


async def test_a_name_that_only_looks_like_it_frames_nothing() -> None:
    """RFC 9110, 5.1: an underscore is no hyphen. It goes up as the end-to-end field that it is."""
    await assert_goes_up(GET_ODD, GET_ODD.replace(HOST, b""))


GET_ODD = b"GET /x HTTP/1.1\r\n" + HOST + b"Content_Length: 4\r\nContent-Length-: 4\r\nXContent-Length: 4\r\n\r\n"

SHORT = {
    "6.2 length": POST + HOST + b"Content-Length: 5\r\n\r\nfour",
    "6.2 large length": POST + HOST + b"Content-Length: 999999999999999999\r\n\r\nfour",
    "7.1 chunk": POST + HOST + CHUNKED + END + b"5\r\nfour",
    "7.1 no last chunk": POST + HOST + CHUNKED + END + b"4\r\nfour\r\n",
    "7.1 large chunk": POST + HOST + CHUNKED + END + b"FFFFFFFFFFFFFFFF\r\nfour\r\n0\r\n\r\n",
    "7.1 no end of the trailers": POST + HOST + CHUNKED + END + b"0\r\nX: 1\r\n",
}


@pytest.mark.parametrize("request_", SHORT.values(), ids=SHORT)
async def test_a_body_that_does_not_end_never_looks_complete(request_: bytes) -> None:
    """RFC 9112, 8: the client leaves in the middle; upstream the request ends in the middle too."""
    await left_unanswered(request_)

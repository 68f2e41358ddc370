"""Chunks: sizes in hexadecimal, each line ended by CR LF, and nothing of them but their content goes up."""

import pytest

from tests.gateways import running
from tests.raw import chunked, connected
from tests.recording import recording
from tests.wire.rfc.rows import (
    BEHIND,
    CHUNKED,
    END,
    HOST,
    MALFORMED,
    POST,
    assert_broken_off,
    assert_goes_up,
    assert_refused,
)

HEAD = POST + HOST + CHUNKED + END
LAST = b"0\r\n\r\n"

BROKEN = {  # RFC 9112, 7.1: chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    "7.1 0x": b"0x4\r\nbody\r\n" + LAST,
    "7.1 plus": b"+4\r\nbody\r\n" + LAST,
    "7.1 minus": b"-4\r\nbody\r\n" + LAST,
    "7.1 no size": b"\r\nbody\r\n" + LAST,
    "7.1 no size, extension": b";a=b\r\nbody\r\n" + LAST,
    "7.1 g": b"g\r\nbody\r\n" + LAST,
    "7.1 letter behind": b"4g\r\nbody\r\n" + LAST,
    "7.1 underscore": b"4_0\r\nbody\r\n" + LAST,
    "7.1 comma": b"4,4\r\nbody\r\n" + LAST,
    "7.1 fraction": b"4.0\r\nbody\r\n" + LAST,
    "7.1 quoted": b'"4"\r\nbody\r\n' + LAST,
    "7.1 arabic digit": b"\xd9\xa4\r\nbody\r\n" + LAST,
    "7.1 NUL behind": b"4\0\r\nbody\r\n" + LAST,
    "7.1 blank before": b" 4\r\nbody\r\n" + LAST,
    "7.1 blank behind": b"4 \r\nbody\r\n" + LAST,
    "7.1 tab behind": b"4\t\r\nbody\r\n" + LAST,
    "7.1 seventeen digits": b"10000000000000004\r\nbody\r\n" + LAST,  # 2**64 + 4 wraps round to 4
    "7.1.1 blank before the extension": b"4 ;a=b\r\nbody\r\n" + LAST,
    "7.1.1 empty extension": b"4;\r\nbody\r\n" + LAST,
    "7.1.1 two semicolons": b"4;;\r\nbody\r\n" + LAST,
    "7.1.1 bare LF in an extension": b"4;a\nbody\r\n" + LAST,
    "7.1.1 bare LF in an empty extension": b"4;\nbody\r\n" + LAST,
    "7.1.1 bare CR in an extension": b"4;a\rb\r\nbody\r\n" + LAST,
    "7.1.1 NUL in an extension": b"4;a\0b\r\nbody\r\n" + LAST,
    "7.1.1 byte in an extension": b"4;a=\xff\r\nbody\r\n" + LAST,
    "7.1.1 line end in quotes": b'4;a="\r\n"\r\nbody\r\n' + LAST,
    "7.1.1 open quotes": b'4;a="b\r\nbody\r\n' + LAST,
    "2.2 bare LF behind the size": b"4\nbody\r\n" + LAST,
    "2.2 bare CR behind the size": b"4\rbody\r\n" + LAST,
    "2.2 CR CR LF behind the size": b"4\r\r\nbody\r\n" + LAST,
    "2.2 bare LF behind the data": b"4\r\nbody\n" + LAST,
    "2.2 bare CR behind the data": b"4\r\nbody\r" + LAST,
    "7.1 nothing behind the data": b"4\r\nbody" + LAST,
    "7.1 two letters behind the data": b"4\r\nbodyXX" + LAST,
    "7.1 data too short": b"5\r\nbody\r\n" + LAST,
    "7.1 data too long": b"3\r\nbody\r\n" + LAST,
    "7.1 last chunk 0x0": b"4\r\nbody\r\n0x0\r\n\r\n",
    "2.2 bare LF behind the last size": b"4\r\nbody\r\n0\n\r\n",
    "2.2 two bare LFs for an end": b"4\r\nbody\r\n0\n\n",
    "2.2 bare LF for an end": b"4\r\nbody\r\n0\r\n\n",
    "2.2 bare CR for an end": b"4\r\nbody\r\n0\r\n\rX",
    "7.1.2 trailer without a colon": b"4\r\nbody\r\n0\r\nno field\r\n\r\n",
    "5.1 trailer with a blank before the colon": b"4\r\nbody\r\n0\r\nX : 1\r\n\r\n",
    "5.2 folded trailer": b"4\r\nbody\r\n0\r\nX: 1\r\n 2\r\n\r\n",
    "2.2 trailer with a bare LF": b"4\r\nbody\r\n0\r\nX: 1\n\r\n",
    "9110-5.5 trailer with a NUL": b"4\r\nbody\r\n0\r\nX: \0\r\n\r\n",
    "9110-6.5.1 length in a trailer": b"4\r\nbody\r\n0\r\nContent-Length: 99\r\n\r\n",
    "9110-6.5.1 coding in a trailer": b"4\r\nbody\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_chunks_out_of_shape_are_refused(body: bytes) -> None:
    """RFC 9112, 7.1: and what is hidden behind them does not go up either."""
    await assert_refused(HEAD + body + BEHIND, MALFORMED)


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_chunks_out_of_shape_break_a_request_off_that_went_up(body: bytes) -> None:
    """RFC 9112, 8: what goes up then has no end, so it never is a request."""
    await assert_broken_off(HEAD, body + BEHIND, arrived=b"body\r")


TAKEN = {
    "7.1 plain": (b"4\r\nbody\r\n" + LAST, b"body"),
    "7.1 small letter": (b"a\r\n0123456789\r\n" + LAST, b"0123456789"),
    "7.1 capital letter": (b"A\r\n0123456789\r\n" + LAST, b"0123456789"),
    "7.1 leading zeros": (b"0004\r\nbody\r\n" + LAST, b"body"),
    "7.1 seventeen digits": (b"00000000000000004\r\nbody\r\n" + LAST, b"body"),
    "7.1 nothing": (LAST, b""),
    "7.1 what looks like an end": (chunked(LAST), LAST),
    "7.1 what looks like a request": (chunked(LAST + BEHIND), LAST + BEHIND),
    "7.1.1 extension": (b"4;a=b\r\nbody\r\n" + LAST, b"body"),
    "7.1.1 extension without a value": (b"4;a\r\nbody\r\n" + LAST, b"body"),
    "7.1.1 quoted": (b'4;a="b;c"\r\nbody\r\n' + LAST, b"body"),
    "7.1.1 quoted quote": (b'4;a="\\"\\\\"\r\nbody\r\n' + LAST, b"body"),
    "7.1.1 several": (b"4;a=b;c;d=e\r\nbody\r\n" + LAST, b"body"),
}


@pytest.mark.parametrize(("came", "body"), TAKEN.values(), ids=TAKEN)
async def test_chunks_go_up_cut_anew(came: bytes, body: bytes) -> None:
    """RFC 9112, 7.1: sizes in one spelling, no extensions; and what follows the end is the next request."""
    await assert_goes_up(HEAD + came, POST + CHUNKED + END, body)


UNUSUAL_ENDS = {
    "7.1 two zeros": b"4\r\nbody\r\n00\r\n\r\n",
    "7.1.1 extension at the end": b"4\r\nbody\r\n0;a=b\r\n\r\n",
}


@pytest.mark.parametrize("came", UNUSUAL_ENDS.values(), ids=UNUSUAL_ENDS)
async def test_an_unusual_end_is_an_end(came: bytes) -> None:
    """RFC 9112, 7.1: whatever the last chunk is spelled like, what follows it is the next request."""
    await assert_goes_up(HEAD + came, POST + CHUNKED + END, b"body")


TRAILERS = {
    "one": b"X-Sum: 1\r\n",
    "several": b"X-Sum: 1\r\nX-Sum: 2\r\nX-Other: 3\r\n",
    "credentials": b"Authorization: Basic eA==\r\n",
    "connection": b"Connection: close\r\n",
    "an override": b"X-HTTP-Method-Override: DELETE\r\n",
}


@pytest.mark.parametrize("pieces", [1, 2], ids=["one piece", "two pieces"])
@pytest.mark.parametrize("trailers", TRAILERS.values(), ids=[f"9110-6.5.1 {name}" for name in TRAILERS])
async def test_trailers_do_not_go_up(trailers: bytes, pieces: int) -> None:
    """RFC 9110, 6.5.1: not as trailers, and never as fields, be it of their own request or of the one behind it.

    Where the end of the trailers cannot be told, the connection may end instead, with the request behind not served.
    """
    request = HEAD + b"4\r\nbody\r\n0\r\n" + trailers + END
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(request + BEHIND if pieces == 1 else request)
        answer = await client.answer()
        host = b"Host: %b\r\n" % upstream.authority
        expected = [POST + host + CHUNKED + END]
        if answer.values(b"connection") == [b"close"]:
            assert await client.rest() == b""
        else:
            if pieces > 1:
                await client.send(BEHIND)
            assert (await client.answer()).status == 200
            expected.append(BEHIND.replace(HOST, host))
        assert [received.head for received in upstream.requests] == expected

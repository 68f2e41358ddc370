"""Answers: one framing that both hops agree on, or a 502; a message that is cut is seen to be cut."""

import json

import pytest

from tests.gateways import running
from tests.raw import Broken, Ended, connected
from tests.recording import OK, Script, answers, closes, in_turn, recording
from tests.wire.rfc.rows import BEHIND, CHUNKED, END, GET, HOST

REQUEST = GET + HOST + END
LINE = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 4\r\n"
CHUNKS = b"4\r\nbody\r\n0\r\n\r\n"

BROKEN = {  # of these tests/forwarding/test_faults.py has none
    "2.2 bare LF behind the status line": b"HTTP/1.1 200 OK\n" + LENGTH + END + b"body",
    "2.2 bare LF behind a field": LINE + b"X: 1\n" + LENGTH + END + b"body",
    "2.2 bare LFs alone": b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody",
    "2.2 head ends with a bare LF": LINE + LENGTH + b"\nbody",
    "2.2 bare CR in the reason": b"HTTP/1.1 200 a\rb\r\n" + LENGTH + END + b"body",
    "2.2 blank before the first field": LINE + b" X: 1\r\n" + LENGTH + END + b"body",
    "5.2 folded field": LINE + b"X: 1\r\n 2\r\n" + LENGTH + END + b"body",
    "5.2 folded length": LINE + b"Content-Length:\r\n 4\r\n\r\nbody",
    "5.2 folded coding": LINE + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    "5.1 blank before the colon of the length": LINE + b"Content-Length : 4\r\n\r\nbody",
    "5.1 blank before the colon of the coding": LINE + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKS,
    "5 field without a name": LINE + b": 1\r\n" + LENGTH + END + b"body",
    "9110-5.5 control byte in a value": LINE + b"X: a\x01b\r\n" + LENGTH + END + b"body",
    "9110-5.5 DEL in a value": LINE + b"X: a\x7fb\r\n" + LENGTH + END + b"body",
    "9110-5.6.2 byte in a name": LINE + b"X\x80: 1\r\n" + LENGTH + END + b"body",
    "4 status 000": b"HTTP/1.1 000 X\r\n" + LENGTH + END + b"body",
    "4 status 099": b"HTTP/1.1 099 X\r\n" + LENGTH + END + b"body",
    "4 status of four digits": b"HTTP/1.1 1000 X\r\n" + LENGTH + END + b"body",
    "4 status with a letter": b"HTTP/1.1 20x X\r\n" + LENGTH + END + b"body",
    "4 status with a sign": b"HTTP/1.1 +20 X\r\n" + LENGTH + END + b"body",
    "4 two blanks": b"HTTP/1.1  200 OK\r\n" + LENGTH + END + b"body",
    "4 NUL in the reason": b"HTTP/1.1 200 a\0b\r\n" + LENGTH + END + b"body",
    "4 control byte in the reason": b"HTTP/1.1 200 a\x01b\r\n" + LENGTH + END + b"body",
    "2.3 HTTP/0.9": b"HTTP/0.9 200 OK\r\n" + LENGTH + END + b"body",
    "2.3 HTTP/1.2": b"HTTP/1.2 200 OK\r\n" + LENGTH + END + b"body",
    "2.3 HTTP/2.0": b"HTTP/2.0 200 OK\r\n" + LENGTH + END + b"body",
    "6.1 chunked in HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + CHUNKED + END + CHUNKS,
    "6.1 chunked in HTTP/1.0, keep-alive": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + CHUNKED + END + CHUNKS,
    "6.1 identity": LINE + b"Transfer-Encoding: identity\r\n\r\nbody",
    "6.1 empty coding": LINE + b"Transfer-Encoding:\r\n\r\nbody",
    "6.1 identity, chunked": LINE + b"Transfer-Encoding: identity, chunked\r\n\r\n" + CHUNKS,
    "6.1 parameter": LINE + b"Transfer-Encoding: chunked;q=1\r\n\r\n" + CHUNKS,
    "6.1 obscured": LINE + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "6.1 tab behind": LINE + b"Transfer-Encoding: chunked\t\r\n\r\n" + CHUNKS,
    "6.1 vertical tab behind": LINE + b"Transfer-Encoding: chunked\x0b\r\n\r\n" + CHUNKS,
    "6.1 leading comma": LINE + b"Transfer-Encoding: ,chunked\r\n\r\n" + CHUNKS,
    "6.1 trailing comma": LINE + b"Transfer-Encoding: chunked,\r\n\r\n" + CHUNKS,
    "6.1 twice": LINE + CHUNKED + CHUNKED + END + CHUNKS,
    "6.3 length behind chunked": LINE + CHUNKED + LENGTH + END + CHUNKS,
    "6.3 length behind an empty coding": LINE + b"Transfer-Encoding:\r\n" + LENGTH + END + b"body",
    "6.3 twice the same length": LINE + LENGTH + LENGTH + END + b"body",
    "6.3 list of equal lengths": LINE + b"Content-Length: 4, 4\r\n\r\nbody",
    "6.3 empty length": LINE + b"Content-Length:\r\n\r\nbody",
    "6.3 negative length": LINE + b"Content-Length: -4\r\n\r\nbody",
    "6.3 two numbers": LINE + b"Content-Length: 4 5\r\n\r\nbody",
    "6.3 length of 2**64": LINE + b"Content-Length: 18446744073709551616\r\n\r\nbody",
    "9110-15.2 interim answer with a body": b"HTTP/1.1 103 Hints\r\nContent-Length: 4\r\n\r\nhint" + OK,
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_an_answer_that_could_be_read_in_two_ways_is_a_502(method: bytes, answer: bytes) -> None:
    """RFC 9112, 6.3 and 8: to HEAD too. The upstream's connection ends, the client's goes on with the next request."""
    script = in_turn(closes(answer), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(method + b" /x HTTP/1.1\r\n" + HOST + END)
        got = await client.answer(bodiless=method == b"HEAD")
        while got.status == 103:
            got = await client.answer(bodiless=method == b"HEAD")
        assert got.status == 502
        if method != b"HEAD":
            assert json.loads(got.body)["gateway"]["code"] == "upstream_broken"
        assert (await client.ask(BEHIND)).body == b"recorded"
        assert [request.connection for request in upstream.requests] == [0, 1]


CHUNKS_BROKEN = {
    "7.1 blank behind the size": b"4 \r\nbody\r\n0\r\n\r\n",
    "7.1 blank before the size": b" 4\r\nbody\r\n0\r\n\r\n",
    "7.1 no size": b"\r\nbody\r\n0\r\n\r\n",
    "7.1 0x": b"0x4\r\nbody\r\n0\r\n\r\n",
    "7.1 minus": b"-4\r\nbody\r\n0\r\n\r\n",
    "7.1 seventeen digits": b"10000000000000004\r\nbody\r\n0\r\n\r\n",
    "7.1 nothing behind the data": b"4\r\nbody0\r\n\r\n",
    "7.1.1 bare LF in an extension": b"4;a\nbody\r\n0\r\n\r\n",
    "2.2 bare LF behind the size": b"4\nbody\r\n0\r\n\r\n",
    "2.2 bare LF behind the data": b"4\r\nbody\n0\r\n\r\n",
    "2.2 bare LF for an end": b"4\r\nbody\r\n0\r\n\n",
    "7.1.2 trailer without a colon": b"4\r\nbody\r\n0\r\nno field\r\n\r\n",
    "9110-6.5.1 length in a trailer": b"4\r\nbody\r\n0\r\nContent-Length: 9\r\n\r\n",
}


@pytest.mark.parametrize("chunks", CHUNKS_BROKEN.values(), ids=CHUNKS_BROKEN)
async def test_chunks_out_of_shape_never_look_complete(chunks: bytes) -> None:
    """RFC 9112, 8: a 502 or a message that is seen to break off, and the next request has another connection."""
    script = in_turn(answers(LINE + CHUNKED + END + chunks), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway:
        async with connected(gateway.port) as client:
            await client.send(REQUEST)
            try:
                assert (await client.answer()).status == 502
            except Broken as error:
                assert isinstance(error, Ended)  # noqa: PT017 - either may come, and this is what the other is
        async with connected(gateway.port) as client:
            assert (await client.ask(BEHIND)).body == b"recorded"
        assert [request.connection for request in upstream.requests] == [0, 1]


COMES_DOWN = {  # what comes, and what goes down
    "2.2 empty line before": (answers(END + LINE + LENGTH + END + b"body"), LINE + LENGTH + END + b"body"),
    "4 no reason, no blank": (
        answers(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
        b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    ),
    "4 tab in the reason": (
        answers(b"HTTP/1.1 200 a\tb\r\nContent-Length: 0\r\n\r\n"),
        b"HTTP/1.1 200 a\tb\r\nContent-Length: 0\r\n\r\n",
    ),
    "6.1 chunked in capitals": (
        answers(LINE + b"Transfer-Encoding: CHUNKED\r\n\r\n" + CHUNKS),
        LINE + CHUNKED + END + CHUNKS,
    ),
    "6.1 chunked, 204": (answers(b"HTTP/1.1 204 None\r\n" + CHUNKED + END), b"HTTP/1.1 204 None\r\n\r\n"),
    "9110-8.6 length, 204": (
        answers(b"HTTP/1.1 204 None\r\nX: 1\r\n" + LENGTH + END),
        b"HTTP/1.1 204 None\r\nX: 1\r\n\r\n",
    ),
    "6.1 chunked, 304": (answers(b"HTTP/1.1 304 Same\r\n" + CHUNKED + END), b"HTTP/1.1 304 Same\r\n\r\n"),
    "9110-8.6 length, 304": (answers(b"HTTP/1.1 304 Same\r\n" + LENGTH + END), b"HTTP/1.1 304 Same\r\n" + LENGTH + END),
    "9110-15.3.6 205": (
        answers(b"HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n"),
        b"HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n",
    ),
    "9110-15 unknown status": (
        answers(b"HTTP/1.1 799 X\r\n" + LENGTH + END + b"body"),
        b"HTTP/1.1 799 X\r\n" + LENGTH + END + b"body",
    ),
    "9110-15.2 length, 1xx": (
        answers(b"HTTP/1.1 103 Hints\r\nX: 1\r\n" + LENGTH + END + OK),
        b"HTTP/1.1 103 Hints\r\nX: 1\r\n\r\n" + OK,
    ),
    "9110-15.2 chunked, 1xx": (
        answers(b"HTTP/1.1 103 Hints\r\n" + CHUNKED + END + OK),
        b"HTTP/1.1 103 Hints\r\n\r\n" + OK,
    ),
    "9110-15.2 100 unasked": (answers(b"HTTP/1.1 100 Continue\r\n\r\n" + OK), b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    "9110-7.8 upgrade offered": (
        answers(LINE + b"Connection: upgrade\r\nUpgrade: x\r\n" + LENGTH + END + b"body"),
        LINE + LENGTH + END + b"body",
    ),
    "6.3 until the end": (closes(LINE + END + b"body"), LINE + CHUNKED + END + CHUNKS),
    "6.3 nothing until the end": (closes(LINE + END), LINE + CHUNKED + END + b"0\r\n\r\n"),
}


@pytest.mark.parametrize(("script", "expected"), COMES_DOWN.values(), ids=COMES_DOWN)
async def test_an_answer_goes_down_in_one_form(script: Script, expected: bytes) -> None:
    """RFC 9112, 6.3: byte for byte this and no more, and the next answer is the next request's."""
    async with (
        recording(in_turn(script, answers(OK))) as upstream,
        running(upstream.url) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(REQUEST)
        assert await client.reader.readexactly(len(expected)) == expected
        assert (await client.ask(BEHIND)).body == b"recorded"

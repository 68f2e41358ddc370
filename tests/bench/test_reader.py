"""The bench checks every answer with this reader: what it cuts wrongly would be measured wrongly."""

import pytest

from tests.bench.reader import SMALL, MessageReader

LARGE = SMALL + 1000

ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-LENGTH:  5 \r\n\r\nhello"
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 204 No Content\r\n\r\n"
    b"HTTP/1.1 304 Not Modified\r\n\r\n"
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\n, w\r\n0\r\n\r\n"
    b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nend"
)
CUT_ANSWERS = [
    (b"HTTP/1.1 200", 5, b"hello"),
    (b"HTTP/1.1 204", 0, b""),
    (b"HTTP/1.1 304", 0, b""),
    (b"HTTP/1.1 400", 0, b""),
    (b"HTTP/1.1 200", 8, b"hello, w"),
    (b"HTTP/1.1 201", 3, b"end"),
]
REQUESTS = (
    b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"
    b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
    b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
    b"GET /d HTTP/1.1\r\nHost: x\r\n\r\n"
)
CUT_REQUESTS = [
    (b"GET /a?b=c H", 0, b""),
    (b"POST /b HTTP", 4, b"body"),
    (b"POST /c HTTP", 4, b"body"),
    (b"GET /d HTTP/", 0, b""),
]


def cut(*pieces: bytes, answers: bool) -> list[tuple[bytes, int, bytes]]:
    """Feed the pieces; keep of each head as much as both ways of reading tell alike."""
    messages: list[tuple[bytes, int, bytes]] = []
    reader = MessageReader(lambda head, length, body: messages.append((head[:12], length, body)), answers=answers)
    for piece in pieces:
        reader.feed(piece)
    return messages


@pytest.mark.parametrize(
    ("stream", "expected", "answers"), [(ANSWERS, CUT_ANSWERS, True), (REQUESTS, CUT_REQUESTS, False)]
)
def test_how_the_bytes_arrive_makes_no_difference(
    stream: bytes, expected: list[tuple[bytes, int, bytes]], *, answers: bool
) -> None:
    """Whole, in two pieces cut at any place, or byte by byte."""
    assert cut(stream, answers=answers) == expected
    assert cut(*(bytes([byte]) for byte in stream), answers=answers) == expected
    for place in range(len(stream)):
        assert cut(stream[:place], stream[place:], answers=answers) == expected


@pytest.mark.parametrize("piece", [SMALL // 3, SMALL, 4 * SMALL])
def test_a_large_body_is_counted_but_not_kept(piece: int) -> None:
    """And the message behind it is found."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE
    stream = head + bytes(LARGE) + b"HTTP/1.1 204 No Content\r\n\r\n"
    pieces = (stream[start : start + piece] for start in range(0, len(stream), piece))
    assert cut(*pieces, answers=True) == [(b"HTTP/1.1 200", LARGE, b""), (b"HTTP/1.1 204", 0, b"")]


def test_a_large_chunked_body_is_counted_but_not_kept() -> None:
    """Some proxies send everything chunked."""
    chunk = b"%x\r\n%s\r\n" % (LARGE, bytes(LARGE))
    stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"
    assert cut(stream, answers=True) == [(b"HTTP/1.1 200", LARGE, b"")]


@pytest.mark.parametrize(
    "stream",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the connection ends",
    ],
)
def test_an_answer_that_may_be_cut_off_does_not_count(stream: bytes) -> None:
    """A proxy that answers short must not look quick."""
    assert cut(stream, answers=True) == []

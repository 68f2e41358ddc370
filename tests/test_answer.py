import json
import re

import pytest

from gateway.answer import OwnAnswer, RelayedAnswer, chunk
from tests.exchanges import RecordingClient, exchange_of

REFUSAL = OwnAnswer(400, {"errors": ["No."], "field-errors": {}})
TEXT = b'{"errors":["No."],"field-errors":{}}'
PIECES = (b"one", b"two and more", b"")


def request(method: bytes = b"GET", version: bytes = b"1.1", *fields: bytes) -> bytes:
    """Write a request."""
    return b"%b / HTTP/%b\r\nHost: a\r\n%b\r\n" % (method, version, b"".join(field + b"\r\n" for field in fields))


OWN = [  # version, whether the connection is to be kept; what the answer tells of it
    (b"1.1", True, b""),
    (b"1.1", False, b"Connection: close\r\n"),
    (b"1.0", True, b"Connection: keep-alive\r\n"),
    (b"1.0", False, b"Connection: close\r\n"),
]  # fmt: skip


@pytest.mark.parametrize("method", [b"GET", b"POST", b"HEAD"])
@pytest.mark.parametrize(("version", "keep_alive", "told"), OWN)
def test_an_answer_of_our_own(method: bytes, version: bytes, told: bytes, *, keep_alive: bool) -> None:
    """JSON with its length and date, our fields, what is stamped on it; to HEAD the same without its body."""
    client = RecordingClient()
    exchange = exchange_of(request(method, version), client=client)
    REFUSAL.send(exchange, b"X-Request-Id: r-1\r\n", keep_alive=keep_alive)
    head, _, body = client.written.partition(b"\r\n\r\n")
    assert re.sub(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", b"Date: now", head + b"\r\n") == (
        b"HTTP/1.1 400 Bad Request\r\nDate: now\r\nContent-Type: application/json\r\nContent-Length: 36\r\n"
        b"X-Request-Id: r-1\r\n" + told
    )
    assert body == (b"" if method == b"HEAD" else TEXT)
    assert (client.kept, exchange.answered) == (keep_alive, True)


@pytest.mark.parametrize(("body", "kept"), [(b"half", False), (b"the whole", True)])
def test_a_request_that_was_not_read_to_its_end_ends_the_connection(body: bytes, *, kept: bool) -> None:
    """What is left of it would be taken for the next request."""
    client = RecordingClient()
    REFUSAL.send(exchange_of(request(b"POST", b"1.1", b"Content-Length: 9") + body, client=client), keep_alive=True)
    assert client.kept is kept
    assert (b"Connection: close" in client.written) is not kept
    assert json.loads(client.written.partition(b"\r\n\r\n")[2]) == REFUSAL.body


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
def test_an_answer_of_closes(
    method: bytes, version: bytes, status: int, lines: bytes, expected: bytes, *, kept: bool
) -> None:
    """Its head as it came; a body without a length is chunked, and for HTTP/1.0 ends with the connection."""
    first, *rest = (b"",) if method == b"HEAD" or status != 200 else PIECES
    client = RecordingClient()
    answer = RelayedAnswer(exchange_of(request(method, version), client=client), keep_alive=True)
    answer.begin(status, b"Why", b"A: 1\r\n" + lines, has_length=bool(lines), piece=first, end=not rest)
    for piece in rest:
        answer.go_on(piece, end=not piece)
    answer.finish()
    assert client.written == b"HTTP/1.1 %d Why\r\nA: 1\r\n%b%b" % (status, lines, expected)
    assert client.kept is kept


def test_an_answer_may_be_the_last() -> None:
    """Where the connection is not to be kept, the client is told."""
    client = RecordingClient()
    answer = RelayedAnswer(exchange_of(request(), client=client), keep_alive=False)
    answer.begin(200, b"OK", b"Content-Length: 1\r\n", has_length=True, piece=b"x", end=True)
    answer.finish()
    assert client.written == b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
    assert client.kept is False


BROKEN_OFF = [(b"1.1", b"", "closed"), (b"1.1", LENGTH, "closed"), (b"1.0", LENGTH, "closed"), (b"1.0", b"", "reset")]


@pytest.mark.parametrize(("version", "lines", "how"), BROKEN_OFF)
def test_an_answer_that_is_broken_off_does_not_look_complete(version: bytes, lines: bytes, how: str) -> None:
    """No last chunk, less than its length, or where its end is the connection's, a reset: the client can tell."""
    client = RecordingClient()
    answer = RelayedAnswer(exchange_of(request(b"GET", version), client=client), keep_alive=True)
    answer.begin(200, b"OK", lines, has_length=bool(lines), piece=b"one", end=False)
    answer.break_off()
    assert (client.broken_off, client.kept) == (how, None)
    assert not client.written.endswith(b"0\r\n\r\n")


def test_interim_answers_are_no_answer() -> None:
    """What fails behind one is still answered."""
    client = RecordingClient()
    exchange = exchange_of(request(), client=client)
    exchange.write_interim(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
    assert (exchange.answered, client.written.count(b"103")) == (False, 1)


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

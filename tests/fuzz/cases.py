"""What is sent: valid messages, mutated, and cut into segments anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hypothesis import strategies as st

EMAIL: Final = b"POST /api/v1/activity/email/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
DECOY: Final = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
OUTBOX: Final = b'{"status":"outbox","sender":"a@b.example"}'
REJECTED: Final = b'{"status":"outbox"}'
SENT: Final = b'{"status":"sent"}'
REQUESTS: Final = (
    b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD /h HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    b"GET http://a/absolute HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    b"GET /old HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    b"POST /l HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" + DECOY,
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n23\r\n" + DECOY + b"\r\n0\r\n\r\n",
    b"PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n",
    EMAIL + b"Authorization: Bearer k\r\nContent-Length: 42\r\n\r\n" + OUTBOX,
    EMAIL + b"Content-Length: 19\r\n\r\n" + REJECTED,
    EMAIL + b"Transfer-Encoding: chunked\r\n\r\n13\r\n" + REJECTED + b"\r\n0\r\n\r\n",
    EMAIL + b"Authorization: Bearer k\r\nContent-Length: 17\r\n\r\n" + SENT,
    b"PUT /api/v1/activity/email/acti_1/ HTTP/1.1\r\nHost: a\r\nAuthorization: B k\r\nContent-Length: 19\r\n\r\n"
    + REJECTED,
)
ANSWERS: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nuntil the end",
    b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
    b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: t\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX-Target: /canary\r\nContent-Length: 0\r\n\r\n",
)
FRAGMENTS: Final = (  # what framing is made of, and what has been taken for it
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b",", b"0\r\n\r\n", b"5\r\n", b"-1", b"+5", b"0x5",
    b"005", b"ffffffffffffffff", b"18446744073709551615", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n",
    b"content-length:3\r\n", b"Content-Length : 5\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n", b"transfer-encoding: CHUNKED\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
    b" folded\r\n", b"Connection: close\r\n", b"Connection: content-length\r\n", b"Connection: keep-alive\r\n",
    b"Upgrade: websocket\r\nConnection: upgrade\r\n", b"Expect: 100-continue\r\n", b"Host: b\r\n", b"HTTP/1.1",
    b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 101 X\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", DECOY, b"CONNECT ", b"*", b"\xff", b"\xc3\xa9",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """Bytes, and where they are cut into segments."""

    data: bytes
    cuts: tuple[int, ...] = ()

    @property
    def segments(self) -> list[bytes]:
        edges = [0, *sorted({min(cut, len(self.data)) for cut in self.cuts}), len(self.data)]
        return [self.data[start:end] for start, end in pairwise(edges) if end > start]


def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """Change bytes in one way, at one place."""
    at = draw(st.integers(0, len(data)))
    count = draw(st.integers(1, 12))
    match draw(st.sampled_from(("splice", "splice at a line", "flip", "insert", "delete", "duplicate", "cut"))):
        case "flip":
            return (
                data[:at]
                + bytes(byte ^ draw(st.sampled_from((1, 32, 128))) for byte in data[at : at + 1])
                + data[at + 1 :]
            )
        case "insert":
            return data[:at] + draw(st.binary(min_size=1, max_size=6)) + data[at:]
        case "delete":
            return data[:at] + data[at + count :]
        case "duplicate":
            return data[: at + count * 4] + data[at:]
        case "cut":
            return data[:at]
        case "splice at a line":
            at = data.find(b"\n", at) + 1
    return data[:at] + draw(st.sampled_from(FRAGMENTS)) + data[at:]


@st.composite
def cases(draw: st.DrawFn, messages: Sequence[bytes], *, most: int = 3, noise: bool = True) -> Case:
    """Make a case of up to `most` messages in a row, or of noise alone."""
    if noise and draw(st.integers(0, 19)) == 0:
        return Case(draw(st.binary(max_size=200)))
    data = b"".join(draw(st.lists(st.sampled_from(messages), min_size=1, max_size=most)))
    for _ in range(draw(st.integers(0, 4))):
        data = mutated(draw, data)
    return Case(data, tuple(draw(st.lists(st.integers(0, len(data)), max_size=4))))


def request_cases() -> st.SearchStrategy[Case]:
    """What a client sends."""
    return cases(REQUESTS)


def answer_cases() -> st.SearchStrategy[Case]:
    """What an upstream answers."""
    return cases(ANSWERS, most=1)

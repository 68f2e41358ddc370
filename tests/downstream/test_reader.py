"""Bytes in, exchanges out, however the bytes are cut. Which messages are requests stands in tests/wire/rfc."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.settings import ListenerSettings
from gateway.downstream.reader import RequestReader
from gateway.exchange import Downstream, Exchange, Fields
from tests.exchanges import KEY, RecordingClient
from tests.raw import chunked, with_length

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
LIMITS = ListenerSettings(max_target=300, max_header=300, max_headers=10)


@dataclass(frozen=True)
class Read:
    """What was read of a request."""

    method: str
    target: str
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    complete: bool = True
    error: str | None = None
    http11: bool = True
    wants_keep_alive: bool = True


@dataclass
class Reading:
    """A reader, and what has come out of it."""

    reader: RequestReader
    exchanges: list[Exchange]

    @property
    def read(self) -> list[Read]:
        return [
            Read(
                exchange.method,
                exchange.target,
                tuple(exchange.fields),
                exchange.body.take(),
                exchange.body.complete,
                None if exchange.body.error is None else exchange.body.error.code,
                exchange.http11,
                exchange.wants_keep_alive,
            )
            for exchange in self.exchanges
        ]

    @property
    def refused(self) -> str | None:
        return None if self.reader.refused is None else self.reader.refused[0].code


def reading(pieces: Iterable[bytes], limits: ListenerSettings = LIMITS) -> Reading:
    """Read pieces, and take the exchanges out as they come."""
    downstream, client = Downstream(KEY), RecordingClient()

    def make(method: str, target: str, fields: Fields, *, http11: bool, wants_keep_alive: bool) -> Exchange:
        return Exchange(client, downstream, method, target, fields, http11=http11, wants_keep_alive=wants_keep_alive)

    result = Reading(RequestReader(make, lambda: None, limits), [])
    for piece in pieces:
        result.reader.feed(piece)
        while result.reader.arrived:
            result.exchanges.append(result.reader.arrived.popleft())
    return result


# -- however it is cut --

UPGRADE = b"Upgrade: websocket\r\nConnection: upgrade\r\n"
BODIES = st.binary(max_size=40) | st.just(GET)
FRAMED = st.builds(
    lambda body, *, chunks, extension, trailer: (
        b"Transfer-Encoding: chunked\r\n\r\n"
        + chunked(*(body[:7], body[7:]) if body[7:] else [body] if body else [], end=b"").replace(
            b"\r\n", extension + b"\r\n", 1
        )
        + b"0\r\n"
        + trailer
        + b"\r\n"
        if chunks and body
        else with_length(b"", body)
    ),
    BODIES,
    chunks=st.booleans(),
    extension=st.sampled_from([b"", b";x=y"]),
    trailer=st.sampled_from([b"", b"X: y\r\n", b"Host: b\r\nX: y\r\n"]),
)
EXTRA = st.sampled_from(
    [b"", UPGRADE, b"X: y\r\nEmpty:\r\n", b"X-Long: " + b"y" * 290 + b"\r\n", b"Expect: 100-continue\r\n"]
)
TARGETS = st.sampled_from([b"/", b"/x?y", b"http://b/x", b"/" + b"x" * 299])
REQUESTS = st.builds(
    lambda method, target, extra, rest: b"%b %b HTTP/1.1\r\nHost: a\r\n%b%b" % (method, target, extra, rest),
    st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE"]),
    TARGETS,
    EXTRA,
    FRAMED | st.just(b"\r\n"),
)
LAST = st.sampled_from(
    [
        b"",
        b"no request\r\n\r\n",
        b"GET /x HTTP/1.1\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n" + GET,
        b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf",
        b"GET /x HTTP/1.0\r\n\r\n",
        b"GET /",
    ]
)


def cut(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut it at these places."""
    places = [0, *sorted({place for place in cuts if place <= len(data)}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(st.lists(REQUESTS, max_size=5), LAST, st.lists(st.integers(0, 1500)))
def test_however_it_is_cut_the_same_comes_out(requests: list[bytes], last: bytes, cuts: list[int]) -> None:
    """A stream of pipelined requests in one piece, in some, and byte by byte: the same exchanges, the same refusal."""
    data = b"".join(requests) + last
    whole = reading([data])
    expected = whole.read, whole.refused
    assert len(expected[0]) >= len(requests)
    assert [read.complete for read in expected[0][: len(requests)]] == [True] * len(requests)
    for pieces in (cut(data, cuts), cut(data, range(len(data)))):
        again = reading(pieces)
        assert (again.read, again.refused) == expected


@given(st.lists(FRAMED | st.just(b"\r\n"), min_size=1, max_size=4), st.lists(st.integers(0, 800)))
def test_an_upgrade_is_read_as_if_it_had_not_been_asked_for(rests: list[bytes], cuts: list[int]) -> None:
    """RFC 9110, 7.8: with its body, its trailers, and what is pipelined behind it, of which nothing is for a tunnel."""
    without = [b"POST /x HTTP/1.1\r\nHost: a\r\n" + rest for rest in rests]
    asked = [b"POST /x HTTP/1.1\r\nHost: a\r\n" + UPGRADE + rest for rest in rests]
    plain, upgrades = reading([b"".join(without) + GET]), reading(cut(b"".join(asked) + GET, cuts))
    assert upgrades.refused is None
    assert [(read.method, read.target, read.body, read.complete) for read in upgrades.read] == [
        (read.method, read.target, read.body, read.complete) for read in plain.read
    ]


@pytest.mark.parametrize("upgrade", [b"", b"Upgrade: websocket\r\n"])
@pytest.mark.parametrize("trailer", [b"", b"X: y\r\n", b"Connection: keep-alive\r\n"])
def test_who_asked_for_the_end_has_asked_for_it(upgrade: bytes, trailer: bytes) -> None:
    """RFC 9112, 9.6: no trailer takes that back, whatever else was asked for."""
    options = b"close, upgrade" if upgrade else b"close"
    head = b"POST /x HTTP/1.1\r\nHost: a\r\n%bConnection: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % (upgrade, options)
    (read,) = reading([head + chunked(b"x", end=b"0\r\n" + trailer + b"\r\n")]).read
    assert (read.body, read.complete, read.wants_keep_alive) == (b"x", True, False)


# -- bounds --


@pytest.mark.parametrize(("size", "refused"), [(LIMITS.max_header, None), (LIMITS.max_header + 1, "head_too_large")])
@pytest.mark.parametrize("before", [b"", GET])
def test_a_field_has_a_longest_wherever_it_is_cut(before: bytes, size: int, refused: str | None) -> None:
    """The first of a head and the last, and also where its beginning came along with a request that is whole."""
    field = b"X: " + b"y" * (size - 1) + b"\r\n"
    for head in (b"GET / HTTP/1.1\r\n%bHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n"):
        data = before + head % field
        for place in range(len(data)):
            assert reading([data[:place], data[place:]]).refused == refused


ENDLESS = [  # what goes before, what never ends, the refusal, or what becomes of the body
    (b"GET /", b"x", "target_too_long"),
    (b"GET / HTTP/1.1\r\nX: ", b"y", "head_too_large"),
    (b"GET / HTTP/1.1\r\nX", b"x", "head_too_large"),
    (b"GET / HTTP/1.1\r\n", b"X: y\r\n", "head_too_large"),
    (b"GET / HTTP/1.1\r\nX:", b" ", "head_too_large"),
    (b"", b"\r\n", "head_too_large"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x", "request_broken"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ", b"y", "request_broken"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", "request_broken"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", "request_broken"),
]


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize(("before", "filler", "code"), ENDLESS)
def test_what_does_not_end_is_bounded(before: bytes, filler: bytes, code: str, size: int) -> None:
    """However it comes in: no more of it is held than the limits of one part and the piece that goes beyond them."""
    result = reading([before])
    fed = 0
    while not result.reader.over:
        result.reader.feed(filler * size)
        fed += len(filler) * size
        assert fed <= LIMITS.max_header + 64 + len(filler) * size
    errors = [read.error for read in result.read if read.error is not None]
    assert ([result.refused] if result.refused else errors) == [code]


@pytest.mark.parametrize("requests", [1, 2])
def test_a_broken_body_breaks_what_is_in_hand_only(requests: int) -> None:
    """Where nobody has taken the request out yet it is refused in its turn; what came whole before it stands."""
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    together = reading([GET * requests + head + b"nonsense\r\n"])
    assert (len(together.read), together.refused) == (requests, "request_malformed")
    apart = reading([GET * requests + head, b"nonsense\r\n" + GET])
    assert [read.error for read in apart.read] == [None] * requests + ["request_broken"]
    assert apart.refused is None


def test_half_a_head_is_known_of() -> None:
    """Its time runs."""
    assert [reading([piece]).reader.midway for piece in (b"", GET, GET + b"GET /", GET[:-2])] == [
        False,
        False,
        True,
        True,
    ]

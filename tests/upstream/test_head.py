import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.errors import UpstreamBroken
from gateway.upstream.head import HOP_BY_HOP, NEVER_NOMINATED, AnswerFields, Framing, answer_fields, request_head

BOUNDED = settings(derandomize=True, max_examples=300)
Field = tuple[bytes, bytes]
HOST = b"api.close.com"


def head_of(fields: list[Field], *, length: int | None = None, without: tuple[bytes, ...] = ()) -> bytes:
    """Give the fields of the head that goes up, without the first line."""
    head = request_head(b"POST", b"/x", fields, HOST, length=length, without=without)
    first, _, rest = head.partition(b"\r\n")
    assert first == b"POST /x HTTP/1.1"
    assert rest.endswith(b"\r\n")
    return rest.removesuffix(b"\r\n")


def test_the_first_line_is_as_it_came() -> None:
    """Method and target to the byte; the version is this hop's."""
    target = b"/a//b/../%7e?x=\xc3\xa9&&#"
    assert request_head(b"BREW", target, [], HOST) == b"BREW " + target + b" HTTP/1.1\r\nHost: api.close.com\r\n\r\n"


REQUESTS: list[tuple[list[Field], bytes]] = [
    ([], b"Host: api.close.com\r\n"),
    ([(b"Host", b"localhost:8080")], b"Host: api.close.com\r\n"),
    ([(b"A", b"1"), (b"hOST", b"x"), (b"B", b"2")], b"A: 1\r\nHost: api.close.com\r\nB: 2\r\n"),
    ([(b"A", b"1"), (b"Host", b"x"), (b"Host", b"y")], b"A: 1\r\nHost: api.close.com\r\n"),
    ([(b"A", b"1")], b"A: 1\r\nHost: api.close.com\r\n"),
    (
        [(b"Host", b"x"), (b"x-a", b"1"), (b"X-A", b"2"), (b"b", b""), (b"x-A", b"1")],
        b"Host: api.close.com\r\nx-a: 1\r\nX-A: 2\r\nb: \r\nx-A: 1\r\n",
    ),
    ([(b"Host", b"x"), (b"X-\xe9", b"caf\xe9\xff\xc3")], b"Host: api.close.com\r\nX-\xe9: caf\xe9\xff\xc3\r\n"),
    ([(b"Host", b"x"), (b"Content-Length", b"5")], b"Host: api.close.com\r\nContent-Length: 5\r\n"),
    (
        [(b"Host", b"x"), (b"Transfer-Encoding", b"chunked"), (b"A", b"1")],
        b"Host: api.close.com\r\nA: 1\r\nTransfer-Encoding: chunked\r\n",
    ),
    (
        [(b"Host", b"x"), (b"Expect", b"100-continue"), (b"Content-Encoding", b"gzip"), (b"Accept-Encoding", b"br")],
        b"Host: api.close.com\r\nExpect: 100-continue\r\nContent-Encoding: gzip\r\nAccept-Encoding: br\r\n",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), REQUESTS)
def test_what_of_a_request_goes_up(fields: list[Field], expected: bytes) -> None:
    """Order, case, number and bytes stay; Host is the upstream's, in its place; the body is framed as it came."""
    assert head_of(fields) == expected


WHOLE: list[tuple[list[Field], bytes]] = [
    ([(b"Host", b"x")], b"Host: api.close.com\r\nContent-Length: 7\r\n"),
    (
        [(b"Host", b"x"), (b"content-length", b"99"), (b"A", b"1")],
        b"Host: api.close.com\r\nContent-Length: 7\r\nA: 1\r\n",
    ),
    (
        [(b"Host", b"x"), (b"Transfer-Encoding", b"chunked"), (b"A", b"1")],
        b"Host: api.close.com\r\nA: 1\r\nContent-Length: 7\r\n",
    ),
    ([(b"Content-Length", b"9"), (b"Content-Length", b"9")], b"Content-Length: 7\r\nHost: api.close.com\r\n"),
]


@pytest.mark.parametrize(("fields", "expected"), WHOLE)
def test_a_body_that_is_held_whole_goes_up_with_its_length(fields: list[Field], expected: bytes) -> None:
    """Once, in the place of the client's own, and never chunked."""
    assert head_of(fields, length=7) == expected


def test_an_empty_body_has_a_length_too() -> None:
    """A POST without one would leave the upstream to guess."""
    assert head_of([(b"Host", b"x")], length=0) == b"Host: api.close.com\r\nContent-Length: 0\r\n"


def test_fields_can_be_left_out_and_added() -> None:
    """Whatever their case; what is added stands last."""
    fields = [(b"Host", b"x"), (b"EXPECT", b"1"), (b"A", b"1"), (b"expect", b"2")]
    head = request_head(b"GET", b"/", fields, HOST, length=1, without={b"expect"}, extra=b"X: 1\r\nY: 2\r\n")
    assert head == b"GET / HTTP/1.1\r\nHost: api.close.com\r\nA: 1\r\nContent-Length: 1\r\nX: 1\r\nY: 2\r\n\r\n"


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
@pytest.mark.parametrize("spell", [bytes.lower, bytes.upper, bytes.title])
def test_hop_by_hop_fields_end_here(name: bytes, spell: type[bytes]) -> None:
    """RFC 9110, 7.6.1: whether Connection names them or not, in either direction."""
    field = (spell(name), b"chunked")
    up = head_of([(b"Host", b"x"), field, (b"A", b"1")], length=1)
    assert up == b"Host: api.close.com\r\nA: 1\r\nContent-Length: 1\r\n"
    assert answer_fields([field, (b"A", b"1")]).lines == b"A: 1\r\n"


NOMINATIONS = [
    [(b"Connection", b"x-mine")],
    [(b"Connection", b"X-Mine")],
    [(b"Connection", b"close, \tX-MINE ,")],
    [(b"connection", b"keep-alive,x-mine")],
    [(b"Connection", b"close"), (b"CONNECTION", b"x-mine")],
]


@pytest.mark.parametrize("connection", NOMINATIONS)
@pytest.mark.parametrize("last", [False, True])
def test_what_connection_names_ends_here(connection: list[Field], *, last: bool) -> None:
    """RFC 9110, 7.6.1: however it is written and wherever it stands, before or after what it names."""
    mine = [(b"x-mine", b"1"), (b"A", b"1"), (b"X-Mine", b"2"), (b"x-mine-too", b"3")]
    fields = mine + connection if last else connection + mine
    assert head_of(fields) == b"A: 1\r\nx-mine-too: 3\r\nHost: api.close.com\r\n"
    assert answer_fields(fields).lines == b"A: 1\r\nx-mine-too: 3\r\n"


@pytest.mark.parametrize("name", sorted(NEVER_NOMINATED))
def test_some_fields_cannot_be_taken_away(name: bytes) -> None:
    """A client cannot make the gateway send on another request than it judged: without length, credentials, coding."""
    value = b"api.close.com" if name == b"host" else b"5"
    fields = [(b"Connection", b"close, " + name.title()), (b"Host", b"x"), (name, value), (b"A", b"1")]
    line = name + b": " + value + b"\r\n"
    assert head_of(fields) == b"Host: api.close.com\r\n" + (b"" if name == b"host" else line) + b"A: 1\r\n"
    assert answer_fields([fields[0], *fields[2:]]).lines == line + b"A: 1\r\n"


def test_connection_options_name_no_fields() -> None:
    """`close` and `keep-alive` tell of the connection."""
    fields = [(b"Connection", b"close, keep-alive,"), (b"Close", b"1")]
    assert head_of(fields) == b"Close: 1\r\nHost: api.close.com\r\n"


ANSWERS: list[tuple[list[Field], AnswerFields]] = [
    ([], AnswerFields(b"", Framing.UNTIL_CLOSE)),
    ([(b"Content-Length", b"5")], AnswerFields(b"Content-Length: 5\r\n", Framing.LENGTH)),
    ([(b"content-length", b"0"), (b"A", b"1")], AnswerFields(b"content-length: 0\r\nA: 1\r\n", Framing.LENGTH)),
    ([(b"Transfer-Encoding", b"chunked"), (b"A", b"1")], AnswerFields(b"A: 1\r\n", Framing.CHUNKED)),
    ([(b"TRANSFER-encoding", b" Chunked ")], AnswerFields(b"", Framing.CHUNKED)),
    (
        [(b"Set-Cookie", b"a=1"), (b"RateLimit", b"limit=1"), (b"set-cookie", b"b=2"), (b"X", b"")],
        AnswerFields(b"Set-Cookie: a=1\r\nRateLimit: limit=1\r\nset-cookie: b=2\r\nX: \r\n", Framing.UNTIL_CLOSE),
    ),
    ([(b"X-\xe9", b"caf\xe9\xff")], AnswerFields(b"X-\xe9: caf\xe9\xff\r\n", Framing.UNTIL_CLOSE)),
]


@pytest.mark.parametrize(("fields", "expected"), ANSWERS)
def test_what_of_an_answer_goes_down(fields: list[Field], expected: AnswerFields) -> None:
    """Order, case, number and bytes stay, and how the body ends is told apart from them."""
    assert answer_fields(fields) == expected


def test_fields_of_an_answer_can_be_left_out() -> None:
    """Whatever their case, beside what Connection names."""
    fields = [(b"X-Request-Id", b"1"), (b"Connection", b"x-mine"), (b"A", b"1"), (b"X-Mine", b"1")]
    assert answer_fields(fields, {b"x-request-id"}) == AnswerFields(b"A: 1\r\n", Framing.UNTIL_CLOSE)


@pytest.mark.parametrize(
    "fields",
    [
        [(b"Transfer-Encoding", b"gzip, chunked")],
        [(b"Transfer-Encoding", b"gzip")],
        [(b"Transfer-Encoding", b"")],
        [(b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"chunked")],
        [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"5")],
        [(b"Content-Length", b"5"), (b"A", b"1"), (b"transfer-encoding", b"chunked")],
        [(b"Content-Length", b"5"), (b"Content-Length", b"6")],
    ],
)
def test_an_answer_whose_end_is_in_doubt_is_broken(fields: list[Field]) -> None:
    """RFC 9112, 6.3: what one hop takes for the end and the next does not is how answers are smuggled."""
    with pytest.raises(UpstreamBroken):
        answer_fields(fields)


TOKENS = st.text("abcXYZ-", min_size=1, max_size=8).map(str.encode)
NAMES = TOKENS | st.sampled_from([b"Set-Cookie", b"Authorization", b"content-type", b"RateLimit", b"Content-Encoding"])
END_TO_END = st.lists(st.tuples(NAMES, st.binary(max_size=12).filter(lambda v: not set(v) & set(b"\r\n"))), max_size=8)
HOPS = st.lists(st.tuples(st.sampled_from(sorted(HOP_BY_HOP - {b"connection"})), st.just(b"chunked")), max_size=1)


@BOUNDED
@given(END_TO_END, HOPS, st.lists(TOKENS, max_size=3), st.lists(st.integers(0, 8), min_size=2, max_size=2))
def test_every_end_to_end_field_survives_in_order(
    fields: list[Field], hops: list[Field], named: list[bytes], places: list[int]
) -> None:
    """Whatever fields come, those that end at this hop are gone, and all others go on as they stood."""
    ends = {name.lower() for name in named}
    mixed = list(fields)
    for place, field in zip(places, [(b"Connection", b", ".join(named)), *hops], strict=False):
        mixed.insert(place, field)
    kept = b"".join(name + b": " + value + b"\r\n" for name, value in fields if name.lower() not in ends)
    framing = b"Transfer-Encoding: chunked\r\n" if (b"transfer-encoding", b"chunked") in hops else b""
    assert head_of(mixed) == kept + b"Host: api.close.com\r\n" + framing
    assert answer_fields(mixed).lines == kept

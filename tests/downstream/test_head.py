"""The checks of a head, one by one. What the parser makes of one before them stands in tests/wire/rfc."""

import pytest

from gateway.config.settings import ListenerSettings
from gateway.downstream.errors import HeadTooLarge, RequestInvalid, RequestMalformed, UnknownTransferCoding
from gateway.downstream.head import check, check_size
from gateway.errors import GatewayError
from gateway.exchange import Downstream, Exchange, Fields
from tests.exchanges import KEY, RecordingClient

HOST = (b"Host", b"a")
CHUNKED = (b"Transfer-Encoding", b"chunked")
LIMITS = ListenerSettings(max_header=100, max_headers=5)


def length(value: bytes) -> tuple[bytes, bytes]:
    """Make a Content-Length."""
    return (b"Content-Length", value)


def checked(
    *fields: tuple[bytes, bytes], method: str = "GET", target: str = "/x", version: str = "1.1"
) -> Exchange | type[GatewayError]:
    """Give the exchange of a head that may go on, or the kind of its refusal."""
    given: Fields = fields
    exchange = Exchange(RecordingClient(), Downstream(KEY), method, target, given, http11=version == "1.1")
    try:
        check_size(given, LIMITS)
        check(exchange, version)
    except GatewayError as error:
        return type(error)
    return exchange


HOSTS = [  # the values of Host; what is wrong in HTTP/1.1, and in HTTP/1.0
    ((), RequestMalformed, None),
    ((b"a",), None, None),
    ((b"a", b"a"), RequestMalformed, RequestMalformed),
    ((b"",), RequestInvalid, RequestInvalid),
    ((b"a.example:8080",), None, None),
    ((b"a.example:",), None, None),
    ((b"[::1]:8080",), None, None),
    ((b"a%2eexample",), None, None),
    ((b"a b",), RequestInvalid, RequestInvalid),
    ((b"a,b",), None, None),
    ((b"a/b",), RequestInvalid, RequestInvalid),
    ((b"user@a",), RequestInvalid, RequestInvalid),
    ((b"a:port",), RequestInvalid, RequestInvalid),
    ((b"[::1",), RequestInvalid, RequestInvalid),
    ((b"a\xff",), RequestInvalid, RequestInvalid),
]


@pytest.mark.parametrize(("values", "in_11", "in_10"), HOSTS)
def test_hosts(values: tuple[bytes, ...], in_11: type[GatewayError] | None, in_10: type[GatewayError] | None) -> None:
    """RFC 9112, 3.2: one, and it names a host; whatever the case of its name."""
    for name in (b"Host", b"host", b"HOST"):
        fields = [(name, value) for value in values]
        for version, wrong in (("1.1", in_11), ("1.0", in_10)):
            found = checked(*fields, version=version)
            assert found is wrong or (wrong is None and isinstance(found, Exchange))


FRAMINGS = [  # fields beside Host; what is wrong, or the length and whether there are chunks
    ((), (0, False)),
    ((length(b"0"),), (0, False)),
    ((length(b"17"),), (17, False)),
    ((length(b"0017"),), (17, False)),
    ((length(b"9" * 18),), (10**18 - 1, False)),
    ((length(b"0" * 30 + b"9" * 18),), (10**18 - 1, False)),
    ((length(b"9" * 19),), RequestInvalid),
    ((length(b""),), RequestMalformed),
    ((length(b"-1"),), RequestMalformed),
    ((length(b"1, 1"),), RequestMalformed),
    ((length("\N{SUPERSCRIPT TWO}".encode()),), RequestMalformed),
    ((length(b"1"), length(b"1")), RequestMalformed),
    ((CHUNKED,), (0, True)),
    (((b"transfer-encoding", b"Chunked"),), (0, True)),
    ((CHUNKED, CHUNKED), RequestMalformed),
    (((b"Transfer-Encoding", b"gzip, chunked"),), UnknownTransferCoding),
    (((b"Transfer-Encoding", b"chunked, gzip"),), RequestMalformed),
    (((b"Transfer-Encoding", b"gzip"),), RequestMalformed),
    (((b"Transfer-Encoding", b""),), RequestMalformed),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), FRAMINGS)
def test_framings(fields: tuple[tuple[bytes, bytes], ...], expected: object) -> None:
    """RFC 9112, 6.1 to 6.3: one framing, in a spelling that everybody reads alike, and the exchange knows it."""
    found = checked(HOST, *fields)
    assert ((found.length, found.chunked) if isinstance(found, Exchange) else found) == expected


def test_chunks_are_not_of_every_version() -> None:
    """RFC 9112, 6.1: in HTTP/1.0 their framing counts as faulty."""
    assert checked(HOST, CHUNKED, version="1.0") is RequestInvalid


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0", "3.0"])
def test_versions(version: str) -> None:
    """RFC 9112, 2.3: what is not spoken is not guessed at."""
    assert checked(HOST, version=version) is RequestInvalid


TARGETS = [  # method, target, what is wrong
    ("GET", "/x?y=%23", None),
    ("GET", "//x", None),
    ("GET", "/x#y", RequestInvalid),
    ("GET", "x", RequestMalformed),
    ("GET", "", RequestMalformed),
    ("OPTIONS", "*", None),
    ("GET", "*", RequestMalformed),
    ("OPTIONS", "*/x", RequestMalformed),
    ("GET", "http://a/x", None),
    ("GET", "http://a", None),
    ("GET", "http://user@a:80?x", None),
    ("GET", "http://a/x#y", RequestInvalid),
    ("GET", "http:///x", RequestMalformed),
    ("GET", "http://a:65536/x", RequestMalformed),
    ("GET", "http:a/x", RequestMalformed),
    ("CONNECT", "a:443", None),
    ("CONNECT", "http://a/x", RequestMalformed),
    ("GET", "a:443", RequestMalformed),
]


@pytest.mark.parametrize(("method", "target", "wrong"), TARGETS)
def test_targets(method: str, target: str, wrong: type[GatewayError] | None) -> None:
    """RFC 9112, 3.2: each form has its methods, and none has a fragment."""
    found = checked(HOST, method=method, target=target)
    assert found is wrong or (wrong is None and isinstance(found, Exchange))


SIZES = [  # fields beside Host, what is wrong
    ([(b"a", b"b")] * 4, None),
    ([(b"a", b"b")] * 5, HeadTooLarge),
    ([(b"a" * 50, b"b" * 50)], None),
    ([(b"a" * 51, b"b" * 50)], HeadTooLarge),
]


@pytest.mark.parametrize(("fields", "wrong"), SIZES)
def test_sizes(fields: list[tuple[bytes, bytes]], wrong: type[GatewayError] | None) -> None:
    """RFC 6585, 5: none of them too long, and not too many of them, Host among them."""
    found = checked(HOST, *fields)
    assert found is wrong or (wrong is None and isinstance(found, Exchange))


def test_a_refusal_names_the_limit() -> None:
    """Its reader may have it raised."""
    for fields, text in (
        ([(b"a", b"b")] * 6, "There are more than 5 header fields."),
        ([(b"a", b"b" * 100)], "A header field is longer than 100 bytes."),
    ):
        with pytest.raises(HeadTooLarge, match=text):
            check_size(fields, LIMITS)

import codecs
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire.email import read_object, with_sender
from tests.wire.documents import ENCODINGS, TEXTS, VALUES, Document, documents

BOUNDED = settings(derandomize=True, max_examples=150)
TEXT = '{"status": "sent", "sender": null, "lead_id": "lé😀"}'
MEMBERS: dict[str, object] = {"status": "sent", "sender": None, "lead_id": "lé😀"}
LONG_NUMBER = b"1" * 5000

READ: list[tuple[bytes, dict[str, object]]] = [
    (b"{}", {}),
    (b' \t\r\n{"a": [1, 2.5, true, null, {"b": "c"}]} \n', {"a": [1, 2.5, True, None, {"b": "c"}]}),
    (b'{"sender": "a@b.c", "sender": null}', {"sender": None}),
    (b'{"sender": null, "sender": "a@b.c"}', {"sender": "a@b.c"}),
    (b'{"status": "draft", "x": NaN, "status": "outbox"}', {"status": "outbox", "x": math.nan}),
    (rb'{"s\u0065nder": "a@b.c"}', {"sender": "a@b.c"}),
    (rb'{"sender": "x", "\u0073ender": null}', {"sender": None}),
    (b'{"a": NaN, "b": Infinity, "c": -Infinity}', {"a": math.nan, "b": math.inf, "c": -math.inf}),
    (b'{"a": 1e999, "b": -1E+999}', {"a": math.inf, "b": -math.inf}),
    (b'{"a": %b, "sender": null}' % LONG_NUMBER, {"a": math.inf, "sender": None}),
    (b'{"a": 18446744073709551616}', {"a": 18446744073709551616.0}),
    (rb'{"a": "\ud800", "b": "\udc00x", "\ud83d": 1.5}', {"a": "\ud800", "b": "\udc00x", "\ud83d": 1.5}),
    (rb'{"a": "\ud83d\ude00"}', {"a": "😀"}),
    (b'{"a": "\xed\xa0\x80"}', {"a": "\ud800"}),
    (b'{"a": "\\u0000"}', {"a": "\0"}),
    *((mark + TEXT.encode(encoding), MEMBERS) for mark, encoding in ENCODINGS),
]
NOT_READ = [
    b"",
    b" ",
    b"null",
    b"true",
    b"7",
    b"NaN",
    b'"status"',
    b"[]",
    b'[{"status": "outbox"}]',
    b"{",
    b"{}{}",
    b"{} x",
    b"{'status': 'outbox'}",
    b'{"a": 1,}',
    b'{"a" 1}',
    b'{a: "b"}',
    b'{"a": 01}',
    b'{"a": "line\nbreak"}',
    b'{"a": undefined}',
    b'{"a": "caf\xe9"}',
    b'{"a": "\xff\xfe"}',
    b"status=outbox&sender=",
    b"\0\0\0",
    b"\x1f\x8b\x08\x00",
    codecs.BOM_UTF8,
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF8 + codecs.BOM_UTF8 + b"{}",
    TEXT.encode("utf-16")[:-1],
    TEXT.encode("utf-7").replace(b"{", b"+AHs-"),
    b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a": ' * 100_000 + b"1" + b"}" * 100_000,
    b"[" * 1_000_000,
]


@pytest.mark.parametrize(("body", "members"), READ)
def test_what_close_reads_is_read(body: bytes, members: dict[str, object]) -> None:
    """Last of duplicate keys, NaN, marks, UTF-16 and -32, halves of pairs, huge numbers: as Python's json has it."""
    assert repr(read_object(body)) == repr(members)  # as text, since NaN does not equal itself


@pytest.mark.parametrize("body", NOT_READ, ids=range(len(NOT_READ)))
def test_what_is_no_json_object_is_not_read(body: bytes) -> None:
    """No JSON, no object, not decodable, hopelessly deep: nothing is known of it, and nothing fails."""
    assert read_object(body) is None


def test_what_is_deep_is_read_all_the_same() -> None:
    """The depth that honest bodies have is not hopeless."""
    body = b'{"a": ' + b"[" * 200 + b"NaN" + b"]" * 200 + b', "sender": null}'
    members = read_object(body)
    assert members is not None
    assert members["sender"] is None


@BOUNDED
@given(
    st.dictionaries(st.sampled_from(["status", "sender", "user_id", "lead_id"]) | TEXTS, VALUES),
    st.booleans(),
    st.sampled_from(ENCODINGS),
)
def test_it_reads_what_python_reads(email: dict[str, object], ascii_only: bool, encoding: tuple[bytes, str]) -> None:  # noqa: FBT001 - hypothesis gives it by place
    """Whatever Python's json writes, in any encoding of JSON, means the same here as where Python reads it."""
    mark, name = encoding
    body = mark + json.dumps(email, ensure_ascii=ascii_only).encode(name, "surrogatepass")
    assert read_object(body) == json.loads(body)


@BOUNDED
@given(st.binary() | st.text().map(str.encode))
def test_reading_is_total(body: bytes) -> None:
    """Whatever bytes come, reading them ends, with an object exactly where Python's json reads one."""
    try:
        expected: object = json.loads(body)
    except (ValueError, RecursionError):
        expected = None
    assert read_object(body) == (expected if isinstance(expected, dict) else None)


@pytest.mark.parametrize("other", [b"1", b"NaN"], ids=["quick", "tolerant"])
def test_an_integer_stays_one_however_it_is_read(other: bytes) -> None:
    """A rule that looks at a number sees what Close sees, whatever else stands in the body."""
    members = read_object(b'{"x": %b, "a": 30, "b": -59, "c": 30.0, "d": 3e1}' % other) or {}
    assert [repr(members[name]) for name in "abcd"] == ["30", "-59", "30.0", "30.0"]


FILLED = [
    (b"{}", b'{"sender": "a@b.c"}'),
    (b' { "x": 1 }', b' {"sender": "a@b.c",  "x": 1 }'),
    (b'{"sender": null}', b'{"sender": "a@b.c"}'),
    (b'{"sender"\n:\t"  " , "x": 1}', b'{"sender"\n:\t"a@b.c" , "x": 1}'),
    (b'{"sender":null,"sender":""}', b'{"sender":null,"sender":"a@b.c"}'),
    (rb'{"s\u0065nder": null}', rb'{"s\u0065nder": "a@b.c"}'),
    (b'{"x": {"sender": null}, "y": "sender"}', b'{"sender": "a@b.c", "x": {"sender": null}, "y": "sender"}'),
    (b'{"x": "\\"sender\\": null", "sender": null}', b'{"x": "\\"sender\\": null", "sender": "a@b.c"}'),
    (b'{"x": [{"sender": 1}, "sender"], "sender":null }', b'{"x": [{"sender": 1}, "sender"], "sender":"a@b.c" }'),
    (b'{"x": [[[{"sender": "]"}]]], "sender": null}', b'{"x": [[[{"sender": "]"}]]], "sender": "a@b.c"}'),
    (codecs.BOM_UTF8 + b"{}", codecs.BOM_UTF8 + b'{"sender": "a@b.c"}'),
]


@pytest.mark.parametrize(("body", "filled"), FILLED)
def test_a_sender_is_put_into_the_bytes(body: bytes, filled: bytes) -> None:
    """In the place of the missing one, or first; every other byte stays."""
    assert with_sender(body, read_object(body) or {}, "a@b.c") == filled


def test_an_address_beyond_ascii_fits_every_encoding() -> None:
    """It is written with escapes, quotes and all."""
    address = '"Jäne 😀" <jäne@example.com>'
    for mark, encoding in ENCODINGS:
        body = mark + TEXT.encode(encoding)
        filled = with_sender(body, MEMBERS, address)
        assert read_object(filled) == MEMBERS | {"sender": address}


@BOUNDED
@given(documents(), st.sampled_from(ENCODINGS), st.emails() | st.just('"Jäne" <j@example.com>'))
def test_filling_changes_nothing_but_the_sender(doc: Document, encoding: tuple[bytes, str], address: str) -> None:
    """Whatever the client sends: taking our sender out again leaves its bytes, and Close reads them, and the sender."""
    mark, name = encoding
    before, after = (part.encode(name, "surrogatepass") for part in (doc.before, doc.after))
    body = mark + doc.text.encode(name, "surrogatepass")
    members = read_object(body)
    assert members is not None
    filled = with_sender(body, members, address)
    put = json.dumps(address)
    if doc.value is None:
        put = f'"sender": {put}' + (", " if members else "")
    assert filled == mark + before + put.encode(name) + after
    assert _read(filled) == _read(body) | {"sender": address}


def _read(body: bytes) -> dict[str, object]:
    """Read as Python does, so that every two values can be compared: NaN and numbers stay the texts that they were."""
    members: dict[str, object] = json.loads(body, parse_constant=str, parse_int=str, parse_float=str)
    return members

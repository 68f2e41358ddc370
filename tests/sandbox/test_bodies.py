import codecs
import gzip
import json
import math

import pytest

from gateway.sandbox import Refusal
from gateway.sandbox.bodies import DEEPEST, read_json

VALUE = {"sender": "Jäne <jane@example.com>"}
TEXT = json.dumps(VALUE, ensure_ascii=False)


@pytest.mark.parametrize(
    "body",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32-le"),
        b'{"sender": null, "sender": ' + json.dumps(VALUE["sender"]).encode() + b"}",
        f" \n{TEXT}\r\n".encode(),
    ],
)
def test_json_as_python_reads_it(body: bytes) -> None:
    """Every way to write it down is read, and of two keys the last counts."""
    assert read_json(body, None) == VALUE


def test_what_python_tolerates() -> None:
    """NaN is a number and half a surrogate pair a character."""
    assert math.isnan(read_json(b"NaN", None))
    assert read_json(rb'"\ud800"', None) == "\ud800"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'sender': 1}",
        b'{"sender": "\xff"}',
        b"[" * 100_000,
        b"9" * 5_000,
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        gzip.compress(TEXT.encode(), mtime=0),
    ],
)
def test_not_json(body: bytes) -> None:
    """What cannot be read is a 400 about the whole request, a coded body among it."""
    with pytest.raises(Refusal) as refusal:
        read_json(body, "application/json")
    expected = (400, {"errors": ["The request contains invalid JSON."], "field-errors": {}})
    assert (refusal.value.status, refusal.value.body) == expected


def test_nesting_has_an_end() -> None:
    """The deepest that is still read."""
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST, None)


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "Text/JSON; charset=latin-1", "application/hal+json"]
)
def test_a_type_that_may_be_json(content_type: str | None) -> None:
    """No type given counts as JSON, and its parameters do not matter."""
    assert read_json(b"1", content_type) == 1


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data; boundary=json", "application/x-www-form-urlencoded"]
)
def test_a_type_that_is_not_json(content_type: str) -> None:
    """Another type is a 415, whatever the body holds."""
    with pytest.raises(Refusal) as refusal:
        read_json(b"1", content_type)
    assert refusal.value.status == 415

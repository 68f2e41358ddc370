import json
import math
import string
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config.settings import Capture
from gateway.rejections.capture import MOST_CHARACTERS, NAMES, Sketch, redacted, sketch
from gateway.rejections.shape import FIELDS, shape_of

MEMBERS: dict[str, object] = {
    "status": "outbox",
    "sender": "Jane Roe <jane.roe@Example.com>",
    "to": ["lead@example.net", "nobody", 7, None],
    "cc": {"email": "boss@sub.example.org"},
    "subject": "write to canary@example.com",
    "body_text": "Dear all",
    "attachments": [{"filename": "secret.pdf", "size": 12, "canary": True}],
    "opens": 4915112345678,
    "send_in": 30,
    "custom.cf_1": 1.5,
    "custom.cf_2": False,
}


def test_a_redacted_body() -> None:
    """It has the form of what was sent, and for texts their lengths; addresses show their domain where they belong."""
    assert json.loads(redacted(MEMBERS)) == {
        "status": "<6 characters>",
        "sender": "<31 characters>@Example.com",
        "to": ["<16 characters>@example.net", "<6 characters>", 7, None],
        "cc": {"<name of 5>": "<20 characters>@sub.example.org"},
        "subject": "<27 characters>",
        "body_text": "<8 characters>",
        "attachments": [{"filename": "<10 characters>", "size": 12, "<name of 6>": True}],
        "opens": "<number>",
        "send_in": 30,
        "<name of 11>": 1.5,
        "<name of 11> 10": False,
    }


def test_what_each_setting_keeps() -> None:
    """The shape always; of the body nothing, the redacted one, or all."""
    body = orjson.dumps(MEMBERS)
    shape = shape_of(MEMBERS, len(body))
    assert sketch(MEMBERS, body, Capture.SHAPE) == Sketch(shape, None)
    assert sketch(MEMBERS, body, Capture.REDACTED) == Sketch(shape, redacted(MEMBERS))
    assert sketch(MEMBERS, body, Capture.FULL) == Sketch(shape, body.decode())


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"\xff\0{}", "\ufffd\ufffd{}"),
        (b"x" * MOST_CHARACTERS, "x" * MOST_CHARACTERS),
        ("é".encode() * 1_000_000, "é" * (MOST_CHARACTERS - 1) + "…"),
    ],
)
def test_a_full_body_is_a_text_and_bounded(body: bytes, kept: str) -> None:
    """Bytes that are no UTF-8 are shown as such, and so is a NUL; a long body is cut."""
    assert sketch({}, body, Capture.FULL).captured == kept


CANARY = "cAnArY"
texts = st.builds(
    "{}{}{}".format, st.text(max_size=8), st.just(CANARY), st.text(max_size=8) | st.sampled_from(["@example.com", ">"])
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
bodies = st.dictionaries(
    texts | st.sampled_from(sorted(NAMES)),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | st.sampled_from(FIELDS), inner, max_size=4),
        max_leaves=12,
    ),
    max_size=6,
)


@given(bodies)
@example({"to": f"{CANARY} <{CANARY}@example.com>"})
@example({"to": f"a@b.example <{CANARY}@example.com>"})
@example({"sender": f"a@{CANARY}"})
@example({"sender": f"a@b.example\n{CANARY}"})
@example({CANARY: {CANARY: [CANARY, {CANARY: CANARY}]}})
@example({"\ud800" + CANARY: "\ud800"})
def test_no_text_of_a_body_survives_redaction(body: dict[str, object]) -> None:
    """Whatever stands where, neither it nor a name of a field that Close does not document comes through."""
    assert CANARY not in redacted(body)
    assert CANARY not in json.dumps(sketch(body, b"", Capture.SHAPE).shape)


@given(bodies, st.sampled_from(["to", "sender", "cc", "bcc"]))
def test_only_the_domain_of_an_address_is_kept(body: dict[str, object], name: str) -> None:
    """What is left of texts are digits, the words that replace them, and domains."""
    left = redacted(body | {name: [f"{CANARY}@example.com", body]})
    assert CANARY not in left
    assert "@example.com" in left
    replaced = [value for value in _texts(json.loads(left)) if "@" in value]
    assert all(set(value.partition("@")[2]) <= set(string.ascii_letters + string.digits + ".-") for value in replaced)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for name, item in value.items() for text in (name, *_texts(item))]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _deep(levels: int) -> Any:
    value: Any = CANARY
    for _ in range(levels):
        value = {"to": [value]}
    return value


@pytest.mark.parametrize(
    "body",
    [
        {"to": [CANARY] * 100_000},
        {str(number): CANARY for number in range(100_000)},
        {"to": [[[]] * 1000] * 1000},
        _deep(400),
        {"subject": CANARY * 1_000_000, "to": "<" * 1_000_000, "cc": "a" * 1_000_000 + "@" + "b." * 1_000_000},
        {"send_in": math.nan, "opens": math.inf, "a": 10**400, "b": -(10**15)},
    ],
)
def test_a_redacted_body_is_bounded(body: dict[str, object]) -> None:
    """However much a client sends, and however deep, little is kept, and it is JSON."""
    left = redacted(body)
    assert len(left) < 20_000
    json.loads(left)
    assert CANARY not in left

"""JSON texts of email objects in every odd but valid form, generated with the place of their sender known."""

import codecs
import json
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

ENCODINGS: Final[list[tuple[bytes, str]]] = [  # a byte order mark or none, and the encoding of what follows
    (b"", "utf-8"),
    (codecs.BOM_UTF8, "utf-8"),
    (b"", "utf-16-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (b"", "utf-16-be"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"", "utf-32-le"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (b"", "utf-32-be"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
]
SENDER_KEYS: Final = ['"sender"', r'"s\u0065nder"', r'"\u0073\u0065\u006e\u0064\u0065\u0072"', r'"sen\u0064er"']
MISSING: Final = ["null", '""', '" "', r'"\t \u0020"', r'"\u00a0"']

# Halves of surrogate pairs too: JSON has them, and Python takes them.
TEXTS: Final = st.text(st.characters(), max_size=12) | st.sampled_from(
    ['"sender": null', 'a "quoted" {brace', "back\\slash\\", "}", "\\", '\\"', "a, b: c", "sender", "\ud83d", "😀"]
)
VALUES: Final[st.SearchStrategy[object]] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.just("sender") | st.just("a") | TEXTS, inner, max_size=3)
    ),
    max_leaves=5,
)
BLANKS: Final = st.text(" \t\r\n", max_size=3)
OTHER_KEYS: Final = st.sampled_from(["status", "user_id", "lead_id", "Sender", "sender ", "send"]) | TEXTS.filter(
    lambda t: t != "sender"
)


@dataclass(frozen=True)
class Document:
    """A JSON object as text, cut at the value of the `sender` that counts; `value` is None where there is none."""

    before: str
    value: str | None
    after: str

    @property
    def text(self) -> str:
        return self.before + (self.value or "") + self.after


def written(value: object, *, ascii_only: bool) -> str:
    """Write a value as JSON."""
    return json.dumps(value, ensure_ascii=ascii_only)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Draw an email object whose sender is missing: null, blank or absent, once or several times."""
    other = st.tuples(OTHER_KEYS.map(json.dumps), _value_texts())
    members = draw(st.lists(other, max_size=4))
    senders = st.tuples(st.sampled_from(SENDER_KEYS), _value_texts() | st.sampled_from(MISSING))
    earlier = draw(st.lists(senders, max_size=2)) if draw(st.booleans()) else []
    if not earlier and draw(st.booleans()):
        opening = draw(BLANKS) + "{"
        return Document(opening, None, _members(draw, members) + "}" + draw(BLANKS))
    first, last = _shuffled(draw, members + earlier), draw(st.lists(other, max_size=2))
    before = draw(BLANKS) + "{" + _members(draw, first) + ("," if first else "") + draw(BLANKS)
    before += draw(st.sampled_from(SENDER_KEYS)) + draw(BLANKS) + ":" + draw(BLANKS)
    after = draw(BLANKS) + ("," if last else "") + _members(draw, last) + "}" + draw(BLANKS)
    return Document(before, draw(st.sampled_from(MISSING)), after)


def _value_texts() -> st.SearchStrategy[str]:
    plain = st.builds(lambda value, ascii_only: written(value, ascii_only=ascii_only), VALUES, st.booleans())
    return plain | st.sampled_from(["NaN", "-Infinity", "1" * 5000, "1e999", r'"\ud800"', "[ [] , {} ]"])


def _shuffled(draw: st.DrawFn, members: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(draw(st.permutations(members)))


def _members(draw: st.DrawFn, members: list[tuple[str, str]]) -> str:
    blank = [draw(BLANKS) for _ in range(4)]
    return ",".join(f"{blank[0]}{key}{blank[1]}:{blank[2]}{value}{blank[3]}" for key, value in members)

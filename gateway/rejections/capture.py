"""Pure: how much of a body is kept, as `rejections.capture` says.

shape     Nothing but its shape.
redacted  The JSON with every text replaced by its length, and in the fields for addresses by its domain as well.
full      The body itself.

Rule    All of it is bounded, whatever a client sends: so many values, so deep, so many characters.
Rule    Redaction lets no text through but names of fields that Close documents, and domains. Names of other fields
        are texts of the client's own, and so are replaced like them. Large numbers may be phone numbers: they go too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from gateway.config.settings import Capture
from gateway.rejections.entry import Shape
from gateway.rejections.shape import FIELDS, shape_of

MOST_CHARACTERS: Final = 65_536
"""Of a body that is kept."""
MOST_VALUES: Final = 300
"""Of a body that is redacted. What comes behind them is left out, and an ellipsis says so."""
DEEPEST: Final = 6
LARGE: Final = 1_000_000
ELLIPSIS: Final = "…"
ADDRESSES: Final = frozenset({"sender", "to", "cc", "bcc"})
# The attachments' own names, beside those of the email (developer.close.com: Emails, "attachments").
NAMES: Final = frozenset(FIELDS) | {"content_type", "filename", "size", "url"}
# One address, with a name before it or without. What merely holds an address somewhere is a text like any other.
ADDRESS: Final = re.compile(r"(?:[^<>@]{0,128}<)?[^<>@\s]{1,64}@((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})>?\s*")


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is kept of a body."""

    shape: Shape
    captured: str | None


def sketch(members: Mapping[str, object], body: bytes, capture: Capture) -> Sketch:
    """Take what may be kept of a body that says `members`."""
    shape = shape_of(members, len(body))
    match capture:
        case Capture.SHAPE:
            return Sketch(shape, None)
        case Capture.REDACTED:
            return Sketch(shape, redacted(members))
        case Capture.FULL:
            return Sketch(shape, _text(body))


def redacted(members: Mapping[str, object]) -> str:
    """Write the JSON of a body without its texts."""
    return orjson.dumps(_Redaction().members(members, 0)).decode()


class _Redaction:
    """Walks through a body once, and no further than is allowed."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def members(self, members: Mapping[str, object], depth: int, *, addresses: bool = False) -> dict[str, object]:
        """Redact an object: its names too. Two that come out alike are told apart by a number."""
        made: dict[str, object] = {}
        for name, value in members.items():
            if self._left <= 0:
                made[ELLIPSIS] = len(members) - len(made)
                break
            known = name if name in NAMES else f"<name of {len(name)}>"
            key = known if known not in made else f"{known} {len(made)}"
            made[key] = self._value(value, depth + 1, addresses=addresses or (depth == 0 and name in ADDRESSES))
        return made

    def _value(self, value: object, depth: int, *, addresses: bool) -> object:
        self._left -= 1
        match value:
            case list() | dict() if depth > DEEPEST:
                return ELLIPSIS
            case list():
                return self._list(value, depth, addresses=addresses)
            case dict():
                return self.members(value, depth, addresses=addresses)
            case _:
                return _scalar(value, addresses=addresses)

    def _list(self, values: list[object], depth: int, *, addresses: bool) -> list[object]:
        made: list[object] = []
        for value in values:
            if self._left <= 0:
                return [*made, ELLIPSIS]
            made.append(self._value(value, depth + 1, addresses=addresses))
        return made


def _scalar(value: object, *, addresses: bool) -> object:
    match value:
        case str():
            domain = ADDRESS.fullmatch(value) if addresses else None
            return f"<{len(value)} characters>" + ("" if domain is None else f"@{domain[1]}")
        case None | bool():
            return value
        case int() | float() if abs(value) < LARGE:  # NaN is not, so it goes too
            return value
        case _:
            return "<number>"


def _text(body: bytes) -> str:
    """Decode a body as far as it is kept. PostgreSQL has no place for a NUL in a text."""
    text = body[: 4 * MOST_CHARACTERS].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + ELLIPSIS

"""Pure: where in the file the member stands that a violation is about; where it is absent, the whole object does."""

from typing import NamedTuple

from gateway.commands.checking.found import Payload
from gateway.wire.email import find_member


class Region(NamedTuple):
    """A stretch of a file. Lines and columns are counted from 1, columns in letters; the end is just behind it."""

    line: int
    column: int
    end_line: int
    end_column: int


def region(payload: Payload, field: str) -> Region:
    """Find the last member of that name, which is the one that counts."""
    text = payload.body.decode("utf-8", "replace")
    member = find_member(text, field)
    begin, end = (member.key, member.end) if member else (0, len(text))
    return Region(*_place(payload, text, begin), *_place(payload, text, end))


def _place(payload: Payload, text: str, offset: int) -> tuple[int, int]:
    lines = text.count("\n", 0, offset)
    if not lines:
        return payload.line, payload.column + offset
    return payload.line + lines, offset - text.rindex("\n", 0, offset)

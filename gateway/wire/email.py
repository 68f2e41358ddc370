"""Close's JSON of an email, read as Close reads it, and a sender put into its bytes.

Rule    The last of duplicate keys wins. NaN, Infinity, a byte order mark, lone surrogates, UTF-16 and UTF-32, and
        integers of any length are read. So no way of writing a body makes it mean one thing here and another there.
Source  Close's backend is Python and reads with the standard library's json, which finds the encoding by itself.
"""

import codecs
import json
import re
from typing import Final, NamedTuple

import orjson

LONG_INTEGER: Final = 20
"""Characters from which on an integer is read as a float: none that a rule looks at has so many."""

BYTE_ORDER_MARKS = {  # what json.detect_encoding answers -> the marks, and the encoding of what follows them
    "utf-8-sig": ((codecs.BOM_UTF8, "utf-8"),),
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
}

# Of a JSON text. Strings are matched whole, so that no brace or comma inside one counts; and all is possessive, so that
# nothing is tried twice.
STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
FLAT: Final = rf'[{{\[](?:[^"{{}}\[\]]++|{STRING})*+[}}\]]'
SHALLOW: Final = rf'[{{\[](?:[^"{{}}\[\]]++|{STRING}|{FLAT})*+[}}\]]'
# With the comma before it, and its value unless that is nested more deeply.
MEMBER: Final = re.compile(rf'[\s,]*+({STRING})\s*+:\s*+([^\s"{{}}\[\],]++|{STRING}|{SHALLOW})?', re.DOTALL)
# Up to the next brace or bracket outside of strings.
BRACKET: Final = re.compile(rf'(?:[^"{{}}\[\]]++|{STRING})*+([{{}}\[\]])', re.DOTALL)


class Member(NamedTuple):
    """Where a member of an object stands in its text."""

    key: int
    """Where it begins."""
    value: int
    end: int


def read_object(body: bytes) -> dict[str, object] | None:
    """Read a JSON object; None for what is not JSON, not an object, not decodable or hopelessly deep."""
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _read_tolerantly(body)
    return value if isinstance(value, dict) else None


def _read_tolerantly(body: bytes) -> object:
    try:
        return json.loads(body, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | float:
    """Read an integer; a long one as the quick reading does. Python refuses to convert one of over 4,300 digits."""
    return int(digits) if len(digits) < LONG_INTEGER else float(digits)


def with_sender(body: bytes, members: dict[str, object], address: str) -> bytes:
    """Put the address into the body that `members` were read from; every other byte stays as it is.

    A sender that is there (null or blank, or it would not be filled) gives its value's place; where the key stands
    several times it is the last one's, which is the one that counts. Else the member is put first.
    """
    encoding, start = _encoding(body)
    value = json.dumps(address)  # ASCII, so that it fits every encoding
    text = body[start:].decode(encoding, "surrogatepass") if "sender" in members else ""
    place = find_member(text, "sender") if text else None
    if place is None:
        member = f'"sender": {value}{", " if members else ""}'.encode(encoding)
        brace = "{".encode(encoding)
        opening = body.index(brace, start) + len(brace)  # nothing but blanks can stand before it
        return body[:opening] + member + body[opening:]
    before = start + len(text[: place.value].encode(encoding, "surrogatepass"))
    after = start + len(text[: place.end].encode(encoding, "surrogatepass"))
    return body[:before] + value.encode(encoding) + body[after:]


def _encoding(body: bytes) -> tuple[str, int]:
    """Tell the encoding of a JSON body and how many bytes its byte order mark takes."""
    detected = json.detect_encoding(body)  # what json.loads itself asks
    for mark, encoding in BYTE_ORDER_MARKS.get(detected, ()):
        if body.startswith(mark):
            return encoding, len(mark)
    return detected, 0


def find_member(text: str, name: str) -> Member | None:
    """Find the last member of that name in the outermost object of a JSON text: of several, that one counts."""
    found = None
    plainly, at = f'"{name}"', text.find("{") + 1
    while member := MEMBER.match(text, at):
        key, simple = member[1], member[2] is not None
        value = member.start(2) if simple else member.end()
        at = member.end() if simple else _end(text, value)
        if key == plainly or ("\\" in key and json.loads(key) == name):
            found = Member(member.start(1), value, at)
    return found


def _end(text: str, begin: int) -> int:
    """Find the end of the object or array that begins there."""
    depth, at = 0, begin
    while bracket := BRACKET.match(text, at):
        at = bracket.end()
        depth += 1 if bracket[1] in "{[" else -1
        if not depth:
            break
    return at

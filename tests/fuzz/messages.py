"""A strict reading of HTTP/1.1, written for the fuzz alone: what it does not accept ends it.

Source  RFC 9112, 2.2, 3, 5, 6 and 7.1.
"""

import re
from dataclasses import dataclass
from typing import Final

TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# RFC 9112, 3 lets a reader part the line at any number of blanks, and llhttp does.
REQUEST_LINE: Final = re.compile(rb"(" + TOKEN + rb") +([!-~\x80-\xff]+) +HTTP/1\.([01])\Z")
STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) [\t -~\x80-\xff]*\Z")
LOOSE_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [\t -~\x80-\xff]*)?\Z")
FIELD: Final = re.compile(rb"(" + TOKEN + rb"):[ \t]*([\t -~\x80-\xff]*)\Z")
CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t -~\x80-\xff]*)?\Z")
NO_BODY: Final = frozenset({204, 304})


class Invalid(Exception):
    """What was read is no HTTP."""


class Short(Exception):
    """It ends before it is complete."""


@dataclass(frozen=True, slots=True)
class Head:
    """A start line, taken apart, and fields by their names in small letters."""

    start: tuple[bytes, ...]
    fields: list[tuple[bytes, bytes]]

    def values(self, name: bytes) -> list[bytes]:
        return [value for field, value in self.fields if field == name]


class Reading:
    """Goes through bytes, message by message."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def over(self) -> bool:
        return self.at >= len(self.data)

    def skip_empty_lines(self) -> None:
        """RFC 9112, 2.2: those before a start line are passed over, and a bare LF may end one."""
        while self.data.startswith((b"\r", b"\n"), self.at):
            self.at += 1

    def head(self, start_line: re.Pattern[bytes]) -> Head:
        """Read a head. Raises Invalid and Short."""
        start = start_line.match(self._line())
        if start is None:
            raise Invalid
        fields = []
        while line := self._line():
            field = FIELD.match(line)
            if field is None:
                raise Invalid
            fields.append((field[1].lower(), field[2].strip(b" \t")))
        return Head(start.groups(), fields)

    def body(self, head: Head, *, until_end: bool = False) -> bytes:
        """Read the body that follows. `until_end`: without a framing, all that is left. Raises Invalid and Short."""
        lengths, codings = head.values(b"content-length"), head.values(b"transfer-encoding")
        if len(lengths) + len(codings) > 1:
            raise Invalid
        if codings:
            if codings[0].lower() != b"chunked":
                raise Invalid
            return self._chunks()
        if lengths:
            if not re.fullmatch(rb"[0-9]+", lengths[0]):
                raise Invalid
            return self._take(int(lengths[0]))
        return self._take(len(self.data) - self.at) if until_end else b""

    def _line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise Short
        line = self.data[self.at : end]
        self.at = end + 1
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            raise Invalid
        return line[:-1]

    def _take(self, length: int) -> bytes:
        taken = self.data[self.at : self.at + length]
        if len(taken) < length:
            raise Short
        self.at += length
        return taken

    def _chunks(self) -> bytes:
        pieces = []
        while True:
            size = CHUNK.match(self._line())
            if size is None:
                raise Invalid
            if (length := int(size[1], 16)) == 0:
                break
            pieces.append(self._take(length))
            if self._line():
                raise Invalid
        while line := self._line():
            if not FIELD.match(line):
                raise Invalid
        return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose head is in order."""

    method: bytes
    target: bytes
    body: bytes | None
    """None where it is not in order, or not complete: nothing may follow it."""


def read_requests(data: bytes) -> list[Request]:
    """List the requests that these bytes hold at most."""
    reading, found = Reading(data), list[Request]()
    while True:
        reading.skip_empty_lines()
        if reading.over:
            return found
        try:
            head = reading.head(REQUEST_LINE)
        except (Invalid, Short):
            return found
        try:
            body: bytes | None = reading.body(head)
        except (Invalid, Short):
            body = None
        found.append(Request(head.start[0], head.start[1], body))
        if body is None:
            return found


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, interim ones before it left out."""

    status: int
    head: Head
    body: bytes


def read_answer(reading: Reading, *, bodiless: bool, ended: bool, loose: bool = False) -> Answer:
    """Read the next answer. `ended`: no more bytes will come. Raises Invalid and Short.

    `loose`: empty lines may precede, and a reason be left out with its space, as llhttp has it: whose answer it is and
    where it ends are beyond doubt.
    """
    while True:
        if loose:
            reading.skip_empty_lines()
        head = reading.head(LOOSE_STATUS_LINE if loose else STATUS_LINE)
        status = int(head.start[0])
        if not 100 <= status < 200:
            break
    if bodiless or status in NO_BODY:
        return Answer(status, head, b"")
    framed = head.values(b"content-length") or head.values(b"transfer-encoding")
    if not framed and not ended:
        raise Short
    return Answer(status, head, reading.body(head, until_end=True))

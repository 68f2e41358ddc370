"""Pure: JSON of any length, as it comes in chunks, parted into its objects: those of an array, or one after another.

Rule    No more is held than a chunk and an object; one that is larger than the limit ends the reading.
Rule    Only the braces are looked at here. What stands between them is for the reader of each object to judge, so that
        one that is broken costs none of the others.
Source  RFC 8259. Strings are matched whole, so that no brace inside one counts.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import orjson

from gateway.commands.checking.found import NO_OBJECT, Found, Payload, Unreadable, misread

# Up to the next brace or bracket outside of strings. Possessive: what was matched once is not tried anew.
BRACKET: Final = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([{}\[\]])', re.DOTALL)
GAP: Final = re.compile(rb"[ \t\r\n]*+")
# What stands where an object should, as far as it can be told: a text, or all up to what may begin something else.
OTHER: Final = re.compile(rb'"(?:[^"\\\n]++|\\.?)*+"?|[^\s,\[\]{}"]++')
GUESSES: Final = 8
"""Closing braces of an object that are tried: of most emails the first, of others one more for each attachment."""
OPENING: Final = b"{["


def split(chunks: Iterable[bytes], limit: int, line: int = 1) -> Iterator[Found]:
    """Give the objects. `limit` is in bytes of one, `line` the first one's number."""
    yield from _Splitter(iter(chunks), limit, line).found()


class _Splitter:
    """Holds what has come and was not given yet, and where that is in the file."""

    def __init__(self, chunks: Iterator[bytes], limit: int, line: int) -> None:
        self._chunks = chunks
        self._limit = limit
        self._data = b""
        self._at = 0
        """Up to here it is dealt with; `line` and `column` tell where that is."""
        self._line = line
        self._column = 1
        self._lost = False
        """Whether something has begun of which no end could be found."""

    def found(self) -> Iterator[Found]:
        first = self._next()
        if first is None:
            yield Unreadable(self._line, self._column, "Nothing stands here: give a JSON object, or several.")
            return
        if first != b"[":
            yield from self._values(end=None)
            return
        self._skip(1)
        yield from self._values(end=b"]")

    def _values(self, *, end: bytes | None) -> Iterator[Found]:
        """Give values, parted by commas where they are an array's, which `end` closes."""
        comma = True
        """Whether a value may stand here."""
        number = 0
        while (letter := self._next()) is not None:
            place = (self._line, self._column)
            if letter == end:
                if comma and number:
                    yield Unreadable(*place, "A comma has nothing behind it: take it out.")
                self._skip(1)
                yield from self._rest()
                return
            if letter == b",":
                if comma:
                    yield Unreadable(*place, "A comma stands where an object should: take it out.")
                self._skip(1)
                comma = True
                continue
            if not comma and end is not None:
                yield Unreadable(*place, "A comma is missing before it.")
            yield self._value(letter)
            if self._lost:
                return
            number += 1
            comma = end is None
        if end is not None:
            yield Unreadable(self._line, self._column, "The array does not end: a bracket is missing.")

    def _rest(self) -> Iterator[Found]:
        if self._next() is not None:
            yield Unreadable(self._line, self._column, "Something stands behind the array; it was not read.")

    def _value(self, letter: bytes) -> Found:
        """Give what begins here."""
        place = (self._line, self._column)
        size = self._size() if letter in OPENING else self._size_of_other()
        if size is None:
            self._lost = True
            return self._endless(*place)
        body = self._data[self._at : self._at + size]
        self._skip(size)
        return Payload(*place, body) if letter == b"{" else Unreadable(*place, NO_OBJECT)

    def _endless(self, line: int, column: int) -> Unreadable:
        if len(self._data) - self._at > self._limit:
            text = f"It is larger than the {self._limit} bytes that are inspected. Nothing behind it was read."
            return Unreadable(line, column, text)
        wrong = misread(Payload(line, column, self._data[self._at :]))
        return wrong._replace(what=f"{wrong.what} Nothing behind it was read.")

    def _size(self) -> int | None:
        """Count the bytes of the object or array that begins here; None where it has no end within the limit."""
        depth, size = 0, self._quick_size()
        while not size or depth:
            found = BRACKET.match(self._data, self._at + size)
            if found is None:
                if len(self._data) - self._at > self._limit or not self._more():
                    return None
                continue
            size = found.end() - self._at
            depth += 1 if found[1] in OPENING else -1
        return size if size <= self._limit else None

    def _quick_size(self) -> int:
        """Guess the same by the braces alone, which find their fellows unless texts have some, and have it confirmed:
        what reads as an object is one to its last brace, and ends there. 0: it takes a closer look.
        """
        data, begin, end = self._data, self._at, self._at
        for _ in range(GUESSES):
            end = data.find(b"}", end) + 1
            if not end:
                return 0
            if data.count(b"{", begin, end) == data.count(b"}", begin, end):
                try:
                    orjson.loads(memoryview(data)[begin:end])
                except orjson.JSONDecodeError:
                    return 0
                return end - begin
        return 0

    def _size_of_other(self) -> int | None:
        """Count the bytes of what begins here and is neither object nor array."""
        while True:
            found = OTHER.match(self._data, self._at)
            end = found.end() if found else self._at + 1
            if end - self._at > self._limit:
                return None
            if end < len(self._data) or not self._more():
                return end - self._at

    def _next(self) -> bytes | None:
        """Go on to what is no blank, and give its letter; None at the end."""
        while True:
            gap = GAP.match(self._data, self._at)
            self._skip(gap.end() - self._at if gap else 0)
            if self._at < len(self._data):
                return self._data[self._at : self._at + 1]
            if not self._more():
                return None

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        self._data = self._data[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def _skip(self, size: int) -> None:
        if not size:
            return
        passed = self._data[self._at : self._at + size]
        self._at += size
        lines = passed.count(b"\n")
        if lines:
            self._line += lines
            self._column = 1
            passed = passed[passed.rindex(b"\n") + 1 :]
        self._column += len(passed) if passed.isascii() else len(passed.decode("utf-8", "replace"))

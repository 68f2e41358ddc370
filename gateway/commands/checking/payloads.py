"""Email writes out of a file, one at a time: a JSON object, an array of them, or JSON Lines.

Rule    It is JSON Lines where the file is called so, or where its first line is an object and nothing else. Then each
        line stands for itself, and what is wrong with one costs no other.
Rule    However long a file is, a payload and a chunk are all that is held of it.
"""

import json
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, Final

from gateway.commands.checking.found import NO_OBJECT, Found, Payload, Unreadable
from gateway.commands.checking.splitting import split

CHUNK: Final = 1024 * 1024
LINES: Final = (".jsonl", ".ndjson", ".jsonlines")
LINE_END: Final = 2
"""Bytes."""
MARK: Final = b"\xef\xbb\xbf"


def payloads(file: BinaryIO, name: str, limit: int) -> Iterator[Found]:
    """Give what stands in the file. `limit` is in bytes of one payload. Raises OSError."""
    first, number = _first_line(file, limit)
    begin = first.lstrip()[:1]
    lines = name.lower().endswith(LINES)
    if json.detect_encoding(first[:4]) not in {"utf-8", "utf-8-sig"}:
        yield Unreadable(1, 1, "It is not written in UTF-8: save it so.")
    elif first and (lines or (begin == b"{" and _alone(first, limit))):
        yield from _lines(first, file, limit, number)
    elif begin in {b"", b"{", b"["}:
        yield from split(chain([first], iter(lambda: file.read(CHUNK), b"")), limit, number)
    else:
        yield Unreadable(number, 1, "It is neither a JSON object, nor an array of them, nor JSON Lines.")


def _first_line(file: BinaryIO, limit: int) -> tuple[bytes, int]:
    """Read the first line that is not blank, and its number."""
    line = file.readline(limit + LINE_END).removeprefix(MARK)
    number = 1
    while line and line.isspace():
        number += line.endswith(b"\n")
        line = file.readline(limit + LINE_END)
    return line, number


def _alone(line: bytes, limit: int) -> bool:
    """Whether an object, and nothing else, stands in a line."""
    found = list(split([line], limit))
    return len(found) == 1 and isinstance(found[0], Payload)


def _lines(line: bytes, file: BinaryIO, limit: int, number: int) -> Iterator[Found]:
    while line:
        body = line.strip()
        if len(line.rstrip(b"\r\n")) > limit:  # as the gateway counts, blanks and all
            yield Unreadable(number, 1, f"It is larger than the {limit} bytes that are inspected.")
        elif body:
            column = 1 if body[0] == line[0] else 1 + len(line) - len(line.lstrip())
            yield Payload(number, column, body) if body.startswith(b"{") else Unreadable(number, column, NO_OBJECT)
        while line and not line.endswith(b"\n"):
            line = file.readline(CHUNK)
        line = file.readline(limit + LINE_END)
        number += 1

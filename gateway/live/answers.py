"""An answer read back from the bytes that went to the client, and bodies as text."""

import codecs
import contextlib
from http import HTTPStatus
from typing import NamedTuple

import httptools

from gateway.exchange import Fields
from gateway.wire import coding


class Answer(NamedTuple):
    """What was answered, as far as it was kept."""

    status: int
    reason: str
    fields: Fields
    body: bytes


def read_answer(raw: bytes) -> Answer | None:
    """Read an answer, whole or its beginning; None where not even its head is there."""
    reading = _Reading()
    with contextlib.suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):  # what was read till then stands
        reading.parser.feed_data(raw)
    if not reading.complete:
        return None
    status = reading.parser.get_status_code()
    return Answer(status, reading.reason.decode("latin-1"), reading.fields, b"".join(reading.pieces))


def text_of(body: bytes, encodings: list[bytes], limit: int, *, cut: bool) -> str | None:
    """Give a body as text, without its codings; None for what is no text, or cannot be read any more. `cut`: it may end
    anywhere.
    """
    applied = coding.codings(encodings)
    if applied and cut:
        return None
    try:
        plain = coding.decode(body, applied, limit)
        return codecs.getincrementaldecoder("utf-8")().decode(plain, final=not cut)
    except (coding.Undecodable, coding.TooLarge, UnicodeDecodeError):
        return None


def phrase(status: int) -> str:
    """Give the usual words for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def value(fields: Fields, name: bytes) -> str:
    """Give the first field of this name (in small letters), or nothing."""
    return next((value.decode("latin-1") for field, value in fields if field.lower() == name), "")


class _Reading:
    """What httptools tells of an answer."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.reason = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self.complete = False

    def on_status(self, status: bytes) -> None:
        self.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.complete = True

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

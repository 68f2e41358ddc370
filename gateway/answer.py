"""What goes back: Close's head and body as bytes, or an answer of our own.

Both are bytes that are written as they are: taking a head apart and putting it together again would give it other
words than Close's.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple

import orjson

from gateway.exchange import Exchange

NO_BODY: Final = frozenset({204, 304})  # RFC 9110, 15.3.5 and 15.4.5
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def chunk(piece: bytes, *, last: bool = False) -> bytes:
    """Frame a piece of a body as a chunk (RFC 9112, 7.1), and the end after it where it is the last."""
    end = b"0\r\n\r\n" if last else b""
    return b"%x\r\n%b\r\n%b" % (len(piece), piece, end) if piece else end


class RelayedAnswer:
    """Close's answer on its way to the client.

    `lines` are the end-to-end fields, `has_length` tells that Content-Length is among them. Without it the body is
    chunked, and for HTTP/1.0, which knows no chunks, ends with the connection (RFC 9112, 6.3 and 7.1).
    """

    __slots__ = ("_chunked", "_exchange", "_until_close", "keep_alive")

    def __init__(self, exchange: Exchange, *, keep_alive: bool) -> None:
        self._exchange = exchange
        self._chunked = False
        self._until_close = False
        self.keep_alive = keep_alive

    def begin(self, status: int, reason: bytes, lines: bytes, *, has_length: bool, piece: bytes, end: bool) -> None:
        """Write the head and what there is of the body, in one go."""
        exchange = self._exchange
        exchange.status = status
        framing = b""
        if not has_length and status not in NO_BODY and exchange.method != "HEAD":
            if exchange.http11:
                self._chunked = True
                framing = b"Transfer-Encoding: chunked\r\n"
                piece = chunk(piece, last=end)
            else:
                self._until_close = True
                self.keep_alive = False
        if not self.keep_alive:
            framing += b"Connection: close\r\n"
        elif not exchange.http11:
            framing += b"Connection: keep-alive\r\n"
        exchange.write(b"HTTP/1.1 %d %b\r\n%b%b\r\n%b" % (status, reason, lines, framing, piece))

    def go_on(self, piece: bytes, *, end: bool) -> None:
        """Write the next piece of the body."""
        coded = chunk(piece, last=end) if self._chunked else piece
        if coded:
            self._exchange.write(coded)

    def finish(self) -> None:
        """Tell that all is written."""
        self._exchange.done(keep_alive=self.keep_alive)

    def break_off(self) -> None:
        """Let the client see that the answer is not complete: where only the connection's end tells, by a reset."""
        self._exchange.break_off(reset=self._until_close)


class Stamp(NamedTuple):
    """What the gateway puts onto an answer: the request's id, and what was done with it."""

    request_id: str
    mark: str | None = None
    """None: the request was not intercepted, or answers are not to be marked."""

    @property
    def lines(self) -> bytes:
        mark = f"X-Close-Gateway: {self.mark}\r\n" if self.mark else ""
        return f"X-Request-Id: {self.request_id}\r\n{mark}".encode()

    def failed(self, code: str) -> "Stamp":
        """Say that it is not Close who answers, after all."""
        return self._replace(mark=f"failed; {code}") if self.mark else self


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """An answer of the gateway's own: JSON in the shape of Close's errors."""

    status: int
    body: Mapping[str, object]

    def send(self, exchange: Exchange, stamp: bytes = b"", *, keep_alive: bool) -> None:
        """Write the answer. The connection is kept only where the request has been read to its right end."""
        keep_alive = keep_alive and exchange.body.complete
        if keep_alive and not exchange.http11:
            stamp += b"Connection: keep-alive\r\n"
        exchange.status = self.status
        exchange.write(self.message(stamp, keep_alive=keep_alive, bodiless=exchange.method == "HEAD"))
        exchange.done(keep_alive=keep_alive)

    def message(self, stamp: bytes = b"", *, keep_alive: bool, bodiless: bool = False) -> bytes:
        """Give the answer as it goes over the wire. `stamp` are further header lines."""
        body = orjson.dumps(self.body)
        head = b"HTTP/1.1 %d %b\r\nDate: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b%b\r\n" % (
            self.status,
            _phrase(self.status),
            _date(int(time.time())),
            len(body),
            stamp,
            b"" if keep_alive else b"Connection: close\r\n",
        )
        return head if bodiless else head + body


@lru_cache(maxsize=32)
def _phrase(status: int) -> bytes:
    return HTTPStatus(status).phrase.encode()


@lru_cache(maxsize=2)
def _date(now: int) -> bytes:
    return formatdate(now, usegmt=True).encode()

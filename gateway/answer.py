"""What goes back: Close's head and body as bytes, or an answer of our own.

Both are written to the transport directly: aiohttp's own response would take a head apart and put it together again,
in other words than Close's and at several times the price. `Sent` tells its server what was done.
"""

import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple

import orjson
from aiohttp import HttpVersion11, web

NO_BODY: Final = frozenset({204, 304})  # RFC 9110, 15.3.5 and 15.4.5
LINGER_NOT: Final = struct.pack("ii", 1, 0)
"""Of SO_LINGER: closing sends a reset at once."""
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Sent(web.StreamResponse):
    """The answer is on the wire already; all that is left to tell is whether another request may follow."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        """Do nothing: the head is out."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: so is the body."""


# Nothing in them is of one request, so two serve for all.
SENT_KEEP_ALIVE: Final = Sent(keep_alive=True)
SENT_CLOSE: Final = Sent(keep_alive=False)


def sent(*, keep_alive: bool) -> web.StreamResponse:
    """Give what a handler returns once its answer is written."""
    return SENT_KEEP_ALIVE if keep_alive else SENT_CLOSE


def write(request: web.BaseRequest, data: bytes) -> None:
    """Write to the client. Raises ConnectionResetError where it has left."""
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("The client has left.")
    # What aiohttp looks at before it answers an error of the handler's: past the first byte it must not.
    request.writer.output_size += len(data)
    transport.write(data)


def write_interim(request: web.BaseRequest, head: bytes) -> None:
    """Write an interim answer (1xx), if there still is a client. The final one has not begun by that."""
    transport = request.transport
    if transport is not None and not transport.is_closing():  # uvloop raises on a closed one
        transport.write(head)


def reset(request: web.BaseRequest) -> None:
    """End the client's connection so that it sees an error, whatever it has been sent."""
    transport = request.transport
    if transport is None:
        return
    # An abort alone ends in good order where all that was written is out already.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    transport.abort()


def chunk(piece: bytes, *, last: bool = False) -> bytes:
    """Frame a piece of a body as a chunk (RFC 9112, 7.1), and the end after it where it is the last."""
    end = b"0\r\n\r\n" if last else b""
    return b"%x\r\n%b\r\n%b" % (len(piece), piece, end) if piece else end


class RelayedAnswer:
    """Close's answer on its way to the client.

    `lines` are the end-to-end fields, `has_length` tells that Content-Length is among them. Without it the body is
    chunked, and for HTTP/1.0, which knows no chunks, ends with the connection (RFC 9112, 6.3 and 7.1).
    """

    __slots__ = ("_chunked", "_request", "_until_close", "keep_alive")

    def __init__(self, request: web.BaseRequest, *, keep_alive: bool) -> None:
        self._request = request
        self._chunked = False
        self._until_close = False
        self.keep_alive = keep_alive

    def begin(self, status: int, reason: bytes, lines: bytes, *, has_length: bool, piece: bytes, end: bool) -> None:
        """Write the head and what there is of the body, in one go."""
        bodiless = status in NO_BODY or self._request.method == "HEAD"
        modern = self._request.version >= HttpVersion11
        framing = b""
        if not bodiless and not has_length:
            if modern:
                self._chunked = True
                framing = b"Transfer-Encoding: chunked\r\n"
            else:
                self._until_close = True
                self.keep_alive = False
        if not self.keep_alive:
            framing += b"Connection: close\r\n"
        elif not modern:
            framing += b"Connection: keep-alive\r\n"
        head = b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (status, reason, lines, framing)
        write(self._request, head + self._coded(piece, end=end))

    async def go_on(self, piece: bytes, *, end: bool) -> None:
        """Write the next piece of the body, and wait while the client is slow."""
        if coded := self._coded(piece, end=end):
            write(self._request, coded)
        if not end:
            await self._request.writer.drain()

    def _coded(self, piece: bytes, *, end: bool) -> bytes:
        return chunk(piece, last=end) if self._chunked else piece

    def break_off(self) -> None:
        """Let the client see that the answer is not complete."""
        if self._until_close:
            reset(self._request)  # its end would be the body's
        elif self._request.transport is not None:
            self._request.transport.close()  # what is missing of the length, or the last chunk, tells
        self.keep_alive = False


class Stamp(NamedTuple):
    """What the gateway adds to an answer's head: whose request it answers, and what was done with it."""

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

    def send(self, request: web.BaseRequest, stamp: bytes = b"", *, keep_alive: bool) -> web.StreamResponse:
        """Write the answer. The connection is kept only where the request has been read to its right end."""
        keep_alive = keep_alive and request.content.is_eof() and request.content.exception() is None
        if keep_alive and request.version < HttpVersion11:
            stamp += b"Connection: keep-alive\r\n"
        write(request, self.message(stamp, keep_alive=keep_alive, bodiless=request.method == "HEAD"))
        return sent(keep_alive=keep_alive)

    def message(self, stamp: bytes = b"", *, keep_alive: bool, bodiless: bool = False) -> bytes:
        """Give the answer as it goes over the wire. `stamp` are further header lines."""
        body = orjson.dumps(self.body)
        head = b"HTTP/1.1 %d %b\r\nDate: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b%b\r\n" % (
            self.status,
            HTTPStatus(self.status).phrase.encode(),
            _date(int(time.time())),
            len(body),
            stamp,
            b"" if keep_alive else b"Connection: close\r\n",
        )
        return head if bodiless else head + body


@lru_cache(maxsize=2)
def _date(now: int) -> bytes:
    return formatdate(now, usegmt=True).encode()

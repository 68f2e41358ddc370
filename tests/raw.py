"""HTTP/1.1 as bytes: messages cut apart by hand, and a client that sends whatever it is given.

Rule    Nothing is repaired and nothing is guessed: a message that ends early, has two lengths or a chunk out of shape
        is Broken. So a test that reads a whole answer has proven that it was one.
Source  RFC 9112, 6.3 and 7.1.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LIMIT: Final = 10.0
"""Seconds that anything awaited here may take."""
LONGEST_HEAD: Final = 1024 * 1024
PIECE: Final = 64 * 1024
HEX: Final = re.compile(rb"[0-9A-Fa-f]+")
NO_BODY: Final = frozenset({204, 304})


class Broken(Exception):
    """What came is no complete message, and never will be."""


class Ended(Broken):
    """The connection ended, or was reset, before the message was complete."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came."""

    head: bytes
    """With its empty line."""
    body: bytes
    """Without its chunks."""

    @property
    def status(self) -> int:
        return int(self.head[9:12])

    @property
    def start_line(self) -> bytes:
        return self.head.partition(b"\r\n")[0]

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        return fields(self.head)

    def values(self, name: bytes) -> list[bytes]:
        return values(self.head, name)


def fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """List a head's fields as (name, value), in their order."""
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]
    return [(name, value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)]


def values(head: bytes, name: bytes) -> list[bytes]:
    """List the values of the fields of this name, whatever its case."""
    return [value for field, value in fields(head) if field.lower() == name.lower()]


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Frame each piece as a chunk, and the end after them."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end


def with_length(head: bytes, body: bytes) -> bytes:
    """Make a message: a head without its empty line, the body's length, the body."""
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Read a head, with its empty line; b"" where the other side has ended the connection instead."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Ended(f"The head ends early: {error.partial!r}") from error
        return b""


async def body_pieces(reader: asyncio.StreamReader, head: bytes, *, request: bool) -> AsyncIterator[bytes]:
    """Give the body that follows a head as it comes, without its chunks."""
    lengths, codings = values(head, b"content-length"), values(head, b"transfer-encoding")
    if len(lengths) + len(codings) > 1 or codings not in ([], [b"chunked"]):
        raise Broken(f"The framing is ambiguous: {head!r}")
    if codings:
        pieces = _chunks(reader)
    elif lengths or request:
        pieces = _exactly(reader, int(lengths[0]) if lengths else 0)
    else:
        pieces = _until_end(reader)
    async for piece in pieces:
        yield piece


async def _exactly(reader: asyncio.StreamReader, length: int) -> AsyncIterator[bytes]:
    while length:
        piece = await reader.read(min(length, PIECE))
        if not piece:
            raise Ended(f"The body ends {length} bytes early.")
        length -= len(piece)
        yield piece


async def _until_end(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while piece := await reader.read(PIECE):
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := await _chunk_size(reader):
        async for piece in _exactly(reader, size):
            yield piece
        await _line(reader, b"")
    await _line(reader, b"")  # a trailer would stand here, and none is ever passed on


async def _chunk_size(reader: asyncio.StreamReader) -> int:
    line = await _line(reader)
    if not HEX.fullmatch(line):
        raise Broken(f"This is no chunk size: {line!r}")
    return int(line, 16)


async def _line(reader: asyncio.StreamReader, expected: bytes | None = None) -> bytes:
    try:
        line = (await reader.readuntil(b"\r\n")).removesuffix(b"\r\n")
    except asyncio.IncompleteReadError as error:
        raise Ended("The chunks end early.") from error
    if expected is not None and line != expected:
        raise Broken(f"{expected!r} should stand where {line!r} does.")
    return line


class Client:
    """A connection to a port of this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Send bytes, and wait while the other side is slow."""
        self._writer.write(data)
        async with asyncio.timeout(LIMIT):
            await self._writer.drain()

    async def head(self) -> bytes:
        """Read the head of an answer. Raises Ended where none comes."""
        async with asyncio.timeout(LIMIT):
            try:
                head = await read_head(self.reader)
            except ConnectionError as error:
                raise Ended("The connection was reset.") from error
        if not head:
            raise Ended("The connection ended without an answer.")
        return head

    async def answer(self, *, bodiless: bool = False) -> Answer:
        """Read an answer, be it an interim one. `bodiless`: none has a body, as to HEAD."""
        head = await self.head()
        status = int(head[9:12])
        if bodiless or status < 200 or status in NO_BODY:
            return Answer(head, b"")
        async with asyncio.timeout(LIMIT):
            try:
                return Answer(head, b"".join([piece async for piece in body_pieces(self.reader, head, request=False)]))
            except ConnectionError as error:
                raise Ended("The connection was reset.") from error

    async def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer."""
        await self.send(request)
        return await self.answer(bodiless=request.startswith(b"HEAD "))

    async def rest(self) -> bytes:
        """Read whatever comes until the other side ends the connection. Raises Ended where it resets it."""
        async with asyncio.timeout(LIMIT):
            try:
                return await self.reader.read()
            except ConnectionError as error:
                raise Ended("The connection was reset.") from error

    def end(self) -> None:
        """Say that no more will be sent, and still listen."""
        self._writer.write_eof()

    def reset(self) -> None:
        """Leave at once, whatever is under way."""
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            await self._writer.wait_closed()


@contextlib.asynccontextmanager
async def connected(at: int | Path, tls: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    """Connect to a port of this machine, or to a UNIX socket."""
    async with asyncio.timeout(LIMIT):
        name = None if tls is None else "localhost"
        if isinstance(at, Path):
            ends = await asyncio.open_unix_connection(at, limit=LONGEST_HEAD, ssl=tls, server_hostname=name)
        else:
            ends = await asyncio.open_connection("127.0.0.1", at, limit=LONGEST_HEAD, ssl=tls, server_hostname=name)
    client = Client(*ends)
    try:
        yield client
    finally:
        await client.close()


async def ask(port: int, request: bytes) -> Answer:
    """Ask once, on a connection of its own."""
    async with connected(port) as client:
        return await client.ask(request)

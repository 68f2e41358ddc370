"""An upstream that records every request byte for byte and answers with whatever bytes it is told to.

What it answers is a script: a coroutine that is called once a request's head has come, and that reads, sends, waits,
closes or resets as the test needs. What a script does not read of a request is read after it, so that a record is
whole. A request that is no request fails the test that made it: see `Recording.stop`.
"""

import asyncio
import contextlib
import hashlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from tests.raw import LIMIT, LONGEST_HEAD, Ended, body_pieces, read_head, with_length

OK: Final = with_length(b"HTTP/1.1 200 OK\r\n", b"recorded")
OWNER: Final = with_length(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", b'{"email": "jane@example.com"}')


class Received:
    """A request as it came. It is recorded once its head has come, and grows from there on."""

    def __init__(self, head: bytes, connection: int) -> None:
        self.head = head
        """With its empty line."""
        self.connection = connection
        """Which of the connections it came by: 0 is the first one accepted."""
        self.length = 0
        self.complete = False
        self._body: list[bytes] = []
        self._hash = hashlib.sha256()

    def add(self, piece: bytes, *, keep: bool) -> None:
        self.length += len(piece)
        self._hash.update(piece)
        if keep:
            self._body.append(piece)

    @property
    def body(self) -> bytes:
        """Without its chunks."""
        return b"".join(self._body)

    @property
    def sha256(self) -> str:
        """Of the body, kept or not."""
        return self._hash.hexdigest()

    @property
    def method(self) -> bytes:
        return self.head.partition(b" ")[0]

    @property
    def target(self) -> bytes:
        return self.head.partition(b"\r\n")[0].split(b" ")[1]


class Call:
    """What a script is given: a request whose head has come, and the connection it came by."""

    def __init__(self, request: Received, connection: "Connection", *, keep: bool) -> None:
        self.request = request
        self.connection = connection
        self._pieces = body_pieces(connection.reader, request.head, request=True)
        self._keep = keep

    async def read(self) -> bytes:
        """Read a piece of the request's body; b"" at its end."""
        piece = await anext(self._pieces, b"")
        self.request.add(piece, keep=self._keep)
        self.request.complete = not piece
        return piece

    async def read_all(self) -> None:
        """Read the request to its end."""
        while not self.request.complete:
            await self.read()

    async def send(self, data: bytes) -> None:
        """Send bytes, and wait while the other side is slow."""
        await self.connection.send(data)


Script: TypeAlias = Callable[[Call], Awaitable[None]]


def answers(*pieces: bytes) -> Script:
    """Read the request, then send each piece, with a little time between them."""

    async def script(call: Call) -> None:
        await call.read_all()
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(0.005)
            await call.send(piece)

    return script


def closes(*pieces: bytes) -> Script:
    """Answer, and end the connection in good order."""
    return _ends(Connection.close, pieces)


def resets(*pieces: bytes) -> Script:
    """Answer, and reset the connection."""
    return _ends(Connection.reset, pieces)


def _ends(how: Callable[["Connection"], Awaitable[None]], pieces: tuple[bytes, ...]) -> Script:
    async def script(call: Call) -> None:
        await answers(*pieces)(call)
        await how(call.connection)

    return script


def hangs(*pieces: bytes) -> Script:
    """Answer so far, and say no more until the other side has left."""

    async def script(call: Call) -> None:
        await answers(*pieces)(call)
        await call.connection.left.wait()

    return script


def in_turn(*scripts: Script) -> Script:
    """Take the first script for the first request, and so on; the last one for all that follow."""
    waiting = list(scripts)

    async def script(call: Call) -> None:
        await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(call)

    return script


def by_path(scripts: Mapping[bytes, Script], other: Script) -> Script:
    """Choose the script by the target's path."""

    async def script(call: Call) -> None:
        await scripts.get(call.request.target.partition(b"?")[0], other)(call)

    return script


class Connection:
    """A connection to the recording upstream."""

    def __init__(self, number: int, left: asyncio.Event) -> None:
        self.number = number
        self.left = left
        """Set once the other side has ended the connection, or it is gone."""
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter
        self.task: asyncio.Task[None]

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def reset(self) -> None:
        """Reset: what is in the air may be lost, and the other side learns of an error."""
        _linger_not(self.writer)
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


def _linger_not(writer: asyncio.StreamWriter) -> None:
    """Make the next close send a reset (SO_LINGER with a time of zero)."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Protocol(asyncio.StreamReaderProtocol):
    """asyncio's streams, and an event for the end of a connection: streams tell it only to who reads."""

    def __init__(self, connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Event], None]) -> None:
        self._left = asyncio.Event()
        reader = asyncio.StreamReader(limit=LONGEST_HEAD)
        super().__init__(reader, lambda reader, writer: connected(reader, writer, self._left))

    def eof_received(self) -> bool | None:
        self._left.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._left.set()
        super().connection_lost(exc)


class Recording:
    """The upstream. `keep` tells whether bodies are kept, or only their length and hash."""

    def __init__(self, script: Script, *, keep: bool = True, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.requests: list[Received] = []
        self.connections: list[Connection] = []
        self._keep = keep
        self._tls = tls
        self._changed = asyncio.Event()
        self._faults: list[Exception] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def authority(self) -> bytes:
        """What Host has to say."""
        return b"127.0.0.1:%d" % self.port

    @property
    def targets(self) -> list[bytes]:
        return [request.target for request in self.requests]

    async def start(self) -> None:
        """Open the port: a free one the first time, the same one after that."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Protocol(self._connected), "127.0.0.1", self.port, ssl=self._tls, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything. Raises what was wrong with the requests, or with the scripts."""
        if self._server is not None:
            self._server.close()
        for connection in self.connections:
            connection.task.cancel()
            connection.writer.transport.abort()
        await asyncio.gather(*(connection.task for connection in self.connections), return_exceptions=True)
        if self._faults:
            raise ExceptionGroup("The upstream was sent what is no request, or a script failed.", self._faults)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what was recorded."""
        async with asyncio.timeout(LIMIT):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def received(self, count: int) -> None:
        """Wait until the heads of so many requests have come."""
        await self.until(lambda: len(self.requests) >= count)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: asyncio.Event) -> None:
        connection = Connection(len(self.connections), left)
        connection.reader, connection.writer = reader, writer
        self.connections.append(connection)
        connection.task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._changed.set()

    async def _serve(self, connection: Connection) -> None:
        try:
            while head := await read_head(connection.reader):
                await self._answer(head, connection)
                if connection.writer.is_closing():
                    return
        except (OSError, Ended):
            pass  # the other side has left
        except Exception as fault:  # noqa: BLE001 - a script's, or the request is none; the test learns of it in stop
            self._faults.append(fault)
        finally:
            self._changed.set()
            await connection.close()

    async def _answer(self, head: bytes, connection: Connection) -> None:
        request = Received(head, connection.number)
        self.requests.append(request)
        self._changed.set()
        call = Call(request, connection, keep=self._keep)
        await self.script(call)
        if not connection.writer.is_closing():
            await call.read_all()
        self._changed.set()


@contextlib.asynccontextmanager
async def recording(
    script: Script | bytes = OK, *, keep: bool = True, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Recording]:
    """Run a recording upstream; bytes for a script are what it answers to each request."""
    upstream = Recording(answers(script) if isinstance(script, bytes) else script, keep=keep, tls=tls)
    await upstream.start()
    try:
        yield upstream
    finally:
        await upstream.stop()

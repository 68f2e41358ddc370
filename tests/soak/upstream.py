"""The upstream of the soak: answers each request in the way that the request asks for, and keeps account of it."""

import asyncio
import contextlib
import json
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Self, TypeAlias

from tests.raw import LONGEST_HEAD, Broken, Ended, body_pieces, chunked, read_head, values, with_length
from tests.soak.ledger import Entry, Ledger
from tests.soak.lookups import lookup_answer
from tests.soak.tokens import Mixed, check_pattern, pattern

PIECE: Final = 64 * 1024
HANG: Final = 0.15
PAUSE: Final = 0.005
LINGER_NOT: Final = struct.pack("ii", 1, 0)
UNTOLD_CLOSE: Final = 0.002
"""Seconds within which a connection is closed after its last answer: about as long as the next request takes."""


class Call:
    """A request that has come, and the connection to answer it by."""

    def __init__(self, head: bytes, entry: Entry, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.entry = entry
        self.size = int(self.field(b"x-size") or 0)
        self.bodiless = head.startswith(b"HEAD ")
        self._reader = reader
        self.writer = writer

    def field(self, name: bytes) -> str:
        return b"".join(values(self.head, name)).decode()

    async def read(self) -> None:
        """Read the request's body and check that it is its own. Raises Mixed."""
        pieces = body_pieces(self._reader, self.head, request=True)
        if self.field(b"x-kind") == "email":
            self._check_email(b"".join([piece async for piece in pieces]))
        elif await check_pattern(self.entry.token, pieces) != int(self.field(b"x-length") or 0):
            raise Mixed(f"The body of {self.entry} has another length than it was sent with.")
        self.entry.completed += 1

    def _check_email(self, body: bytes) -> None:
        email = json.loads(body)
        if email["note"] != self.entry.token or email.get("sender", "") != self.field(b"x-sender"):
            raise Mixed(f"The email of {self.entry} came as {body!r}")

    def head_of(self, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
        return b"HTTP/1.1 %b\r\nX-Token: %b\r\n%b" % (status, self.entry.token.encode(), more)

    def whole(self, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
        """Make an answer with a length."""
        answer = with_length(self.head_of(status, more), pattern(self.entry.token, self.size))
        return answer[: answer.index(b"\r\n\r\n") + 4] if self.bodiless else answer

    async def send(self, data: bytes, *, last: bool = True) -> None:
        if last:
            self.entry.answering.set()  # clients that wait to leave at this very moment do so now
            for _ in range(random.randrange(3)):
                await asyncio.sleep(0)
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.writer.transport.abort()


Manner: TypeAlias = Callable[[Call], Awaitable[bool]]
"""Answers a call; tells whether the connection may serve another one."""


async def answer_whole(call: Call) -> bool:
    """Answer with a length."""
    await call.send(call.whole())
    return True


async def answer_chunked(call: Call) -> bool:
    """Answer in chunks."""
    body = pattern(call.entry.token, call.size)
    pieces = [body[at : at + PIECE] for at in range(0, len(body), PIECE)]
    await call.send(call.head_of(more=b"Transfer-Encoding: chunked\r\n\r\n") + chunked(*pieces))
    return True


async def answer_until_close(call: Call) -> bool:
    """Answer without telling the length; the end of the connection is the end."""
    await call.send(call.head_of(more=b"\r\n") + pattern(call.entry.token, call.size))
    return False


async def answer_slowly(call: Call) -> bool:
    """Answer in pieces, with pauses."""
    answer = call.whole()
    step = max(1, len(answer) // 4)
    for at in range(0, len(answer), step):
        await call.send(answer[at : at + step], last=at + step >= len(answer))
        await asyncio.sleep(PAUSE)
    return True


async def answer_late(call: Call) -> bool:
    """Let the client wait, though not for too long."""
    await asyncio.sleep(HANG)
    return await answer_whole(call)


async def answer_after_interim(call: Call) -> bool:
    """Send 103 before the answer."""
    await call.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", last=False)
    await asyncio.sleep(PAUSE)
    return await answer_whole(call)


async def answer_unauthorized(call: Call) -> bool:
    """Refuse the credentials."""
    await call.send(call.whole(b"401 Unauthorized"))
    return True


async def answer_and_close(call: Call) -> bool:
    """Answer, and say that the connection closes."""
    await call.send(call.whole(more=b"Connection: close\r\n"))
    return False


async def answer_with_surplus(call: Call) -> bool:
    """Send bytes beyond the end of the answer."""
    await call.send(call.whole() + b"HTTP/1.1 200 OK\r\nX-Token: surplus\r\nContent-Length: 0\r\n\r\n")
    return False


async def reset(call: Call) -> bool:
    """Reset the connection."""
    call.reset()
    return False


async def end(call: Call) -> bool:
    """Close the connection in good order, without an answer."""
    return False


async def garbage(call: Call) -> bool:
    """Answer in another protocol."""
    await call.send(b"SSH-2.0-OpenSSH_9.9\r\n")
    return False


async def truncate(call: Call) -> bool:
    """Answer with half of the body."""
    answer = call.whole()
    await call.send(answer[: -(call.size // 2) or -1])
    return False


async def truncate_chunks(call: Call) -> bool:
    """Leave the last chunk out."""
    body = chunked(pattern(call.entry.token, call.size), end=b"")
    await call.send(call.head_of(more=b"Transfer-Encoding: chunked\r\n\r\n") + body)
    return False


async def garbage_in_chunks(call: Call) -> bool:
    """Send what is no chunk in the place of the last one."""
    body = chunked(pattern(call.entry.token, call.size), end=b"zz\r\n")
    await call.send(call.head_of(more=b"Transfer-Encoding: chunked\r\n\r\n") + body)
    return False


async def reset_in_body(call: Call) -> bool:
    """Answer with half of the body, and reset."""
    await truncate(call)
    await asyncio.sleep(PAUSE)
    return await reset(call)


MANNERS: Final[dict[str, Manner]] = {
    "none": answer_whole,
    "chunked": answer_chunked,
    "until-close": answer_until_close,
    "slow": answer_slowly,
    "hang": answer_late,
    "interim": answer_after_interim,
    "unauthorized": answer_unauthorized,
    "early": answer_whole,
    "close": answer_and_close,
    "stale": answer_whole,
    "surplus": answer_with_surplus,
    "reset": reset,
    "garbage": garbage,
    "end": end,
    "truncated": truncate,
    "truncated-chunks": truncate_chunks,
    "garbage-in-chunks": garbage_in_chunks,
    "reset-in-body": reset_in_body,
}


class Upstream:
    """Serves until it is stopped."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.busy = 0
        """Requests that have come and are not dealt with."""
        self.most_open = 0
        self.port = 0

    @property
    def open(self) -> int:
        """Connections of the gateway's."""
        return len(self._writers)

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, ledger: Ledger) -> AsyncIterator[Self]:
        upstream = cls(ledger)
        upstream._server = await asyncio.start_server(upstream._connected, "127.0.0.1", 0, limit=LONGEST_HEAD)
        upstream.port = upstream._server.sockets[0].getsockname()[1]
        try:
            yield upstream
        finally:
            upstream._server.close()
            for task in upstream._tasks:
                task.cancel()
            await asyncio.gather(*upstream._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.most_open = max(self.most_open, self.open)
        try:
            while (head := await read_head(reader)) and await self._deal_with(head, reader, writer):
                pass
        except (OSError, Ended):
            pass  # the gateway has left, as it does when a client leaves
        except (Broken, Mixed, ValueError, KeyError) as fault:
            self._ledger.problems.append(f"the upstream was sent what it should not: {fault}")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._writers.discard(writer)

    async def _deal_with(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.busy += 1
        try:
            if not (token := b"".join(values(head, b"x-token")).decode()):
                return await self._look_up(head, writer)
            if (entry := self._ledger.find(token)) is None:
                return False
            entry.arrived += 1
            call = Call(head, entry, reader, writer)
            early = entry.fault.name == "early"
            if not early:
                await call.read()
            again = await MANNERS[entry.fault.name](call)
            if early:
                await call.read()
            if entry.fault.name == "stale":
                await self._close_untold(reader, writer)
                return False
            return again
        finally:
            self.busy -= 1

    async def _look_up(self, head: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer a question of the gateway's own."""
        answer, again = lookup_answer(head)
        writer.write(answer)
        await writer.drain()
        return again

    async def _close_untold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Close our direction after a moment; a request that still comes was sent before that could be known."""
        await asyncio.sleep(random.uniform(0, UNTOLD_CLOSE))
        writer.write_eof()
        with contextlib.suppress(OSError, Ended):
            if head := await read_head(reader):
                token = b"".join(values(head, b"x-token")).decode()
                if token and (entry := self._ledger.find(token)) is not None:
                    entry.crossed += 1

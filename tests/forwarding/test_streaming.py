"""Large bodies both ways: in constant memory, no faster than whoever receives them, and unharmed."""

import asyncio
import hashlib
import json
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.forwarding.emails import write
from tests.raw import body_pieces, chunked, connected
from tests.recording import OK, Call, answers, recording

MIB: Final = 1024 * 1024
SIZE: Final = 100 * MIB
MOST_GROWTH: Final = 32 * MIB
BLOCK: Final = random.Random(1).randbytes(MIB)

SERVE: Final = """
import sys
from gateway.app import serve
from gateway.config.settings import Address, AdminSettings, ListenerSettings, Settings, UpstreamSettings
from gateway.hangups import Hangups
settings = Settings(
    listener=ListenerSettings(listen=Address("127.0.0.1", 0)),
    admin=AdminSettings(listen=None),
    upstream=UpstreamSettings(url=sys.argv[1]),
)
serve(settings, lambda: settings, Hangups())
"""
"""A gateway in a process of its own, so that nothing of the test's counts as its memory."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


@dataclass(frozen=True)
class Served:
    """A gateway in a process of its own."""

    port: int
    pid: int

    def peak(self) -> int:
        """Tell the most memory that it has had, in bytes."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])


@asynccontextmanager
async def served(upstream_url: str) -> AsyncIterator[Served]:
    """Run a gateway as it is run in production; it has to end well."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, upstream_url, stdout=pipe)
    assert process.stdout is not None
    try:
        started = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
        yield Served(int(started["listen"].rpartition(":")[2]), process.pid)
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0


class Sender:
    """Sends a body of SIZE, no two blocks of which are the same, and knows its hash and how far it is."""

    def __init__(self, *, chunks: bool) -> None:
        self._chunks = chunks
        self._sha256 = hashlib.sha256()
        self.sent = 0

    async def send(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        for number in range(SIZE // MIB):
            block = b"%08d" % number + BLOCK[8:]
            self._sha256.update(block)
            await write(chunked(block, end=b"") if self._chunks else block)
            self.sent += len(block)
        if self._chunks:
            await write(chunked())

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    async def stalled(self) -> None:
        """Wait until the receiver makes the sender wait."""
        seen = -1
        async with asyncio.timeout(20):
            while seen != self.sent or not seen:  # not seen: it has not even begun
                seen = self.sent
                await asyncio.sleep(0.1)


FRAMINGS = {
    False: b"Content-Length: %d\r\n\r\n" % SIZE,
    True: b"Transfer-Encoding: chunked\r\n\r\n",
}
GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("chunks", [False, True], ids=["length", "chunked"])
async def test_a_large_download_to_a_slow_client(*, chunks: bool) -> None:
    """The upstream waits while the client does; what comes is what was sent, and little of it was ever held."""
    sender = Sender(chunks=chunks)

    async def script(call: Call) -> None:
        await call.send(b"HTTP/1.1 200 OK\r\n" + FRAMINGS[chunks])
        await sender.send(call.send)

    async with recording(OK) as upstream, served(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(GET)  # what is needed once is there
        before = gateway.peak()
        upstream.script = script
        await client.send(GET)
        head = await client.head()
        await sender.stalled()
        assert sender.sent < SIZE
        sha256 = hashlib.sha256()
        async with asyncio.timeout(20):
            async for piece in body_pieces(client.reader, head, request=False):
                sha256.update(piece)
        assert sha256.hexdigest() == sender.sha256
        assert gateway.peak() - before < MOST_GROWTH


@pytest.mark.parametrize("chunks", [False, True], ids=["length", "chunked"])
async def test_a_large_upload_to_a_slow_upstream(*, chunks: bool) -> None:
    """The client waits while the upstream does; what comes is what was sent, and little of it was ever held."""
    sender = Sender(chunks=chunks)
    go_on = asyncio.Event()

    async def script(call: Call) -> None:
        await go_on.wait()
        await answers(OK)(call)

    async with recording(keep=False) as upstream, served(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(GET)
        before = gateway.peak()
        upstream.script = script
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\n" + FRAMINGS[chunks])
        sending = asyncio.create_task(sender.send(client.send))
        await sender.stalled()
        assert sender.sent < SIZE
        go_on.set()
        await sending
        assert (await client.answer()).body == b"recorded"
        assert (upstream.requests[1].length, upstream.requests[1].sha256) == (SIZE, sender.sha256)
        assert gateway.peak() - before < MOST_GROWTH


async def test_a_large_email_write_streams_too() -> None:
    """What is beyond inspect.max_body is not held, whatever its path."""
    sender = Sender(chunks=True)
    async with recording(keep=False) as upstream, served(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(write(b" " * 8 * MIB))  # the most that is ever held of a body
        before = gateway.peak()
        await client.send(write(b"").partition(b"Content-Length")[0] + FRAMINGS[True])
        await sender.send(client.send)
        assert (await client.answer()).body == b"recorded"
        assert (upstream.requests[1].length, upstream.requests[1].sha256) == (SIZE, sender.sha256)
        assert gateway.peak() - before < MOST_GROWTH

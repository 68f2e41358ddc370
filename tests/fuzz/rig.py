"""A gateway, an upstream whose answers the fuzz writes, and a client that sends bytes: all in one loop.

So it is known when all is quiet: when the loop has gone round many times, and nothing has moved.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final, Self

from tests.fuzz.cases import Case
from tests.fuzz.messages import Reading, read_answer
from tests.gateways import Running, running
from tests.raw import with_length
from tests.recording import Call, Recording, recording

STILL: Final = 40
"""Rounds of the loop without anything moving, after which nothing will move any more."""
PATIENCE: Final = 20_000
"""Rounds of the loop."""
OURS: Final = (b"/canary", b"/api/v1/me/?", b"/api/v1/activity/email/acti_1/?_fields")
"""Beginnings of the targets that are the rig's and the gateway's own."""


class Fault(AssertionError):
    """What the fuzz found."""


class Sender(asyncio.Protocol):
    """A client's connection that takes whatever comes."""

    def __init__(self) -> None:
        self.received = b""
        self.ended = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # create_connection gives a Transport

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True


class Rig:
    """All that a case needs, used for one case after the other."""

    def __init__(self, gateway: Running, upstream: Recording) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.answer: Case | None = None
        """What the upstream answers; None: where each request went."""
        self.closes = False
        """Whether it closes the connection after that."""
        self._canary: Sender | None = None
        self._tasks = len(asyncio.all_tasks())

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        async def script(call: Call) -> None:
            await rig.respond(call)

        async with recording(script) as upstream, running(upstream.url) as gateway:
            rig = cls(gateway, upstream)
            yield rig
            if rig._canary is not None:
                rig._canary.transport.abort()
            await rig.settle()

    async def respond(self, call: Call) -> None:
        """Answer as the case says."""
        if self.answer is None or call.request.target.startswith(OURS):
            await call.read_all()
            await call.send(with_length(b"HTTP/1.1 200 OK\r\nX-Target: %b\r\n" % call.request.target, b""))
            return
        for segment in self.answer.segments:
            await call.send(segment)
            await asyncio.sleep(0)
        if self.closes:
            await call.connection.close()

    async def connect(self) -> Sender:
        loop = asyncio.get_running_loop()
        _, sender = await loop.create_connection(Sender, "127.0.0.1", self.gateway.port)
        return sender

    async def send(self, case: Case) -> Sender:
        """Send a case on a connection of its own, and wait until nothing moves."""
        self.upstream.requests.clear()
        sender = await self.connect()
        for segment in case.segments:
            if sender.transport.is_closing():
                break  # the gateway has refused what came so far, and closed
            sender.transport.write(segment)
            await asyncio.sleep(0)
        await self.settle(lambda: (len(sender.received), sender.ended))
        return sender

    async def settle(self, *more: Callable[[], object]) -> None:
        """Let the loop go round until nothing moves."""
        before, still = None, 0
        for _ in range(PATIENCE):
            requests = self.upstream.requests
            now = (len(requests), sum(request.length for request in requests), len(asyncio.all_tasks()))
            state = (now, self.busy, [measure() for measure in more])
            still = still + 1 if state == before else 0
            if still >= STILL:
                return
            before = state
            await asyncio.sleep(0)
        raise Fault("The gateway does not come to rest.")

    @property
    def busy(self) -> int:
        """Connections to the upstream that are lent."""
        pool = self.gateway.gateway.serving.road.pool
        return pool.open - pool.idle

    async def check_canary(self) -> None:
        """Ask on a connection that is kept: it is served, and with its own answer."""
        if self._canary is None or self._canary.ended:
            self._canary = await self.connect()
        canary = self._canary
        canary.received = b""
        canary.transport.write(b"GET /canary HTTP/1.1\r\nHost: a\r\n\r\n")
        await self.settle(lambda: len(canary.received))
        answer = read_answer(Reading(canary.received), bodiless=False, ended=canary.ended)
        if (answer.status, answer.head.values(b"x-target"), answer.body) != (200, [b"/canary"], b""):
            raise Fault(f"The canary was answered {canary.received!r}.")

    async def check_nothing_left(self) -> None:
        """Once the case's client is gone: no connection is lent, no task waits, nothing failed inside."""
        await self.settle()
        kept = sum(not connection.task.done() for connection in self.upstream.connections)
        tasks = len(asyncio.all_tasks()) - self._tasks - kept
        canaries = int(self._canary is not None and not self._canary.ended)
        if self.busy or tasks > canaries:
            names = [repr(task.get_coro()) for task in asyncio.all_tasks()]
            raise Fault(f"Left behind: {self.busy} connections to the upstream, {tasks} tasks of {canaries}: {names}")
        failed = self.gateway.events("internal_error")
        if failed or self.upstream._faults:
            raise Fault(f"Something failed inside: {failed or self.upstream._faults}")
        del self.upstream.connections[: -2 * kept - 8]
        self.gateway._lines.seek(0)
        self.gateway._lines.truncate()

    @property
    def targets(self) -> list[bytes]:
        """What reached the upstream of the case."""
        return [target for target in self.upstream.targets if not target.startswith(OURS)]

"""The clients of the soak: each opens connections, sends what it planned, and tells what became of it.

An answer is read by its framing, strictly; one that is not the request's own, by token or by body, is a problem.
"""

import asyncio
import contextlib
import itertools
import random
import socket
import struct
import time
from typing import Final

from tests.raw import LONGEST_HEAD, NO_BODY, Broken, Ended, body_pieces, read_head, values
from tests.soak.faults import Fate
from tests.soak.ledger import Ledger
from tests.soak.tokens import Mixed, check_pattern
from tests.soak.traffic import Leaving, Planned, Traffic

LIMIT: Final = 30.0
"""Seconds that an exchange may take."""
LINGER_NOT: Final = struct.pack("ii", 1, 0)
PIECE: Final = 64 * 1024


class Connection:
    """A client's connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ledger: Ledger) -> None:
        self._reader = reader
        self._writer = writer
        self._ledger = ledger

    @classmethod
    async def to(cls, port: int, ledger: Ledger) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=LONGEST_HEAD), ledger)

    async def ask(self, requests: list[Planned]) -> bool:
        """Send the requests at once and read the answers in order; tell whether the connection is still good."""
        for planned in requests:
            self._ledger.enter(planned.entry)
        sending = asyncio.create_task(self._send(b"".join(planned.data for planned in requests)))
        good = True
        try:
            for place, planned in enumerate(requests):
                planned.entry.notes.append(f"{place + 1} of {len(requests)} in a row")
                planned.entry.fate, good = await self._outcome(planned) if good else (Fate.UNSERVED, False)
        finally:
            if not good:
                sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return good

    async def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            for at in range(0, len(data), PIECE):
                self._writer.write(data[at : at + PIECE])
                await self._writer.drain()

    async def _outcome(self, planned: Planned) -> tuple[Fate | None, bool]:
        """Read an answer: what became of the request, and whether another answer may follow."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(LIMIT):
                return await self._answer(planned)
        except (Ended, OSError) as error:
            if not isinstance(error.__cause__, TimeoutError) and not isinstance(error, TimeoutError):
                planned.entry.notes.append(str(error))
                return Fate.BROKEN_OFF, False
            problem = f"no end of its answer within {LIMIT:.0f} s"
        except (Broken, Mixed, ValueError) as error:
            problem = str(error)
        finally:
            self._ledger.slowest = max(self._ledger.slowest, time.monotonic() - started)
        self._ledger.problems.append(f"{planned.entry}: {problem}")
        return None, False

    async def _answer(self, planned: Planned) -> tuple[Fate, bool]:
        head = await self._head()
        status = int(head[9:12])
        closes = values(head, b"connection") == [b"close"] or not planned.keep_alive
        framed = values(head, b"content-length") + values(head, b"transfer-encoding")
        good = not closes and bool(planned.bodiless or framed)
        if status in {400, 502}:
            return await self._own_answer(planned, head, status), good
        if values(head, b"x-token") != [planned.entry.token.encode()]:
            raise Mixed(f"It was answered with {head!r}")
        if not planned.bodiless and status not in NO_BODY:
            length = await check_pattern(planned.entry.token, body_pieces(self._reader, head, request=False))
            if length != planned.size:
                raise Mixed(f"Its answer looks complete after {length} bytes of {planned.size}: {head!r}")
        return Fate.ANSWERED, good

    async def _own_answer(self, planned: Planned, head: bytes, status: int) -> Fate:
        """Read an answer of the gateway's own, which names the request that it is for."""
        if values(head, b"x-request-id") != [planned.entry.token.encode()]:
            raise Mixed(f"It was answered with {head!r}")
        if not planned.bodiless:
            async for _ in body_pieces(self._reader, head, request=False):
                pass
        return Fate.REJECTED if status == 400 else Fate.REFUSED

    async def _head(self) -> bytes:
        """Read the head of a final answer."""
        while head := await read_head(self._reader):
            if not head.startswith(b"HTTP/1.1 1"):
                return head
        raise Ended("The connection ended without an answer.")

    async def leave(self, planned: Planned, chance: random.Random) -> None:
        """Send a request, or a part of it, and go away when it is planned."""
        self._ledger.enter(planned.entry)
        planned.entry.fate = Fate.LEFT
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._until_leaving(planned, chance)
        if chance.random() < 0.5:
            with contextlib.suppress(OSError):
                self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self._writer.transport.abort()

    async def _until_leaving(self, planned: Planned, chance: random.Random) -> None:
        if planned.leaving is Leaving.IN_UPLOAD:
            await self._send(planned.data[: chance.randrange(1, len(planned.data))])
            await asyncio.sleep(chance.uniform(0, 0.01))
            return
        await self._send(planned.data)
        with contextlib.suppress(TimeoutError):
            match planned.leaving:
                case Leaving.AT_THE_ANSWER:
                    await asyncio.wait_for(planned.entry.answering.wait(), 0.5)
                    for _ in range(chance.randrange(4)):
                        await asyncio.sleep(0)
                case Leaving.IN_DOWNLOAD:
                    await asyncio.wait_for(self._reader.readexactly(chance.randrange(1, planned.size)), 0.5)
                case _:
                    await asyncio.sleep(chance.uniform(0, 0.005))

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Client:
    """Goes on with one connection after the other until it is told to stop."""

    def __init__(self, port: int, ledger: Ledger, traffic: Traffic) -> None:
        self._port = port
        self._ledger = ledger
        self._traffic = traffic

    async def go_on(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            connection = await Connection.to(self._port, self._ledger)
            try:
                await self._converse(connection, stop)
            finally:
                await connection.close()

    async def _converse(self, connection: Connection, stop: asyncio.Event) -> None:
        """Ask a few times, alone or in a row; maybe go away in the middle of the last one."""
        traffic, chance = self._traffic, self._traffic.random
        modern = chance.random() < 0.85
        for _ in itertools.repeat(None, chance.randrange(1, 6)):
            # In HTTP/1.0 an answer may end with its connection: what was sent behind it makes the system reset it.
            count = chance.choice((1, 1, 1, 2, 5)) if modern else 1
            requests = [traffic.plan(modern=modern, last=number == count) for number in range(1, count + 1)]
            if not await connection.ask(requests) or stop.is_set():
                return
        if chance.random() < 0.6:
            leaving = chance.choice(list(Leaving))
            await connection.leave(traffic.plan(leaving=leaving, modern=modern), chance)

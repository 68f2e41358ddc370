"""A Close that counts: what came, with which sender, and how often it was asked who stands behind a credential."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from tests.raw import LONGEST_HEAD, Broken, body_pieces, read_head, values, with_length

ME: Final = "/api/v1/me/"
LEADS: Final = "/api/v1/lead/"
EMAILS: Final = "/api/v1/activity/email/"
THINKING: Final = 0.05
"""Seconds until it tells who stands behind a credential: long enough for others to ask meanwhile."""
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def owner_of(key: str) -> str:
    """Tell the address of whoever stands behind a credential."""
    return f"owner-of-{key}@example.com"


class Upstream:
    """Serves until it is stopped."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        """Questions for the owner, by credential."""
        self.arrived: Counter[str] = Counter()
        """Requests, by their tokens."""
        self.senders: dict[str, object] = {}
        """The senders of emails, by their tokens."""
        self.problems: list[str] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        upstream = cls()
        server = await asyncio.start_server(upstream._connected, "127.0.0.1", 0, limit=LONGEST_HEAD, backlog=1024)
        upstream.port = server.sockets[0].getsockname()[1]
        try:
            yield upstream
        finally:
            server.close()
            for task in upstream._tasks:
                task.cancel()
            await asyncio.gather(*upstream._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await read_head(reader):
                body = b"".join([piece async for piece in body_pieces(reader, head, request=True)])
                answer = await self._answer(head, body)
                writer.write(with_length(OK, json.dumps(answer).encode()))
                await writer.drain()
        except (OSError, Broken):
            pass  # a gateway was killed
        except (ValueError, KeyError) as fault:
            self.problems.append(f"the upstream was sent what it should not: {fault!r}")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, head: bytes, body: bytes) -> dict[str, object]:
        target = urlsplit(head.split(b" ")[1].decode())
        key = b"".join(values(head, b"authorization")).decode().removeprefix("Bearer ")
        if target.path == ME:
            self.asked[key] += 1
            await asyncio.sleep(THINKING)
            return {"id": f"user_{key}", "email": owner_of(key)}
        if target.path == EMAILS:
            email = json.loads(body)
            token = str(email["note"])
            self.senders[token] = email.get("sender")
        else:
            token = target.path.removeprefix(LEADS).removesuffix("/")
        self.arrived[token] += 1
        await asyncio.sleep(float(parse_qs(target.query).get("hold", ["0"])[0]))
        return {"note": token}

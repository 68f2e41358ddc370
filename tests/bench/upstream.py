"""Stands in for Close while a proxy is measured: answers at once, counts what it was asked, remembers the last body.

GET /api/v1/me/ and /api/v1/user/{id}/    a user with an email address
GET /api/v1/activity/email/{id}/          a stored draft; it has a sender unless its id is NO_SENDER_ID
GET /big/{n}                              n bytes
GET /-/seen                               what it has seen, for the harness, not counted
any other GET                             some 600 bytes of JSON
POST, PUT, PATCH                          the same JSON; to /sink, how many bytes came

It is run by the harness as `python -m tests.bench.upstream PORT`.
"""

import asyncio
import json
import sys
from typing import Final, cast

import uvloop

from tests.bench.reader import MessageReader

EMAILS: Final = b"/api/v1/activity/email/"
NO_SENDER_ID: Final = "acti_without_sender"
OWNER: Final = {"id": "user_1", "email": "jane@example.com"}
STORED: Final = {"id": "acti_1", "status": "draft", "sender": '"Jane Roe" <jane@example.com>'}
LEAD: Final = {
    "id": "lead_1",
    "display_name": "Example Ltd",
    "status_label": "Potential",
    "contacts": [{"id": f"cont_{n}", "name": "Sam Poe", "emails": ["sam@example.com"]} for n in range(6)],
    "description": "d" * 120,
}
BLOCK: Final = bytes(256 * 1024)
"""What /big is made of. A write of this size costs little beside the copying."""


def answer(body: bytes) -> bytes:
    """Put Close's usual head on a body."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRateLimit: limit=100, remaining=50, reset=5\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


LEAD_BODY: Final = json.dumps(LEAD).encode()
LEAD_ANSWER: Final = answer(LEAD_BODY)
OWNER_ANSWER: Final = answer(json.dumps(OWNER).encode())
STORED_ANSWER: Final = answer(json.dumps(STORED).encode())
SENDERLESS_ANSWER: Final = answer(json.dumps({**STORED, "id": NO_SENDER_ID, "sender": None}).encode())


class Seen:
    """What has been asked for, by kind, and the last small body that came."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("get", "write", "create", "update", "stored", "owner", "big", "sink"), 0)
        self.last_body = b""

    def as_json(self) -> bytes:
        return json.dumps({"counts": self.counts, "last_body": self.last_body.decode(errors="replace")}).encode()


class Upstream(asyncio.Protocol):
    """One connection to the upstream."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._reader = MessageReader(self._respond, answers=False)
        self.data_received = self._reader.feed  # type: ignore[method-assign] # spares a call for each piece
        self._owed = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=4 * len(BLOCK))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._pay()

    def connection_lost(self, exc: Exception | None) -> None:
        self._owed = 0

    def _respond(self, head: bytes, length: int, body: bytes) -> None:
        method, target, _ = head.split(b" ", 2)
        if method == b"GET":
            self._transport.write(self._read(target))
            if self._owed:
                self._pay()
        else:
            self._seen.last_body = body
            self._transport.write(self._write(target, length))

    def _read(self, target: bytes) -> bytes:
        counts = self._seen.counts
        if target.startswith((b"/api/v1/me/", b"/api/v1/user/")):
            counts["owner"] += 1
            return OWNER_ANSWER
        if target.startswith(EMAILS):
            counts["stored"] += 1
            return SENDERLESS_ANSWER if target.startswith(EMAILS + NO_SENDER_ID.encode()) else STORED_ANSWER
        if target.startswith(b"/big/"):
            counts["big"] += 1
            self._owed = int(target[5:])
            return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % self._owed
        if target == b"/-/seen":
            return answer(self._seen.as_json())
        counts["get"] += 1
        return LEAD_ANSWER

    def _write(self, target: bytes, length: int) -> bytes:
        counts = self._seen.counts
        if target == b"/sink":
            counts["sink"] += 1
            return answer(b'{"received": %d}' % length)
        kind = "write"
        if target.startswith(EMAILS):
            kind = "create" if target == EMAILS else "update"
        counts[kind] += 1
        return LEAD_ANSWER

    def _pay(self) -> None:
        """Write what is owed of a big body, as far as the connection takes it."""
        while self._owed and not self._paused:
            block = BLOCK if self._owed >= len(BLOCK) else BLOCK[: self._owed]
            self._owed -= len(block)
            self._transport.write(block)


async def listen(port: int, seen: Seen) -> asyncio.Server:
    """Open the upstream on 127.0.0.1."""
    return await asyncio.get_running_loop().create_server(lambda: Upstream(seen), "127.0.0.1", port, backlog=4096)


async def serve(port: int) -> None:
    """Serve until the process is stopped."""
    server = await listen(port, Seen())
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))

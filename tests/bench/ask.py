"""One request at a time over a plain blocking socket: for proofs, for readiness and for big bodies."""

import socket
from dataclasses import dataclass
from typing import Final

import httptools

from tests.bench.reader import MessageReader

PIECE: Final = 256 * 1024
TIMEOUT: Final = 60.0
"""Seconds without a byte until a transfer counts as stuck."""


class NoAnswer(Exception):
    """The connection ended before the answer was complete, or what came was none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    length: int
    body: bytes
    """Empty where it is too large to be kept."""


class Asker:
    """A kept-alive connection to a port of this machine."""

    def __init__(self, port: int, timeout: float = TIMEOUT) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers: list[Answer] = []
        self._reader = MessageReader(self._keep, answers=True)

    def _keep(self, head: bytes, length: int, body: bytes) -> None:
        self._answers.append(Answer(int(head[9:12]), length, body))

    def ask(self, request: bytes, upload: int = 0) -> Answer:
        """Send a request, then `upload` zero bytes of body, and wait for the answer."""
        self._socket.sendall(request)
        block = memoryview(bytes(min(upload, PIECE)))
        for sent in range(0, upload, PIECE):
            self._socket.sendall(block[: upload - sent])
        while not self._answers:
            data = self._socket.recv(PIECE)
            if not data:
                raise NoAnswer("the connection was closed")
            try:
                self._reader.feed(data)
            except (ValueError, httptools.HttpParserError) as error:
                raise NoAnswer("the answer is not HTTP") from error
        return self._answers.pop()

    def close(self) -> None:
        self._socket.close()


def ask(port: int, request: bytes, upload: int = 0, timeout: float = TIMEOUT) -> Answer:
    """Ask once, on a connection of its own."""
    asker = Asker(port, timeout)
    try:
        return asker.ask(request, upload)
    finally:
        asker.close()

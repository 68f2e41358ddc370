"""What a supervisor and a worker say to each other: pickled values, over a pair of sockets that nobody else has."""

import asyncio
import pickle
import socket
import struct
from dataclasses import dataclass
from typing import Any, Final, Self

from gateway.config.settings import Settings
from gateway.snapshot import Snapshot

SIZE: Final = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Start:
    """The first thing that a worker hears."""

    settings: Settings
    fingerprint_key: bytes
    sockets: tuple[int, ...]
    """File descriptors that listen."""
    shares: int
    """The file descriptor of gateway.shares."""
    place: int
    """The worker's own among them, from 0."""


@dataclass(frozen=True, slots=True)
class Look:
    """Asks for a Snapshot."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Asks for these settings to be put in force. The answer is None, or why they could not be."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class ClosePort:
    """Asks for no more connections to be accepted. The answer is None."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Asks for what is in flight to be finished. The answer is Stopped, and then the process ends."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a worker has done in all."""

    cut_off: int
    last: Snapshot


class Channel:
    """One end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """Make one of this end of a socket pair."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send(self, value: object) -> None:
        """Say something. Nobody is there to hear it any more? Then `receive` tells."""
        data = pickle.dumps(value)
        self._writer.write(SIZE.pack(len(data)) + data)

    async def sent(self) -> None:
        """Wait until what was said is on its way."""
        await self._writer.drain()

    async def receive(self) -> Any:
        """Wait for what the other says next. Raises EOFError once it is gone."""
        try:
            (size,) = SIZE.unpack(await self._reader.readexactly(SIZE.size))
            return pickle.loads(await self._reader.readexactly(size))  # noqa: S301 - only our own process is there
        except (asyncio.IncompleteReadError, ConnectionError):
            raise EOFError from None

    def close(self) -> None:
        self._writer.close()

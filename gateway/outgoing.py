"""What is written in one round of the event loop goes out together, at the round's end.

A write wakes whoever reads at its other end, and under load that costs more than the write itself. Where the writes
of a round follow one another closely, the reader is still awake for the next one. Where a round has one thing to say,
it is said as soon as ever: nothing waits for another round.
"""

import asyncio
from typing import Final

AT_ONCE: Final = 64 * 1024
"""Bytes that are not held for the end of the round: their reader has enough to do, and may be slow."""


class Rounds:
    """The rounds of an event loop, for all connections that are to be written to in them."""

    __slots__ = ("_due", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: list[Outgoing] = []

    def due(self, outgoing: "Outgoing") -> None:
        """Have it flushed once this round's bytes are read."""
        if not self._due:
            self._loop.call_soon(self._flush)
        self._due.append(outgoing)

    def _flush(self) -> None:
        due, self._due = self._due, []
        for outgoing in due:
            outgoing.flush()


class Outgoing:
    """What one connection has to say in this round.

    `transport` is None before it is open and once it is lost. `flushed` tells whether anything was written to it since
    that was last set to False.
    """

    __slots__ = ("_pieces", "_rounds", "_size", "flushed", "transport")

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._pieces: list[bytes] = []
        self._size = 0
        self.transport: asyncio.Transport | None = None
        self.flushed = False

    def write(self, data: bytes) -> None:
        """Write at the end of the round, or at once where it is much; nowhere, where the connection is closed."""
        if not self._pieces:
            self._rounds.due(self)
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write now: the connection is about to be closed, or the round is over."""
        # uvloop's transport, unlike asyncio's own, raises RuntimeError once it is closed.
        if not self._pieces or self.transport is None or self.transport.is_closing():
            return
        pieces, self._pieces, self._size = self._pieces, [], 0
        self.flushed = True
        self.transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def take_back(self) -> bytes:
        """Give what was not written, for saying it elsewhere."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        return b"".join(pieces)

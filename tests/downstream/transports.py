"""A transport, a clock and rounds of the test's own: a connection can be looked at from one moment to the next."""

import asyncio
from collections.abc import Callable

from gateway.outgoing import Outgoing, Rounds


class FakeSocket:
    """Takes any option."""

    def setsockopt(self, *option: object) -> None:
        """Nothing follows from it here."""


class FakeTransport(asyncio.Transport):
    """Keeps what is done with it. `unsent` is what the other side has not taken yet."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1234), "socket": FakeSocket()})
        self.written = b""
        self.unsent = 0
        self.reading = True
        self.ended: list[str] = []
        """What was done to end it, in order: eof, close, abort."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "Nothing is written after the end."
        self.written += data

    def is_closing(self) -> bool:
        return "close" in self.ended or "abort" in self.ended

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended.append("eof")

    def close(self) -> None:
        self.ended.append("close")

    def abort(self) -> None:
        self.ended.append("abort")

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.unsent


class FakeLoop:
    """Time stands still unless the test moves it, and what is to be called soon is called when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.soon: list[Callable[[], object]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[[], object]) -> None:
        self.soon.append(callback)

    def round(self) -> None:
        """Call what was to be called, once."""
        calls, self.soon = self.soon, []
        for call in calls:
            call()


class FakeRounds(Rounds):
    """A round ends when the test says so."""

    def __init__(self) -> None:
        self._said: list[Outgoing] = []

    def due(self, outgoing: Outgoing) -> None:
        self._said.append(outgoing)

    def end(self) -> None:
        """Have written what was said in this round."""
        said, self._said = self._said, []
        for outgoing in said:
            outgoing.flush()

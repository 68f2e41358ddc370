import asyncio
from typing import Final

from gateway.outgoing import AT_ONCE, Outgoing, Rounds

SMALL: Final = [b"one", b"two"]


class RecordingTransport(asyncio.Transport):
    """Keeps what is written to it, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closing


def opened(rounds: Rounds) -> tuple[Outgoing, RecordingTransport]:
    """Give an open connection's side to write to."""
    outgoing = Outgoing(rounds)
    outgoing.transport = transport = RecordingTransport()
    return outgoing, transport


async def test_what_a_round_says_goes_out_in_one_write() -> None:
    """Of several connections each has its own, in the order in which they began."""
    rounds = Rounds(asyncio.get_running_loop())
    one, first = opened(rounds)
    other, second = opened(rounds)
    for piece in SMALL:
        one.write(piece)
        other.write(piece * 2)
    assert (first.writes, second.writes, one.flushed) == ([], [], False)
    await asyncio.sleep(0)
    assert (first.writes, second.writes, one.flushed) == ([b"onetwo"], [b"oneonetwotwo"], True)
    one.write(b"three")
    await asyncio.sleep(0)
    assert (first.writes, second.writes) == ([b"onetwo", b"three"], [b"oneonetwotwo"])


async def test_much_is_not_held() -> None:
    """A round may bring megabytes of a download: they go on piece by piece, as fast as they are taken."""
    outgoing, transport = opened(Rounds(asyncio.get_running_loop()))
    outgoing.write(b"head")
    outgoing.write(bytes(AT_ONCE))
    assert transport.writes == [b"head" + bytes(AT_ONCE)]
    outgoing.write(b"tail")
    assert len(transport.writes) == 1
    await asyncio.sleep(0)
    assert transport.writes[1:] == [b"tail"]


async def test_it_can_be_said_at_once() -> None:
    """Before a connection is closed; the end of the round has nothing to say then."""
    outgoing, transport = opened(Rounds(asyncio.get_running_loop()))
    outgoing.write(b"last words")
    outgoing.flush()
    await asyncio.sleep(0)
    assert transport.writes == [b"last words"]


async def test_what_a_connection_did_not_take_can_be_taken_back() -> None:
    """To the byte, and once; uvloop would raise on a write to a closed transport."""
    outgoing, transport = opened(Rounds(asyncio.get_running_loop()))
    transport.closing = True
    for piece in SMALL:
        outgoing.write(piece)
    await asyncio.sleep(0)
    assert (transport.writes, outgoing.flushed) == ([], False)
    assert (outgoing.take_back(), outgoing.take_back()) == (b"onetwo", b"")


async def test_before_it_is_open_nothing_is_written() -> None:
    """Nor after it is lost: there is no transport."""
    outgoing = Outgoing(Rounds(asyncio.get_running_loop()))
    outgoing.write(b"too early")
    await asyncio.sleep(0)
    assert (outgoing.flushed, outgoing.take_back()) == (False, b"too early")

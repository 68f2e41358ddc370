"""One client with a crowd: of connections, or of requests. Others are served in their turn, and memory is bounded."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import pytest

from gateway.downstream.connection import MOST_WAITING, ClientConnection
from tests.forwarding.emails import SENDERLESS, write
from tests.gateways import Running, running
from tests.pools import until
from tests.raw import Answer, Client, connected, with_length
from tests.recording import Call, answers, recording

IDLE: Final = 2_000
CROWD: Final = 10_000
OTHER: Final = b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n"
MOST_UNSENT: Final = 256 * 1024
"""Bytes of answers that wait at the most for who does not read: what the event loop holds, and an answer or two."""
FEWEST_TURNS: Final = 50
"""Turns of another client while the crowd is served. If each of the crowd's turns left it one, it would have more."""
MOST_IN_A_PIECE: Final = 256 * 1024
"""Bytes that the event loop reads at a time. All requests of a piece are read before the client is made to wait."""


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """Let this process open as many files as both ends of the crowd need, where it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * IDLE + 500
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"This process may open no more than {hard} files.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def echo(call: Call) -> None:
    """Answer with the target, so that the order shows; at some length, so that it fills the way back."""
    await answers(with_length(b"HTTP/1.1 200 OK\r\n", call.request.target.ljust(1000)))(call)


async def test_idle_connections_do_not_disturb_others() -> None:
    """Two thousand that are open and ask nothing: all others are served, and so are they once they do ask."""
    with many_files():
        async with recording(echo) as upstream, running(upstream.url) as gateway, contextlib.AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(connected(gateway.port)) for _ in range(IDLE)]
            await until(lambda: len(gateway.listener._server.connections) == IDLE)
            async with connected(gateway.port) as other:
                for _ in range(50):
                    assert (await other.ask(OTHER)).body.strip() == b"/other"
            for number in (0, IDLE // 2, IDLE - 1):
                assert (
                    await crowd[number].ask(OTHER.replace(b"other", b"%d" % number))
                ).body.strip() == b"/%d" % number
            assert gateway.gateway.serving.listener.active == 0
            assert [event["event"] for event in gateway.log] == ["gateway_started"]


# -- of requests --


def get(number: int) -> bytes:
    """Make a request that is forwarded."""
    return b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number


def rejected(number: int) -> bytes:
    """Make a request that is rejected on the spot."""
    return write(SENDERLESS, b"X-Request-Id: %d\r\n" % number)


def number_of(answer: Answer) -> int:
    """Tell which request this is the answer to."""
    return int(answer.body[1:] if answer.status == 200 else answer.values(b"x-request-id")[0])


@contextlib.asynccontextmanager
async def narrow(port: int) -> AsyncIterator[Client]:
    """Connect as a client for which the system holds little of what it does not read."""
    near = socket.socket()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    near.setblocking(False)
    await asyncio.get_running_loop().sock_connect(near, ("127.0.0.1", port))
    client = Client(*await asyncio.open_connection(sock=near))
    try:
        yield client
    finally:
        client.reset()


def its_connection(gateway: Running) -> ClientConnection:
    """Give the gateway's end of the one connection that there is."""
    (connection,) = gateway.listener._server.connections
    return connection


def held(connection: ClientConnection) -> tuple[int, int]:
    """Tell what the gateway holds for a client: requests that wait, and bytes that it has not taken."""
    assert connection._transport is not None
    return len(connection._reader.arrived), connection._transport.get_write_buffer_size()


@pytest.mark.parametrize("request_of", [get, rejected], ids=["forwarded", "rejected"])
async def test_pipelined_requests_do_not_disturb_others(request_of: Callable[[int], bytes]) -> None:
    """Ten thousand from a client that at first reads nothing, then slowly, then as fast as it can.

    All the while another client is answered; little is held meanwhile; and each of the crowd is answered in its order.
    """
    requests = [request_of(number) for number in range(CROWD)]
    most = MOST_WAITING + MOST_IN_A_PIECE // len(requests[0])
    async with recording(echo) as upstream, running(upstream.url) as gateway, narrow(gateway.port) as crowd:
        crowd._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: len(gateway.listener._server.connections) == 1)
        connection = its_connection(gateway)
        sending = asyncio.create_task(crowd.send(b"".join(requests)))
        await until(lambda: connection.paused and connection._reading_paused)
        async with connected(gateway.port) as other:
            answered: list[int] = []

            async def others_turn() -> None:
                for request in (OTHER, write(SENDERLESS)):
                    assert (await other.ask(request)).status in {200, 400}
                waiting, unsent = held(connection)
                assert (waiting <= most, unsent < MOST_UNSENT) == (True, True)

            for _ in range(20):
                await others_turn()
            crowd._writer.transport.resume_reading()  # type: ignore[attr-defined]
            for _ in range(10):
                answered += [number_of(await crowd.answer()) for _ in range(10)]
                await others_turn()
            fast = asyncio.create_task(numbers(crowd, CROWD - len(answered)))
            turns = 0
            while not fast.done():
                await others_turn()
                turns += 1
            answered += await fast
            await sending
        assert answered == list(range(CROWD))
        assert turns > FEWEST_TURNS


async def numbers(client: Client, count: int) -> list[int]:
    """Read so many answers."""
    return [number_of(await client.answer()) for _ in range(count)]

"""The balancer does what one in earnest would: an outcome that it causes itself would be put down to a gateway."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from tests.raw import Client, Ended, connected
from tests.replicas.balancer import Backend, Balancer

LARGE = 16 * 1024 * 1024
MOST_HELD = 1024 * 1024
LIMIT = 30.0


class Echo:
    """A backend that says its name, and then whatever it hears; `status` is what its /readyz answers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = 200
        self.writers: list[asyncio.StreamWriter] = []
        self.backend: Backend
        self.server: asyncio.Server

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, name: str) -> AsyncIterator["Echo"]:
        echo = cls(name)
        echo.server, admin = [await asyncio.start_server(serve, "127.0.0.1", 0) for serve in (echo._echo, echo._ready)]
        echo.backend = Backend(name, *(server.sockets[0].getsockname()[1] for server in (echo.server, admin)))
        try:
            yield echo
        finally:
            echo.server.close()
            admin.close()

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError):
            writer.write(self.name.encode())
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.write(b"end")
            writer.close()
            await writer.wait_closed()

    async def _ready(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 %d Said\r\n\r\n" % self.status)
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def three(balancer: Balancer) -> AsyncIterator[list[Echo]]:
    """Three backends, and the balancer knows them."""
    async with contextlib.AsyncExitStack() as stack:
        echoes = [await stack.enter_async_context(Echo.running(name)) for name in "abc"]
        balancer.backends = [echo.backend for echo in echoes]
        yield echoes
        for writer in [writer for echo in echoes for writer in echo.writers]:
            writer.transport.abort()


@pytest.fixture
async def balancer() -> AsyncIterator[Balancer]:
    """A balancer without backends."""
    async with Balancer.running() as started:
        yield started


async def name(client: Client) -> str:
    """Read which backend this is."""
    async with asyncio.timeout(LIMIT):
        return (await client.reader.readexactly(1)).decode()


async def served_by(balancer: Balancer, times: int) -> str:
    """Tell who serves so many connections, one after the other."""
    found = ""
    for _ in range(times):
        async with connected(balancer.port) as client:
            found += await name(client)
    return found


async def told(backend: Backend, status: int | None) -> None:
    """Wait until the balancer has heard this of a backend."""
    async with asyncio.timeout(LIMIT):
        while backend.told[-1:] != [status]:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def test_each_has_its_turn(balancer: Balancer, three: list[Echo]) -> None:
    """Connections go to one backend after the other."""
    assert await served_by(balancer, 6) == "abcabc"


async def test_who_refuses_is_passed_over(balancer: Balancer, three: list[Echo]) -> None:
    """The client notices nothing, and gets another backend."""
    three[1].server.close()
    assert set(await served_by(balancer, 9)) == {"a", "c"}
    assert balancer.passed_over >= 1


async def test_nobody_is_there(balancer: Balancer) -> None:
    """The client sees its connection end."""
    with pytest.raises(Ended):
        async with connected(balancer.port) as client:
            await client.head()


async def test_who_is_not_ready_gets_no_more_connections(balancer: Balancer, three: list[Echo]) -> None:
    """Those that it has go on; once it says that it is ready again, it gets new ones."""
    async with connected(balancer.port) as client:
        assert await name(client) == "a"
        await told(three[0].backend, 200)
        three[0].status = 503
        await told(three[0].backend, 503)
        assert set(await served_by(balancer, 6)) == {"b", "c"}
        await client.send(b"x")
        assert await name(client) == "x"
    three[0].status = 200
    await told(three[0].backend, 200)
    assert set(await served_by(balancer, 6)) == {"a", "b", "c"}
    assert three[0].backend.told == [200, 503, 200]


async def test_none_is_ready(balancer: Balancer, three: list[Echo]) -> None:
    """Rather than nobody, somebody is tried who may serve all the same."""
    for echo in three:
        echo.status = 503
        await told(echo.backend, 503)
    assert await served_by(balancer, 2) == "aa"


async def test_it_knows_who_serves_whom(balancer: Balancer, three: list[Echo]) -> None:
    """By the port that the client has, for as long as the connection is open."""
    async with connected(balancer.port) as client:
        served = await name(client)
        pairing = balancer.pairing(client._writer.get_extra_info("sockname")[1])
        assert pairing is not None
        assert pairing.backend is next(echo.backend for echo in three if echo.name == served)
        assert balancer.pairings(pairing.backend) == {pairing}
    async with asyncio.timeout(LIMIT):
        while balancer.pairings(pairing.backend):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def test_the_end_of_one_direction(balancer: Balancer, three: list[Echo]) -> None:
    """A client that says no more still hears the rest, and then the end."""
    async with connected(balancer.port) as client:
        await client.send(b"last words ")
        client.end()
        assert await client.rest() == b"alast words end"


async def test_much_is_sent_both_ways(balancer: Balancer, three: list[Echo]) -> None:
    """Nothing is lost or turned round, and for a reader that is slow the balancer holds little."""
    sent = bytes(range(256)) * (LARGE // 256)
    async with connected(balancer.port) as client:
        client._writer.write(sent)
        await asyncio.sleep(0.2)  # until every buffer of the system's is full
        (side,) = balancer._open.values()
        assert side._other is not None
        held = max(half.transport.get_write_buffer_size() for half in (side, side._other))
        try:
            async with asyncio.timeout(LIMIT):
                assert await client.reader.readexactly(1 + LARGE) == b"a" + sent
        finally:
            client.reset()  # what is not sent by now would keep it from closing
    assert held < MOST_HELD


async def test_a_backend_resets(balancer: Balancer, three: list[Echo]) -> None:
    """Its client sees a reset, not an end in good order."""
    async with connected(balancer.port) as client:
        await name(client)
        reset(three[0].writers[0])
        async with asyncio.timeout(LIMIT):
            with pytest.raises(ConnectionResetError):
                await client.reader.read()


async def test_a_client_resets(balancer: Balancer, three: list[Echo]) -> None:
    """Its backend sees the connection end without the last words of good order."""
    async with connected(balancer.port) as client:
        await name(client)
        reset(client._writer)
        writer = three[0].writers[0]
        async with asyncio.timeout(LIMIT):
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        assert balancer.pairings(three[0].backend) == set()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as the system does for a process that is killed with bytes unread."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

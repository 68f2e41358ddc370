import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from gateway.outgoing import Rounds
from gateway.upstream.connection import UpstreamConnection
from gateway.upstream.errors import UpstreamBroken, UpstreamBusy, UpstreamUnreachable
from gateway.upstream.pool import Origin, Pool, tls_context
from tests.pools import Borrowed, exchanged, pooled, until
from tests.raw import with_length
from tests.recording import OK, Call, Recording, answers, hangs, in_turn, recording

ORIGINS = [
    ("https://api.close.com", Origin("https", "api.close.com", 443), b"api.close.com"),
    ("https://api.close.com/", Origin("https", "api.close.com", 443), b"api.close.com"),
    ("https://api.close.com:443", Origin("https", "api.close.com", 443), b"api.close.com"),
    ("https://API.close.com:5001", Origin("https", "api.close.com", 5001), b"api.close.com:5001"),
    ("http://127.0.0.1", Origin("http", "127.0.0.1", 80), b"127.0.0.1"),
    ("http://127.0.0.1:443", Origin("http", "127.0.0.1", 443), b"127.0.0.1:443"),
    ("http://[::1]:8080", Origin("http", "::1", 8080), b"[::1]:8080"),
    ("https://bücher.example", Origin("https", "bücher.example", 443), b"xn--bcher-kva.example"),
]


@pytest.mark.parametrize(("url", "origin", "authority"), ORIGINS)
def test_an_origin_is_read_from_a_url(url: str, origin: Origin, authority: bytes) -> None:
    """And Host names its port only where it is not the scheme's own (RFC 9110, 7.2)."""
    assert (Origin.of(url), origin.authority) == (origin, authority)


def test_tls_is_verified() -> None:
    """The upstream's name and certificate are checked, and nothing below TLS 1.2 is spoken."""
    context = tls_context(None)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_file_of_authorities_that_cannot_be_read_is_an_oserror(tmp_path: Path) -> None:
    """Missing, or holding no certificate: it shows at the start, not at the first request."""
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(OSError, match=r"(?i)no such file|no certificate"):
            tls_context(tmp_path / name)


async def borrowed(pool: Pool) -> UpstreamConnection:
    """Borrow as the forwarder does: what is free, else what can be opened or becomes free."""
    return pool.take() or await pool.connect()


async def test_a_connection_is_used_again() -> None:
    """Ten exchanges one after the other need one connection."""
    async with recording() as upstream, pooled(upstream.url) as pool:
        for _ in range(10):
            connection = await borrowed(pool)
            assert (await exchanged(connection))[1] == b"recorded"
            pool.give_back(connection)
        assert (len(upstream.connections), pool.open, pool.idle) == (1, 1, 1)
        assert {request.connection for request in upstream.requests} == {0}


async def test_the_one_used_last_is_lent_first() -> None:
    """So that those a quiet hour does not need grow old."""
    async with recording() as upstream, pooled(upstream.url) as pool:
        one, two, three = [await pool.connect() for _ in range(3)]
        for connection in (two, one, three):
            await exchanged(connection)
            pool.give_back(connection)
        assert [pool.take() for _ in range(4)] == [three, one, two, None]


async def test_a_connection_that_is_not_fit_is_not_kept() -> None:
    """Its exchange is not over, or its upstream closes: it is closed, and never lent again."""
    script = in_turn(hangs(), answers(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
    async with recording(script) as upstream, pooled(upstream.url) as pool:
        unfinished, closing = [await pool.connect() for _ in range(2)]
        Borrowed(unfinished)
        await upstream.received(1)
        await exchanged(closing)
        for connection in (unfinished, closing):
            pool.give_back(connection)
            assert pool.take() is None
        await until(lambda: pool.open == 0)


async def test_what_was_left_unread_never_reaches_the_next_exchange() -> None:
    """A client that left before it had taken its answer leaves nothing of it behind."""
    script = in_turn(answers(with_length(b"HTTP/1.1 200 OK\r\n", b"for someone else")), answers(OK))
    async with recording(script) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        await Borrowed(connection).head()
        await until(lambda: connection.complete)
        pool.give_back(connection)
        assert (await exchanged(await borrowed(pool)))[1] == b"recorded"


async def test_unasked_bytes_retire_an_idle_connection() -> None:
    """Or they would be taken for the answer to the next request."""
    pushed = asyncio.Event()

    async def script(call: Call) -> None:
        await call.read_all()
        await call.send(OK)
        await pushed.wait()
        await call.send(OK)

    async with recording(script) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        await exchanged(connection)
        pool.give_back(connection)
        assert pool.idle == 1
        pushed.set()
        await until(lambda: pool.open == 0)
        assert (pool.idle, pool.take()) == (0, None)


@pytest.mark.parametrize("happens", ["unasked bytes", "the end"])
async def test_a_connection_that_is_about_to_go_is_not_lent(happens: str) -> None:
    """What it has just been told the loop tells the pool a moment later; a request must not fall in between."""
    async with recording() as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        await exchanged(connection)
        pool.give_back(connection)
        if happens == "the end":
            connection.eof_received()
        else:
            connection.data_received(OK)
        assert pool.take() is None


async def test_an_idle_connection_that_the_upstream_closes_is_forgotten() -> None:
    """Most servers close what is unused for a minute."""
    async with recording() as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        await exchanged(connection)
        pool.give_back(connection)
        await upstream.connections[0].close()
        await until(lambda: pool.open == 0)
        assert (pool.idle, pool.take()) == (0, None)


async def test_idle_connections_grow_old() -> None:
    """After `idle_timeout` seconds of not being used each is closed, in good order."""
    async with recording() as upstream, pooled(upstream.url, idle_timeout=0.05) as pool:
        connections = [await pool.connect() for _ in range(3)]
        for connection in connections:
            await exchanged(connection)
            pool.give_back(connection)
        assert pool.idle == 3
        await until(lambda: (pool.idle, pool.open) == (0, 0))
        assert all([await connection.left.wait() for connection in upstream.connections])


async def test_a_connection_in_use_does_not_grow_old() -> None:
    """Only time spent unused counts."""
    async with recording() as upstream, pooled(upstream.url, idle_timeout=0.05) as pool:
        used, unused = [await pool.connect() for _ in range(2)]
        for connection in (used, unused):
            await exchanged(connection)
        pool.give_back(unused)
        await until(lambda: pool.open == 1)
        assert (await exchanged(used))[1] == b"recorded"


async def test_there_are_no_more_connections_than_allowed() -> None:
    """Forty exchanges at a time over four connections, each with its own answer."""

    async def script(call: Call) -> None:
        await call.read_all()
        await asyncio.sleep(0.001)
        await call.send(with_length(b"HTTP/1.1 200 OK\r\n", call.request.target))

    async with recording(script) as upstream, pooled(upstream.url, max_connections=4) as pool:

        async def one(number: int) -> bool:
            connection = await borrowed(pool)
            assert pool.open <= 4
            _, body = await exchanged(connection, b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
            pool.give_back(connection)
            return body == b"/%d" % number

        assert all(await asyncio.gather(*(one(number) for number in range(40))))
        assert len(upstream.connections) == 4


async def test_who_waits_longest_is_served_first() -> None:
    """First come, first served."""
    async with recording() as upstream, pooled(upstream.url, max_connections=1) as pool:
        connection = await pool.connect()
        served: list[int] = []

        async def wait(number: int) -> None:
            mine = await pool.connect()
            served.append(number)
            await exchanged(mine)
            pool.give_back(mine)

        waiting = [asyncio.create_task(wait(number)) for number in range(5)]
        await asyncio.sleep(0)
        await exchanged(connection)
        pool.give_back(connection)
        await asyncio.gather(*waiting)
        assert served == [0, 1, 2, 3, 4]
        assert len(upstream.connections) == 1


async def test_who_waits_too_long_is_told() -> None:
    """After `connect_timeout` seconds; the next one that waits is not harmed."""
    async with recording() as upstream, pooled(upstream.url, max_connections=1, connect_timeout=0.05) as pool:
        connection = await pool.connect()
        with pytest.raises(UpstreamBusy, match=r"^All 1 connections to the upstream are taken\.$"):
            await pool.connect()
        waiting = asyncio.create_task(pool.connect())
        await asyncio.sleep(0)
        await exchanged(connection)
        pool.give_back(connection)
        assert await waiting is connection


async def test_a_place_that_becomes_free_is_taken() -> None:
    """Where a connection is closed rather than given back, the one who waits opens another."""
    async with recording() as upstream, pooled(upstream.url, max_connections=1) as pool:
        connection = await pool.connect()
        waiting = asyncio.create_task(pool.connect())
        await asyncio.sleep(0)
        connection.abort()
        assert (await exchanged(await waiting))[1] == b"recorded"
        assert len(upstream.connections) == 2


async def test_who_leaves_while_waiting_takes_no_turn() -> None:
    """Neither before its turn comes nor when it has just come."""
    async with recording() as upstream, pooled(upstream.url, max_connections=1) as pool:
        connection = await pool.connect()
        await exchanged(connection)
        early, late, last = [asyncio.create_task(pool.connect()) for _ in range(3)]
        await asyncio.sleep(0)
        early.cancel()
        await asyncio.sleep(0)
        pool.give_back(connection)  # the turn of `late`
        late.cancel()
        assert await last is connection
        assert (await asyncio.gather(early, late, return_exceptions=True))[0].__class__ is asyncio.CancelledError


async def test_who_leaves_while_connecting_makes_room() -> None:
    """A connection that is not wanted any more is nobody's, so the one who waits may open its own."""
    async with recording() as upstream, pooled(upstream.url, max_connections=1, connect_timeout=1.0) as pool:
        leaving, waiting = [asyncio.create_task(pool.connect()) for _ in range(2)]
        await asyncio.sleep(0)
        leaving.cancel()
        assert (await exchanged(await waiting))[1] == b"recorded"


async def test_an_upstream_that_is_not_there_is_unreachable() -> None:
    """At once, with the reason; each one who waits learns it, too."""
    upstream = Recording(answers(OK))
    await upstream.start()
    await upstream.stop()
    expected = rf"^No connection to 127\.0\.0\.1:{upstream.port}: connection refused\.$"
    async with pooled(upstream.url, max_connections=1) as pool:
        tasks = [asyncio.create_task(pool.connect()) for _ in range(3)]
        for task in tasks:
            with pytest.raises(UpstreamUnreachable, match=expected):
                await task
        await upstream.start()
        assert (await exchanged(await pool.connect()))[1] == b"recorded"
        await upstream.stop()


async def test_a_name_that_nobody_knows_is_unreachable() -> None:
    """RFC 2606: .invalid never resolves."""
    async with pooled("http://close.invalid:1") as pool:
        with pytest.raises(UpstreamUnreachable, match=r"^No connection to close\.invalid:1: "):
            await pool.connect()


async def test_an_upstream_that_does_not_speak_tls_is_unreachable() -> None:
    """It says nothing, or something else: either way no byte of a request is sent."""
    async with recording() as upstream:
        for timeout, says, reason in (
            (0.05, b"", "it took too long"),
            (5.0, b"HTTP/1.1 400 Bad Request\r\n\r\n", "ssl"),
        ):
            origin = Origin("https", "127.0.0.1", upstream.port)
            times = {"timeout": 1.0, "connect_timeout": timeout, "idle_timeout": 1.0}
            rounds = Rounds(asyncio.get_running_loop())
            pool = Pool(origin, tls_context(None), rounds, max_connections=1, **times)
            before = len(upstream.connections)
            connecting = asyncio.create_task(pool.connect())
            await upstream.until(lambda before=before: len(upstream.connections) > before)  # type: ignore[misc]
            await upstream.connections[-1].send(says)
            with pytest.raises(UpstreamUnreachable, match=f"(?i){reason}"):
                await connecting
            await pool.close()
        assert upstream.requests == []


async def test_closing_ends_every_connection() -> None:
    """In use or not; whoever waits for an answer is told."""
    async with recording(in_turn(answers(OK), hangs())) as upstream, pooled(upstream.url) as pool:
        idle, busy = [await pool.connect() for _ in range(2)]
        await exchanged(idle)
        pool.give_back(idle)
        waiting = asyncio.create_task(exchanged(busy))
        await upstream.received(2)
        await pool.close()
        with pytest.raises(UpstreamBroken):
            await waiting
        await until(lambda: (pool.idle, pool.open) == (0, 0))
        assert all([await connection.left.wait() for connection in upstream.connections])


async def test_one_in_the_queue_of_the_system_takes_too_long() -> None:
    """A port that accepts nobody: `connect_timeout` is all it gets."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with pooled(url, connect_timeout=0.1, max_connections=16) as pool:
            results = await asyncio.gather(*(pool.connect() for _ in range(8)), return_exceptions=True)
            late = [result for result in results if isinstance(result, UpstreamUnreachable)]
            assert late
            assert {str(error).rpartition(": ")[2] for error in late} == {"it took too long."}

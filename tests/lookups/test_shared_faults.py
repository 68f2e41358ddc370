"""Gateways over a Redis that ails: Close is asked instead, and nobody waits for it twice."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import trustme

from gateway.lookups.client import LookupFailed
from gateway.lookups.link import BUDGET, CacheState
from tests.lookups.redis_server import RedisServer, redis_server
from tests.lookups.sharing import JANE, PATIENT, Peer, asked, key, peers, slowly, until
from tests.raw import with_length
from tests.recording import OWNER, Recording, answers, hangs, in_turn

README: Final = Path(__file__).parents[2] / "README.md"
FAILS: Final = answers(with_length(b"HTTP/1.1 500 Ailing\r\n", b""))
BACK = ("identity_cache_back", None)


async def asks_close(peer: Peer, upstream: Recording, name: str) -> None:
    """See that the peer asks Close, and is told."""
    before = len(upstream.requests)
    assert await peer.owner(name) == JANE
    assert len(upstream.requests) == before + 1


async def test_redis_stands_still() -> None:
    """All who ask at that time lose a moment together; from then on nobody does. When it goes on it is used again."""
    with redis_server() as server:
        async with peers(server.url, 1, budget=BUDGET) as (upstream, (peer,)):
            await asks_close(peer, upstream, "a")
            server.pause()
            try:
                assert await asyncio.gather(*(peer.owner(f"key{number}") for number in range(20))) == [JANE] * 20
                assert peer.link.state == CacheState(up=False, reason="too_slow")
                for number in range(20):
                    await asks_close(peer, upstream, f"later{number}")
                assert (peer.link.failures, peer.link._queue, peer.link._sent) == (1, [], [])
            finally:
                peer.link._budget = PATIENT
                server.resume()
            await peer.is_up()
            await asks_close(peer, upstream, "c")
            await until(lambda: len(server.names()) >= 2)
            assert peer.events() == [("identity_cache_down", "too_slow"), BACK]


async def test_it_stands_still_while_another_gateway_is_waited_for() -> None:
    """Whoever waits for another's answer asks for itself."""
    gate = asyncio.Event()
    with redis_server() as server:
        async with peers(server.url, 2, script=slowly(gate), budget=1.0) as (upstream, gateways):
            waiting = [asyncio.create_task(peer.owner("a")) for peer in gateways]
            await upstream.received(1)
            server.pause()
            try:
                await upstream.received(2)
                gate.set()
                assert await asyncio.gather(*waiting) == [JANE, JANE]
            finally:
                server.resume()


@pytest.mark.parametrize("end", [RedisServer.kill, RedisServer.stop])
async def test_redis_is_started_anew(end: Callable[[RedisServer], None]) -> None:
    """It has forgotten all; while it was away Close was asked, and what it told is remembered for its whole time."""
    with redis_server() as server:
        async with peers(server.url) as (upstream, (one, other)):
            await asks_close(one, upstream, "a")
            end(server)
            await asks_close(one, upstream, "b")
            await asks_close(other, upstream, "b")
            assert one.link.state == CacheState(up=False, reason="ConnectionError")
            assert one.shared.local > 1e9
            server.start()
            for peer in (one, other):
                await peer.is_up()
            await asks_close(one, upstream, "c")
            await until(server.names)
            assert await other.owner("c") == JANE
            assert asked(upstream) == {"a": 1, "b": 2, "c": 1}
            assert one.events() == [("identity_cache_down", "ConnectionError"), BACK]


async def test_redis_is_not_there_at_the_start() -> None:
    """The gateway starts without it, and uses it once it is there."""
    with redis_server() as server:
        server.stop()
        async with peers(server.url, 1, up=False) as (upstream, (peer,)):
            await asks_close(peer, upstream, "a")
            server.start()
            await peer.is_up()
            assert peer.events() == [("identity_cache_down", "ConnectionError"), BACK]


@pytest.mark.parametrize(
    ("command", "reason", "mend"),
    [
        (["CONFIG", "SET", "maxmemory", "1"], "OutOfMemoryError", ["CONFIG", "SET", "maxmemory", "0"]),
        (["REPLICAOF", "127.0.0.1", "1"], "ReadOnlyError", ["REPLICAOF", "NO", "ONE"]),
        (["ACL", "SETUSER", "default", "-set"], "NoPermissionError", ["ACL", "SETUSER", "default", "+set"]),
    ],
)
async def test_redis_takes_nothing(command: list[str], reason: str, mend: list[str]) -> None:
    """Full, a replica, or ours may not write: it is left alone, not tried with each look-up, until it takes values."""
    with redis_server() as server:
        async with peers(server.url, 1) as (upstream, (peer,)):
            server.say(*command)
            for name in "abc":
                await asks_close(peer, upstream, name)
            assert peer.link.state == CacheState(up=False, reason=reason)
            await asyncio.sleep(0.5)  # tried again, and found ailing
            assert (peer.link.state.up, peer.link.failures) == (False, 1)
            server.say(*mend)
            await peer.is_up()
            assert peer.events() == [("identity_cache_down", reason), BACK]


async def test_redis_wants_a_password() -> None:
    """Without one, or with another, it is not used; none is ever told."""
    with redis_server(requirepass="the right canary") as server:
        for password, reason in (("", "AuthenticationError"), ("canary", "AuthenticationError")):
            url = server.url.replace("unix://", f"unix://:{password}@" if password else "unix://")
            async with peers(url, 1, up=False) as (upstream, (peer,)):
                await asks_close(peer, upstream, "a")
                assert peer.events() == [("identity_cache_down", reason)]
                assert b"canary" not in peer.lines.getvalue()
        async with peers(server.url.replace("unix://", "unix://:the%20right%20canary@"), 1) as (upstream, (peer,)):
            await asks_close(peer, upstream, "a")
            assert peer.events() == []


BANTER = {
    "moved": b"-MOVED 7 10.0.0.1:6379\r\n",
    "loading": b"-LOADING Redis is loading canary\r\n",
    "an error": b"-ERR canary\r\n",
    "no protocol": b"canary\r\n",
    "HTTP": with_length(b"HTTP/1.1 400 Bad Request\r\n", b"canary"),
    "nothing": b"",
    "a number": b":7\r\n",
    "an absurd length": b"$99999999999\r\n",
    "no length": b"$canary\r\n",
    "no end": b"+" + b"canary" * 100_000,
}


@asynccontextmanager
async def server_that_says(banter: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answer the gateway's first commands as Redis does, and each after them with this."""
    heard: list[bytes] = []
    serving: list[tuple[asyncio.StreamWriter, asyncio.Task[None] | None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append((writer, asyncio.current_task()))
        while data := await reader.read(65_536):
            heard.append(data)
            for command in data.split(b"*")[1:]:
                if b"CLIENT" in command or (b"SET" in command and b":probe" in command and b"GET" not in command):
                    writer.write(b"+OK\r\n")
                elif b":probe" in command:
                    writer.write(b"$0\r\n\r\n")
                else:
                    writer.write(banter)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
    finally:
        server.close()
        for writer, task in serving:
            writer.close()
            if task is not None:
                await asyncio.wait([task], timeout=5)


@pytest.mark.parametrize("banter", BANTER.values(), ids=BANTER)
async def test_redis_talks_nonsense(banter: bytes) -> None:
    """Whatever it says, Close is asked, and no word of it is told."""
    async with server_that_says(banter) as (url, heard), peers(url, 1, budget=0.2) as (upstream, (peer,)):
        for name in "abc":
            await asks_close(peer, upstream, name)
        assert b"canary" not in peer.lines.getvalue()
        assert b"api_canary" not in b"".join(heard)


async def test_over_tls() -> None:
    """With an authority of one's own it is used; without, it is not trusted."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with redis_server() as server, authority.cert_pem.tempfile() as ca_file:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            to_redis, redis = await asyncio.open_unix_connection(server.url.removeprefix("unix://"))
            await asyncio.gather(_copy(reader, redis), _copy(to_redis, writer))

        front = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        url = f"rediss://127.0.0.1:{front.sockets[0].getsockname()[1]}"
        async with peers(f"{url}?ssl_ca_certs={ca_file}", 1) as (upstream, (peer,)):
            await asks_close(peer, upstream, "a")
            await until(server.names)
        async with peers(url, 1, up=False) as (upstream, (peer,)):
            await asks_close(peer, upstream, "a")
            assert peer.events() == [("identity_cache_down", "ConnectionError")]
        front.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


async def test_closing_gives_up_what_is_asked_of_a_redis_that_stands_still() -> None:
    """A gateway stops in time."""
    with redis_server() as server:
        async with peers(server.url, 1, script=hangs()) as (_, (peer,)):
            server.pause()
            waiting = asyncio.create_task(peer.owner("a"))
            await until(lambda: peer.link._sent)
            async with asyncio.timeout(5):
                await peer.identities.close()
                await peer.link.close()
            assert waiting.cancelled() or (await asyncio.gather(waiting, return_exceptions=True))
            server.resume()


async def test_a_user_who_may_do_what_the_readme_says() -> None:
    """And nothing else, finds, tells, gives up and forgets."""
    allowed = re.search(r"ACL SETUSER gateway on >password ([^`]*)", README.read_text("utf-8"))
    assert allowed is not None
    with redis_server() as server:
        server.say("ACL", "SETUSER", "gateway", "on", ">password", *allowed[1].split())
        url = server.url.replace("unix://", "unix://gateway:password@") + "?db=1"
        async with peers(url, script=in_turn(FAILS, answers(OWNER))) as (_, (one, other)):
            with pytest.raises(LookupFailed, match="status_500"):
                await one.owner("a")
            assert await one.owner("a") == JANE
            await until(lambda: not one.shared._writing)
            assert await other.owner("a") == JANE
            assert other.meters.identities_shared == 1
            other.identities.forget(key("a"))
            await until(lambda: not other.shared._doomed)
            assert (one.events(), other.events()) == ([], [])

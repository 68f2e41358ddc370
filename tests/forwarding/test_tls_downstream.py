"""Clients that come by TLS: what holds in the clear holds for them too."""

import asyncio
import hashlib
import random
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import pytest

from gateway.config.settings import InspectSettings, Oversize, ShutdownSettings, UpstreamSettings
from gateway.downstream import handshake
from tests.certificates import Pair, pair_in, trusting
from tests.forwarding.emails import LOGGED, SENDERLESS, write
from tests.gateways import Running, running, until
from tests.raw import LIMIT, Answer, Client, Ended, body_pieces, chunked, connected, values, with_length
from tests.recording import OK, OWNER, Call, Recording, answers, by_path, closes, hangs, in_turn, recording, resets

GET: Final = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
SIZE: Final = 40 * 1024 * 1024
SMALL: Final = 400 * 1024
"""Bytes that the systems of both sides can hold."""
BLOCK: Final = random.Random(2).randbytes(SIZE)
SURPLUS: Final = GET * 200_000
"""More than the systems of both sides hold of what nobody reads."""
TRUSTING: Final = trusting()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Issue one pair for all."""
    return pair_in(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def secured(
    pair: Pair, close: Recording, limits: dict[str, Any] | None = None, **sections: Any
) -> AsyncIterator[Running]:
    """Run a gateway that clients reach by TLS."""
    async with running(close.url, listener=pair.listener(**(limits or {})), **sections) as gateway:
        yield gateway


def by_tls(gateway: Running) -> Any:
    """Connect."""
    return connected(gateway.port, TRUSTING)


async def left(upstream: Recording) -> None:
    """Wait until the gateway has left the upstream."""
    await asyncio.wait_for(upstream.connections[0].left.wait(), LIMIT)


async def test_what_is_spoken(pair: Pair) -> None:
    """TLS 1.3 where both can, HTTP/1.1 of what a client offers, and the upstream is told of https."""
    told = UpstreamSettings(forwarded=True)
    async with recording() as upstream, secured(pair, upstream, upstream=told) as gateway, by_tls(gateway) as client:
        assert (await client.ask(GET)).body == b"recorded"
        shaken = client._writer.get_extra_info("ssl_object")
        assert (shaken.version(), shaken.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
        assert values(upstream.requests[0].head, b"x-forwarded-proto") == [b"https"]


async def test_an_old_version_is_refused(pair: Pair) -> None:
    """RFC 8996: no TLS below 1.2, whatever the system's OpenSSL would do. The log tells why."""
    old = trusting()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with recording() as upstream, secured(pair, upstream) as gateway:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", gateway.port, ssl=old, server_hostname="localhost")
        await until(lambda: bool(gateway.events("tls_handshake_failed")))
        (event,) = gateway.events("tls_handshake_failed")
        assert (event["client"], event["reason"]) == ("127.0.0.1", "unsupported protocol")


async def test_one_after_the_other(pair: Pair) -> None:
    """A connection is kept; requests sent at once are answered in their order; emails are judged."""
    script = by_path({b"/api/v1/me/": answers(OWNER)}, answers(OK))
    async with recording(script) as upstream, secured(pair, upstream) as gateway, by_tls(gateway) as client:
        for _ in range(3):
            assert (await client.ask(GET)).status == 200
        await client.send(GET + write(SENDERLESS) + write(LOGGED) + GET)
        assert [(await client.answer()).status for _ in range(4)] == [200, 400, 200, 200]
        assert b'"jane@example.com"' in upstream.requests[-2].body


async def test_a_client_as_others_write_them(pair: Pair) -> None:
    """One that verifies the certificate, keeps connections and asks many things at once."""
    async with recording() as upstream, secured(pair, upstream) as gateway, aiohttp.ClientSession() as client:

        async def ask(number: int) -> tuple[int, str]:
            url = f"https://localhost:{gateway.port}/{number}"
            async with client.post(url, data=b"x" * number * 1000, ssl=TRUSTING) as answer:
                return answer.status, await answer.text()

        assert await asyncio.gather(*map(ask, range(50))) == [(200, "recorded")] * 50
        assert sorted(len(request.body) for request in upstream.requests) == [number * 1000 for number in range(50)]


@pytest.mark.parametrize("chunks", [False, True], ids=["length", "chunked"])
async def test_large_bodies(pair: Pair, *, chunks: bool) -> None:
    """Up and down whole; who sends waits while who receives does."""
    body = chunked(BLOCK) if chunks else BLOCK
    framing = b"Transfer-Encoding: chunked\r\n\r\n" if chunks else b"Content-Length: %d\r\n\r\n" % SIZE
    sent = 0

    async def script(call: Call) -> None:
        nonlocal sent
        await call.read_all()
        await call.send(b"HTTP/1.1 200 OK\r\n" + framing)
        for start in range(0, len(body), 65536):
            await call.send(body[start : start + 65536])
            sent += 65536

    async with recording(script) as upstream, secured(pair, upstream) as gateway, by_tls(gateway) as client:
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\n" + framing + body)
        head = await client.head()
        seen = -1
        while seen != sent:  # until the client makes the upstream wait
            seen = sent
            await asyncio.sleep(0.1)
        assert sent < SIZE
        sha256 = hashlib.sha256()
        async with asyncio.timeout(LIMIT):
            async for piece in body_pieces(client.reader, head, request=False):
                sha256.update(piece)
        assert sha256.digest() == hashlib.sha256(BLOCK).digest()
        assert upstream.requests[0].sha256 == sha256.hexdigest()


@pytest.mark.parametrize("how", ["closes", "resets"])
async def test_a_client_that_leaves(pair: Pair, how: str) -> None:
    """Its exchange ends, and its connection to the upstream with it."""
    async with recording(hangs(OK[:-3])) as upstream, secured(pair, upstream) as gateway:
        async with by_tls(gateway) as client:
            await client.send(GET)
            await client.head()
            if how == "resets":
                client.reset()
        await left(upstream)


BROKEN_OFF = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
}


@pytest.mark.parametrize("begun", BROKEN_OFF.values(), ids=BROKEN_OFF)
@pytest.mark.parametrize("end", [closes, resets])
async def test_an_answer_that_breaks_off(pair: Pair, begun: bytes, end: Any) -> None:
    """It never looks complete, and takes no answer before it along."""
    script = in_turn(answers(OK), end(begun))
    async with recording(script) as upstream, secured(pair, upstream) as gateway, by_tls(gateway) as client:
        await client.send(GET + GET)
        assert (await client.answer()).body == b"recorded"
        with pytest.raises(Ended):
            await client.answer()


async def test_an_answer_without_a_length_that_breaks_off(pair: Pair) -> None:
    """To HTTP/1.0 its end is that of the connection: the client sees an error, and no goodbye in good order."""
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
    async with recording(closes(begun)) as upstream, secured(pair, upstream) as gateway, by_tls(gateway) as client:
        await client.send(b"GET /x HTTP/1.0\r\n\r\n")
        await client.head()
        with pytest.raises(Ended):
            await client.rest()


STRICT: Final = InspectSettings(max_body=1000, oversize=Oversize.REJECT)
REFUSED = {  # what is refused, with which status
    "no request": (b"no request at all\r\n\r\n", 400),
    "too large, as its length says": (write(b"").replace(b"Length: 0", b"Length: 99999999"), 413),
}


@pytest.mark.parametrize(("request_", "status"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_is_read_by_who_still_sends(pair: Pair, request_: bytes, status: int) -> None:
    """TLS has no half-closed connection to read on from; the whole answer and a good end come all the same."""
    async with recording() as upstream, secured(pair, upstream, inspect=STRICT) as gateway:
        async with by_tls(gateway) as client:
            await client.send(request_ + SURPLUS)
            answer: Answer = await client.answer()
            assert (answer.status, answer.values(b"connection")) == (status, [b"close"])
            assert await client.rest() == b""
        await until(lambda: not gateway.gateway.serving.listener.connections)


async def test_a_client_that_does_not_say_goodbye_is_let_go(pair: Pair) -> None:
    """The gateway closes, waits a moment for the client to do the same, and then for nobody."""
    limits = {"idle_timeout": 0.2, "body_timeout": 0.5}
    async with recording() as upstream, secured(pair, upstream, limits) as gateway, by_tls(gateway) as client:
        await client.ask(GET)
        client._writer.transport.pause_reading()  # the goodbye is not seen
        await until(lambda: not gateway.gateway.serving.listener.connections)


async def test_a_client_that_takes_nothing_is_cut_off(pair: Pair) -> None:
    """What is encrypted already and not taken counts too."""
    script, limits = answers(with_length(b"HTTP/1.1 200 OK\r\n", BLOCK)), {"body_timeout": 0.5}
    async with recording(script) as upstream, secured(pair, upstream, limits) as gateway, by_tls(gateway) as client:
        await client.send(GET)
        await client.head()
        client._writer.transport.pause_reading()
        await until(lambda: not gateway.gateway.serving.listener.connections)
        assert [event["code"] for event in gateway.events("client_stalled")] == ["answer_not_taken"]


async def test_a_stop(pair: Pair) -> None:
    """What is in flight is finished, what is unused is closed, a handshake is ended, and nothing is left behind."""
    go_on = asyncio.Event()

    async def script(call: Call) -> None:
        await go_on.wait()
        await answers(OK)(call)

    async with recording(script) as upstream, secured(pair, upstream, shutdown=ShutdownSettings(grace=10)) as gateway:
        before = asyncio.all_tasks()
        async with by_tls(gateway) as client, by_tls(gateway) as unused, connected(gateway.port) as silent:
            await client.send(GET)
            await upstream.received(1)
            stop = asyncio.create_task(gateway.stop())
            await asyncio.sleep(0.05)
            go_on.set()
            answer = await client.answer()
            assert (answer.body, answer.values(b"connection")) == (b"recorded", [b"close"])
            assert await client.rest() + await unused.rest() == b""
            await stop
            with pytest.raises(Ended):
                await silent.answer()
        ours = {connection.task for connection in upstream.connections}
        assert not {
            task for task in asyncio.all_tasks() - before - ours if "follow" in repr(task) or "_shake" in repr(task)
        }


async def test_who_connected_before_a_stop_is_served(pair: Pair) -> None:
    """A connection that only waits to be accepted has come in time, also where it is the only one."""
    async with recording() as upstream, secured(pair, upstream, shutdown=ShutdownSettings(grace=10)) as gateway:
        with socket.create_connection(("127.0.0.1", gateway.port)) as plain:

            async def ask() -> bytes:
                reader, writer = await asyncio.open_connection(sock=plain, ssl=TRUSTING, server_hostname="localhost")
                answer = await Client(reader, writer).ask(GET)
                writer.close()
                return answer.body

            asked = asyncio.create_task(ask())
            await gateway.gateway.serving.drain()  # at once: the gateway has had no turn to accept it
            assert len(upstream.requests) == 1
            assert await asked == b"recorded"


async def test_a_stop_takes_no_answer_along(pair: Pair) -> None:
    """What the system has of one still arrives, at a client that is slow to take it, however the gateway ends."""
    script = answers(with_length(b"HTTP/1.1 200 OK\r\n", BLOCK[:SMALL]))
    async with recording(script) as upstream, secured(pair, upstream) as gateway:
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.connect(("127.0.0.1", gateway.port))
            reader, writer = await asyncio.open_connection(sock=plain, ssl=TRUSTING, server_hostname="localhost")
            client = Client(reader, writer)
            await client.send(GET)
            await client.head()
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await until(lambda: not gateway.gateway.serving.listener.active)
            await gateway.stop()
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            async with asyncio.timeout(LIMIT):
                assert await reader.readexactly(SMALL) == BLOCK[:SMALL]
            writer.close()


# -- handshakes --


async def ended(client: Client) -> bytes:
    """Read what comes until the end, however that comes about."""
    try:
        return await client.rest()
    except Ended:
        return b""


async def test_plain_http_is_closed(pair: Pair) -> None:
    """Nothing goes up, nothing HTTP comes back, and the log says what happened."""
    async with recording() as upstream, secured(pair, upstream) as gateway, connected(gateway.port) as client:
        await client.send(GET)
        assert b"HTTP" not in await ended(client)
        assert upstream.requests == []
        assert [event["reason"] for event in gateway.events("tls_handshake_failed")] == ["http request"]


async def test_a_slow_handshake_ends(pair: Pair) -> None:
    """It has as long as the head of a request."""
    async with recording() as upstream, secured(pair, upstream, {"head_timeout": 0.2}) as gateway:
        async with connected(gateway.port) as client:
            await client.send(b"\x16\x03\x01")
            await ended(client)
        assert [event["reason"] for event in gateway.events("tls_handshake_failed")] == [
            "it did not come to its end in time"
        ]


async def test_a_probe_is_not_worth_a_line(pair: Pair) -> None:
    """A balancer opens a connection and closes it again, every second."""
    async with recording() as upstream, secured(pair, upstream) as gateway:
        async with connected(gateway.port):
            pass
        async with by_tls(gateway) as client:
            await client.ask(GET)
        assert gateway.events("tls_handshake_failed") == []


async def test_too_many_clients(pair: Pair) -> None:
    """One more than may be is told so, behind its handshake."""
    one = {"max_connections": 1}
    async with recording() as upstream, secured(pair, upstream, one) as gateway, by_tls(gateway) as client:
        await client.ask(GET)
        async with by_tls(gateway) as other:
            answer = await other.answer()
            assert (answer.status, b"gateway_full" in answer.body) == (502, True)


async def test_too_many_handshakes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """They count as connections: beyond what may be, and a few, one is closed at once. Then there is room again."""
    monkeypatch.setattr(handshake, "MORE", 2)
    async with recording() as upstream, secured(pair, upstream, {"max_connections": 2}) as gateway:
        shaking = gateway.listener._server.handshakes
        async with connected(gateway.port), connected(gateway.port) as second:
            await until(lambda: len(shaking) == 2)
            async with connected(gateway.port) as third:
                assert await ended(third) == b""
            second.reset()
            await until(lambda: len(shaking) == 1)
            async with by_tls(gateway) as client:
                assert (await client.ask(GET)).status == 200


async def test_a_request_that_comes_along_with_the_handshake(pair: Pair) -> None:
    """The last bytes of one and the first of the other in one packet: none is lost."""
    async with recording() as upstream, secured(pair, upstream) as gateway:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        shaking = TRUSTING.wrap_bio(incoming, outgoing, server_hostname="localhost")
        loop = asyncio.get_running_loop()
        with socket.create_connection(("127.0.0.1", gateway.port)) as plain:
            plain.setblocking(False)
            while True:
                try:
                    shaking.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    await loop.sock_sendall(plain, outgoing.read())
                    incoming.write(await asyncio.wait_for(loop.sock_recv(plain, 65536), LIMIT))
            shaking.write(GET)
            await loop.sock_sendall(plain, outgoing.read())
            await upstream.received(1)


async def test_who_waited_to_be_accepted_at_the_stop(pair: Pair) -> None:
    """A client that came a moment before, with nobody else connected, is answered and not reset."""
    async with recording() as upstream, secured(pair, upstream) as gateway:
        client = socket.create_connection(("127.0.0.1", gateway.port))  # at once: the loop must not accept yet
        client.setblocking(False)
        stopping = asyncio.create_task(gateway.stop())

        async def ask() -> bytes:
            reader, writer = await asyncio.open_connection(sock=client, ssl=TRUSTING, server_hostname="localhost")
            writer.write(GET)
            answer = await reader.read(12)
            writer.close()
            return answer

        asking = asyncio.create_task(ask())
        await stopping
        assert len(upstream.requests) == 1  # before the process would have ended
        assert await asking == b"HTTP/1.1 200"

"""Stopping: what is in flight is finished, late-comers are told, and nothing is left behind."""

import asyncio

import pytest

from gateway.config.settings import ShutdownSettings
from tests.forwarding.emails import LOGGED, SENDERLESS, change, write
from tests.gateways import running
from tests.raw import Ended, chunked, connected, with_length
from tests.recording import OK, Call, answers, by_path, hangs, recording

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
OK_HEAD = b"HTTP/1.1 200 OK\r\n"
PATIENT = ShutdownSettings(grace=10.0)
HALVES = {
    "length": (OK_HEAD + b"Content-Length: 6\r\n\r\none", b"two"),
    "chunked": (OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"one", end=b""), chunked(b"two")),
    "nothing yet": (b"", with_length(OK_HEAD, b"onetwo")),
}


async def refused(port: int) -> None:
    """Wait until nobody listens on a port any more."""
    async with asyncio.timeout(5):
        while True:
            try:
                async with connected(port):
                    await asyncio.sleep(0.01)
            except ConnectionError:
                return


@pytest.mark.parametrize(("first", "second"), HALVES.values(), ids=HALVES)
async def test_a_download_in_flight_is_finished(first: bytes, second: bytes) -> None:
    """It comes down whole, to a client that nobody interrupts; no new one is let in meanwhile."""
    stopping = asyncio.Event()

    async def script(call: Call) -> None:
        await call.send(first)
        await stopping.wait()
        await call.send(second)

    async with (
        recording(script) as upstream,
        running(upstream.url, shutdown=PATIENT) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(GET)
        await upstream.received(1)
        stop = asyncio.create_task(gateway.stop())
        await refused(gateway.port)
        assert not stop.done()
        stopping.set()
        assert (await client.answer()).body == b"onetwo"
        assert await client.rest() == b""
        await stop


async def test_an_upload_in_flight_is_finished() -> None:
    """The client can send what is left of it, and has its answer, which says that the connection closes."""
    request = with_length(b"POST /x HTTP/1.1\r\nHost: a\r\n", b"onetwo")
    async with (
        recording() as upstream,
        running(upstream.url, shutdown=PATIENT) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(request[:-3])
        await upstream.received(1)
        stop = asyncio.create_task(gateway.stop())
        await refused(gateway.port)
        answer = await client.ask(request[-3:])
        assert (answer.body, answer.values(b"connection")) == (b"recorded", [b"close"])
        assert upstream.requests[0].body == b"onetwo"
        await stop


@pytest.mark.parametrize(("body", "status"), [(LOGGED, 200), (SENDERLESS, 400)], ids=["filled", "rejected"])
async def test_an_email_in_flight_is_dealt_with(body: bytes, status: int) -> None:
    """Its verdict is the one that it would have had at any other time."""
    owner = with_length(OK_HEAD, b'{"email": "jane@example.com"}')
    request = write(body)
    script = by_path({b"/api/v1/me/": answers(owner)}, answers(OK))
    async with (
        recording(script) as upstream,
        running(upstream.url, shutdown=PATIENT) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(request[:-3])
        await asyncio.sleep(0.05)
        stop = asyncio.create_task(gateway.stop())
        await refused(gateway.port)
        answer = await client.ask(request[-3:])
        assert (answer.status, answer.values(b"connection")) == (status, [b"close"])
        await stop


async def test_a_late_request_is_answered_and_told() -> None:
    """A client that did not know yet is served once more, whether or not others keep the gateway from stopping."""
    async with (
        recording() as upstream,
        running(upstream.url, shutdown=PATIENT) as gateway,
        connected(gateway.port) as client,
        connected(gateway.port) as other,
    ):
        assert (await client.ask(GET)).values(b"connection") == []
        assert (await other.ask(write(SENDERLESS))).values(b"connection") == []
        stop = asyncio.create_task(gateway.stop())
        await refused(gateway.port)
        late = await client.ask(GET)
        assert (late.body, late.values(b"connection")) == (b"recorded", [b"close"])
        late = await other.ask(write(SENDERLESS))
        assert (late.status, late.values(b"connection")) == (400, [b"close"])
        assert await client.rest() + await other.rest() == b""
        await stop


async def test_unused_connections_are_closed() -> None:
    """On both sides, and without waiting for the grace that only requests have."""
    async with (
        recording() as upstream,
        running(upstream.url, shutdown=PATIENT) as gateway,
        connected(gateway.port) as client,
        connected(gateway.port) as silent,
    ):
        await client.ask(GET)
        await asyncio.wait_for(gateway.stop(), 5)
        assert await client.rest() + await silent.rest() == b""
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)


@pytest.mark.parametrize("begun", [b"", OK_HEAD + b"Content-Length: 9\r\n\r\nhalf"], ids=["no answer", "half of one"])
async def test_what_does_not_finish_in_time_is_broken_off(begun: bytes) -> None:
    """After shutdown.grace the client sees an end, and the upstream does."""
    async with (
        recording(hangs(begun)) as upstream,
        running(upstream.url, shutdown=ShutdownSettings(grace=0.1)) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(GET)
        await upstream.received(1)
        await asyncio.wait_for(gateway.stop(), 5)
        with pytest.raises(Ended):
            await client.answer()
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)


async def test_nothing_is_left_behind() -> None:
    """No task and no connection, whatever went on: used and unused connections, an upload, a look-up, a failure."""
    script = by_path({b"/api/v1/me/": hangs(), b"/hangs": hangs()}, answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway:
        before = asyncio.all_tasks()
        async with (
            connected(gateway.port) as used,
            connected(gateway.port) as uploading,
            connected(gateway.port) as waiting,
            connected(gateway.port) as filling,
            connected(gateway.port),
        ):
            await used.ask(GET)
            await used.ask(change(SENDERLESS))
            await uploading.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
            await waiting.send(GET.replace(b"/x", b"/hangs"))
            await filling.send(write(LOGGED))
            await upstream.until(lambda: {b"/hangs", b"/api/v1/me/?_fields=id,email"} <= set(upstream.targets))
            await asyncio.wait_for(gateway.stop(), 5)
            await refused(gateway.port)
            for client in (used, uploading, waiting, filling):
                await client.rest()
        for connection in upstream.connections:
            await asyncio.wait_for(connection.left.wait(), 5)
        ours = {connection.task for connection in upstream.connections}
        assert asyncio.all_tasks() - before - ours == set()
        assert gateway.gateway.serving.road.pool.open == 0


async def test_a_look_up_that_nobody_waits_for_is_not_left_behind() -> None:
    """Its client has left, and so does it once the gateway stops."""
    async with recording(hangs()) as upstream, running(upstream.url) as gateway:
        before = asyncio.all_tasks()
        async with connected(gateway.port) as client:
            await client.send(write(LOGGED))
            await upstream.received(1)
        await gateway.stop()
        ours = {connection.task for connection in upstream.connections}
        assert asyncio.all_tasks() - before - ours == set()


async def test_the_log_tells_of_start_and_stop() -> None:
    """With what has been counted in between."""
    async with recording() as upstream, running(upstream.url) as gateway:
        async with connected(gateway.port) as client:
            await client.ask(write(SENDERLESS))
        await gateway.stop()
        assert gateway.log[0]["event"] == "gateway_started"
        assert (gateway.log[-1]["event"], gateway.log[-1]["counts"]) == ("gateway_stopped", {"rejected": 1})

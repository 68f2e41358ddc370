"""A request meets a connection of the pool that the upstream is just closing."""

import asyncio
import json

import pytest

from gateway.upstream.connection import UpstreamConnection
from gateway.upstream.pool import Pool
from tests.gateways import running
from tests.pools import until
from tests.raw import ask, connected, with_length
from tests.recording import OK, Call, Script, answers, closes, in_turn, recording, resets

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = with_length(b"POST /x HTTP/1.1\r\nHost: a\r\n", b"once")
HALF_POST = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"


BREAKS = [closes(), resets()]
IDEMPOTENT = [b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"]


def request_of(method: bytes) -> bytes:
    """Make a small request, with a body where that is usual."""
    return with_length(b"%b /x HTTP/1.1\r\nHost: a\r\n" % method, b"body" if method in {b"PUT", b"DELETE"} else b"")


@pytest.mark.parametrize("breaks", BREAKS, ids=["closed", "reset"])
@pytest.mark.parametrize("method", IDEMPOTENT)
async def test_an_idempotent_request_is_tried_again_once(method: bytes, breaks: Script) -> None:
    """RFC 9110, 9.2.2, and on a new connection: the client notices nothing."""
    script = in_turn(answers(OK), breaks, answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(GET)
        assert (await client.ask(request_of(method))).status == 200
        _, first, second = upstream.requests
        assert (first.head, first.body, first.connection) == (second.head, second.body, 0)
        assert second.connection == 1
        assert gateway.events("upstream_failed") == []


@pytest.mark.parametrize("breaks", BREAKS, ids=["closed", "reset"])
@pytest.mark.parametrize("method", [b"POST", b"PATCH"])
async def test_another_request_is_never_sent_twice(method: bytes, breaks: Script) -> None:
    """Close may have acted on it. The client is told, and its connection goes on."""
    script = in_turn(answers(OK), breaks, answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(GET)
        answer = await client.ask(request_of(method))
        assert (answer.status, json.loads(answer.body)["gateway"]["code"]) == (502, "upstream_broken")
        assert [request.method for request in upstream.requests] == [b"GET", method]
        assert (await client.ask(GET)).status == 200


async def test_what_streams_is_never_sent_twice() -> None:
    """The gateway no longer holds what has gone up, be the method idempotent or not."""
    script = in_turn(answers(OK), lambda call: call.connection.close(), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(GET)
        await client.send(HALF_POST.replace(b"POST", b"PUT"))
        answer = await client.answer()
        assert (answer.status, answer.values(b"connection")) == (502, [b"close"])
        assert len(upstream.requests) == 2


async def test_the_second_try_is_the_last() -> None:
    """Where a new connection breaks too, the upstream is ailing, not the connection old."""
    script = in_turn(answers(OK), closes(), closes(), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(GET)
        assert (await client.ask(GET)).status == 502
        assert [request.connection for request in upstream.requests] == [0, 0, 1]


async def test_the_second_try_does_not_meet_a_second_stale_connection() -> None:
    """An upstream that closes its old connections closes all of them."""
    together = asyncio.Barrier(2)

    async def script(call: Call) -> None:
        if len(upstream.requests) <= 2:
            await together.wait()
            await answers(OK)(call)
        elif call.connection.number < 2:
            await closes()(call)
        else:
            await answers(OK)(call)

    async with recording(script) as upstream, running(upstream.url) as gateway:
        await asyncio.gather(ask(gateway.port, GET), ask(gateway.port, GET))
        assert (await ask(gateway.port, GET)).status == 200
        assert len(upstream.connections) == 3
        assert len(upstream.requests) == 4


async def test_a_new_connection_that_breaks_is_not_tried_again() -> None:
    """It was not old, so the request itself may be what breaks it."""
    async with recording(closes()) as upstream, running(upstream.url) as gateway:
        assert (await ask(gateway.port, GET)).status == 502
        assert len(upstream.requests) == 1


async def test_a_begun_answer_is_not_asked_for_again() -> None:
    """The upstream has dealt with the request, whatever became of its answer."""
    script = in_turn(answers(OK), closes(b"HTTP/1.1 200 OK\r\nCont"), answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(GET)
        assert (await client.ask(GET)).status == 502
        assert len(upstream.requests) == 2


async def test_a_connection_closed_while_unused_costs_no_request() -> None:
    """Not even one that must not be sent twice: the pool has noticed."""
    async with recording(closes(OK)) as upstream, running(upstream.url) as gateway:
        for _ in range(3):
            assert (await ask(gateway.port, POST)).status == 200
            await until(lambda: gateway.gateway.serving.road.pool.open == 0)
        assert len(upstream.requests) == 3


UPLOADS = {
    "whole": [POST],
    "length": [POST[:-2], POST[-2:]],
    "chunked": [
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\non\r\n",
        b"2\r\nce\r\n0\r\n\r\n",
    ],
}


@pytest.mark.parametrize("pieces", UPLOADS.values(), ids=UPLOADS)
async def test_what_was_not_sent_yet_goes_elsewhere(monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]) -> None:
    """Lost before a byte of it was written, even a POST can go up on another connection, and goes up once."""
    take = Pool.take

    def take_one_that_closes(pool: Pool) -> UpstreamConnection | None:
        connection = take(pool)
        if connection is not None:
            asyncio.get_running_loop().call_soon(connection.abort)  # before the round is over
        return connection

    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(GET)
        monkeypatch.setattr(Pool, "take", take_one_that_closes)
        for piece in pieces:
            await client.send(piece)
            await asyncio.sleep(0.02)
        assert (await client.answer()).status == 200
        assert [(request.method, request.body, request.connection) for request in upstream.requests] == [
            (b"GET", b"", 0),
            (b"POST", b"once", 1),
        ]
        assert gateway.events("upstream_failed") == []

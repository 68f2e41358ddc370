"""A fault of the gateway itself: told without quoting the request, and never taken for an answer of Close's."""

import asyncio
import json
from typing import Any

import pytest

from gateway.answer import RelayedAnswer
from gateway.config.settings import LogSettings
from gateway.upstream.pool import Pool
from tests.forwarding.emails import DRAFT, SENDERLESS, write
from tests.gateways import Running, running
from tests.raw import Ended, ask, chunked, connected
from tests.recording import Call, recording

SECRET = "the subject of the email"
GET = b"GET /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\n\r\n"
EMAIL = write(DRAFT, b"Expect: 100-continue\r\nX-Request-Id: r-1\r\n")


def fail(*_: Any, **__: Any) -> None:
    """Fail as only a mistake in the gateway could."""
    raise ValueError(SECRET)


def assert_logged(gateway: Running, place: str) -> None:
    """One event names the fault, the place and the request, and quotes nothing."""
    (event,) = [event for event in gateway.log if event["level"] == "error"]
    assert (event["event"], event["request_id"], event["error"]) == ("internal_error", "r-1", "ValueError")
    assert any(place in frame for frame in event["at"])
    assert SECRET.encode() not in gateway.written


@pytest.mark.parametrize("request_", [GET, EMAIL], ids=["forwarded", "intercepted"])
async def test_a_fault_is_a_500(monkeypatch: pytest.MonkeyPatch, request_: bytes) -> None:
    """In Close's shape, with the request's id; never a 503, or Close's client would send a POST again."""
    monkeypatch.setattr(Pool, "take", fail)
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(request_.removesuffix(DRAFT))
        if request_ is EMAIL:
            assert (await client.answer()).status == 100
            await client.send(DRAFT)
        answer = await client.answer()
        assert (answer.status, answer.values(b"connection")) == (500, [b"close"])
        assert json.loads(answer.body) == {
            "errors": ["The gateway has failed."],
            "field-errors": {},
            "gateway": {"code": "internal_error", "request_id": "r-1"},
        }
        assert await client.rest() == b""
        assert_logged(gateway, "forwarder.py")


async def test_a_fault_is_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an email write that was to go up nobody is told that it did."""
    monkeypatch.setattr(Pool, "take", fail)
    async with recording() as upstream, running(upstream.url, log=LogSettings(access=True)) as gateway:
        assert (await ask(gateway.port, write(DRAFT))).status == 500
        (event,) = gateway.events("request_served")
        assert (event["status"], event["done"]) == (500, "failed; internal_error")


async def test_a_fault_beside_its_road_does_not_touch_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rejection needs no connection to the upstream, so it does not need the pool to work either."""
    monkeypatch.setattr(Pool, "take", fail)
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(write(SENDERLESS))).status == 400


BEGUN = [b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nbegun", b"HTTP/1.1 200 OK\r\n\r\nbegun"]


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
@pytest.mark.parametrize("begun", BEGUN, ids=["length", "until close"])
async def test_a_fault_in_an_answer_breaks_it_off(
    monkeypatch: pytest.MonkeyPatch, begun: bytes, version: bytes
) -> None:
    """No second answer is put into the first one, and the first one does not look complete."""
    monkeypatch.setattr(RelayedAnswer, "go_on", fail)
    more = asyncio.Event()

    async def script(call: Call) -> None:
        await call.send(begun)
        await more.wait()
        await call.send(b"and more")

    async with recording(script) as upstream, running(upstream.url) as gateway:
        async with connected(gateway.port) as client:
            await client.send(GET.replace(b"HTTP/1.1", version))
            await client.head()
            more.set()
            with pytest.raises(Ended):
                await client.rest()
        assert_logged(gateway, "relay.py")


async def test_a_fault_in_a_request_leaves_no_connection_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The upstream's end of it is closed, and nothing that still comes over it is taken for an answer."""
    head = GET.replace(b"GET", b"POST").removesuffix(b"\r\n") + b"Transfer-Encoding: chunked\r\n\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(head + chunked(b"begun", end=b""))
        await upstream.received(1)
        monkeypatch.setattr("gateway.relay.chunk", fail)
        await client.send(chunked(b"and more", end=b""))
        assert (await client.answer()).status == 500
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)
        assert_logged(gateway, "relay.py")
        assert gateway.gateway.serving.road.pool.open == 0

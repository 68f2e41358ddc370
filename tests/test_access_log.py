"""request_served, as it comes out of a whole gateway."""

import asyncio
from typing import Any

import aiohttp
import pytest

from gateway.config.settings import LogSettings, UpstreamSettings
from gateway.sandbox import Sandbox
from gateway.sandbox.seed import JANE
from tests.forwarding.emails import DRAFT, write
from tests.forwarding.emails import LOGGED as SENT
from tests.gateways import Running, running, until
from tests.raw import connected, with_length
from tests.recording import answers, closes, hangs, recording

EMAIL = "/api/v1/activity/email/"
SERVED = "request_served"
LOGGED = LogSettings(access=True)


async def send(gateway: Running, method: str, path: str, email: object = None) -> None:
    """Send a request as Jane, with canaries wherever somebody could write something."""
    jane = {"Authorization": aiohttp.encode_basic_auth(JANE.api_key, "")}
    async with aiohttp.ClientSession(headers=jane) as client:
        answer = await client.request(
            method,
            gateway.url + path,
            json=email,
            headers={"User-Agent": "test", "Cookie": "canary", "X-Request-Id": "r"},
        )
        await answer.read()


def plain(event: dict[str, Any]) -> dict[str, Any]:
    """Take out what differs from one run to the next; what has to be there all the same is looked at here."""
    varying = {name: event.pop(name) for name in ("timestamp", "elapsed_ms", "waited_ms", "credential")}
    assert varying["elapsed_ms"] >= varying["waited_ms"] >= 0
    assert varying["credential"].startswith("fp:")
    assert event.pop("sent") > 100
    return event


async def test_each_request_is_one_event() -> None:
    """Passed on, filled or rejected: what came, what went, what was done; no secret, and no text of an email."""
    close = Sandbox()
    await close.start()
    async with running(close.url, log=LOGGED) as gateway:
        await send(gateway, "GET", "/api/v1/me/?canary=1")
        email = {"lead_id": "lead_SandboxBluth", "status": "outbox", "subject": "canary"}
        await send(gateway, "POST", EMAIL, email)
        await send(gateway, "POST", EMAIL, email | {"status": "sent"})
    await close.stop()
    common = {"level": "info", "event": SERVED, "request_id": "r", "client": "127.0.0.1", "user_agent": "test"}
    got, rejected, filled = (plain(event) for event in gateway.events(SERVED))
    assert got == common | {"method": "GET", "path": "/api/v1/me/", "status": 200, "received": 0}
    write = common | {"method": "POST", "path": EMAIL}
    assert rejected == write | {"status": 400, "done": "rejected; sender_required", "received": rejected["received"]}
    assert rejected["received"] > 50
    assert filled["status"] == 200
    assert filled["done"].startswith("filled; sender")
    assert b"canary" not in gateway.written
    assert JANE.api_key.encode() not in gateway.written


async def test_what_did_not_come_to_its_end_says_so() -> None:
    """An answer broken off by Close, one that Close never gave, and one that the client did not wait for."""
    broken = closes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    async with recording(broken) as upstream, running(upstream.url, log=LOGGED) as gateway:
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.2)
        upstream.script = closes()
        _, second = await asyncio.open_connection("127.0.0.1", gateway.port)
        second.write(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.2)
        upstream.script = hangs()
        _, third = await asyncio.open_connection("127.0.0.1", gateway.port)
        third.write(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.2)
        for each in (writer, second, third):
            each.close()
        await asyncio.sleep(0.1)
    ended = {event["path"]: (event.get("status"), event.get("complete")) for event in gateway.events(SERVED)}
    assert ended == {"/broken": (200, False), "/none": (502, None), "/left": (None, False)}


GET = b"GET /hangs HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [write(DRAFT).removesuffix(DRAFT), write(SENT), GET, GET + b" "],
    ids=["its body", "a look-up", "Close", "a connection"],
)
async def test_who_leaves_while_it_waits_has_waited(request_: bytes) -> None:
    """What a client waits for until it gives up is no time of the gateway's own."""
    one = UpstreamSettings(max_connections=1)
    async with (
        recording(hangs()) as upstream,
        running(upstream.url, log=LOGGED, upstream=one) as gateway,
        connected(gateway.port) as first,
    ):
        if request_.endswith(b" "):
            await first.send(GET.replace(b"hangs", b"first"))
            await upstream.received(1)
        async with connected(gateway.port) as client:
            await client.send(request_.strip(b" "))
            await asyncio.sleep(0.2)
        await until(lambda: bool(gateway.events(SERVED)))
        (event,) = gateway.events(SERVED)
        assert event["waited_ms"] >= 100


async def test_it_is_off_by_default() -> None:
    """Who did not ask for it has no line for each request."""
    async with (
        recording(answers(with_length(b"HTTP/1.1 200 OK\r\n", b"x"))) as upstream,
        running(upstream.url) as gateway,
    ):
        await send(gateway, "GET", "/")
    assert gateway.events(SERVED) == []

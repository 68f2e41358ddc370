"""The admin listener."""

import io
import json
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from gateway.admin.health import health
from gateway.admin.server import AdminServer
from gateway.config.settings import Address
from gateway.errors import PortTaken
from gateway.log import make_log
from gateway.snapshot import Snapshot


async def look() -> Snapshot:
    """Take a snapshot of a gateway that has done nothing yet."""
    return Snapshot()


@pytest.fixture
async def address() -> AsyncIterator[Address]:
    """An admin listener that has one more name."""
    server = AdminServer({"/healthz": health(look)}, Address("127.0.0.1", 0), ("Gateway.Internal",))
    yield await server.open()
    await server.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8081", 200),
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]:8081", 200),
        ("gateway.internal", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:8081", 421),
        ("", 421),
        ("[::1", 200),
        ("0.0.0.0", 421),
    ],
)
async def test_it_answers_to_its_own_names_only(address: Address, host: str, status: int) -> None:
    """A page that points its own name at this address (DNS rebinding) reads nothing."""
    url = f"http://{address}/healthz"
    async with aiohttp.ClientSession() as client, client.get(url, headers={"Host": host}) as answer:
        assert answer.status == status
        if status == 421:
            assert "admin.hosts" in (await answer.json())["errors"][0]


async def test_a_port_that_is_taken_is_named() -> None:
    """The error says which address, and which flag and setting change it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = AdminServer({}, Address("127.0.0.1", port), ())
        with pytest.raises(PortTaken) as taken:
            await server.open()
    assert str(taken.value) == (
        f"127.0.0.1:{port} is taken by another program. Stop that one, or choose another port with --admin HOST:PORT "
        "(setting admin.listen); port 0 picks a free one."
    )


async def test_what_goes_wrong_is_told_as_json() -> None:
    """A fault of the gateway's own too: the log says where it was, and neither says what was asked."""
    lines = io.BytesIO()

    async def fail(_: web.Request) -> web.Response:
        raise ZeroDivisionError("canary")

    async def fail_late(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        raise ZeroDivisionError("canary")

    log = make_log("debug", console=False, stream=lines)
    server = AdminServer({"/fault": fail, "/late": fail_late}, Address("127.0.0.1", 0), (), log=log)
    url = f"http://{await server.open()}"
    async with aiohttp.ClientSession() as client:
        for method, path, status, error in (
            ("GET", "/fault", 500, "The gateway has failed; its log says where."),
            ("GET", "/nothing", 404, "There is nothing here."),
            ("PUT", "/fault", 405, "This takes GET, HEAD alone."),
        ):
            async with client.request(method, url + path) as answer:
                assert (answer.status, await answer.json()) == (status, {"errors": [error], "field-errors": {}})
        with pytest.raises(aiohttp.ClientPayloadError):
            async with client.get(f"{url}/late") as answer:
                await answer.read()
    await server.close()
    event, late = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (event["event"], event["error"], event["path"]) == ("internal_error", "ZeroDivisionError", "/fault")
    assert late["path"] == "/late"
    assert "canary" not in lines.getvalue().decode()

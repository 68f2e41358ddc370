"""`GET /readyz`: at the start, and while nobody serves."""

import asyncio
import json
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.admin.health import readiness
from gateway.config.cache import CacheLocation
from gateway.config.settings import AdminSettings, IdentitySettings, ListenerSettings, RejectionsSettings, Settings
from gateway.secret import Secret
from gateway.snapshot import Snapshot, merged
from tests.gateways import FREE, Running, until


async def test_it_is_not_ready_before_its_port_is_open() -> None:
    """A shared cache that does not answer holds the start up; who sent requests meanwhile would find nobody."""
    left = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await left.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    cache = CacheLocation.parse(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    settings = replace(
        Settings(),
        listener=ListenerSettings(listen=FREE),
        admin=AdminSettings(listen=FREE),
        identity=IdentitySettings(cache=cache, fingerprint_key=Secret("canary-canary-canary")),
        rejections=RejectionsSettings(store=None),
        upstream=replace(Settings().upstream, url="http://127.0.0.1:9"),
    )
    running = Running(settings)
    starting = asyncio.create_task(running.gateway.start())
    await until(lambda: running.gateway.admin != FREE)

    async with aiohttp.ClientSession() as client:

        async def status() -> tuple[int, str]:
            async with client.get(f"http://{running.gateway.admin}/readyz") as answer:
                return answer.status, (await answer.json())["status"]

        assert await status() == (503, "starting")
        await starting
        assert await status() == (200, "ready")
    await running.stop()
    left.set()
    server.close()


STATES = [  # what the processes tell, whether the upstream's name is known, what is answered
    ([Snapshot()], True, "starting"),
    ([Snapshot(serving=1)], True, "ready"),
    ([Snapshot(serving=1)], False, "upstream_unresolved"),
    ([Snapshot(serving=1, draining=True)], True, "draining"),
    ([Snapshot(), Snapshot(), Snapshot(started=True)], True, "no_worker"),
    ([Snapshot(), Snapshot(serving=1), Snapshot(started=True)], True, "ready"),
    ([Snapshot(), Snapshot(), Snapshot(started=True, draining=True)], True, "draining"),
]


@pytest.mark.parametrize(("told", "known", "status"), STATES)
async def test_it_says_what_keeps_requests_away(told: list[Snapshot], known: bool, status: str) -> None:  # noqa: FBT001
    """Whoever looks why no request comes tells a start that takes its time from workers that are gone."""

    async def look() -> Snapshot:
        return merged(told)

    async def resolves() -> bool:
        return known

    answer = await readiness(look, resolves)(make_mocked_request("GET", "/readyz"))
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    assert (json.loads(answer.body)["status"], answer.status) == (status, 200 if status == "ready" else 503)

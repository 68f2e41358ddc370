"""`GET /readyz` at the start."""

import asyncio
from dataclasses import replace

import aiohttp

from gateway.config.cache import CacheLocation
from gateway.config.settings import AdminSettings, IdentitySettings, ListenerSettings, RejectionsSettings, Settings
from gateway.secret import Secret
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

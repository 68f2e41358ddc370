"""A gateway in this process with a file of settings that a test rewrites."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from gateway.config.load import load
from gateway.config.settings import Settings
from tests.gateways import Running


class Reloading:
    """The gateway, its file, and a client of its admin listener."""

    running: Running

    def __init__(self, file: Path, upstream_url: str, client: aiohttp.ClientSession) -> None:
        self._file = file
        self.flags = {
            "upstream.url": upstream_url,
            "listener.listen": "127.0.0.1:0",
            "admin.listen": "127.0.0.1:0",
        }
        self._client = client

    @property
    def port(self) -> int:
        return self.running.port

    def load(self) -> Settings:
        """Read the settings as `serve` does."""
        return load(self._file, {}, self.flags).settings

    def write(self, text: str = "") -> None:
        """Write the file. Nothing is kept unless it says so."""
        store = "" if "store" in text else '[rejections]\nstore = "off"\n'
        self._file.write_text(text + store, encoding="utf-8")

    async def reload(self, status: int = 200, headers: Mapping[str, str] | None = None) -> Any:
        """Ask for it; give the JSON of the answer."""
        url = f"http://{self.running.gateway.admin}/api/reload"
        async with self._client.post(url, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def rows(self) -> Any:
        """Ask for what is kept, newest first."""
        async with self._client.get(f"http://{self.running.gateway.admin}/api/rejections") as answer:
            return (await answer.json()).get("data", [])


@asynccontextmanager
async def reloading(folder: Path, upstream_url: str, text: str = "") -> AsyncIterator[Reloading]:
    """Run a gateway with a file of these settings."""
    async with aiohttp.ClientSession() as client:
        found = Reloading(folder / "gateway.toml", upstream_url, client)
        found.write(text)
        found.running = Running(found.load(), found.load)
        await found.running.gateway.start()
        try:
            yield found
        finally:
            await found.running.stop()

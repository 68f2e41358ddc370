"""A supervisor in this process, with workers of its own, and crowds of clients that keep them busy."""

import asyncio
import contextlib
import io
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from gateway.config.settings import (
    Address,
    AdminSettings,
    ListenerSettings,
    ProcessSettings,
    RejectionsSettings,
    Settings,
    ShutdownSettings,
    UpstreamSettings,
)
from gateway.config.store import StoreLocation
from gateway.log import make_log
from gateway.workers.child import Child
from gateway.workers.slot import Rhythm
from gateway.workers.supervisor import Supervisor
from tests.gateways import FREE
from tests.raw import Ended, connected

PATIENCE: Final = 20.0
QUICK: Final = Rhythm(beat=0.1, patience=2.0, first_pause=0.1)


class Supervised:
    """A supervisor and what it says."""

    def __init__(self, settings: Settings, load: Callable[[], Settings] | None, rhythm: Rhythm) -> None:
        self._lines = io.BytesIO()
        self.supervisor = Supervisor(settings, make_log("debug", console=False, stream=self._lines), load, rhythm)

    @property
    def port(self) -> int:
        assert isinstance(self.supervisor.listen, Address)
        return self.supervisor.listen.port

    @property
    def child(self) -> Child:
        """The first worker."""
        child = self.supervisor.slots[0].serving
        assert child is not None
        return child

    def events(self, name: str) -> list[dict[str, Any]]:
        """Tell the supervisor's events of this name."""
        return [event for event in map(json.loads, self._lines.getvalue().splitlines()) if event["event"] == name]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.02)

    @property
    def serving(self) -> int:
        """How many workers serve."""
        return sum(slot.serving is not None for slot in self.supervisor.slots)

    async def ask(self, path: str, method: str = "GET") -> Any:
        """Ask the admin listener; give the JSON of the answer."""
        url = f"http://{self.supervisor.admin}{path}"
        async with aiohttp.ClientSession() as client, client.request(method, url) as answer:
            return await answer.json()

    async def text(self, path: str) -> str:
        """Ask the admin listener; give the text of the answer."""
        async with aiohttp.ClientSession() as client, client.get(f"http://{self.supervisor.admin}{path}") as answer:
            return await answer.text()


def settings_for(upstream_url: str, folder: Path | None, **sections: Any) -> Settings:
    """Make settings for two workers. With a folder, rejections are kept there."""
    store = None if folder is None else StoreLocation.parse(str(folder / "rejections.sqlite3"))
    given: dict[str, Any] = {
        "listener": ListenerSettings(listen=FREE),
        "upstream": UpstreamSettings(url=upstream_url),
        "admin": AdminSettings(listen=FREE),
        "rejections": RejectionsSettings(store=store),
        "process": ProcessSettings(workers=2),
        "shutdown": ShutdownSettings(grace=10.0),
    }
    return Settings(**(given | sections))


@asynccontextmanager
async def supervised(
    settings: Settings, load: Callable[[], Settings] | None = None, rhythm: Rhythm = QUICK
) -> AsyncIterator[Supervised]:
    """Run a supervisor and its workers."""
    found = Supervised(settings, load, rhythm)
    await found.supervisor.start()
    try:
        yield found
    finally:
        if not found.events("gateway_stopped"):
            await found.supervisor.stop()


class Crowd:
    """Clients that ask on connections that they keep, one request after the other, and count what becomes of it."""

    def __init__(self, port: int, request: bytes, status: int, tls: ssl.SSLContext | None) -> None:
        self._port = port
        self._tls = tls
        self._request = request
        self._status = status
        self._leaving = False
        self.answered = 0
        self.failed: list[str] = []
        self.refused = 0

    async def _client(self) -> None:
        while not self._leaving:
            try:
                async with connected(self._port, self._tls) as client:
                    await self._keep_asking(client.ask)
            except ConnectionRefusedError:
                self.refused += 1
                return  # nobody listens any more
            except (Ended, ConnectionError) as error:
                self.failed.append(repr(error))

    async def _keep_asking(self, ask: Callable[[bytes], Any]) -> None:
        while not self._leaving:
            answer = await ask(self._request)
            if answer.status != self._status:
                self.failed.append(repr(answer.head))
            self.answered += 1
            if answer.values(b"connection") == [b"close"]:
                return

    async def more(self) -> None:
        """Wait until each client has been answered a few times more."""
        goal = self.answered + 200
        async with asyncio.timeout(PATIENCE):
            while self.answered < goal:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)


@asynccontextmanager
async def crowd(
    port: int, request: bytes, *, clients: int = 16, status: int = 200, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Crowd]:
    """Keep a gateway busy; at the end every client finishes what it does."""
    found = Crowd(port, request, status, tls)
    tasks = [asyncio.create_task(found._client()) for _ in range(clients)]
    try:
        await found.more()
        yield found
    finally:
        found._leaving = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*tasks)

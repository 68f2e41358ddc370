"""A gateway with its console and a store of its own, and requests for it to reject."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from gateway.config.settings import AdminSettings, RejectionsSettings
from gateway.config.store import StoreLocation
from gateway.rejections.recorder import StoreState
from gateway.sandbox import Sandbox
from gateway.sandbox.seed import JANE, LEAD_ID
from tests.gateways import FREE, Running, running

EMAILS: Final = "/api/v1/activity/email/"
PATIENCE: Final = 5.0
"""Seconds in which what was rejected has to be in the store."""


class Site:
    """A gateway, as one who sends emails through it has it, and as one who looks at its console."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self._sent = 0

    @property
    def url(self) -> str:
        """Where the console is."""
        return f"http://{self.running.gateway.admin}"

    async def send(
        self, *, path: str = EMAILS, key: str = JANE.api_key, user_agent: str = "tests/1.0", **email: object
    ) -> int:
        """Create an email without a sender; tell the status of the answer. One with status `outbox` is rejected."""
        headers = {"Authorization": aiohttp.encode_basic_auth(key, ""), "User-Agent": user_agent}
        body = {"lead_id": LEAD_ID, "to": ["lead@example.net"], "status": "outbox"} | email
        async with (
            aiohttp.ClientSession(headers=headers) as client,
            client.post(f"{self.running.url}{path}", json=body) as answer,
        ):
            self._sent += answer.status == 400
            return answer.status

    async def kept(self) -> None:
        """Wait until what was rejected is in the store."""
        async with asyncio.timeout(PATIENCE):
            while self._state().written < self._sent:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.02)

    def _state(self) -> StoreState:
        recorder = self.running.gateway._recorder
        assert recorder is not None
        return recorder.state()


@asynccontextmanager
async def a_site(folder: Path, **admin: Any) -> AsyncIterator[Site]:
    """Run a gateway with a console, in front of a sandbox."""
    close = Sandbox()
    await close.start()
    store = StoreLocation.parse(str(folder / "rejections.sqlite3"))
    sections: dict[str, Any] = {
        "admin": AdminSettings(listen=FREE, **admin),
        "rejections": RejectionsSettings(store=store),
    }
    try:
        async with running(close.url, **sections) as gateway:
            yield Site(gateway)
    finally:
        await close.stop()

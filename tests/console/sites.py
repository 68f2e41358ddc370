"""A gateway with its console and a store of its own, and requests for it to reject."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from gateway.config.settings import AdminSettings, RejectionsSettings
from gateway.config.store import StoreLocation
from gateway.rejections.writer import StoreStatus
from gateway.sandbox import Sandbox
from gateway.sandbox.seed import JANE, LEAD_ID
from tests.gateways import FREE, Running, running

EMAILS: Final = "/api/v1/activity/email/"
PATIENCE: Final = 10.0
"""Seconds in which what was rejected has to be in the store."""


class Site:
    """A gateway, as one who sends emails through it has it, and as one who looks at its console."""

    def __init__(self, running: Running) -> None:
        self.running = running

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
            return answer.status

    async def kept(self) -> None:
        """Wait until what was rejected is in the store."""
        async with asyncio.timeout(PATIENCE):
            while not self._settled():  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.02)

    def _settled(self) -> bool:
        recorder = self.running.gateway.serving.recorder
        assert recorder is not None
        state = recorder.state()
        return state.status is StoreStatus.OK and not state.waiting


@asynccontextmanager
async def a_site(store: Path | None, **admin: Any) -> AsyncIterator[Site]:
    """Run a gateway with a console, in front of a sandbox. Without a store it keeps nothing."""
    close = Sandbox()
    await close.start()
    location = None if store is None else StoreLocation.parse(str(store))
    sections: dict[str, Any] = {
        "admin": AdminSettings(listen=FREE, **admin),
        "rejections": RejectionsSettings(store=location),
    }
    try:
        async with running(close.url, **sections) as gateway:
            yield Site(gateway)
    finally:
        await close.stop()

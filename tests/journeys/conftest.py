"""A sandbox of Close, a gateway in front of it, and Close's own client pointed at the gateway."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from closeio_api import API

from gateway.config.settings import ShutdownSettings
from gateway.sandbox import Sandbox
from gateway.sandbox.seed import JANE
from tests.gateways import Running, running


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A Close of the test's own."""
    close = Sandbox()
    await close.start()
    yield close
    await close.stop()


@pytest.fixture
async def gateway(sandbox: Sandbox) -> AsyncIterator[Running]:
    """A gateway in front of it, whose stop waits for nobody: the official client leaves its connections open."""
    async with running(sandbox.url, shutdown=ShutdownSettings(grace=0.0)) as started:
        yield started


class Client:
    """Close's official client, which is not async: each call goes to a thread of its own."""

    def __init__(self, base_url: str, key: str) -> None:
        self._api = API(f"{base_url}/api/v1/", key)

    async def get(self, endpoint: str, params: dict[str, object] | None = None) -> Any:
        return await asyncio.to_thread(self._api.get, endpoint, params)

    async def post(self, endpoint: str, data: dict[str, object]) -> Any:
        return await asyncio.to_thread(self._api.post, endpoint, data)

    async def put(self, endpoint: str, data: dict[str, object]) -> Any:
        return await asyncio.to_thread(self._api.put, endpoint, data)

    async def delete(self, endpoint: str) -> Any:
        return await asyncio.to_thread(self._api.delete, endpoint)


@pytest.fixture
def jane(gateway: Running) -> Client:
    """Jane's integration, which speaks to the gateway."""
    return Client(gateway.url, JANE.api_key)

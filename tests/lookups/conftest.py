"""A sandbox of Close, and a pool of connections to it."""

from collections.abc import AsyncIterator

import pytest

from gateway.sandbox import Sandbox
from gateway.upstream.pool import Pool
from tests.pools import pooled


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A Close of the test's own."""
    sandbox = Sandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def pool(sandbox: Sandbox) -> AsyncIterator[Pool]:
    """Connections to it."""
    async with pooled(sandbox.url) as pool:
        yield pool

"""One site for all scenarios: each leaves the fleet whole."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.replicas.site import Site


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def site() -> AsyncIterator[Site]:
    """Three gateways behind a balancer, and what they share."""
    async with Site.running(seed=20251217) as started:
        yield started

"""A collector for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.collector import Collector, collecting


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """Take spans, as long as the test lasts."""
    async with collecting() as collector:
        yield collector

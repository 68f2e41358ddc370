"""Each test of this folder runs with each front, on the loop of production."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from tests.fronts.fronts import FRONTS, Runs


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name the loops that each test of this folder runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(params=FRONTS)
def in_front(request: pytest.FixtureRequest) -> Runs:
    """What runs a gateway with one of the fronts."""
    return FRONTS[request.param]

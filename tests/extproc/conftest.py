"""The service is tested on the loop that it runs on in production."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name the loops that each test of this folder runs on."""
    return {"uvloop": uvloop.new_event_loop}

"""Changes are tested on the loop that the gateway runs on in production."""

from tests.forwarding.conftest import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]

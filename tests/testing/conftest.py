from collections.abc import Iterator

import pytest

from gateway.testing.background import Background


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    """The thread that gateways run in."""
    made = Background()
    yield made
    made.close()

import asyncio
import threading

import pytest

from gateway.testing.background import Background


def test_what_is_done_there_comes_back(background: Background) -> None:
    """The result comes back, from a thread with an event loop; so does what was raised."""

    async def fails() -> None:
        raise KeyError("amiss")

    async def where() -> tuple[str, bool]:
        await asyncio.sleep(0)
        return threading.current_thread().name, asyncio.get_running_loop().is_running()

    assert background.do(where()) == ("close-gateway", True)
    assert background.call(lambda: threading.current_thread().name) == "close-gateway"
    with pytest.raises(KeyError, match="amiss"):
        background.do(fails())


def test_nothing_is_left_of_it() -> None:
    """Closed, it leaves no thread."""
    before = set(threading.enumerate())
    made = Background()
    assert set(threading.enumerate()) - before
    made.close()
    assert set(threading.enumerate()) == before

"""An event loop in a thread of its own.

Rule    A test may have no event loop, or block its own while it waits for an answer. So what answers it has another.
        One lasts for a whole run of tests: starting a thread for each test would be most of what a test costs.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from gateway.process import run

LIMIT: Final = 30.0
"""Seconds that anything may take there. Nothing comes near to it, unless the machine stands still."""

T = TypeVar("T")


class Background:
    """Does things there, for whoever calls from another thread. It ends with `close`, or with the process."""

    def __init__(self) -> None:
        self._begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._work, name="close-gateway", daemon=True)
        self._thread.start()
        self._loop, self._over = self._begun.result(LIMIT)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it, and give what came of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT)

    def call(self, what: Callable[[], T]) -> T:
        """Call it while nothing else happens there, and give what it gives."""

        async def called() -> T:
            return what()

        return self.do(called())

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(LIMIT)

    def _work(self) -> None:
        try:
            run(self._wait())
        except BaseException as fault:
            if self._begun.done():
                raise
            self._begun.set_exception(fault)  # whoever waits for the loop gets to know why there is none

    async def _wait(self) -> None:
        over = asyncio.Event()
        self._begun.set_result((asyncio.get_running_loop(), over))
        await over.wait()

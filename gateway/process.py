"""What a process of the gateway runs on: its event loop, its log, and the signals that end it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from structlog.typing import FilteringBoundLogger

from gateway.config.settings import LogFormat, Settings
from gateway.log import make_log


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run it on the quickest event loop there is."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def the_log(settings: Settings) -> FilteringBoundLogger:
    """Make the log of this process."""
    shared = settings.process.workers > 1
    return make_log(settings.log.level.value, console=settings.log.format is LogFormat.CONSOLE, shared=shared)


async def until_signal() -> None:
    """Wait for SIGINT or SIGTERM. A second one ends the process as if nobody had listened to it."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not built for this system: asyncio's own loop serves too
        return None
    return uvloop.new_event_loop

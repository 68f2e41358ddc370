"""What a process of the gateway runs on: its event loop, its log, and the signals that end it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from structlog.typing import FilteringBoundLogger

from gateway import __version__
from gateway.config.reach import Reach
from gateway.config.settings import Address, LogFormat, Settings, UnixSocket
from gateway.log import make_log


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run it on the quickest event loop there is."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def the_log(settings: Settings) -> FilteringBoundLogger:
    """Make the log of this process."""
    shared = settings.process.workers > 1
    return make_log(settings.log.level.value, console=settings.log.format is LogFormat.CONSOLE, shared=shared)


def reach(settings: Settings, listen: Address | UnixSocket) -> Reach:
    """Tell how clients reach who listens there."""
    return Reach(listen, tls=settings.listener.tls_certificate is not None)


def started(settings: Settings, listen: Address | UnixSocket, admin: Address | None) -> dict[str, object]:
    """Give what gateway_started tells: the settings that matter."""
    store = settings.rejections.store
    return {
        "version": __version__,
        "listen": str(listen),
        "tls": reach(settings, listen).tls,
        "admin": str(admin) if admin else "off",
        "upstream": settings.upstream.url,
        "mode": settings.inspect.mode.value,
        "store": "off" if store is None else str(store),
        "capture": settings.rejections.capture.value,
        "traces": settings.traces.endpoint,
    }


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

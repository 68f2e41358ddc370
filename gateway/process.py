"""What a process of the gateway runs on: its event loop, its log, and the signals that end it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

from gateway import __version__
from gateway.config.reach import Reach
from gateway.config.settings import Address, LogFormat, Settings, UnixSocket
from gateway.errors import GatewayError, PortsTaken, PortTaken
from gateway.front import Beside
from gateway.log import make_log
from gateway.sockets import Bound, bind, bind_ports
from gateway.systemd import Handed

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


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


def all_taken(settings: Settings, handed: Handed, beside: Beside | None, one: PortTaken) -> GatewayError:
    """Name every address that is not to be had, now that one was not: who mends that one would only meet the next.

    Nothing may be open any more. Blocks.
    """
    listener, admin = settings.listener, settings.admin.listen
    wanted: list[Callable[[], Bound]] = []
    if not handed.clients:
        wanted.append(partial(bind, listener.listen, "listener.listen", "--listen", mode=listener.socket_mode))
    if admin is not None and not handed.admin:
        wanted.append(partial(bind, admin, "admin.listen", "--admin"))
    if beside is not None:
        wanted.append(partial(bind_ports, beside.listen, None, beside.flag))
    found: list[PortTaken] = []
    for binding in wanted:
        try:
            binding().close()
        except PortTaken as taken:
            found.append(taken)
    return PortsTaken(found) if len(found) > 1 else one


class Ending:
    """SIGINT and SIGTERM are heeded from when it is made: one that comes while the gateway starts has it stop after.

    A second one ends the process as if nobody had listened to it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._heed)

    def _heed(self) -> None:
        self._came.set()
        for number in SIGNALS:
            self._loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    async def wait(self) -> None:
        """Wait for the first of them."""
        await self._came.wait()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not built for this system: asyncio's own loop serves too
        return None
    return uvloop.new_event_loop

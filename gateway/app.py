"""Builds every part from the settings and joins them; alone in knowing them all."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from gateway import systemd
from gateway.config.fingerprint import fingerprint_key
from gateway.config.reach import Reach
from gateway.config.settings import Address, Settings, UnixSocket
from gateway.config.token import admin_token
from gateway.errors import GatewayError, PortTaken
from gateway.front import Front
from gateway.hangups import Hangups
from gateway.log import at_level
from gateway.panel import open_panel, panel_of
from gateway.process import Ending, all_taken, reach, run, started, the_log
from gateway.rejections.store import Store
from gateway.reload import Reloader
from gateway.serving import PROXY, Serving
from gateway.snapshot import Snapshot
from gateway.systemd import NOTHING_HANDED, Handed
from gateway.witness import Witness

if TYPE_CHECKING:
    from gateway.workers.supervisor import Supervisor


class Gateway:
    """A gateway in one process, that can be started and stopped. It belongs to the event loop that it is made in.

    `load` reads the settings anew; without it, those in force stay. `witness` sees what comes and what is done with it.
    `listen` and `admin` tell the addresses in force once it is started.
    """

    def __init__(
        self,
        settings: Settings,
        log: FilteringBoundLogger,
        load: Callable[[], Settings] | None = None,
        witness: Witness | None = None,
        front: Front = PROXY,
    ) -> None:
        self._settings = settings
        self._log = log
        self._front = front
        store = None if settings.rejections.store is None else Store(settings.rejections.store)
        self.serving = Serving(settings, fingerprint_key(settings), store, log, witness, front)
        self._reloader = Reloader(settings, load or (lambda: settings), self._put_in_force, log)
        self.panel = panel_of(
            settings,
            store,
            self._look,
            lambda: self.reach,
            lambda: self._settings.upstream.url,
            self._reloader.reload,
            log,
        )

    @property
    def listen(self) -> Address | UnixSocket:
        return self.serving.listen

    @property
    def reach(self) -> Reach:
        """How clients reach it."""
        found = reach(self._settings, self.listen)
        return found if self._front.direct else replace(found, instead=self._settings.upstream.url)

    @property
    def admin(self) -> Address | None:
        return None if self.panel is None else self.panel.address

    @property
    def counts(self) -> Counter[str]:
        return self.serving.counts

    async def _look(self) -> Snapshot:
        now = self.serving.snapshot()
        return replace(now, readings={**now.readings, **self._reloader.readings()})

    async def start(self, handed: Handed = NOTHING_HANDED) -> None:
        """Open the listeners, on the sockets handed over where there are any.

        Raises PortTaken, PortsTaken, CertificateUnusable and HandedAmiss, and leaves nothing open then.
        """
        try:
            await open_panel(self.panel, handed)
            await self.serving.start(handed.clients)
        except PortTaken as one:
            await self._give_up()
            raise await asyncio.to_thread(all_taken, self._settings, handed, self._front.beside, one) from None
        except GatewayError:
            await self._give_up()
            raise
        self._log.info("gateway_started", **started(self._settings, self.listen, self.admin))

    def hang_up(self) -> None:
        """Read the configuration anew, as SIGHUP asks for."""
        self._reloader.hang_up()

    async def _put_in_force(self, settings: Settings) -> None:
        token = await asyncio.to_thread(admin_token, settings.admin)
        await self.serving.renew(settings)
        if self.panel is not None:
            self.panel.renew(settings.admin, token)
        self._settings = settings
        self._log = at_level(self._log, settings.log.level.value)

    async def stop(self) -> None:
        """Finish what is in flight, for at most `shutdown.grace` seconds, and close everything."""
        await self._reloader.close()
        grace = self._settings.shutdown.grace
        self._log.info("gateway_stopping", in_flight=self.serving.listener.active, grace=grace)
        cut_off = await self.serving.drain()
        await self._close()
        log = self._log.warning if cut_off else self._log.info
        log("gateway_stopped", cut_off=cut_off, counts=dict(self.counts))

    async def _give_up(self) -> None:
        await self.serving.listener.drain(0.0)  # of two addresses, the first may be open
        await self._close()

    async def _close(self) -> None:
        await self.serving.close()
        if self.panel is not None:
            await self.panel.close()
        await self.serving.close_store()


def serve(settings: Settings, load: Callable[[], Settings], hangups: Hangups) -> None:
    """Run a gateway until SIGINT or SIGTERM. Raises PortTaken."""
    run(_until_told(lambda: _made(settings, load), hangups))


async def _until_told(make: "Callable[[], Gateway | Supervisor]", hangups: Hangups) -> None:
    ending = Ending()
    handed = systemd.handed()
    gateway = make()
    await gateway.start(handed)
    hangups.hand_over(gateway.hang_up)
    systemd.ready(f"Serves on {gateway.listen}")
    await ending.wait()
    systemd.stopping("Finishes what is in flight")
    await gateway.stop()


def _made(settings: Settings, load: Callable[[], Settings]) -> "Gateway | Supervisor":
    log = the_log(settings)
    if settings.process.workers == 1:
        return Gateway(settings, log, load)
    from gateway.workers.supervisor import Supervisor

    return Supervisor(settings, log, load)


def ext_proc(settings: Settings, load: Callable[[], Settings], hangups: Hangups) -> None:
    """Run a gateway that Envoy asks about requests until SIGINT or SIGTERM. Raises PortTaken and PortsTaken."""
    from gateway.extproc.server import front

    run(
        _until_told(lambda: Gateway(settings, the_log(settings), load, front=front(settings.inspect.max_body)), hangups)
    )

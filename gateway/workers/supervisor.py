"""Looks after the workers, and is what the world sees of them: the port, the admin listener, the signals."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from structlog.typing import FilteringBoundLogger

from gateway.config.fingerprint import fingerprint_key
from gateway.config.settings import Address, Settings, UnixSocket
from gateway.config.token import admin_token
from gateway.errors import GatewayError, PortTaken
from gateway.log import Lines, at_level
from gateway.meters import only
from gateway.panel import open_panel, panel_of
from gateway.process import all_taken, reach, started
from gateway.rejections.store import Store
from gateway.reload import NotPutInForce, Reloader
from gateway.shares import Shares
from gateway.snapshot import Snapshot, merged
from gateway.sockets import Bound, bind, handed
from gateway.systemd import NOTHING_HANDED, Handed
from gateway.workers.child import Child, WorkerGone
from gateway.workers.slot import Rhythm, Slot

WIND_UP: Final = 15.0
"""Seconds beyond `shutdown.grace` that a worker has to see its rejections into the store."""


class Supervisor:
    """The gateway in several processes: started, reloaded and stopped as one in a single process is."""

    def __init__(
        self,
        settings: Settings,
        log: FilteringBoundLogger,
        load: Callable[[], Settings] | None = None,
        rhythm: Rhythm | None = None,
    ) -> None:
        self.settings = settings
        self.log = log
        self.key = fingerprint_key(settings)
        self._bound: Bound | None = None
        self.shares = Shares.make(settings.process.workers)
        self.listen: Address | UnixSocket = settings.listener.listen
        self._rhythm = rhythm or Rhythm()
        self.slots = [Slot(number, self, self._rhythm) for number in range(1, settings.process.workers + 1)]
        self._stopping = False
        self._started = False
        self._reloader = Reloader(settings, load or (lambda: settings), self._put_in_force, log)
        store = None if settings.rejections.store is None else Store(settings.rejections.store)
        self._store = store  # only read here: each worker writes
        self._panel = panel_of(
            settings,
            store,
            self.look,
            lambda: reach(self.settings, self.listen),
            lambda: self.settings.upstream.url,
            self._reloader.reload,
            log,
        )

    @property
    def admin(self) -> Address | None:
        return None if self._panel is None else self._panel.address

    @property
    def restarts(self) -> int:
        """How many workers had to be replaced."""
        return sum(slot.restarts for slot in self.slots)

    async def look(self) -> Snapshot:
        """Tell for all workers, and for those that are gone."""
        found = await asyncio.gather(*(slot.look() for slot in self.slots))
        lost = only(Lines.lost_in_all)  # its own; the workers tell of theirs
        own = {**self._reloader.readings(), "worker_restarts": only(self.restarts), "log_lines_lost": lost}
        return merged((*found, Snapshot(draining=self._stopping, started=self._started, readings=own)))

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """What the workers accept from."""
        return () if self._bound is None else self._bound.sockets

    async def start(self, taken: Handed = NOTHING_HANDED) -> None:
        """Open the listeners, and wait until each worker serves or has failed to.

        Sockets that were handed over are listened on already. Raises PortTaken, PortsTaken and HandedAmiss.
        """
        try:
            self._bound = handed(taken.clients) if taken.clients else await asyncio.to_thread(self._bind)
            self.listen = self._bound.address
            await open_panel(self._panel, taken)
        except PortTaken as one:
            await self._close()
            raise await asyncio.to_thread(all_taken, self.settings, taken, None, one) from None
        except GatewayError:
            await self._close()
            raise
        for slot in self.slots:
            slot.start()
        for slot in self.slots:
            await slot.tried.wait()
        self._started = True
        self.log.info("gateway_started", **started(self.settings, self.listen, self.admin), workers=len(self.slots))

    def _bind(self) -> Bound:
        listener = self.settings.listener
        return bind(listener.listen, "listener.listen", "--listen", mode=listener.socket_mode)

    def hang_up(self) -> None:
        """Read the configuration anew, as SIGHUP asks for."""
        self._reloader.hang_up()

    async def _put_in_force(self, settings: Settings) -> None:
        """Hand the settings to one worker after the other. Where one cannot have them, those before it get the old."""
        token = await asyncio.to_thread(admin_token, settings.admin)
        done: list[Child] = []
        for slot in self.slots:
            if (child := slot.serving) is None:
                continue
            if (failure := await self._renew(child, settings)) is not None:
                for other in done:
                    await self._renew(other, self.settings)
                raise NotPutInForce(failure)
            done.append(child)
        self.settings = settings
        for slot in self.slots:  # who came meanwhile may have been started with the old ones
            if (child := slot.serving) is not None and child.settings is not settings:
                with suppress(WorkerGone):
                    await slot.renew(child)
        if self._panel is not None:
            self._panel.renew(settings.admin, token)
        self.log = at_level(self.log, settings.log.level.value)

    async def _renew(self, child: Child, settings: Settings) -> str | None:
        """As Child.renew; one that does not answer is killed, and who comes in its place has the settings in force."""
        try:
            return await child.renew(settings, self._rhythm.patience)
        except WorkerGone:
            child.kill()
            return None

    async def stop(self) -> None:
        """Have every worker finish what is in flight, for at most `shutdown.grace` seconds, and close everything."""
        await self._reloader.close()
        self._stopping = True
        grace = self.settings.shutdown.grace
        self.log.info("gateway_stopping", in_flight=(await self.look()).in_flight, grace=grace)
        if self._bound is not None:
            self._bound.close()
        # All of them before any tells a client to come back: it would wait where nobody accepts any more.
        await asyncio.gather(*(slot.close_port() for slot in self.slots))
        cut_off = sum(await asyncio.gather(*(slot.stop(grace + WIND_UP) for slot in self.slots)))
        counts = merged(slot.past for slot in self.slots).counts
        await self._close()
        log = self.log.warning if cut_off else self.log.info
        log("gateway_stopped", cut_off=cut_off, counts=dict(counts))

    async def _close(self) -> None:
        self.shares.close()
        if self._bound is not None:
            self._bound.close()
        if self._panel is not None:
            await self._panel.close()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

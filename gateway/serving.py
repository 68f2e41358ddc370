"""Takes requests and sees them answered, by the settings in force: all of a gateway but its admin listener."""

import asyncio
import platform
import socket
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from structlog.typing import FilteringBoundLogger

from gateway.access_log import access_log
from gateway.config.settings import Address, Settings, UnixSocket
from gateway.exchange import Downstream, Exchange
from gateway.forwarder import Forwarder
from gateway.front import Beside, Front
from gateway.listener import Listener
from gateway.log import Lines, at_level
from gateway.lookups.link import Link
from gateway.meters import Meters, Readings, only
from gateway.outgoing import Rounds
from gateway.process import reach
from gateway.proxies import TrustedProxies
from gateway.rejections.recorder import Recorder
from gateway.rejections.store import Store
from gateway.road import Road, Roadside, trust
from gateway.shares import Share
from gateway.snapshot import Snapshot
from gateway.vitals import vitals
from gateway.witness import Handle, Witness

if TYPE_CHECKING:
    from gateway.traces import Traces


PROXY: Final = Front(Listener, Forwarder)
"""The gateway as a proxy."""


def proxy_beside(beside: Beside) -> Front:
    """Give the gateway as a proxy that listens there too."""
    return Front(partial(Listener, beside=beside), Forwarder, beside=beside)


class Serving:
    """Serves once it is started. It belongs to the event loop that it is made in.

    `key` keys the fingerprints of credentials. `witness` sees what comes and what is done with it. `listen` tells the
    address in force once it is started.
    """

    def __init__(
        self,
        settings: Settings,
        key: bytes,
        store: Store | None,
        log: FilteringBoundLogger,
        witness: Witness | None = None,
        front: Front = PROXY,
    ) -> None:
        self.settings = settings
        self._log = log
        self._witness = witness
        rounds = Rounds(asyncio.get_running_loop())
        self.meters = Meters()
        self.stopping = False
        self.listen: Address | UnixSocket = settings.listener.listen
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="large-bodies")  # starts with the first of them
        self.recorder = None if store is None else _recorder(settings, store, log)
        self._link = _link(settings, log)
        self._traces = _traces(settings, log)
        self._beside = Roadside(
            front.outlet, rounds, self.meters, self.recorder, self._thread, key, self._link, self._traces, witness
        )
        self.road = Road(settings, trust(settings), self._beside, log)
        self._retired: list[Road] = []
        self._downstream = Downstream(
            key,
            self.meters,
            _proxies(settings),
            on_end=self._on_end(settings, log),
            on_fault=self.road.dispatcher.fault,
        )
        self.listener = front.inlet(self._handle(self.road), settings.listener, self._downstream, rounds, log)

    @property
    def counts(self) -> Counter[str]:
        """What has been done with email writes."""
        return self.meters.counts

    async def start(self, sockets: Sequence[socket.socket] = (), share: Share | None = None) -> None:
        """Accept from these sockets, or as the settings say. Raises what Listener.open raises."""
        if self._link is not None:
            # Until it is known whether the shared cache can be asked, each request would ask Close by itself.
            await self._link.start()
        self.listen = await self.listener.open(sockets, share)
        if self.recorder is not None:
            await self.recorder.start(reach(self.settings, self.listen).instance(platform.node()))

    async def renew(self, settings: Settings) -> None:
        """Have these settings in force for what comes from now on. Raises OSError, and nothing has changed then."""
        tls = await asyncio.to_thread(trust, settings)
        log = at_level(self._log, settings.log.level.value)
        road = Road(settings, tls, self._beside, log, self.road.known_to(settings))
        # From here on nothing can fail, and nothing waits: no request sees a part of the one and of the other.
        before, self.road, self.settings, self._log = self.road, road, settings, log
        self._downstream.proxies = _proxies(settings)
        self._downstream.on_end = self._on_end(settings, log)
        self._downstream.on_fault = road.dispatcher.fault
        self.listener.renew(self._handle(road), settings.listener, log)
        if self.recorder is not None:
            self.recorder.renew(settings.rejections, log)
        if self._link is not None:
            self._link.renew(log, pause=settings.lookups.breaker_pause)
        if self._traces is not None:
            self._traces.renew(log)
        before.retire()
        self._retired = [road for road in [*self._retired, before] if not road.over]

    def _handle(self, road: Road) -> Handle:
        handle = road.dispatcher.dispatch
        return handle if self._witness is None else self._witness.watching(handle)

    def _on_end(self, settings: Settings, log: FilteringBoundLogger) -> Handle | None:
        told = access_log(log) if settings.log.access else None
        witness = self._witness
        if witness is None or told is None:
            return told if witness is None else witness.ended

        def both(exchange: Exchange) -> None:
            told(exchange)
            witness.ended(exchange)

        return both

    def snapshot(self) -> Snapshot:
        return Snapshot(
            serving=int(self.listener.accepts or self.stopping),
            draining=self.stopping,
            in_flight=self.listener.active,
            counts=self.meters.counts.copy(),
            readings={**self.meters.read(), **self._gauges(), **vitals()},
            store=None if self.recorder is None else self.recorder.state(),
            cache=None if self._link is None else self._link.state,
        )

    def _gauges(self) -> Readings:
        roads = [*self._retired, self.road]
        pools = [road.pool for road in roads]
        idle, opened = sum(pool.idle for pool in pools), sum(pool.open for pool in pools)
        return {
            "identity_cache_entries": only(self.road.remembered),
            "upstream_connections": {
                ("idle",): idle,
                ("busy",): opened - idle,
                ("opening",): sum(pool.opening for pool in pools),
            },
            "upstream_waiting": only(sum(pool.waiting for pool in pools)),
            "client_connections": only(self.listener.connections),
            "requests_in_flight": only(self.listener.active),
            "log_lines_lost": only(Lines.lost_in_all),
        }

    async def drain(self) -> int:
        """Finish what is in flight, for at most `shutdown.grace` seconds; tell how many requests were cut off."""
        self.stopping = True
        return await self.listener.drain(self.settings.shutdown.grace)

    async def close(self) -> None:
        """Close all but the store."""
        for road in (*self._retired, self.road):
            await road.close()
        if self._link is not None:
            await self._link.close()
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._traces is not None:
            await self._traces.close()

    async def close_store(self) -> None:
        """Write what waits, and close the store: nobody may ask it any more."""
        if self.recorder is not None:
            await self.recorder.close()


def _proxies(settings: Settings) -> TrustedProxies | None:
    trusted = settings.listener.trusted_proxies
    return TrustedProxies(trusted) if trusted else None


def _link(settings: Settings, log: FilteringBoundLogger) -> Link | None:
    cache = settings.identity.cache
    return None if cache is None else Link(cache, log, pause=settings.lookups.breaker_pause)


def _traces(settings: Settings, log: FilteringBoundLogger) -> "Traces | None":
    if settings.traces.endpoint is None:
        return None
    from gateway.traces import Traces

    return Traces(settings.traces, log)


def _recorder(settings: Settings, store: Store, log: FilteringBoundLogger) -> Recorder:
    return Recorder(settings.rejections, store, log)

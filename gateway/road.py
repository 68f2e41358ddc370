"""What a request goes by once it is read: built whole from the settings, and exchanged whole when they change.

Rule    A request ends on the road that it began on. A road that was exchanged lends no connection to two requests any
        more, and is over once the last of its own are.
"""

import ssl
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from gateway import __version__
from gateway.config.settings import Mode, Settings
from gateway.dispatcher import Dispatcher
from gateway.exchange import Exchange
from gateway.front import MakesOutlet
from gateway.interceptor import Interceptor
from gateway.lookups.breaker import Breaker
from gateway.lookups.cache import IdentityCache
from gateway.lookups.client import Kind, LookupClient
from gateway.lookups.identity import Identities
from gateway.lookups.link import Link
from gateway.lookups.seal import Seal
from gateway.lookups.shared import SharedIdentities
from gateway.lookups.stored_email import StoredEmails
from gateway.meters import Meters
from gateway.outgoing import Rounds
from gateway.rejections.recorder import Recorder
from gateway.upstream.pool import Origin, Pool, tls_context
from gateway.witness import Witness

if TYPE_CHECKING:
    from gateway.traces import Traces


@dataclass(frozen=True, slots=True)
class Roadside:
    """What stays while roads are exchanged."""

    outlet: MakesOutlet
    rounds: Rounds
    meters: Meters
    recorder: Recorder | None
    thread: Executor
    """Where large bodies are read."""
    key: bytes
    """The secret of the gateways that share identities."""
    link: Link | None
    """Leads to what they share; None: nothing."""
    traces: "Traces | None"
    witness: Witness | None


def trust(settings: Settings) -> ssl.SSLContext | None:
    """Tell whom to trust upstream; None where it speaks no TLS. Reads files. Raises OSError."""
    upstream = settings.upstream
    return tls_context(upstream.ca_file) if Origin.of(upstream.url).scheme == "https" else None


class Road:
    """Pool, look-ups and verdicts. `known` is what another road has learnt already."""

    def __init__(
        self,
        settings: Settings,
        tls: ssl.SSLContext | None,
        beside: Roadside,
        log: FilteringBoundLogger,
        known: IdentityCache | None = None,
    ) -> None:
        self._settings = settings
        self.pool = _pool(settings, tls, beside.rounds)
        lookups = _lookup_client(settings, self.pool, beside.meters)
        identity, pause = settings.identity, settings.lookups.breaker_pause
        self._cache = IdentityCache(identity.ttl, identity.max_entries, pause) if known is None else known
        shared = None if beside.link is None else _shared(settings, beside.key, beside.link)
        self._identities = Identities(lookups, self._cache, beside.meters, shared)
        self.dispatcher = self._dispatcher(beside, StoredEmails(lookups), log)

    def known_to(self, settings: Settings) -> IdentityCache | None:
        """Give what it has learnt, where a road of these settings would have learnt the same."""
        mine = self._settings
        same = (
            mine.upstream.url == settings.upstream.url
            and mine.identity == settings.identity
            and mine.lookups.breaker_pause == settings.lookups.breaker_pause
        )
        return self._cache if same else None

    def _dispatcher(self, beside: Roadside, stored_emails: StoredEmails, log: FilteringBoundLogger) -> Dispatcher:
        settings = self._settings

        def forget(exchange: Exchange) -> None:
            if exchange.credentials is not None:
                self._identities.forget(exchange.credentials)

        outlet = beside.outlet(self.pool, log, forwarded=settings.upstream.forwarded, on_unauthorized=forget)
        if settings.inspect.mode is Mode.OFF:
            return Dispatcher(outlet, None, log)
        interceptor = Interceptor(
            settings.inspect,
            outlet,
            self._identities,
            stored_emails,
            log,
            beside.meters,
            beside.recorder,
            beside.thread,
            rules=settings.rules,
            mark=settings.answer.mark,
            traces=None if beside.traces is None else beside.traces.towards(settings.upstream.url),
            witness=beside.witness,
        )
        return Dispatcher(outlet, interceptor, log)

    @property
    def remembered(self) -> int:
        """How many identities are remembered."""
        return len(self._cache)

    def retire(self) -> None:
        """Take in that no new request comes this way."""
        self.pool.retire()

    @property
    def over(self) -> bool:
        """Whether nothing is under way on it, as far as Close could tell."""
        return not self.pool.open and not self._identities.asking

    async def close(self) -> None:
        """Give up whatever is under way."""
        await self._identities.close()
        await self.pool.close()


def _pool(settings: Settings, tls: ssl.SSLContext | None, rounds: Rounds) -> Pool:
    upstream = settings.upstream
    return Pool(
        Origin.of(upstream.url),
        tls,
        rounds,
        timeout=upstream.timeout,
        connect_timeout=upstream.connect_timeout,
        max_connections=upstream.max_connections,
        idle_timeout=upstream.idle_timeout,
    )


def _lookup_client(settings: Settings, pool: Pool, meters: Meters) -> LookupClient:
    lookups = settings.lookups
    breakers = {kind: Breaker(lookups.breaker_failures, lookups.breaker_pause) for kind in Kind}
    return LookupClient(pool, f"close-gateway/{__version__}", meters, timeout=lookups.timeout, breakers=breakers)


def _shared(settings: Settings, key: bytes, link: Link) -> SharedIdentities:
    ttl, lookups = settings.identity.ttl, settings.lookups
    seal = Seal(key, settings.upstream.url)
    return SharedIdentities(link, seal, ttl=ttl, pause=lookups.breaker_pause, timeout=lookups.timeout)

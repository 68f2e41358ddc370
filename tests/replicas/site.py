"""All that runs: the upstream, the stores, three gateways, the balancer. What a load came to is accounted for here."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import Any, Final

from tests.lookups.redis_server import RedisServer, redis_server
from tests.rejections.postgres import Postgres, postgres_server
from tests.replicas.account import Account
from tests.replicas.balancer import Backend, Balancer, Pairing
from tests.replicas.fleet import Fleet, Replica
from tests.replicas.ledger import NOBODY, Audit, Row
from tests.replicas.load import Load
from tests.replicas.upstream import Upstream

REST: Final = 20.0
"""Seconds in which all that was rejected has to be in the store. While it is down, gateways try ever less often."""
PAGE: Final = 1000
CACHE_DOWN: Final = "identity_cache_down"
MANY: Final = 2
"""Gateways at the least that have to have had requests with a credential before anything is said about sharing."""


class Site:
    """The parts, and a count of the loads so far: each has a name of its own."""

    def __init__(
        self, seed: int, postgres: Postgres, redis: RedisServer, upstream: Upstream, balancer: Balancer, fleet: Fleet
    ) -> None:
        self._seed = seed
        self._loads = 0
        self._asked = 0
        self._cache_down = 0
        self.postgres = postgres
        self.redis = redis
        self.upstream = upstream
        self.balancer = balancer
        self.fleet = fleet

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, seed: int) -> AsyncIterator["Site"]:
        """Start all parts, and see that all are gone afterwards."""
        async with contextlib.AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="replicas-")))
            postgres = stack.enter_context(postgres_server())
            redis = stack.enter_context(redis_server())
            upstream = await stack.enter_async_context(Upstream.running())
            balancer = await stack.enter_async_context(Balancer.running())
            settings = {
                "UPSTREAM__URL": f"http://127.0.0.1:{upstream.port}",
                "REJECTIONS__STORE": postgres.url(),
                "IDENTITY__CACHE": redis.url,
                "REJECTIONS__BACKLOG_FOLDER": str(folder / "waiting"),
            }
            fleet = await stack.enter_async_context(Fleet.running(balancer, folder, settings))
            site = cls(seed, postgres, redis, upstream, balancer, fleet)
            await site.store_is("ok")
            yield site

    @contextlib.asynccontextmanager
    async def load(self, name: str) -> AsyncIterator[Load]:
        """Have clients send requests to a whole fleet for as long as the context lasts."""
        await self.fleet.fill_up()
        self._loads += 1
        self._cache_down = self.fleet.told(CACHE_DOWN)
        async with Load.running(f"{name}{self._loads}", self.balancer, self._seed) as load:
            yield load

    async def account(
        self,
        load: Load,
        facts: dict[str, Any],
        *,
        doomed: Collection[Pairing] = NOBODY,
        died: Backend | None = None,
        sharing: bool = True,
    ) -> Account:
        """Wait until the store has what it is to have, and hold all against each other.

        `doomed` and `died` are as in Audit. `sharing` tells that the gateways had the cache all the time.
        """
        await self.recorded()
        rows, *others = await asyncio.gather(*(listed(replica, load.lead) for replica in self.fleet.replicas))
        audit = Audit(load.ledger, self.upstream, rows, doomed, died)
        problems = [*audit.problems(), *self.fleet.problems()]
        if any(other != rows for other in others):
            problems.append("the gateways do not tell the same rejections")
        # A machine so busy that the cache does not answer in time is no fault of a gateway's; its log tells.
        sharing = sharing and self.fleet.told(CACHE_DOWN) == self._cache_down
        problems += self._asked_again(load, sharing=sharing)
        before, self._asked = self._asked, self.upstream.asked.total()
        facts |= {"sharing": sharing}
        return Account(load.name, load.ledger, rows, problems, audit.unrecorded, self._asked - before, facts)

    def _asked_again(self, load: Load, *, sharing: bool) -> list[str]:
        """Find credentials that Close was not asked about once; where nothing is shared, more than once by a gateway.

        Whoever was killed may have asked as well, or instead.
        """
        broken = {entry.key for entry in load.ledger.broken()}
        problems = []
        for key in load.ledger.credentials():
            most = 1 if sharing else len(load.ledger.gateways_of(key))
            times = self.upstream.asked[key]
            if not 1 - (key in broken) <= times <= most + (key in broken):
                problems.append(f"Close was asked {times} times about {key}")
        return problems

    def asked_amiss(self, load: Load, keys: Sequence[str], *, shared: bool) -> list[str]:
        """Find credentials that Close was not asked about once: by all gateways, or where nothing is shared by each."""
        problems = []
        for key in keys:
            gateways = load.ledger.gateways_of(key)
            expected = 1 if shared else len(gateways)
            if len(gateways) < MANY or self.upstream.asked[key] != expected:
                problems.append(f"Close was asked {self.upstream.asked[key]} times about {key}, by {sorted(gateways)}")
        return problems

    async def cache_is(self, status: str) -> None:
        """Wait until every gateway says this of the cache that they share."""
        async with asyncio.timeout(REST):
            for replica in self.fleet.replicas:
                while (await replica.ask("/readyz"))["cache"]["status"] != status:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.03)

    async def store_is(self, status: str) -> None:
        """Wait until every gateway says this of the store."""
        async with asyncio.timeout(REST):
            for replica in self.fleet.replicas:
                while (await store_state(replica))[0] != status:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.03)

    async def recorded(self) -> None:
        """Wait until all that was rejected is in the store: nothing may be sent meanwhile."""
        async with asyncio.timeout(REST):
            for replica in self.fleet.replicas:
                while (await store_state(replica)) != ("ok", 0):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.03)


async def store_state(replica: Replica) -> tuple[str, int]:
    """Tell how the store does, as a gateway sees it, and how many entries wait there in memory."""
    store = (await replica.ask("/readyz"))["store"]
    return store["status"], store["waiting"]


async def listed(replica: Replica, lead: str) -> list[Row]:
    """List what a gateway tells of the rejections for a lead, all pages of it."""
    rows: list[Row] = []
    query = f"/api/rejections?lead_id={lead}&limit={PAGE}"
    cursor = ""
    while True:
        page = await replica.ask(query + cursor)
        rows += page["data"]
        if page["next"] is None:
            return rows
        cursor = f"&cursor={page['next']}"

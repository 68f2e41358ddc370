"""What is done to the fleet under load. Each scenario leaves it whole, and tells what became of every request.

`seconds` is how long the load goes on before and after each thing that is done.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from tests.replicas.account import Account
from tests.replicas.fleet import Replica
from tests.replicas.ledger import Kind
from tests.replicas.load import KEYS, Connection, Load, Planned
from tests.replicas.site import CACHE_DOWN, Site, store_state

UNDER_WAY: Final = 3
"""Requests that a gateway has in hand when it is killed, at the least."""
HELD: Final = 0.6
"""Seconds that a request takes which is to be there when a gateway stops."""
PATIENCE: Final = 15.0
ATTEMPTS: Final = 5
LOGGED: Final = 0.5
"""Seconds within which an event is in the log."""

Scenario: TypeAlias = Callable[[Site, float], Awaitable[Account]]


async def undisturbed(site: Site, seconds: float) -> Account:
    """Do nothing."""
    before = await _counted(site)
    async with site.load("undisturbed") as load:
        await load.goes_on(2 * seconds)
    account = await site.account(load, {})
    after = await _counted(site)
    account.facts["counted by each gateway"] = sorted(now - then for now, then in zip(after, before, strict=True))
    return account


async def _counted(site: Site) -> list[int]:
    """Ask every gateway how many rejections there are in all."""
    told = await asyncio.gather(*(replica.ask("/api/stats") for replica in site.fleet.replicas))
    return [stats["rejected"] for stats in told]


async def crowded(site: Site, seconds: float) -> Account:
    """Have new credentials come to all gateways at once."""
    async with site.load("crowded") as load:
        await load.goes_on(seconds)
        problems = await _crowd_shares(site, load)
    account = await site.account(load, {})
    account.problems += problems
    return account


async def killed(site: Site, seconds: float) -> Account:
    """Kill a gateway while it has requests in hand and has claimed look-ups, and replace it after a while."""
    async with site.load("killed") as load, asyncio.TaskGroup() as group:
        victim = site.fleet.replicas[0]
        await load.goes_on(seconds)
        group.create_task(load.crowd(rest=False))
        await load.until(lambda: sum(f"crowd-{load.name}" in key for key in site.upstream.asked) >= KEYS // 2)
        await load.under_way(victim.backend, UNDER_WAY)
        doomed = site.balancer.pairings(victim.backend)
        in_hand = len(load.ledger.under_way(victim.backend))
        victim.kill()
        load.ledger.phase = "without it"
        await load.goes_on(seconds)
        await site.fleet.fill_up()
        load.ledger.phase = "replaced"
        await load.goes_on(seconds)
    facts = {"connections to it": len(doomed), "requests in hand": in_hand}
    account = await site.account(load, facts, doomed=doomed, died=victim.backend)
    account.facts["of those left out in its log"] = len(site.fleet.rejected() & set(account.unrecorded))
    return account


async def drained(site: Site, seconds: float) -> Account:
    """Stop a gateway in good order, with a request in hand that takes a while, and replace it."""
    async with site.load("drained") as load, asyncio.TaskGroup() as group:
        leaving = site.fleet.replicas[0]
        await load.goes_on(seconds)
        held = Planned(f"{load.name}-held", Kind.PASSED, "key-held", load.lead, HELD)
        group.create_task(_by_way_of(leaving, held, site, load))
        await load.until(lambda: site.upstream.arrived[held.token] > 0)
        leaving.terminate()
        code = await leaving.exit_code()
        load.ledger.phase = "without it"
        await load.goes_on(seconds)
        await site.fleet.fill_up()
        load.ledger.phase = "replaced"
        await load.goes_on(seconds)
    facts = {"exit code": code, "readyz": leaving.backend.told, "passed over": site.balancer.passed_over}
    return await site.account(load, facts)


async def _by_way_of(replica: Replica, planned: Planned, site: Site, load: Load) -> None:
    """Ask by way of this gateway."""
    spare: list[Connection] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while not spare or spare[-1].pairing.backend is not replica.backend:
                spare.append(await Connection.to(site.balancer))
            await spare[-1].ask(planned, load.ledger)
    finally:
        for connection in spare:
            await connection.close()


async def postgres_stopped(site: Site, seconds: float) -> Account:
    """Stop PostgreSQL in good order, and start it again."""
    return await _without_postgres(site, seconds, "stopped", site.postgres.stop)


async def postgres_killed(site: Site, seconds: float) -> Account:
    """Kill PostgreSQL, and start it again."""
    return await _without_postgres(site, seconds, "crashed", site.postgres.kill)


async def _without_postgres(site: Site, seconds: float, name: str, end: Callable[[], None]) -> Account:
    async with site.load(name) as load:
        await load.goes_on(seconds)
        await asyncio.to_thread(end)
        try:
            load.ledger.phase = "without it"
            await load.goes_on(seconds)
            await site.store_is("down")
            waited = [await store_state(replica) for replica in site.fleet.replicas]
        finally:
            await asyncio.to_thread(site.postgres.start)
        load.ledger.phase = "with it again"
        await site.store_is("ok")
        await load.goes_on(seconds)
    return await site.account(load, {"waited in memory": [waiting for _, waiting in waited]})


async def redis_killed(site: Site, seconds: float) -> Account:
    """Kill Redis, and start it again, empty."""
    return await _without_redis(site, seconds, "forgetful", site.redis.kill, site.redis.start)


async def redis_paused(site: Site, seconds: float) -> Account:
    """Have Redis stand still, and go on."""
    return await _without_redis(site, seconds, "paused", site.redis.pause, site.redis.resume)


async def _without_redis(
    site: Site, seconds: float, name: str, end: Callable[[], None], begin: Callable[[], None]
) -> Account:
    """Have crowds of new credentials come before, meanwhile and afterwards."""
    async with site.load(name) as load:
        await load.goes_on(seconds)
        problems = await _crowd_shares(site, load)
        await asyncio.to_thread(end)
        try:
            load.ledger.phase = "without it"
            await site.cache_is("down")  # which the load makes each find out for itself
            alone = await load.crowd()
            problems += site.asked_amiss(load, alone, shared=False)
            await load.goes_on(seconds)
        finally:
            await asyncio.to_thread(begin)
        await site.cache_is("ok")
        load.ledger.phase = "with it again"
        problems += await _crowd_shares(site, load)
        await load.goes_on(seconds)
    account = await site.account(load, {}, sharing=False)
    account.problems += problems
    return account


async def _crowd_shares(site: Site, load: Load) -> list[str]:
    """Have a crowd come, and see that Close is asked once about each of its credentials.

    A machine that is so busy that the cache does not answer in time is no fault of a gateway's: its log tells.
    """
    problems: list[str] = []
    for _ in range(ATTEMPTS):
        before = site.fleet.told(CACHE_DOWN)
        problems = site.asked_amiss(load, await load.crowd(), shared=True)
        if not problems:
            break
        await asyncio.sleep(LOGGED)
        if site.fleet.told(CACHE_DOWN) == before:
            break
        await site.cache_is("ok")
    return problems


SCENARIOS: Final[tuple[Scenario, ...]] = (
    undisturbed,
    crowded,
    killed,
    drained,
    redis_killed,
    redis_paused,
    postgres_stopped,
    postgres_killed,
)

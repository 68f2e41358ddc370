"""Several gateways' identities in one process, sharing a cache, and the Close that all of them ask."""

import asyncio
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from gateway.config.cache import CacheLocation
from gateway.exchange import Credentials
from gateway.log import make_log
from gateway.lookups.cache import Identity, IdentityCache
from gateway.lookups.identity import Identities
from gateway.lookups.link import Link
from gateway.lookups.seal import Seal
from gateway.lookups.shared import SharedIdentities
from gateway.meters import Meters
from tests.lookups.asking import KEY, asker
from tests.pools import pooled
from tests.recording import OWNER, Call, Recording, Script, answers, recording

UPSTREAM: Final = "https://api.close.com"
JANE: Final = Identity("jane@example.com")
"""Whom OWNER tells."""
TELLS: Final = answers(OWNER)
PATIENT: Final = 10.0
"""Seconds for Redis to answer, where a test is not about that: the machine may be busy with something else."""
PAUSE: Final = 0.2
"""Seconds until a cache that is down is tried again."""


class Peer:
    """One of the gateways, as far as it knows identities. `lines` is its log."""

    def __init__(
        self, identities: Identities, meters: Meters, shared: SharedIdentities, link: Link, lines: io.BytesIO
    ) -> None:
        self.identities = identities
        self.meters = meters
        self.shared = shared
        self.link = link
        self.lines = lines

    async def owner(self, name: str) -> Identity:
        """Ask for the owner of a key."""
        return await self.identities.resolve(key(name), None)

    def events(self) -> list[tuple[str, str | None]]:
        """Tell what the log says of the cache: each event with its reason."""
        read: list[dict[str, Any]] = [json.loads(line) for line in self.lines.getvalue().splitlines()]
        return [(event["event"], event.get("reason")) for event in read]

    async def is_up(self) -> None:
        await until(lambda: self.link.up)

    async def is_down(self) -> None:
        await until(lambda: not self.link.up)


def key(name: str) -> Credentials:
    """Make credentials of some API key."""
    return Credentials(f"Basic api_canary_{name}".encode(), KEY)


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.002)


def slowly(gate: asyncio.Event) -> Script:
    """Answer with the owner once the gate is open."""

    async def script(call: Call) -> None:
        await call.read_all()
        await gate.wait()
        await call.send(OWNER)

    return script


def asked(upstream: Recording) -> Counter[str]:
    """Tell how often each key came."""
    heads = [request.head.decode() for request in upstream.requests]
    return Counter(head.partition("Authorization: Basic api_canary_")[2].partition("\r\n")[0] for head in heads)


@asynccontextmanager
async def peers(
    url: str,
    count: int = 2,
    *,
    script: Script = TELLS,
    up: bool = True,
    timeout: float = 5.0,  # noqa: ASYNC109 - that of the look-ups
    ttl: float = 600.0,
    budget: float = PATIENT,
) -> AsyncIterator[tuple[Recording, list[Peer]]]:
    """Run an upstream and so many gateways' identities before it, each with a pool and a connection of its own."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(recording(script))
        made: list[Peer] = []
        for _ in range(count):
            pool = await stack.enter_async_context(pooled(upstream.url, max_connections=100))
            lines = io.BytesIO()
            link = Link(
                CacheLocation.parse(url), make_log("debug", console=False, stream=lines), pause=PAUSE, budget=budget
            )
            shared = SharedIdentities(link, Seal(KEY, UPSTREAM), ttl=ttl, pause=5.0, timeout=timeout)
            stack.push_async_callback(link.close)
            meters = Meters()
            identities = Identities(asker(pool, patience=timeout), IdentityCache(ttl, 1000, 5.0), meters, shared)
            stack.push_async_callback(identities.close)
            made.append(Peer(identities, meters, shared, link, lines))
            await link.start()
        for peer in made:
            await (peer.is_up() if up else until(lambda peer=peer: peer.events()))  # type: ignore[misc]
        yield upstream, made

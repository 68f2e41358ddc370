"""Identities shared by several gateways: one of them asks Close, the others take what it was told.

Rule    Whoever finds nothing under a name puts a claim there, asks Close and puts the answer in its place. Whoever
        finds a claim waits for that answer. A claim ends by itself, so that a gateway which dies with it holds the
        others up for a part of `lookups.timeout` only; then another takes over, or each asks for itself.
Rule    What is found counts as long as it did where it was learnt, so that no address is older than `identity.ttl`. In
        a gateway's own memory it stays for LOCAL at most: what another one forgets is soon forgotten here.
Rule    What is told and forgotten is written behind the answer's back, by a bounded number of tasks. Where the cache
        fails, nothing of this happens, and the gateway does as one that is alone.
"""

import asyncio
import math
import secrets
import time
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Final

from gateway.lookups.cache import Identity, Key, Unknown
from gateway.lookups.link import CacheDown, Link
from gateway.lookups.seal import MAX_VALUE, Claimed, Seal, Shared

LOCAL: Final = 30.0
"""Seconds that a gateway remembers by itself what stands in the shared cache too."""
CLAIM: Final = 0.4
PATIENCE: Final = 0.5
"""Parts of `lookups.timeout` that a claim lasts and that it is waited for. The rest is for asking Close oneself."""
FIRST_LOOK: Final = 0.01
LAST_LOOK: Final = 0.05
"""Seconds between two looks for the answer of whoever has the claim."""
MOST_WRITES: Final = 200
"""Writes under way. Further ones are left out: what is not told is asked for, and what is not forgotten ends."""
MOST_FORGOTTEN: Final = 200
REST: Final = 1.0
"""Names that are removed at a time, and seconds until the next ones are: a key that is refused may come often."""


@dataclass(frozen=True, slots=True)
class Turn:
    """It is on this gateway to ask Close, within so many seconds. `claim` is its value; None: it has none."""

    name: str
    claim: bytes | None
    within: float


class SharedIdentities:
    """What the gateways that share a cache were told. `ttl` and `pause` are as in IdentityCache."""

    def __init__(self, link: Link, seal: Seal, *, ttl: float, pause: float, timeout: float) -> None:
        self._link = link
        self._seal = seal
        self._ttl = ttl
        self._pause = min(ttl, pause)
        self._timeout = timeout
        self._writing: set[asyncio.Task[None]] = set()
        self._doomed: set[str] = set()
        self._forgetting: asyncio.Task[None] | None = None

    @property
    def local(self) -> float:
        """Seconds that what is learnt now may be remembered here: all of its own where nobody else remembers it."""
        return LOCAL if self._link.up else math.inf

    async def find(self, key: Key) -> Shared | Turn:
        """Give what the gateways know, be it that one is just asking; or tell this one to ask."""
        name, started, look = self._seal.name(key), monotonic(), FIRST_LOOK
        with suppress(CacheDown):
            while True:
                with self._link.in_time():
                    found = await self._claim(name, started)
                if not isinstance(found, Claimed):
                    return found
                if monotonic() - started + look > PATIENCE * self._timeout:
                    break
                await asyncio.sleep(look)
                look = min(2 * look, LAST_LOOK)
        return Turn(name, None, self._left(started))

    def tell(self, turn: Turn, outcome: Identity | Unknown) -> None:
        """Share what Close has answered."""
        lasts = self._ttl if isinstance(outcome, Identity) else self._pause
        value = self._seal.value(turn.name, outcome, time.time() + lasts)
        if value is not None:
            self._write(self._say("SET", turn.name, value, "PX", _milliseconds(lasts)))

    def give_up(self, turn: Turn) -> None:
        """Let another one ask: Close has not answered."""
        if turn.claim is not None:
            self._write(self._release(turn.name, turn.claim))

    def forget(self, keys: Iterable[Key]) -> None:
        """Remove what is known under these keys."""
        if not self._link.up:
            return
        self._doomed.update(map(self._seal.name, islice(keys, MOST_FORGOTTEN - len(self._doomed))))
        if self._forgetting is None:
            self._forgetting = asyncio.create_task(self._forget())

    async def close(self) -> None:
        """Give up what is being written."""
        writing = [*self._writing, *([self._forgetting] if self._forgetting else [])]
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)

    def _left(self, started: float) -> float:
        return max(self._timeout - (monotonic() - started), (1 - PATIENCE) * self._timeout)

    async def _claim(self, name: str, started: float) -> Shared | Claimed | Turn:
        """Give what stands there; where it is nothing, put a claim there."""
        claim = self._seal.claim(name, secrets.token_hex(8))
        life = ("PX", _milliseconds(CLAIM * self._timeout))
        value = await self._link.ask("GETRANGE", name, 0, MAX_VALUE)
        if value == b"":
            if await self._link.ask("SET", name, claim, "NX", *life):
                return Turn(name, claim, self._left(started))
            value = await self._link.ask("GETRANGE", name, 0, MAX_VALUE)  # another one was quicker
        found = self._seal.read(name, value, time.time()) if isinstance(value, bytes) else None
        if found is not None:
            return found
        await self._link.ask("SET", name, claim, *life)  # nothing that a gateway of ours has put there
        return Turn(name, claim, self._left(started))

    def _write(self, work: Coroutine[None, None, None]) -> None:
        if len(self._writing) >= MOST_WRITES:
            work.close()
            return
        task = asyncio.create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _say(self, *command: str | bytes | int) -> None:
        with suppress(CacheDown), self._link.in_time():
            await self._link.ask(*command)

    async def _release(self, name: str, claim: bytes) -> None:
        """Remove the claim. Another's, made this very moment, may go with it: then Close is asked once more."""
        with suppress(CacheDown), self._link.in_time():
            if await self._link.ask("GETRANGE", name, 0, MAX_VALUE) == claim:
                await self._link.ask("DEL", name)

    async def _forget(self) -> None:
        while self._doomed:
            names, self._doomed = self._doomed, set()
            await self._say("DEL", *names)
            await asyncio.sleep(REST)
        self._forgetting = None


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))

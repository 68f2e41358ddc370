"""Whole gateways that share identities through a Redis."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from gateway.config.cache import CacheLocation
from gateway.config.settings import AdminSettings, IdentitySettings, LookupSettings
from gateway.lookups.link import CacheState
from gateway.secret import Secret
from gateway.snapshot import Snapshot, merged
from tests.change.reloading import reloading
from tests.forwarding.emails import EMAILS, LOGGED, write
from tests.gateways import FREE, Running, running
from tests.lookups.redis_server import redis_server
from tests.lookups.sharing import PATIENT, until
from tests.raw import ask, with_length
from tests.recording import OK, OWNER, answers, by_path, recording

ME = b"/api/v1/me/"
CLOSE = by_path({ME: answers(OWNER)}, answers(OK))
QUICK = LookupSettings(breaker_pause=0.1)
FILLED = [b"filled; sender"]
ADMIN = AdminSettings(listen=FREE)


def sharing(url: str) -> IdentitySettings:
    """Make the settings of one of them."""
    cache = CacheLocation.parse(url)
    return IdentitySettings(cache=cache, fingerprint_key=Secret("canary-secret-of-all"))


async def ready(gateway: Running) -> dict[str, Any]:
    """Ask whether it is ready; that it is so is taken for granted."""
    async with aiohttp.ClientSession() as client, client.get(f"http://{gateway.gateway.admin}/readyz") as answer:
        assert answer.status == 200
        cache: dict[str, Any] = (await answer.json())["cache"]
        return cache


async def is_up(gateway: Running) -> None:
    """Wait until it uses the cache; it is given time for that, since the machine may be busy with something else."""
    assert gateway.gateway.serving._link is not None
    gateway.gateway.serving._link._budget = PATIENT
    async with asyncio.timeout(20):
        while (await ready(gateway))["status"] != "ok":  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


def logged(key: str) -> bytes:
    """Make an email write that needs a sender, with this key."""
    return write(LOGGED).replace(b"Basic a2V5Og==", f"Bearer {key}".encode())


async def test_one_question_for_all() -> None:
    """Three gateways, a key that all need at once, and a Redis that is killed and comes back: nothing fails."""
    with redis_server() as server:
        async with AsyncExitStack() as stack:
            upstream = await stack.enter_async_context(recording(CLOSE))
            gateways = [
                await stack.enter_async_context(
                    running(
                        upstream.url,
                        identity=sharing(server.url),
                        lookups=QUICK,
                        admin=ADMIN,
                    )
                )
                for _ in range(3)
            ]
            for gateway in gateways:
                await is_up(gateway)
            marks = await asyncio.gather(*(_marks(gateway, "canary-key") for gateway in gateways for _ in range(5)))
            assert marks == [FILLED] * 15
            assert _questions(upstream.targets) == 1

            server.kill()
            assert [await _marks(gateway, "canary-other") for gateway in gateways] == [FILLED] * 3
            assert _questions(upstream.targets) == 4
            assert await ready(gateways[0]) == {"status": "down", "reason": "ConnectionError"}

            server.start()
            for gateway in gateways:
                await is_up(gateway)
            assert await ready(gateways[0]) == {"status": "ok", "reason": None}
            assert [await _marks(gateway, "canary-third") for gateway in gateways] == [FILLED] * 3
            assert 5 <= _questions(upstream.targets) <= 6  # what the first was told is written behind its answer
            assert b"canary" not in server.dump()
            for gateway in gateways:
                assert len(gateway.events("identity_cache_down")) == len(gateway.events("identity_cache_back")) == 1
                assert b"canary" not in gateway.written


async def test_a_key_that_close_refuses_is_forgotten_by_all() -> None:
    """A request that Close answers with 401 takes what is known of its key from the others too."""
    refused = with_length(b"HTTP/1.1 401 Unauthorized\r\n", b"{}")
    script = by_path({ME: answers(OWNER), EMAILS: answers(OK)}, answers(refused))
    with redis_server() as server:
        async with (
            recording(script) as upstream,
            running(upstream.url, identity=sharing(server.url), lookups=QUICK, admin=ADMIN) as one,
            running(upstream.url, identity=sharing(server.url), lookups=QUICK, admin=ADMIN) as other,
        ):
            for gateway in (one, other):
                await is_up(gateway)
            await _marks(one, "key")
            await until(server.names)
            request = b"GET /api/v1/lead/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer key\r\n\r\n"
            assert (await ask(other.port, request)).status == 401
            await until(lambda: not server.names())


async def test_a_reload_goes_on_sharing(tmp_path: Path) -> None:
    """A new road forgets what it remembered by itself, and finds it in the cache; another cache waits for a restart."""
    with redis_server() as server:
        text = '[identity]\nfingerprint_key = "canary-secret-of-all"\ncache = "{}"\nttl = {}\n'
        async with (
            recording(CLOSE) as upstream,
            reloading(tmp_path, upstream.url, text.format(server.url, 600.0)) as gateway,
        ):
            await is_up(gateway.running)
            await _marks(gateway.running, "key")
            await until(server.names)
            gateway.write(text.format("redis://canary:canary@127.0.0.1:9", 300.0))
            changed = {"changed": {"identity.ttl": 300.0}, "needs_restart": ["identity.cache"]}
            assert await gateway.reload() == changed
            assert await _marks(gateway.running, "key") == FILLED
            assert (_questions(upstream.targets), gateway.running.gateway.serving.meters.identities_shared) == (1, 1)
            assert b"canary" not in gateway.running.written


async def test_of_several_workers_the_worst_is_told() -> None:
    """One that asks Close directly is worth a look, whatever the others do."""
    states = [CacheState(up=True, reason=None), CacheState(up=False, reason="too_slow"), None]
    assert merged(Snapshot(cache=state) for state in states).cache == states[1]
    assert merged([Snapshot()]).cache is None


async def test_it_is_off_by_default() -> None:
    """And told so."""
    async with (
        recording(CLOSE) as upstream,
        running(upstream.url, admin=ADMIN) as gateway,
    ):
        assert await ready(gateway) == {"status": "off", "reason": None}
        assert gateway.gateway.serving._link is None


async def _marks(gateway: Running, key: str) -> list[bytes]:
    return (await ask(gateway.port, logged(key))).values(b"x-close-gateway")


def _questions(targets: list[bytes]) -> int:
    return sum(target.startswith(ME) for target in targets)

"""Several gateways over one Redis."""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.lookups.cache import Identity, Unknown
from gateway.lookups.client import LookupFailed
from gateway.lookups.link import CacheState
from gateway.lookups.shared import Turn
from tests.lookups.redis_server import RedisServer, redis_server
from tests.lookups.sharing import JANE, asked, key, peers, slowly, until
from tests.raw import with_length
from tests.recording import OWNER, answers, hangs, in_turn

FAILS = answers(with_length(b"HTTP/1.1 500 Ailing\r\n", b""))
NO = answers(with_length(b"HTTP/1.1 404 Not Found\r\n", b"{}"))


@pytest.fixture(scope="module")
def running_server() -> Iterator[RedisServer]:
    """A Redis for all tests here; starting one takes longer than most of them."""
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running_server: RedisServer) -> RedisServer:
    """The same, empty."""
    running_server.say("FLUSHALL")
    return running_server


async def test_a_cold_key_is_asked_for_once_by_all(server: RedisServer) -> None:
    """However many gateways need it at the same time, and whoever needs it later."""
    gate = asyncio.Event()
    async with peers(server.url, 3, script=slowly(gate)) as (upstream, gateways):
        names = [f"key{number}" for number in range(10)]
        waiting = [asyncio.create_task(peer.owner(name)) for name in names for peer in gateways for _ in range(3)]
        await upstream.received(10)
        await asyncio.sleep(0.05)
        gate.set()
        assert await asyncio.gather(*waiting) == [JANE] * 90
        assert asked(upstream) == dict.fromkeys(names, 1)
        meters = [peer.meters for peer in gateways]
        assert sum(meter.identities_missed for meter in meters) == 10
        assert sum(meter.identities_shared for meter in meters) == 20
    async with peers(server.url, 1) as (upstream, (late,)):
        assert await late.owner("key0") == await late.owner("key0") == JANE
        assert (late.meters.identities_shared, late.meters.identities_found) == (1, 1)
        assert upstream.requests == []


async def test_users_are_shared_by_credential(server: RedisServer) -> None:
    """What one credential was told of a user, another one asks for itself."""
    async with peers(server.url) as (upstream, (one, other)):
        await one.identities.resolve(key("a"), "user_1")
        await until(server.names)
        await other.identities.resolve(key("a"), "user_1")
        assert len(upstream.requests) == 1
        await other.identities.resolve(key("b"), "user_1")
        await other.identities.resolve(key("a"), None)
        assert len(upstream.requests) == 3


async def test_a_no_is_shared(server: RedisServer) -> None:
    """It would be the same for all, and cost the caller's limit."""
    async with peers(server.url, script=NO) as (upstream, gateways):
        for peer in gateways:
            for _ in range(2):
                with pytest.raises(LookupFailed, match="status_404") as failure:
                    await peer.owner("a")
                assert failure.value.reason == "status_404"
            await until(server.names)
        assert len(upstream.requests) == 1
        assert server.say("PTTL", server.names()[0]) <= 5000


async def test_a_failure_is_not_shared(server: RedisServer) -> None:
    """Whoever waited for it asks for itself, and at once."""
    async with peers(server.url, script=in_turn(FAILS, answers(OWNER))) as (upstream, gateways):
        results = await asyncio.gather(*(peer.owner("a") for peer in gateways), return_exceptions=True)
        assert sorted(map(str, results)) == sorted([str(JANE), "The look-up of the owner failed: status_500."])
        assert len(upstream.requests) == 2


async def test_a_gateway_that_dies_with_its_claim_is_followed_by_another(server: RedisServer) -> None:
    """And the others take what that one is told."""
    async with peers(server.url, 3, timeout=1.0) as (upstream, (dying, one, other)):
        assert isinstance(await dying.shared.find((key("a").digest, None)), Turn)
        await dying.link.close()
        assert [*await asyncio.gather(one.owner("a"), other.owner("a"))] == [JANE, JANE]
        assert 1 <= len(upstream.requests) <= 2


async def test_whoever_waits_too_long_asks_for_itself(server: RedisServer) -> None:
    """A claim that does not end, as it never should, holds a request up for a part of its time."""
    async with peers(server.url, 1, timeout=0.4) as (upstream, (peer,)):
        name = peer.shared._seal.name((key("a").digest, None))
        server.say("SET", name, peer.shared._seal.claim(name, "0123"))
        assert await peer.owner("a") == JANE
        await until(lambda: server.say("PTTL", name) > 0)
        assert len(upstream.requests) == 1


async def test_what_has_no_answer_yet_is_given_up_in_time(server: RedisServer) -> None:
    """Waiting for another gateway and asking Close take no longer together than a look-up may."""
    async with peers(server.url, script=hangs(), timeout=0.3) as (_, gateways), asyncio.timeout(2):
        results = await asyncio.gather(*(peer.owner("a") for peer in gateways), return_exceptions=True)
        assert [getattr(result, "reason", None) for result in results] == ["timed_out"] * 2


async def test_what_is_known_ends(server: RedisServer) -> None:
    """In the cache and in what a gateway took from it: no address is older than the time to live."""
    async with peers(server.url, ttl=1.0) as (upstream, (one, other)):
        await one.owner("a")
        await until(server.names)
        assert 0 < server.say("PTTL", server.names()[0]) <= 1000
        await asyncio.sleep(0.5)
        await other.owner("a")
        assert len(upstream.requests) == 1
        (expires, _) = other.identities._cache._entries[(key("a").digest, None)]
        assert expires - asyncio.get_running_loop().time() < 0.6
        await until(lambda: not server.names())
        await other.owner("a")
        assert len(upstream.requests) == 2


async def test_a_credential_that_close_refuses_is_forgotten_by_all(server: RedisServer) -> None:
    """Its owner, and the users that this gateway knows of; nothing of the others."""
    async with peers(server.url) as (_, (one, other)):
        for name, user_id in (("a", None), ("a", "user_1"), ("b", None)):
            await one.identities.resolve(key(name), user_id)
        await until(lambda: len(server.names()) == 3)
        one.identities.forget(key("a"))
        for _ in range(1000):
            one.identities.forget(key("never known"))
        await until(lambda: len(server.names()) == 1)
        assert len(one.shared._doomed) <= 1
        await other.owner("b")
        assert other.meters.identities_shared == 1


async def test_garbage_is_replaced(server: RedisServer) -> None:
    """Whatever stands under a name: it is a miss, and what Close tells takes its place."""
    async with peers(server.url, 1) as (upstream, (peer,)):
        seal = peer.shared._seal
        names = [seal.name((key(name).digest, None)) for name in "abcdef"]
        server.say("SET", names[0], b"\x00\xff")
        server.say("SET", names[1], b"x" * 1_000_000)
        server.say("SET", names[2], b"")
        server.say("RPUSH", names[3], b"a list")
        server.say("HSET", names[4], b"a", b"hash")
        moved = seal.value(names[0], Identity("mallory@example.com"), 9e9)
        assert moved is not None
        server.say("SET", names[5], moved)
        for name in "abcdef":
            assert await peer.owner(name) == JANE
        assert len(upstream.requests) == 6
        await until(lambda: all(server.say("PTTL", name) > 5000 for name in names))
        assert (peer.link.state, peer.events()) == (CacheState(up=True, reason=None), [])


async def test_a_flushed_cache_is_filled_again(server: RedisServer) -> None:
    """Nothing but a miss."""
    async with peers(server.url) as (upstream, (one, other)):
        await one.owner("a")
        await until(server.names)
        server.say("FLUSHALL")
        await other.owner("a")
        await until(server.names)
        assert len(upstream.requests) == 2
        assert [*one.events(), *other.events()] == []


async def test_an_idle_connection_that_redis_ends_is_no_failure(server: RedisServer) -> None:
    """It is opened anew when it is needed."""
    async with peers(server.url, 1) as (_, (peer,)):
        await peer.owner("a")
        server.say("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await asyncio.sleep(0.02)
        await peer.owner("b")
        await until(lambda: len(server.names()) == 2)
        assert (peer.link.failures, peer.events()) == (0, [])


async def test_many_cold_keys_at_once_are_no_failure(server: RedisServer) -> None:
    """They go out together, over the one connection."""
    async with peers(server.url) as (upstream, gateways):
        names = [f"key{number}" for number in range(60)]
        await asyncio.gather(*(peer.owner(name) for name in names for peer in gateways))
        assert asked(upstream) == dict.fromkeys(names, 1)
        assert [peer.link.failures for peer in gateways] == [0, 0]


async def test_nothing_in_the_cache_tells_whose_it_is(server: RedisServer) -> None:
    """Neither a credential nor its fingerprint nor a user's id is there; an address and nothing else is."""
    async with peers(server.url, 1) as (_, (peer,)):
        await peer.owner("a")
        await peer.identities.resolve(key("a"), "user_canary")
        await until(lambda: len(server.names()) == 2 and b"claim" not in server.dump())
        dump = server.dump()
        assert dump.count(b"jane@example.com") == 2
        digest = key("a").digest
        for secret in (
            b"canary",
            b"api_",
            b"Basic",
            b"user_",
            digest,
            digest.hex().encode(),
            digest[:8].hex().encode(),
        ):
            assert secret.lower() not in dump.lower()


async def test_a_stopping_gateway_leaves_nothing_open(server: RedisServer) -> None:
    """No task, and no connection."""
    before = asyncio.all_tasks()
    async with peers(server.url, 1) as (_, (peer,)):
        peer.shared.tell(Turn("close-gateway:1:x", None, 1.0), Unknown("status_404"))
        peer.identities.forget(key("a"))
    assert asyncio.all_tasks() == before
    assert server.say("CLIENT", "LIST").count(b"name=close-gateway") == 0

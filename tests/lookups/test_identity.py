import asyncio
from typing import Any

import pytest

from gateway.exchange import Credentials
from gateway.lookups.cache import Identity, IdentityCache
from gateway.lookups.client import Kind, LookupClient, LookupFailed
from gateway.lookups.identity import Identities
from gateway.meters import Meters
from gateway.sandbox import Sandbox
from gateway.sandbox.seed import JANE, JOHN, MARY
from gateway.upstream.pool import Pool
from tests.lookups.asking import ANYONE, KEY, asker, basic, bearer
from tests.pools import pooled
from tests.raw import with_length
from tests.recording import OWNER, Call, answers, hangs, in_turn, recording

OWNED = Identity("jane@example.com")
FAILS = answers(with_length(b"HTTP/1.1 500 Ailing\r\n", b""))


def identities(lookups: LookupClient, *, ttl: float = 600.0, most: int = 100, pause: float = 5.0) -> Identities:
    """Make a resolver with an empty memory."""
    return Identities(lookups, IdentityCache(ttl, most, pause), Meters())


async def test_who_stands_behind_a_credential(pool: Pool) -> None:
    """A key and a token, and a colleague by id."""
    found = identities(asker(pool))
    assert await found.resolve(basic(JANE), None) == Identity(JANE.email)
    assert await found.resolve(bearer(JOHN), None) == Identity(JOHN.email)
    assert await found.resolve(basic(JANE), JOHN.id) == Identity(JOHN.email)


async def test_an_answer_is_remembered(pool: Pool, sandbox: Sandbox) -> None:
    """Asked once for each credential and user, however the scheme is spelt; so is a no."""
    found = identities(asker(pool))
    value = basic(JANE).reveal()
    for spelling in (value, value.replace(b"Basic", b"basic"), value.replace(b" ", b"  ")):
        assert await found.resolve(Credentials(spelling, KEY), None) == Identity(JANE.email)
    for _ in range(2):
        await found.resolve(basic(JANE), JOHN.id)
        with pytest.raises(LookupFailed, match="status_404"):
            await found.resolve(basic(JANE), MARY.id)
    asked = [target.partition("?")[0] for _, target in sandbox.requests]
    assert asked == ["/api/v1/me/", f"/api/v1/user/{JOHN.id}/", f"/api/v1/user/{MARY.id}/"]


async def test_twenty_at_a_time_share_one_question() -> None:
    """The look-ups count against the caller's limit."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def script(call: Call) -> None:
        asked.set()
        await go_on.wait()
        await call.send(OWNER)

    async with recording(script) as upstream, pooled(upstream.url) as pool:
        found = identities(asker(pool))
        waiting = [asyncio.create_task(found.resolve(ANYONE, None)) for _ in range(20)]
        await asked.wait()
        waiting += [asyncio.create_task(found.resolve(ANYONE, None)) for _ in range(20)]
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.gather(*waiting) == [OWNED] * 40
        assert len(upstream.requests) == 1


@pytest.mark.parametrize("leaving", [[0], [1, 2], [0, 1, 2, 3]])
async def test_who_leaves_takes_nothing_from_the_others(leaving: list[int]) -> None:
    """Not even the one who asked first; and where all have left, the answer is remembered for those who come."""
    go_on = asyncio.Event()

    async def script(call: Call) -> None:
        await go_on.wait()
        await call.send(OWNER)

    async with recording(script) as upstream, pooled(upstream.url) as pool:
        found = identities(asker(pool))
        waiting = [asyncio.create_task(found.resolve(ANYONE, None)) for _ in range(4)]
        await upstream.received(1)
        for number in leaving:
            waiting[number].cancel()
        go_on.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [number for number, result in enumerate(results) if result != OWNED] == leaving
        assert await found.resolve(ANYONE, None) == OWNED
        assert len(upstream.requests) == 1


async def test_a_failure_is_shared_and_the_next_one_asks_again() -> None:
    """Those who waited together fail together; a failure says nothing of a later time."""
    async with recording(in_turn(FAILS, answers(OWNER))) as upstream, pooled(upstream.url) as pool:
        found = identities(asker(pool))
        results = await asyncio.gather(*(found.resolve(ANYONE, None) for _ in range(20)), return_exceptions=True)
        assert [getattr(result, "reason", None) for result in results] == ["status_500"] * 20
        assert await found.resolve(ANYONE, None) == OWNED
        assert len(upstream.requests) == 2


async def test_a_failure_that_nobody_waits_for_is_no_fault() -> None:
    """All have left: the loop has nothing to complain of."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with recording(hangs()) as upstream, pooled(upstream.url, timeout=0.05) as pool:
        found = identities(asker(pool))
        waiting = asyncio.create_task(found.resolve(ANYONE, None))
        await upstream.received(1)
        asking = next(iter(found._asked.values()))
        waiting.cancel()
        await asyncio.wait([waiting, asking])
        del asking, waiting
    assert found._asked == {}
    assert complaints == []


async def test_what_is_remembered_grows_old(pool: Pool, sandbox: Sandbox) -> None:
    """After its time to live an identity is asked for anew."""
    found = identities(asker(pool), ttl=0.05)
    async with asyncio.timeout(5):
        while len(sandbox.requests) < 3:
            assert await found.resolve(basic(JANE), None) == Identity(JANE.email)
            await asyncio.sleep(0.005)


async def test_a_credential_that_close_refuses_is_forgotten(pool: Pool, sandbox: Sandbox) -> None:
    """With all that was learnt on it, and nothing that was learnt on others."""
    found = identities(asker(pool))
    for credentials, user_id in ((basic(JANE), None), (basic(JANE), JOHN.id), (basic(JOHN), None)):
        await found.resolve(credentials, user_id)
    found.forget(basic(JANE))
    assert (found.remembered(basic(JANE)), found.remembered(basic(JOHN))) == (None, Identity(JOHN.email))
    await found.resolve(basic(JANE), JOHN.id)
    assert len(sandbox.requests) == 4


async def test_what_is_remembered_can_be_told_without_asking(pool: Pool, sandbox: Sandbox) -> None:
    """A rejection names the owner of the key where that costs nothing."""
    found = identities(asker(pool))
    assert found.remembered(basic(JANE)) is None
    await found.resolve(basic(JANE), JOHN.id)
    assert found.remembered(basic(JANE)) is None
    await found.resolve(basic(JANE), None)
    assert found.remembered(basic(JANE)) == Identity(JANE.email)
    assert len(sandbox.requests) == 2


async def test_no_organization_is_told_what_another_was(pool: Pool, sandbox: Sandbox) -> None:
    """Each credential asks for itself, be it for the same user, and at the same time."""
    found = identities(asker(pool))
    results = await asyncio.gather(
        found.resolve(basic(JANE), JOHN.id),
        found.resolve(basic(MARY), JOHN.id),
        found.resolve(basic(JOHN), JOHN.id),
        found.resolve(basic(MARY), None),
        return_exceptions=True,
    )
    assert (results[0], results[2], results[3]) == (Identity(JOHN.email), Identity(JOHN.email), Identity(MARY.email))
    assert isinstance(results[1], LookupFailed)
    assert len(sandbox.requests) == 4


NO_EMAILS = [b"{}", b'{"email": null}', b'{"email": 7}', b'{"email": ""}', b'{"email": " "}', b'{"email": "nobody"}']


@pytest.mark.parametrize("body", NO_EMAILS)
@pytest.mark.parametrize("user_id", [None, "user_1"])
async def test_an_answer_without_an_address_is_a_failure(body: bytes, user_id: str | None) -> None:
    """A sender that Close would not take is not filled in. For a while Close is not asked again, then it is."""
    async with recording(with_length(b"HTTP/1.1 200 OK\r\n", body)) as upstream, pooled(upstream.url) as pool:
        found = identities(asker(pool), pause=0.2)
        kind = Kind.OWNER if user_id is None else Kind.USER
        for asked, wait in ((1, 0.0), (1, 0.25), (2, 0.0)):
            with pytest.raises(LookupFailed) as failure:
                await found.resolve(ANYONE, user_id)
            assert (failure.value.kind, failure.value.reason) == (kind, "no_email_told")
            assert len(upstream.requests) == asked
            await asyncio.sleep(wait)


async def test_an_address_is_taken_without_its_blanks() -> None:
    """What is filled in is clean."""
    answer = with_length(b"HTTP/1.1 200 OK\r\n", b'{"email": " jane@example.com\\n"}')
    async with recording(answer) as upstream, pooled(upstream.url) as pool:
        assert await identities(asker(pool)).resolve(ANYONE, None) == OWNED


async def test_what_cannot_be_an_id_is_not_asked_for(pool: Pool, sandbox: Sandbox) -> None:
    """A user_id of a client's choosing leads to no other path."""
    found = identities(asker(pool))
    for user_id in ("../me", "", "user_1/../../me", "\ud800", "x" * 1000):
        with pytest.raises(LookupFailed, match="not_an_id"):
            await found.resolve(basic(JANE), user_id)
    assert list(sandbox.requests) == []


async def test_closing_gives_up_what_is_still_asked() -> None:
    """No task is left behind, and no connection."""
    async with recording(hangs()) as upstream, pooled(upstream.url) as pool:
        found = identities(asker(pool))
        waiting = [asyncio.create_task(found.resolve(ANYONE, user_id)) for user_id in (None, "user_1")]
        await upstream.received(2)
        await found.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * 2
        assert (found._asked, pool.idle) == ({}, 0)
        await asyncio.gather(*(connection.left.wait() for connection in upstream.connections))

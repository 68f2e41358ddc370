"""Look-ups that fail while the rest works: they cost their own request a little time, and no other any."""

import asyncio

import pytest

from gateway.config.settings import LookupSettings
from tests.forwarding.emails import EMAILS, LOGGED, SENDERLESS, change, write
from tests.gateways import running
from tests.raw import ask, connected
from tests.recording import OK, OWNER, Call, answers, by_path, hangs, recording, resets

ME = b"/api/v1/me/"
GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
DEAD = by_path({ME: hangs()}, answers(OK))
HASTY = LookupSettings(timeout=0.1, breaker_failures=2, breaker_pause=60.0)


async def test_a_dead_look_up_delays_nobody_else() -> None:
    """While it hangs, all that does not need it is served: other requests, and other email writes."""
    async with (
        recording(DEAD) as upstream,
        running(upstream.url, lookups=LookupSettings(timeout=30.0)) as gateway,
        connected(gateway.port) as filling,
    ):
        await filling.send(write(LOGGED))
        await upstream.received(1)
        served = [GET, write(SENDERLESS), write(b'{"status": "sent", "sender": "a@b.ch"}'), change(b"{}")]
        statuses = [(await ask(gateway.port, request)).status for request in served]
        assert statuses == [200, 400, 200, 200]
        assert upstream.targets.count(EMAILS) == 1


async def test_a_request_is_forwarded_unfilled_after_a_while() -> None:
    """After lookups.timeout, as it came."""
    async with recording(DEAD) as upstream, running(upstream.url, lookups=HASTY) as gateway:
        answer = await ask(gateway.port, write(LOGGED, b"X-Request-Id: r-1\r\n"))
        assert (answer.body, answer.values(b"x-close-gateway")) == (b"recorded", [b"forwarded"])
        assert upstream.requests[1].body == LOGGED
        (event,) = gateway.events("lookup_failed")
        assert (event["request_id"], event["kind"], event["reason"]) == ("r-1", "owner", "timed_out")
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)


async def test_after_some_failures_nothing_is_asked_for_a_while() -> None:
    """The breaker: requests are forwarded at once, unfilled, and other kinds of question are asked as before."""
    async with recording(DEAD) as upstream, running(upstream.url, lookups=HASTY) as gateway:
        async with connected(gateway.port) as client:
            for _ in range(5):
                assert (await client.ask(write(LOGGED))).body == b"recorded"
            assert (await client.ask(change(SENDERLESS))).status == 200
        asked = [target.partition(b"?")[0] for target in upstream.targets]
        assert asked == [ME, EMAILS] * 2 + [EMAILS] * 3 + [EMAILS + b"acti_1/"] * 2
        reasons = [event["reason"] for event in gateway.events("lookup_failed")]
        assert reasons == ["timed_out"] * 2 + ["paused"] * 3 + ["unreadable"]


async def test_after_the_pause_it_is_tried_again() -> None:
    """One question finds out whether Close is well again."""
    settings = LookupSettings(timeout=5.0, breaker_failures=1, breaker_pause=0.05)
    async with (
        recording(by_path({ME: resets()}, answers(OK))) as upstream,
        running(upstream.url, lookups=settings) as gateway,
        connected(gateway.port) as client,
    ):
        assert (await client.ask(write(LOGGED))).values(b"x-close-gateway") == [b"forwarded"]
        upstream.script = by_path({ME: answers(OWNER)}, answers(OK))
        await asyncio.sleep(0.06)
        for _ in range(2):
            assert (await client.ask(write(LOGGED))).values(b"x-close-gateway") == [b"filled; sender"]


@pytest.mark.parametrize("count", [2, 20])
async def test_requests_that_need_the_same_share_one_question(count: int) -> None:
    """Who asks with the same key at the same time is told by the same answer."""
    release = asyncio.Event()

    async def script(call: Call) -> None:
        await release.wait()
        await answers(OWNER)(call)

    async with recording(by_path({ME: script}, answers(OK))) as upstream, running(upstream.url) as gateway:
        asked = [asyncio.create_task(ask(gateway.port, write(LOGGED))) for _ in range(count)]
        await upstream.received(1)
        await asyncio.sleep(0.05)
        release.set()
        marks = [answer.values(b"x-close-gateway")[0] for answer in await asyncio.gather(*asked)]
        assert marks == [b"filled; sender"] * count
        assert upstream.targets.count(ME + b"?_fields=id,email") == 1


async def test_who_leaves_takes_the_question_from_nobody() -> None:
    """The first to ask need not stay for the others to be told."""
    release = asyncio.Event()

    async def script(call: Call) -> None:
        await release.wait()
        await answers(OWNER)(call)

    async with recording(by_path({ME: script}, answers(OK))) as upstream, running(upstream.url) as gateway:
        async with connected(gateway.port) as leaver, connected(gateway.port) as other:
            await leaver.send(write(LOGGED))
            await upstream.received(1)
            await other.send(write(LOGGED))
            leaver.reset()
            await asyncio.sleep(0.05)
            release.set()
            assert (await other.answer()).values(b"x-close-gateway") == [b"filled; sender"]
        assert [target.partition(b"?")[0] for target in upstream.targets] == [ME, EMAILS]

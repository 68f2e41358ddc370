"""Where the service is away, hangs or fails, Envoy lets requests pass, and counts them; then all is as before."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from gateway import interceptor
from gateway.config.settings import ShutdownSettings
from gateway.extproc.server import front
from tests.envoys import HEALTHY, STATS, Configuration, configuration, envoy, the_filter
from tests.extproc.process import service
from tests.forwarding.emails import DRAFT, LOGGED, SENDERLESS, write
from tests.gateways import running, until
from tests.raw import ask, connected
from tests.recording import OK, OWNER, Call, answers, by_path, recording

CLIENTS: Final = 4
PAUSE: Final = 0.02
"""Seconds between two requests of a client: what is to be seen is that none fails, not how many there can be."""
ENOUGH: Final = 10


def quick(configured: Configuration, **of_the_filter: Any) -> Configuration:
    """Have Envoy look at the service's health often."""
    _, gateway = configured["static_resources"]["clusters"]
    (check,) = gateway["health_checks"]
    check.update(interval="0.1s", no_traffic_interval="0.1s", unhealthy_threshold=1)
    return changed(configured, **of_the_filter)


def changed(configured: Configuration, **of_the_filter: Any) -> Configuration:
    """Change what is configured of the filter."""
    the_filter(configured).update(of_the_filter)
    return configured


class Load:
    """Clients that send emails without a sender, one after the other, and count how they are answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = False
        self._clients = [asyncio.create_task(self._client()) for _ in range(CLIENTS)]
        self.statuses: Counter[int] = Counter()

    async def _client(self) -> None:
        async with connected(self._port) as client:
            while not self._over:
                self.statuses[(await client.ask(write(SENDERLESS))).status] += 1
                await asyncio.sleep(PAUSE)

    async def until(self, holds: Callable[[Counter[int]], bool]) -> None:
        """Wait until something holds of what has been answered since."""
        before = self.statuses.copy()
        await until(lambda: holds(self.statuses - before) or any(client.done() for client in self._clients))
        assert not any(client.done() for client in self._clients)

    async def end(self) -> None:
        """Let each client have its last answer."""
        self._over = True
        await asyncio.gather(*self._clients)


@asynccontextmanager
async def loading(port: int) -> AsyncIterator[Load]:
    """Run some."""
    load = Load(port)
    try:
        yield load
    finally:
        await load.end()


async def test_a_process_that_hangs_is_killed_started_again_and_told_to_stop(tmp_path: Path) -> None:
    """Under load, no request fails: what is refused else passes unjudged meanwhile, and is counted."""
    async with (
        recording(keep=False) as upstream,
        service(upstream.url, tmp_path) as gateway,
        envoy(quick(configuration(upstream.url, gateway.listen), message_timeout="2s")) as proxy,
        loading(proxy.port) as load,
    ):
        await load.until(lambda since: since[400] >= ENOUGH)
        assert set(load.statuses) == {400}

        gateway.send(signal.SIGSTOP)
        await load.until(lambda since: since[200] >= CLIENTS)
        assert (await proxy.stats())[STATS + "message_timeouts"] > 0
        gateway.send(signal.SIGCONT)
        await load.until(lambda since: since[400] >= ENOUGH)

        gateway.send(signal.SIGKILL)
        await gateway.ended()
        await load.until(lambda since: since[200] >= ENOUGH)
        await gateway.start()  # over the socket that the killed one left behind
        await load.until(lambda since: since[400] >= ENOUGH)

        gateway.send(signal.SIGTERM)
        stopped = await gateway.logged("gateway_stopped")
        assert (await gateway.ended(), stopped["cut_off"]) == (0, 0)
        assert not tmp_path.joinpath("ext-proc.sock").exists()
        await load.until(lambda since: since[200] >= ENOUGH)

        await load.end()
        assert set(load.statuses) == {200, 400}
        assert len(upstream.requests) == load.statuses[200]
        stats = await proxy.stats()
        assert stats[STATS + "failure_mode_allowed"] == load.statuses[200]
        assert stats[STATS + "immediate_responses_sent"] == load.statuses[400]


async def test_what_is_in_flight_is_finished() -> None:
    """While it stops, who asks for a sender still gets it; who comes later passes unjudged, at once."""
    may_answer = asyncio.Event()

    async def slow(call: Call) -> None:
        await call.read_all()
        await may_answer.wait()
        await call.send(OWNER)

    script = by_path({b"/api/v1/me/": slow}, answers(OK))
    async with (
        recording(script) as upstream,
        running(upstream.url, front=front(1000), shutdown=ShutdownSettings(grace=8.0)) as gateway,
        envoy(quick(configuration(upstream.url, gateway.gateway.listen))) as proxy,
    ):
        early = asyncio.create_task(ask(proxy.port, write(LOGGED)))
        await upstream.received(1)
        stop = asyncio.create_task(gateway.stop())
        await proxy.until(lambda stats: stats.get(HEALTHY) == 0)
        late = await ask(proxy.port, write(SENDERLESS))
        assert (late.status, late.values(b"x-close-gateway")) == (200, [])
        assert not stop.done()
        may_answer.set()
        assert (await early).values(b"x-close-gateway") == [b"filled; sender"]
        await stop
        (stopped,) = gateway.events("gateway_stopped")
        assert stopped["cut_off"] == 0
        assert (await proxy.stats())[STATS + "failure_mode_allowed"] == 1


async def test_grace_has_an_end() -> None:
    """What takes longer is cut off, and passes unjudged."""

    async def never(call: Call) -> None:
        await call.read_all()
        await call.connection.left.wait()

    script = by_path({b"/api/v1/me/": never}, answers(OK))
    async with (
        recording(script) as upstream,
        running(upstream.url, front=front(1000), shutdown=ShutdownSettings(grace=0.1)) as gateway,
        envoy(configuration(upstream.url, gateway.gateway.listen)) as proxy,
    ):
        asked = asyncio.create_task(ask(proxy.port, write(LOGGED)))
        await upstream.received(1)
        await gateway.stop()
        assert ((await asked).status, upstream.requests[-1].body) == (200, LOGGED)
        assert gateway.events("gateway_stopped")[0]["cut_off"] == 1


SECRET: Final = "the subject of the email"


def fail(*_: Any, **__: Any) -> None:
    """Fail as only a mistake in the gateway could."""
    raise ValueError(SECRET)


async def test_a_fault_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request passes as it came; the log names the place and quotes nothing, and Envoy counts it."""
    monkeypatch.setattr(interceptor, "judge_create", fail)
    async with (
        recording() as upstream,
        running(upstream.url, front=front(1000)) as gateway,
        envoy(configuration(upstream.url, gateway.gateway.listen)) as proxy,
    ):
        answer = await ask(proxy.port, write(SENDERLESS, b"X-Request-Id: r-1\r\n"))
        assert (answer.status, answer.values(b"x-close-gateway")) == (200, [])
        assert upstream.requests[0].body == SENDERLESS
        (event,) = gateway.events("internal_error")
        assert (event["request_id"], event["error"]) == ("r-1", "ValueError")
        assert SECRET.encode() not in gateway.written
        assert (await proxy.stats())[STATS + "failure_mode_allowed"] == 1


async def test_where_nothing_may_pass_unjudged() -> None:
    """failure_mode_allow: false. Envoy answers in the gateway's place, and everything else goes on."""
    async with recording() as upstream, running(upstream.url, front=front(1000)) as gateway:
        await gateway.stop()
        strict = changed(configuration(upstream.url, gateway.gateway.listen), failure_mode_allow=False)
        async with envoy(strict, asks=False) as proxy:
            assert (await ask(proxy.port, write(DRAFT))).status == 500
            assert (await ask(proxy.port, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")).status == 200
            assert upstream.targets == [b"/x"]

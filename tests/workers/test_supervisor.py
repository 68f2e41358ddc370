"""Several workers on one port: as one to the world, whatever becomes of any of them."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

from gateway.config.settings import InspectSettings, Mode, UpstreamSettings
from gateway.workers.slot import Rhythm
from tests.forwarding.emails import SENDERLESS, write
from tests.raw import ask, connected
from tests.recording import recording
from tests.workers.supervised import QUICK, crowd, settings_for, supervised

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
EMAIL = write(SENDERLESS)


async def test_one_console_for_all(tmp_path: Path) -> None:
    """Connections are shared out evenly; what every worker counted and kept is told in one place, and after its end."""
    async with recording() as upstream, supervised(settings_for(upstream.url, tmp_path)) as gateway:
        async with asyncio.TaskGroup() as group, asyncio.timeout(20):
            barrier = asyncio.Barrier(33)

            async def client() -> None:
                async with connected(gateway.port) as connection:
                    assert (await connection.ask(EMAIL)).status == 400
                    await barrier.wait()
                    await barrier.wait()

            for _ in range(32):
                group.create_task(client())
            await barrier.wait()
            shares = list(gateway.supervisor.shares._numbers)
            assert sum(shares) == 32
            assert min(shares) >= 12
            await barrier.wait()
        assert (await gateway.ask("/healthz"))["counts"] == {"rejected": 32}
        ready = await gateway.ask("/readyz")
        assert (ready["status"], ready["serving"]) == ("ready", 2)

        async def kept() -> int:
            found = await gateway.ask("/api/stats")
            return sum(row["requests"] for row in found.get("by_code", []))

        async with asyncio.timeout(10):
            while len((await gateway.ask("/api/rejections")).get("data", [])) < 20:
                await asyncio.sleep(0.05)
        gateway.child.kill()
        await gateway.until(lambda: gateway.serving == 2 and gateway.supervisor.restarts)
        assert (await gateway.ask("/healthz"))["counts"] == {"rejected": 32}
    (stopped,) = gateway.events("gateway_stopped")
    assert (stopped["cut_off"], stopped["counts"]) == (0, {"rejected": 32})


async def test_a_worker_that_is_killed_is_replaced() -> None:
    """Under load its own connections fail, once each, and no other; the log tells, and it is back at once."""
    async with (
        recording() as upstream,
        supervised(settings_for(upstream.url, None)) as gateway,
        crowd(gateway.port, GET) as clients,
    ):
        its = gateway.supervisor.shares._numbers[0]
        os.kill(gateway.child.process.pid, signal.SIGKILL)
        await gateway.until(lambda: gateway.supervisor.restarts == 1 and gateway.serving == 2)
        await clients.more()
        assert len(clients.failed) <= its
        assert (clients.refused, len(gateway.events("worker_started"))) == (0, 3)
        (event,) = gateway.events("worker_died")
        assert (event["worker"], event["signal"], event["restart_in"]) == (1, "SIGKILL", 0)


async def test_a_worker_that_hangs_is_replaced() -> None:
    """It is alive and does not answer: it is killed, and another takes its place."""
    async with (
        recording() as upstream,
        supervised(settings_for(upstream.url, None), rhythm=replace(QUICK, patience=0.5)) as gateway,
    ):
        os.kill(gateway.child.process.pid, signal.SIGSTOP)
        await gateway.until(lambda: gateway.supervisor.restarts == 1 and gateway.serving == 2)
        assert [event["signal"] for event in gateway.events("worker_died")] == ["SIGKILL"]
        assert (await ask(gateway.port, GET)).status == 200


async def test_nothing_fails_when_it_stops() -> None:
    """Under load: what is in flight is answered and told, all of it, by every worker."""
    async with (
        recording() as upstream,
        supervised(settings_for(upstream.url, None)) as gateway,
        crowd(gateway.port, GET) as clients,
    ):
        await gateway.supervisor.stop()
        assert clients.answered
    assert (clients.failed, clients.refused) == ([], 16)
    (stopped,) = gateway.events("gateway_stopped")
    assert stopped["cut_off"] == 0


async def test_a_reload_reaches_every_worker() -> None:
    """Under load, one after the other: nothing fails, and afterwards no worker has the old settings, not a new one."""
    async with recording() as upstream:
        before = settings_for(upstream.url, None)
        after = replace(before, inspect=InspectSettings(mode=Mode.REPORT))
        async with supervised(before, lambda: after) as gateway, crowd(gateway.port, GET) as clients:
            found = await gateway.ask("/api/reload", "POST")
            assert found == {"changed": {"inspect.mode": "report"}, "needs_restart": []}
            await clients.more()
            gateway.child.kill()
            await gateway.until(lambda: gateway.supervisor.restarts == 1 and gateway.serving == 2)
            answers = [await ask(gateway.port, EMAIL) for _ in range(8)]
            assert {answer.status for answer in answers} == {200}
        assert clients.refused == 0


async def test_a_reload_that_one_worker_cannot_have_reaches_none(tmp_path: Path) -> None:
    """What was read is fine, and is not when it comes to it: all have the old settings, and the answer says so."""
    async with recording() as upstream:
        before = settings_for(upstream.url, None)
        gone = UpstreamSettings(url="https://127.0.0.1:9", ca_file=tmp_path / "gone.pem")
        after = replace(before, upstream=gone, inspect=InspectSettings(mode=Mode.OFF))
        async with supervised(before, lambda: after) as gateway:
            found = await gateway.ask("/api/reload", "POST")
            assert "could not be put in force: no such file or directory" in found["errors"][0]
            assert [(await ask(gateway.port, EMAIL)).status for _ in range(4)] == [400] * 4
            assert len(gateway.events("config_rejected")) == 1


async def test_who_cannot_start_waits_longer_each_time(tmp_path: Path) -> None:
    """At once, then after a pause that doubles up to a limit; until one serves, the gateway is not ready."""
    broken = UpstreamSettings(url="https://127.0.0.1:9", ca_file=tmp_path / "gone.pem")
    settings = settings_for("", None, upstream=broken)
    async with supervised(settings, rhythm=Rhythm(first_pause=0.05, longest_pause=0.1)) as gateway:
        ready = await gateway.ask("/readyz")
        assert (ready["status"], ready["serving"]) == ("starting", 0)
        await gateway.until(lambda: len(gateway.events("worker_died")) >= 8)
        pauses = [event["restart_in"] for event in gateway.events("worker_died") if event["worker"] == 1]
        assert pauses[:4] == [0, 0.05, 0.1, 0.1][: len(pauses)]
        assert gateway.events("worker_died")[0]["exit_code"] == 1


def test_the_pauses_end() -> None:
    """However many have died, the next one comes."""
    rhythm = Rhythm()
    assert [rhythm.pause(failures) for failures in (1, 2, 3, 4, 10_000)] == [0, 0.5, 1.0, 2.0, 30.0]

"""Several workers on one port: as one to the world, whatever becomes of any of them."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.config.settings import InspectSettings, ListenerSettings, Mode, UpstreamSettings
from gateway.workers.slot import Rhythm
from tests.certificates import pair_in, trusting
from tests.forwarding.emails import SENDERLESS, write
from tests.gateways import FREE
from tests.raw import ask, connected
from tests.recording import recording
from tests.workers.supervised import crowd, settings_for, supervised

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
EMAIL = write(SENDERLESS)
CLIENTS = 64


async def test_one_console_for_all(tmp_path: Path) -> None:
    """Connections are shared out evenly; what every worker counted and kept is told in one place, and after its end."""
    async with recording() as upstream, supervised(settings_for(upstream.url, tmp_path)) as gateway:
        async with asyncio.TaskGroup() as group, asyncio.timeout(20):
            barrier = asyncio.Barrier(CLIENTS + 1)

            async def client() -> None:
                async with connected(gateway.port) as connection:
                    assert (await connection.ask(EMAIL)).status == 400
                    await barrier.wait()
                    await barrier.wait()

            for _ in range(CLIENTS):
                group.create_task(client())
            await barrier.wait()
            shares = list(gateway.supervisor.shares._numbers)
            assert sum(shares) == CLIENTS
            assert min(shares) > CLIENTS / 10  # where nothing is done about it, one of them has all
            await barrier.wait()
        assert (await gateway.ask("/healthz"))["counts"] == {"rejected": CLIENTS}
        ready = await gateway.ask("/readyz")
        assert (ready["status"], ready["serving"]) == ("ready", 2)

        async def told() -> int:
            return int((await gateway.ask("/api/stats")).get("rejected", 0))

        async with asyncio.timeout(10):
            while await told() < CLIENTS:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.05)
        gateway.child.kill()
        await gateway.until(lambda: gateway.serving == 2 and gateway.supervisor.restarts)
        assert (await gateway.ask("/healthz"))["counts"] == {"rejected": CLIENTS}
        text = await gateway.text("/metrics")
        assert "close_gateway_worker_restarts_total 1.0" in text
        assert 'close_gateway_config_reloads_total{outcome="reloaded"} 0.0' in text
        assert f'close_gateway_verdicts_total{{code="sender_required",verdict="rejected"}} {CLIENTS}.0' in text
    (stopped,) = gateway.events("gateway_stopped")
    assert (stopped["cut_off"], stopped["counts"]) == (0, {"rejected": CLIENTS})


async def test_a_worker_that_is_killed_or_hangs_is_replaced() -> None:
    """Under load the killed one's own connections fail, once each, and no other; who does not answer is killed too."""
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
        assert gateway.events("worker_hangs") == []
        os.kill(gateway.child.process.pid, signal.SIGSTOP)
        await gateway.until(lambda: gateway.supervisor.restarts == 2 and gateway.serving == 2)
        assert [event["worker"] for event in gateway.events("worker_hangs")] == [1]
        await clients.more()


@pytest.mark.parametrize("secure", [False, True], ids=["in the clear", "by TLS"])
async def test_nothing_fails_when_it_stops(tmp_path: Path, *, secure: bool) -> None:
    """Under load: what is in flight is answered and told, all of it, by every worker."""
    listener = pair_in(tmp_path).listener(listen=FREE) if secure else ListenerSettings(listen=FREE)
    async with (
        recording() as upstream,
        supervised(settings_for(upstream.url, None, listener=listener)) as gateway,
        crowd(gateway.port, GET, tls=trusting() if secure else None) as clients,
    ):
        await gateway.supervisor.stop()
        assert clients.answered
    assert (clients.failed, clients.refused) == ([], 16)
    (stopped,) = gateway.events("gateway_stopped")
    assert stopped["cut_off"] == 0


async def test_a_reload_reaches_every_worker_or_none(tmp_path: Path) -> None:
    """Under load, one after the other: nothing fails, and no worker has the old settings then, not a new one.

    What turns out not to be had leaves all with those before.
    """
    async with recording() as upstream:
        before = settings_for(upstream.url, None)
        wanted = [replace(before, inspect=InspectSettings(mode=Mode.REPORT))]
        gone = UpstreamSettings(url="https://127.0.0.1:9", ca_file=tmp_path / "gone.pem")
        async with supervised(before, lambda: wanted[-1]) as gateway, crowd(gateway.port, GET) as clients:
            found = await gateway.ask("/api/reload", "POST")
            assert found == {"changed": {"inspect.mode": "report"}, "needs_restart": []}
            await clients.more()
            wanted.append(replace(before, upstream=gone, inspect=InspectSettings(mode=Mode.OFF)))
            found = await gateway.ask("/api/reload", "POST")
            assert "could not be put in force: no such file or directory" in found["errors"][0]
            await clients.more()
            assert clients.failed == []
            gateway.child.kill()
            await gateway.until(lambda: gateway.supervisor.restarts == 1 and gateway.serving == 2)
            answers = [await ask(gateway.port, EMAIL) for _ in range(8)]
            assert {answer.values(b"x-close-gateway")[0] for answer in answers} == {
                b"forwarded; reported=sender_required"
            }


async def test_who_cannot_start_waits_longer_each_time(tmp_path: Path) -> None:
    """At once, then after a pause that doubles; until one serves, the gateway is not ready, and says why."""
    broken = UpstreamSettings(url="https://127.0.0.1:9", ca_file=tmp_path / "gone.pem")
    settings = settings_for("", None, upstream=broken)
    async with supervised(settings, rhythm=Rhythm(first_pause=0.05)) as gateway:
        ready = await gateway.ask("/readyz")
        assert (ready["status"], ready["serving"]) == ("no_worker", 0)
        await gateway.until(lambda: len(gateway.events("worker_died")) >= 5)
        first = [event for event in gateway.events("worker_died") if event["worker"] == 1]
        assert [(event["exit_code"], event["restart_in"]) for event in first[:2]] == [(1, 0), (1, 0.05)]


def test_the_pauses_end() -> None:
    """However many have died, the next one comes."""
    rhythm = Rhythm()
    assert [rhythm.pause(failures) for failures in (1, 2, 3, 4, 10_000)] == [0, 0.5, 1.0, 2.0, 30.0]

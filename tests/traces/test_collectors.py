"""A collector that is down, slow or talks nonsense costs spans, never a request."""

import asyncio

import pytest

from gateway.config.settings import TracesSettings
from tests.collector import Collector
from tests.forwarding.emails import DRAFT, write
from tests.gateways import running
from tests.raw import ask, connected
from tests.recording import recording

FAILED = "traces_export_failed"


async def serves(endpoint: str, requests: int = 20) -> list[dict[str, object]]:
    """Have requests served with spans sent there; give what the log says of that once the gateway has stopped."""
    settings = TracesSettings(endpoint=endpoint)
    async with recording() as upstream, running(upstream.url, traces=settings) as gateway:
        async with connected(gateway.port) as client:
            for _ in range(requests):
                assert (await client.ask(write(DRAFT))).status == 200
        await asyncio.wait_for(gateway.stop(), 8)
    return gateway.events(FAILED)


async def test_down(capfd: pytest.CaptureFixture[str]) -> None:
    """Requests are served, the stop does not wait for it, and the log says so; standard error says nothing."""
    events = await serves("http://127.0.0.1:1/v1/traces")
    assert "no_time_left" in [event["reason"] for event in events]
    assert len(events) <= 2
    assert capfd.readouterr() == ("", "")


async def test_slow(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes its time keeps a stopping gateway for as long as that waits for it, and not longer."""
    monkeypatch.setattr("gateway.traces.LAST_EXPORT", 0.5)
    collector.delay = 30.0
    assert [event["reason"] for event in await serves(collector.endpoint)] == ["no_time_left"]


async def test_it_says_no(collector: Collector, capfd: pytest.CaptureFixture[str]) -> None:
    """Its status is told, and how many spans were lost; what it says is not."""
    collector.status, collector.answer = 400, b"canary " * 200_000
    (event,) = await serves(collector.endpoint)
    assert (event["reason"], event["lost"], event["level"]) == ("status_400", 40, "warning")
    assert "canary" not in str(event)
    assert capfd.readouterr() == ("", "")


async def test_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not HTTP is no answer."""
    monkeypatch.setattr("gateway.traces.LAST_EXPORT", 0.2)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"canary\r\n" * 1000)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    events = await serves(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/traces")
    server.close()
    assert events
    assert "canary" not in str(events)


async def test_a_failing_collector_is_told_of_seldom(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch after batch is lost, and it is one event, not one for each."""
    monkeypatch.setattr("gateway.traces.BATCH", 4)
    collector.status = 400
    (event,) = await serves(collector.endpoint)
    assert event["reason"] == "status_400"
    assert len(collector.bodies) > 3


async def test_spans_that_wait_are_bounded(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """While they cannot be sent, the oldest go; the newest are sent once they can be."""
    monkeypatch.setattr("gateway.traces.MOST_HELD", 8)
    monkeypatch.setattr("gateway.traces.BATCH", 8)
    monkeypatch.setattr("gateway.traces.DELAY", 60_000)
    collector.delay = 0.3
    assert await serves(collector.endpoint, 60) == []
    assert 8 <= len(collector.spans) < 120


async def test_what_clients_send_reaches_no_log_of_the_sdks(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """It would warn of a tracestate that it cannot read, with its text."""
    traces = TracesSettings(endpoint=collector.endpoint)
    fields = b"traceparent: 00-%b-%b-01\r\ntracestate: canary canary=\r\n" % (b"1" * 32, b"1" * 16)
    async with recording() as upstream, running(upstream.url, traces=traces) as gateway:
        assert (await ask(gateway.port, write(DRAFT, fields))).status == 200
    assert collector.spans[0].trace == "1" * 32
    assert caplog.records == []
    assert b"canary" not in gateway.written + b"".join(collector.bodies)

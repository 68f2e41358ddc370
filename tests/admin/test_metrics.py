"""`GET /metrics`: asked of gateways that have something to count, and read as Prometheus reads it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from gateway.admin.metrics import FAMILIES, readings
from gateway.config.cache import CacheLocation
from gateway.config.settings import AdminSettings, IdentitySettings, InspectSettings, Mode, RejectionsSettings
from gateway.config.store import StoreLocation
from gateway.meters import GAUGES
from gateway.sandbox import Sandbox
from gateway.sandbox.seed import JANE
from gateway.secret import Secret
from tests.gateways import FREE, Running, running
from tests.raw import ask
from tests.recording import hangs, recording

ADMIN: Final = AdminSettings(listen=FREE)
EMAIL: Final = "/api/v1/activity/email/"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0"
AUTH: Final = {"Authorization": aiohttp.encode_basic_auth(JANE.api_key, "")}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A Close of the test's own."""
    close = Sandbox()
    await close.start()
    yield close
    await close.stop()


Samples: TypeAlias = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


async def scraped(gateway: Running) -> Samples:
    """Ask for the metrics, and give their samples by name and labels."""
    url = f"http://{gateway.gateway.admin}/metrics"
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        families = read_text(await answer.text())
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


def sample(samples: Samples, name: str, **labels: str) -> float:
    """Give one sample."""
    return samples[f"close_gateway_{name}", tuple(sorted(labels.items()))]


async def send(gateway: Running, method: str, path: str, email: object = None) -> int:
    """Send a request as Jane, and give the answer's status."""
    async with (
        aiohttp.ClientSession(headers=AUTH) as client,
        client.request(method, gateway.url + path, json=email) as answer,
    ):
        await answer.read()
        return answer.status


async def test_each_request_is_counted_by_what_it_was_and_how_it_was_answered(sandbox: Sandbox) -> None:
    """With its time in both histograms, and its bytes."""
    async with running(sandbox.url, admin=ADMIN) as gateway:
        assert await send(gateway, "GET", "/api/v1/me/") == 200
        assert await send(gateway, "GET", "/api/v1/nothing/") == 404
        draft = {"lead_id": "lead_SandboxBluth", "status": "draft"}
        assert await send(gateway, "POST", EMAIL, draft) == 200
        assert await send(gateway, "POST", EMAIL, draft | {"status": "outbox"}) == 400
        assert await send(gateway, "POST", EMAIL, draft | {"status": "sent"}) == 200
        assert await send(gateway, "POST", EMAIL, draft | {"status": "sent"}) == 200
        assert await send(gateway, "PUT", f"{EMAIL}acti_none/", {"status": "outbox"}) == 404
        samples = await scraped(gateway)
    assert sample(samples, "requests_total", route="pass_through", status="2xx") == 1
    assert sample(samples, "requests_total", route="pass_through", status="4xx") == 1
    assert sample(samples, "requests_total", route="create_email", status="2xx") == 3
    assert sample(samples, "requests_total", route="create_email", status="4xx") == 1
    assert sample(samples, "requests_total", route="update_email", status="4xx") == 1
    for name in ("request_duration_seconds", "own_duration_seconds"):
        assert sample(samples, f"{name}_count", route="create_email") == 4
        assert sample(samples, f"{name}_bucket", route="create_email", le="+Inf") == 4
    total, own = (sample(samples, f"{name}_duration_seconds_sum", route="update_email") for name in ("request", "own"))
    assert 0 < own < total
    assert sample(samples, "verdicts_total", verdict="rejected", code="sender_required") == 1
    assert sample(samples, "verdicts_total", verdict="filled", code="") == 2
    assert sample(samples, "verdicts_total", verdict="forwarded", code="") == 2
    assert sample(samples, "lookups_total", kind="owner", outcome="answered") == 1
    assert sample(samples, "lookups_total", kind="stored_email", outcome="refused") == 1
    assert sample(samples, "identity_cache_hits_total", layer="local") == 1
    assert sample(samples, "identity_cache_misses_total") == 1
    assert sample(samples, "identity_cache_entries") == 1
    assert sample(samples, "upstream_connections", state="idle") == 1
    assert sample(samples, "received_bytes_total") > 500
    assert sample(samples, "sent_bytes_total") > 1000


async def test_reports_are_counted_by_code(sandbox: Sandbox) -> None:
    """In report mode nothing is rejected, and what would have been is told."""
    async with running(sandbox.url, admin=ADMIN, inspect=InspectSettings(mode=Mode.REPORT)) as gateway:
        await send(gateway, "POST", EMAIL, {"lead_id": "lead_SandboxBluth", "status": "outbox"})
        samples = await scraped(gateway)
    assert sample(samples, "verdicts_total", verdict="reported", code="sender_required") == 1


async def test_what_failed_and_what_was_refused_is_counted_apart() -> None:
    """Close's failures alarm somebody; those of a client are the client's."""
    async with recording(hangs()) as upstream:
        url = upstream.url
    async with running(url, admin=ADMIN) as gateway:  # nobody is there any more
        assert await send(gateway, "GET", "/api/v1/me/") == 502
        await ask(gateway.port, b"GET / HTTP/1.1\r\n\r\n")
        await ask(gateway.port, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
        samples = await scraped(gateway)
    assert sample(samples, "failures_total", code="upstream_unreachable") == 1
    assert sample(samples, "requests_total", route="pass_through", status="5xx") == 1
    assert sample(samples, "refused_total", code="request_malformed") == 1
    assert sample(samples, "refused_total", code="method_refused") == 1


async def test_a_client_that_leaves_first_is_counted() -> None:
    """With no status: it did not wait for one."""
    async with recording(hangs()) as upstream, running(upstream.url, admin=ADMIN) as gateway:
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.1)
        assert sample(await scraped(gateway), "requests_in_flight") == 1
        writer.close()
        await asyncio.sleep(0.1)
        samples = await scraped(gateway)
    assert sample(samples, "requests_total", route="pass_through", status="none") == 1
    assert sample(samples, "requests_in_flight") == 0


async def test_the_store_is_told_of(sandbox: Sandbox, tmp_path: Path) -> None:
    """What it took, what was folded, and what waits."""
    store = StoreLocation.parse(str(tmp_path / "store.sqlite3"))
    rejections = RejectionsSettings(store=store, max_per_second=1)
    async with running(sandbox.url, admin=ADMIN, rejections=rejections) as gateway:
        for _ in range(5):
            await send(gateway, "POST", EMAIL, {"status": "outbox", "lead_id": "lead_SandboxBluth"})
        async with asyncio.timeout(10):
            while sample(samples := await scraped(gateway), "rejections_recorded_total") < 2:  # noqa: ASYNC110 - it is asked
                await asyncio.sleep(0.05)
    assert sample(samples, "rejections_folded_total") >= 3
    assert sample(samples, "store_up") == 1
    assert sample(samples, "store_backlog") == 0


async def test_every_metric_has_its_description_and_is_there(sandbox: Sandbox, tmp_path: Path) -> None:
    """A dashboard can rely on the table: what is in it is exposed, and nothing else."""
    rejections = RejectionsSettings(store=StoreLocation.parse(str(tmp_path / "store.sqlite3")))
    identity = IdentitySettings(cache=CacheLocation.parse("redis://127.0.0.1:9"), fingerprint_key=Secret("x" * 16))
    async with running(sandbox.url, admin=ADMIN, rejections=rejections, identity=identity) as gateway:
        assert readings(await gateway.gateway._look()).keys() == FAMILIES.keys()


def test_what_ends_with_a_process_is_told_apart() -> None:
    """Of a worker that is gone, counters stay, and gauges go: neither may be taken for the other."""
    of_store_and_build = {
        "store_backlog",
        "store_up",
        "identity_cache_up",
        "workers",
        "build_info",
    }  # told once for all, not by each process
    assert {name for name, family in FAMILIES.items() if family.kind == "gauge"} - of_store_and_build == GAUGES


async def test_openmetrics_is_spoken_too(sandbox: Sandbox) -> None:
    """To those who ask for it."""
    async with running(sandbox.url, admin=ADMIN) as gateway:
        url = f"http://{gateway.gateway.admin}/metrics"
        async with (
            aiohttp.ClientSession() as client,
            client.get(url, headers={"Accept": OPENMETRICS}) as answer,
        ):
            assert answer.content_type == "application/openmetrics-text"
            names = {family.name for family in read_openmetrics(await answer.text())}  # type: ignore[no-untyped-call]
    assert "close_gateway_requests" in names


async def test_nothing_a_client_sends_becomes_a_label(sandbox: Sandbox) -> None:
    """Neither a secret nor a word that anybody could make up: series are bounded."""
    async with running(sandbox.url, admin=ADMIN) as gateway:
        await ask(
            gateway.port,
            b"GET /canary?canary=1 HTTP/1.1\r\nHost: canary\r\nAuthorization: canary\r\nX-Request-Id: canary\r\n\r\n",
        )
        canary = {"status": "outbox", "sender": ["canary"], "canary": "canary", "lead_id": "canary"}
        await send(gateway, "POST", f"{EMAIL}?canary", canary)
        await send(gateway, "PUT", f"{EMAIL}canary/", {"status": "outbox"})
        url = f"http://{gateway.gateway.admin}/metrics"
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            assert "canary" not in (await answer.text()).lower()


@pytest.mark.parametrize(("paths", "status"), [((), 401), (("/metrics",), 200)])
async def test_it_needs_the_token_unless_it_is_left_open(sandbox: Sandbox, paths: tuple[str, ...], status: int) -> None:
    """How much is sent, and how much is refused, is not everybody's business."""
    admin = AdminSettings(listen=FREE, token=Secret("a token of the tests"), open=paths)
    async with (
        running(sandbox.url, admin=admin) as gateway,
        aiohttp.ClientSession() as client,
        client.get(f"http://{gateway.gateway.admin}/metrics") as answer,
    ):
        assert answer.status == status

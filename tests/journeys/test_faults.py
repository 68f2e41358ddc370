"""Close fails, on request: what the client sees then is what it would see of Close, or what the gateway makes of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from gateway.config.settings import UpstreamSettings
from gateway.sandbox import Rate, Sandbox
from gateway.sandbox.faults import FIELD
from gateway.sandbox.seed import JANE, LEAD_ID
from tests.gateways import Running, running

SENDABLE = {"lead_id": LEAD_ID, "status": "outbox", "sender": "Jane Roe <jane@example.com>", "to": ["a@example.net"]}


@pytest.fixture
async def proxied(sandbox: Sandbox) -> AsyncIterator[Running]:
    """A gateway that is a proxy itself, so that it is the one to answer where Close does not."""
    async with running(sandbox.url) as started:
        yield started


@pytest.fixture
async def hurried(sandbox: Sandbox) -> AsyncIterator[Running]:
    """A gateway that waits for Close for no more than a moment."""
    async with running(sandbox.url, upstream=UpstreamSettings(timeout=0.3)) as started:
        yield started


async def asked(gateway: Running, method: str, path: str, fault: str, **how: Any) -> tuple[int, str | None, Any]:
    """Ask with a fault, and tell status, mark and body."""
    headers = {"Authorization": aiohttp.encode_basic_auth(JANE.api_key, ""), FIELD: fault}
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.request(method, f"{gateway.url}/api/v1{path}", **how) as answer,
    ):
        return answer.status, answer.headers.get("X-Close-Gateway"), await answer.json()


@pytest.mark.parametrize(
    ("fault", "status"), [("500", 500), ("502", 502), ("503", 503), ("429", 429), ("slow=10ms", 200)]
)
async def test_what_close_answers_passes(gateway: Running, fault: str, status: int) -> None:
    """An answer is an answer, whatever it says: for a read as for an email, of which the mark tells."""
    read = await asked(gateway, "GET", "/me/", fault)
    write = await asked(gateway, "POST", "/activity/email/", fault, json=SENDABLE)
    assert [read[:2], write[:2]] == [(status, None), (status, "forwarded")]


READ_AND_WRITE = pytest.mark.parametrize(
    ("method", "path", "how"), [("GET", "/me/", {}), ("POST", "/activity/email/", {"json": SENDABLE})]
)


@READ_AND_WRITE
async def test_a_connection_that_breaks(proxied: Running, method: str, path: str, how: dict[str, Any]) -> None:
    """Close may have acted on it: the client is told so, and nothing is sent again."""
    status, _, body = await asked(proxied, method, path, "reset", **how)
    assert (status, body["gateway"]["code"]) == (502, "upstream_broken")


@READ_AND_WRITE
@pytest.mark.parametrize("fault", ["timeout", "slow=300s"])
async def test_an_answer_that_does_not_come(
    hurried: Running, fault: str, method: str, path: str, how: dict[str, Any]
) -> None:
    """The gateway waits no longer than it is set to."""
    status, _, body = await asked(hurried, method, path, fault, **how)
    assert (status, body["gateway"]["code"]) == (504, "upstream_timed_out")


async def test_a_rejected_email_meets_no_fault(gateway: Running, sandbox: Sandbox) -> None:
    """What is refused here never gets to Close."""
    status, mark, _ = await asked(
        gateway, "POST", "/activity/email/", "500", json={"lead_id": LEAD_ID, "status": "outbox"}
    )
    assert (status, mark) == (400, "rejected; sender_required")
    assert not sandbox.requests


async def test_a_limit_counts_by_key_through_the_gateway(gateway: Running, sandbox: Sandbox) -> None:
    """The 429 comes through whole: the client can wait as long as it says."""
    sandbox.rate = Rate(2, 3600)
    answers = await asyncio.gather(*(asked(gateway, "GET", "/me/", "") for _ in range(3)))
    assert sorted(answer[0] for answer in answers) == [200, 200, 429]
    (over,) = (body["error"] for status, _, body in answers if status == 429)
    assert (over["rate_limit"], over["rate_limit_type"]) == (2, "key")

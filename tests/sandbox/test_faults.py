import asyncio
import json
import time

import aiohttp
import pytest

from gateway.sandbox import Refusal, Sandbox
from gateway.sandbox.faults import FIELD, LONGEST, Fault, fault_of
from gateway.sandbox.seed import LEAD_ID
from tests.gateways import until
from tests.sandbox.conftest import Client


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, Fault()),
        (" ", Fault()),
        ("500", Fault(status=500)),
        ("502", Fault(status=502)),
        ("503", Fault(status=503)),
        ("429", Fault(status=429)),
        (" Timeout ", Fault(pause=LONGEST, breaks=True)),
        ("reset", Fault(breaks=True)),
        ("slow=2s", Fault(pause=2.0)),
        ("slow=0.25s", Fault(pause=0.25)),
        ("slow=200ms", Fault(pause=0.2)),
        ("slow=300s", Fault(pause=300.0)),
    ],
)
def test_the_faults_there_are(text: str | None, fault: Fault) -> None:
    """Each as the header names it, whatever its case."""
    assert fault_of(text) == fault


@pytest.mark.parametrize(
    "text", ["504", "sloow", "slow", "slow=", "slow=2", "slow=-1s", "slow=301s", "slow=1e9s", "200"]
)
def test_an_unknown_fault_names_the_known_ones(text: str) -> None:
    """A typo is no silent success."""
    with pytest.raises(Refusal) as refusal:
        fault_of(text)
    known = "X-Sandbox-Fault knows 500, 502, 503, 429, timeout, reset, and slow=2s or slow=200ms, up to slow=300s."
    assert (refusal.value.status, refusal.value.body) == (400, {"errors": [known], "field-errors": {}})


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("500", 500, "Internal Server Error"),
        ("502", 502, "Bad Gateway"),
        ("503", 503, "Service Unavailable"),
    ],
)
async def test_an_error_on_request(sandbox: Sandbox, ask: Client, fault: str, status: int, error: str) -> None:
    """The request does nothing, and is remembered."""
    held = len(sandbox.world.emails)
    email = {"lead_id": LEAD_ID, "status": "draft"}
    answer = await ask("POST", "/activity/email/", json=email, headers={FIELD: fault})
    assert (answer.status, answer.body) == (status, {"error": error})
    assert len(sandbox.world.emails) == held
    assert list(sandbox.requests) == [("POST", "/api/v1/activity/email/")]


async def test_a_limit_on_request(ask: Client) -> None:
    """A 429 as a limit gives it, with the time to wait; the next request is served."""
    answer = await ask("GET", "/lead/lead_x/", headers={FIELD: "429"})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert answer.headers["RateLimit"] == "limit=1000, remaining=0, reset=1"
    assert answer.body["error"]["rate_endpoint_group"] == "GET /api/v1/lead/ID/"
    assert (await ask("GET", "/me/")).status == 200


async def test_a_connection_breaks_on_request(sandbox: Sandbox) -> None:
    """The client sees a reset, not an end, and no byte of an answer."""
    reader, writer = await asyncio.open_connection(*sandbox.url.removeprefix("http://").split(":"))
    writer.write(f"GET /api/v1/me/ HTTP/1.1\r\nHost: x\r\n{FIELD}: reset\r\n\r\n".encode())
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_a_slow_answer_on_request(ask: Client) -> None:
    """It takes as long as asked for, and is the answer as ever."""
    began = time.monotonic()
    answer = await ask("GET", "/me/?_fields=email", headers={FIELD: "slow=50ms"})
    assert (answer.status, answer.body) == (200, {"email": "jane@example.com"})
    assert time.monotonic() - began >= 0.05


async def test_a_timeout_lasts_until_the_client_gives_up(sandbox: Sandbox, ask: Client) -> None:
    """No answer comes, and nothing of the wait is left once the client is gone."""
    at_rest = len(asyncio.all_tasks())
    waiting = asyncio.create_task(ask("GET", "/me/", headers={FIELD: "timeout"}))
    await until(lambda: len(sandbox.requests) == 1)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])
    await until(lambda: len(asyncio.all_tasks()) <= at_rest)


@pytest.mark.parametrize("fault", ["timeout", "slow=300s"])
async def test_a_stop_waits_for_no_fault(sandbox: Sandbox, ask: Client, fault: str) -> None:
    """Who waits is cut off before the server has to be patient with them."""
    waiting = asyncio.create_task(ask("GET", "/me/", headers={FIELD: fault}))
    await until(lambda: len(sandbox.requests) == 1)
    sandbox._stopping.set()  # what a stop does first
    async with asyncio.timeout(10):
        with pytest.raises(aiohttp.ClientConnectionError):
            await waiting
    await sandbox.stop()
    assert sandbox._stopping.is_set()


async def test_the_page_knows_no_faults(sandbox: Sandbox, ask: Client) -> None:
    """What controls the sandbox does not fail with it."""
    async with ask.session.get(f"{sandbox.url}/sandbox/limits", headers={FIELD: "500"}) as answer:
        assert (answer.status, json.loads(await answer.text())) == (200, {"rate": "1000/s"})

"""What must not be told is not told, wherever somebody asks."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from gateway.config.settings import AdminSettings, Capture, RejectionsSettings
from gateway.config.store import StoreLocation
from gateway.secret import Secret
from tests.commands.asking import asked
from tests.gateways import FREE, running

EMAIL = {
    "status": "outbox",
    "subject": "CANARY-SUBJECT",
    "body_text": "CANARY-BODY",
    "to": ["canary-recipient@example.org"],
    "CANARY-FIELD": 1,
}
TOKEN = "CANARY-TOKEN-CANARY"
BASIC = aiohttp.encode_basic_auth("CANARY-KEY", "")
HOSTILE = "<script>alert(1)</script>'\";[bold]"


@pytest.mark.parametrize("capture", Capture)
async def test_no_credential_and_no_email_is_told(tmp_path: Path, capture: Capture) -> None:
    """By no answer, no command and no line of the log; of the email all with `full`, and that alone."""
    file = tmp_path / "rejections.sqlite3"
    store = StoreLocation.parse(str(file))
    told = ""
    async with (
        running(
            "http://127.0.0.1:9",
            admin=AdminSettings(listen=FREE, token=Secret(TOKEN)),
            rejections=RejectionsSettings(store=store, capture=capture),
        ) as gateway,
        aiohttp.ClientSession(headers={"User-Agent": HOSTILE}) as client,
    ):
        async with client.post(
            f"{gateway.url}/api/v1/activity/email/", json=EMAIL, headers={"Authorization": BASIC}
        ) as answer:
            assert answer.status == 400
            request_id = answer.headers["X-Request-Id"]
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        url = f"http://{gateway.gateway.admin}"
        rows = await _until_there(client, f"{url}/api/rejections?request_id={request_id}", bearer)
        for path in ("", f"/{rows[0]['id']}", "?text=CANARY", "?unknown=1", "?since=-"):
            async with client.get(f"{url}/api/rejections{path}", headers=bearer) as answer:
                told += await answer.text()
        for path in ("/api/stats", "/readyz", "/healthz", "/login", "/nothing"):
            async with client.get(url + path, headers=bearer) as answer:
                told += await answer.text()
        async with client.get(f"{url}/api/stream?last_event_id=0", headers=bearer) as answer:
            async with asyncio.timeout(10):
                told += (await answer.content.readuntil(b"data: ")).decode()
                told += (await answer.content.readline()).decode()
        async with client.get(url, headers={"Authorization": "Bearer CANARY"}) as answer:
            told += await answer.text()
    for command in (["list"], ["list", "--json"], ["export", "--csv"], ["show", request_id], ["stats"]):
        told += asked(*command, store=file).output
    log = gateway.written.decode()
    assert "canary" not in log.lower()
    for secret in ("CANARY-KEY", "TOKEN", "Q0FOQVJZ"):  # that is how Basic spells it
        assert secret not in told
    assert ("CANARY-SUBJECT" in told) == (capture is Capture.FULL)
    assert ("canary" in told.lower()) == (capture is Capture.FULL)


async def _until_there(client: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> list[dict[str, str]]:
    async with asyncio.timeout(10):
        while True:
            async with client.get(url, headers=headers) as answer:
                rows: list[dict[str, str]] = (await answer.json()).get("data", [])
            if rows:
                return rows
            await asyncio.sleep(0.05)

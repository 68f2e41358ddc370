"""The log of rejections, asked over HTTP."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.config.settings import AdminSettings, RejectionsSettings
from gateway.config.store import StoreLocation
from gateway.rejections.query import Bucket, Filters
from gateway.rejections.reader import Reader
from gateway.rejections.shown import FIELDS, entry_json, stats_json
from tests.admin.asking import NOBODY, admin
from tests.gateways import FREE, running
from tests.rejections.stores import NOON, SECOND, an_entry, many

ENTRIES = many(60)


async def test_the_list(tmp_path: Path) -> None:
    """It is turned page by page, newest first, and what was filtered for stays out."""
    async with admin(tmp_path, ENTRIES) as asked:
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await asked.get(f"/api/rejections?code=sender_required&limit=7{cursor}")
            rows += page["data"]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        wanted = list(Reader(asked.store).export(Filters(code="sender_required")))
        assert rows == [entry_json(entry) for entry in wanted]
        assert set(rows[0]) == set(FIELDS)


async def test_an_entry_as_json(tmp_path: Path) -> None:
    """Times as ISO 8601 to the microsecond, the shape as an object, no place in the store."""
    entry = an_entry(NOON + 1, last_at=NOON + SECOND, captured="<b>")
    async with admin(tmp_path, [entry]) as asked:
        (row,) = (await asked.get("/api/rejections"))["data"]
    assert (row["at"], row["last_at"]) == ("2026-11-24T12:00:00.000001Z", "2026-11-24T12:00:01.000000Z")
    assert (row["shape"], row["captured"], row["status"], "seq" in row) == ({"bytes": 2}, "<b>", 400, False)


async def test_one_rejection(tmp_path: Path) -> None:
    """It comes with what to change, and with ten others of the same credential."""
    entry = an_entry()
    others = [an_entry(NOON - second) for second in range(12)]
    async with admin(tmp_path, [entry, *others, an_entry(credential="fp:other")]) as asked:
        found = await asked.get(f"/api/rejections/{entry.id}")
        assert found["data"]["id"] == entry.id
        assert found["explanation"]["example"]["sender"] == "jane@example.com"
        assert asked.gateway.url in found["explanation"]["curl"]
        assert len(found["others"]) == 10
        assert {other["credential"] for other in found["others"]} == {"fp:3f9a"}
        assert entry.id not in {other["id"] for other in found["others"]}
        assert "no rejection of this id" in (await asked.get("/api/rejections/none", 404))["errors"][0]


async def test_one_rejection_of_nobody(tmp_path: Path) -> None:
    """Who sent no credential has no others; a code that is not known has no explanation."""
    entry = an_entry(credential=None, code="of_tomorrow")
    async with admin(tmp_path, [entry, an_entry()]) as asked:
        found = await asked.get(f"/api/rejections/{entry.id}")
    assert (found["others"], found["explanation"]) == ([], None)


async def test_the_counts(tmp_path: Path) -> None:
    """They are those of the store, with this process's own beside them."""
    async with admin(tmp_path, ENTRIES) as asked:
        asked.gateway.counts["filled"] += 2
        found = await asked.get("/api/stats?bucket=day&owner=jane@example.com")
        wanted = stats_json(Reader(asked.store).stats(Filters(owner="jane@example.com"), Bucket.DAY))
    assert found.pop("inspected") == {"forwarded": 0, "filled": 2, "rejected": 0, "reported": 0, "oversize": 0}
    assert found.pop("store") == {"status": "ok", "reason": None, "waiting": 0}
    assert found == {name: list(value) if isinstance(value, tuple) else value for name, value in wanted.items()}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/rejections?since=canary", "since"),
        ("/api/rejections?until=", "until"),
        ("/api/rejections?limit=0", "limit"),
        ("/api/rejections?cursor=canary", "cursor"),
        ("/api/rejections?canari=1", "canari"),
        ("/api/rejections?code=a&code=b", "code"),
        ("/api/rejections/x?code=a", "code"),
        ("/api/stats?bucket=canary", "bucket"),
        ("/api/stats?limit=5", "limit"),
        ("/api/stream?last_event_id=canary", "last_event_id"),
        ("/api/stream?text=%00", "text"),
    ],
)
async def test_a_bad_question_names_its_parameter(tmp_path: Path, path: str, field: str) -> None:
    """In JSON, status 400, and what was given is not repeated."""
    async with admin(tmp_path) as asked:
        found = await asked.get(path, 400)
    assert set(found) == {"errors", "field-errors"}
    assert set(found["field-errors"]) == {field}
    assert found["errors"] == [found["field-errors"][field]]
    assert "canary" not in str(found)


async def test_hostile_values_stay_values(tmp_path: Path) -> None:
    """They come as JSON that no browser takes for a page."""
    entry = an_entry(user_agent="</script><script>alert(1)</script>", path="/api/v1/activity/email/<img>/")
    async with admin(tmp_path, [entry]) as asked, asked.client.get(f"{asked.url}/api/rejections") as answer:
        assert answer.content_type == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert (await answer.json())["data"][0]["user_agent"] == entry.user_agent


async def test_a_store_that_is_off() -> None:
    """The answer names the setting; health and readiness are told all the same."""
    async with running(NOBODY, admin=AdminSettings(listen=FREE)) as gateway, aiohttp.ClientSession() as client:
        url = f"http://{gateway.gateway.admin}"
        for path in ("/api/rejections", "/api/rejections/x", "/api/stats", "/api/stream"):
            async with client.get(url + path) as answer:
                assert answer.status == 404
                assert "rejections.store" in (await answer.json())["errors"][0]
        async with client.get(f"{url}/readyz") as answer:
            off = {"status": "off", "reason": None, "waiting": 0}
            ready = await answer.json()
            assert (answer.status, ready["status"], ready["serving"], ready["store"]) == (200, "ready", 1, off)


async def test_a_store_that_is_down(tmp_path: Path) -> None:
    """503 and why, without the password; the gateway is ready all the same, and says how the store does."""
    store = StoreLocation.parse("postgresql://gateway:canary@127.0.0.1:9/gateway")
    settings = RejectionsSettings(store=store, backlog_folder=tmp_path)
    async with (
        running(NOBODY, admin=AdminSettings(listen=FREE), rejections=settings) as gateway,
        aiohttp.ClientSession() as client,
    ):
        url = f"http://{gateway.gateway.admin}"
        for path in ("/api/rejections", f"/api/rejections/{'0' * 32}", "/api/stats", "/api/stream"):
            async with client.get(url + path) as answer:
                text = await answer.text()
                assert answer.status == 503, text
                assert "The store of rejections does not answer (NO_CONNECTION)" in text
                assert "canary" not in text
        async with client.get(f"{url}/readyz") as answer:
            ready = await answer.json()
            assert (answer.status, ready["status"]) == (200, "ready")
            assert (ready["store"]["status"], ready["store"]["reason"]) == ("down", "NO_CONNECTION")
    assert b"canary" not in gateway.written

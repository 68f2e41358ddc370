import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import closeio_api
import pytest
import requests

from gateway.sandbox import Rate, Sandbox
from gateway.sandbox.faults import FIELD
from gateway.sandbox.seed import DRAFT_ID, JANE, LEAD_ID


def walk(api: Any) -> list[str]:
    """Who am I; a draft sent too early, given a sender, sent, taken back and deleted."""
    with pytest.raises(closeio_api.ValidationError) as refusal:
        api.put(f"activity/email/{DRAFT_ID}", {"status": "outbox"})
    assert (refusal.value.errors, refusal.value.field_errors) == ([], {"sender": "This field is required."})
    return [
        api.get("me", params={"_fields": "email"})["email"],
        api.get("activity/email", params={"lead_id": LEAD_ID, "_limit": 1})["data"][0]["lead_id"],
        api.put(f"activity/email/{DRAFT_ID}", {"status": "outbox", "sender": "Jane <jane@example.com>", "send_in": 59})[
            "status"
        ],
        api.put(f"activity/email/{DRAFT_ID}", {"status": "draft"})["sender"],
        api.post("activity/email", {"lead_id": LEAD_ID, "status": "sent"})["sender"],
        str(api.delete(f"activity/email/{DRAFT_ID}")),
    ]


async def test_closes_own_client_finds_its_way(sandbox: Sandbox) -> None:
    """The client that Close publishes cannot tell the sandbox from Close."""
    api = closeio_api.API(f"{sandbox.url}/api/v1/", JANE.api_key)
    sandbox.limit_next(1)  # it waits as long as the answer says, and asks again
    with api.session:
        assert await asyncio.to_thread(walk, api) == [
            "jane@example.com",
            LEAD_ID,
            "outbox",
            "Jane <jane@example.com>",
            "jane@example.com",
            "{}",
        ]


class Sleeper:
    """The time, which goes on only when the client sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def sleeper(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    """What the client sleeps by."""
    sleeper = Sleeper()
    monkeypatch.setattr(closeio_api, "time", SimpleNamespace(sleep=sleeper.sleep))
    return sleeper


async def test_closes_own_client_keeps_to_a_limit(sandbox: Sandbox, sleeper: Sleeper) -> None:
    """Over the limit it sleeps as long as it is told, once, and is served; other endpoints are not held up."""
    sandbox._state.limits._clock = sleeper
    sandbox.rate = Rate(2, 7)
    api = closeio_api.API(f"{sandbox.url}/api/v1/", JANE.api_key)
    with api.session:
        answers = [await asyncio.to_thread(api.get, "me") for _ in range(5)]
        leads = await asyncio.to_thread(api.get, "lead")
    assert [answer["id"] for answer in answers] == [JANE.id] * 5
    assert len(leads["data"]) == 1
    assert sleeper.slept == [7.0, 7.0]
    assert len(sandbox.requests) == 5 + 2 + 1


@pytest.mark.parametrize(
    ("fault", "tries", "error"),
    [
        ("429", 5, closeio_api.APIError),
        ("503", 5, closeio_api.APIError),
        ("500", 1, closeio_api.APIError),
        ("reset", 5, requests.exceptions.ConnectionError),
        ("nonsense", 1, closeio_api.ValidationError),
    ],
)
async def test_closes_own_client_meets_faults(
    sandbox: Sandbox, sleeper: Sleeper, fault: str, tries: int, error: type[Exception]
) -> None:
    """It tries again where it would at Close, and gives up as it would there."""
    api = closeio_api.API(f"{sandbox.url}/api/v1/", JANE.api_key)
    post: Callable[..., Any] = api.post
    with api.session, pytest.raises(error):
        await asyncio.to_thread(post, "lead", {"name": "Never"}, headers={FIELD: fault})
    assert len(sandbox.requests) == tries
    assert [lead["name"] for lead in sandbox.world.leads.values() if lead["name"] == "Never"] == []

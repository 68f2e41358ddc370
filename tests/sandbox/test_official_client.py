import asyncio
from typing import Any

import closeio_api
import pytest

from gateway.sandbox import Sandbox
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

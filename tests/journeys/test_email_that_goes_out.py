"""An email goes its whole way behind the gateway: written from a template, scheduled, sent, answered."""

from typing import Any

import aiohttp
import pytest
from closeio_api import ValidationError

from gateway.sandbox import Sandbox
from gateway.sandbox.seed import JANE, JOHN, LEAD_ID, TEMPLATE_ID
from tests.journeys.conftest import Client

WHEN = "2030-01-31T09:00:00+00:00"
SCHEDULED: dict[str, object] = {
    "lead_id": LEAD_ID,
    "status": "scheduled",
    "date_scheduled": WHEN,
    "sender": "Jane Roe <jane@example.com>",
    "to": ["lead@example.net"],
    "template_id": TEMPLATE_ID,
}
ANSWER: dict[str, object] = {
    "lead_id": LEAD_ID,
    "status": "inbox",
    "sender": "lead@example.net",
    "subject": "Re: Hello Lucille",
}
NEW: dict[str, object] = {"lead_id": LEAD_ID, "status": "outbox", "sender": "jane@example.com"}


async def test_from_a_template_to_an_answer(jane: Client, sandbox: Sandbox) -> None:
    """What is due by the sandbox's clock has gone out, and its answer is found beside it."""
    email = await jane.post("activity/email", SCHEDULED)
    assert (email["status"], email["subject"], email["date_sent"]) == ("scheduled", "Hello Lucille", None)
    async with (
        aiohttp.ClientSession(sandbox.url) as session,
        session.post("/sandbox/clock", data='{"now": "2030-02-01"}') as answer,
    ):
        assert answer.status == 200
    reply = await jane.post("activity/email", ANSWER)
    thread = await jane.get(f"activity/emailthread/{email['thread_id']}")
    assert [(one["id"], one["status"]) for one in thread["emails"]] == [(email["id"], "sent"), (reply["id"], "inbox")]
    assert thread["emails"][0]["date_sent"] == WHEN


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sender": JOHN.email},
        {"sender": "Jane"},
        {"sender": None, "status": "scheduled"},
        {"status": "scheduled"},
        {"send_in": 60},
        {"attachments": [{"url": "https://example.com/"}]},
        {"status": "received", "lead_id": None},
        {"to": "lead@example.net"},
        {"template_id": "tmpl_none"},
    ],
    ids=str,
)
async def test_the_gateway_says_nothing_that_close_does_not(
    jane: Client, sandbox: Sandbox, changes: dict[str, object]
) -> None:
    """Whoever answers, what is taken is taken by both, and every word of a refusal is one of Close's."""
    told: list[Any] = []
    for client in (jane, Client(sandbox.url, JANE.api_key)):
        try:
            told.append((await client.post("activity/email", NEW | changes))["status"])
        except ValidationError as refused:
            told.append(refused.field_errors)
    through, alone = told
    if isinstance(through, str):
        assert through == alone
    else:
        assert through.items() <= alone.items()

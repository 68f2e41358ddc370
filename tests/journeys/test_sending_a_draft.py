"""A draft is written first and sent later, with a sender that came along, was stored, or is missing."""

import pytest
from closeio_api import APIError, ValidationError

from gateway.sandbox import Sandbox
from gateway.sandbox.seed import DRAFT_ID, LEAD_ID, OTHER_DRAFT_ID, SIGNED_DRAFT_ID
from tests.gateways import Running
from tests.journeys.conftest import Client

LATER: dict[str, object] = {"status": "scheduled", "date_scheduled": "2030-01-31T09:00:00+00:00"}
AT_ONCE: dict[str, object] = {"status": "outbox"}
SENDING = [pytest.param(LATER, id="scheduled"), pytest.param(AT_ONCE, id="outbox")]


@pytest.mark.parametrize("change", SENDING)
async def test_a_draft_without_a_sender_is_not_sent(jane: Client, sandbox: Sandbox, change: dict[str, object]) -> None:
    """The stored email is looked up, and as it has no sender either, the change goes no further."""
    with pytest.raises(ValidationError) as refused:
        await jane.put(f"activity/email/{DRAFT_ID}", change)
    assert refused.value.field_errors == {"sender": "This field is required."}
    assert list(sandbox.requests) == [("GET", f"/api/v1/activity/email/{DRAFT_ID}/?_fields=id,sender")]


@pytest.mark.parametrize("change", SENDING)
async def test_a_draft_with_a_stored_sender_is_sent(jane: Client, change: dict[str, object]) -> None:
    """The request alone does not say so, but Close holds a sender."""
    changed = await jane.put(f"activity/email/{SIGNED_DRAFT_ID}", change)
    assert (changed["status"], changed["sender"]) == (change["status"], '"Jane Roe" <jane@example.com>')


async def test_a_sender_in_the_change_needs_no_look_up(jane: Client, sandbox: Sandbox) -> None:
    """What the request says itself is not asked for."""
    change: dict[str, object] = {"status": "outbox", "sender": "jane@example.com"}
    changed = await jane.put(f"activity/email/{DRAFT_ID}", change)
    assert changed["status"] == "outbox"
    assert list(sandbox.requests) == [("PUT", f"/api/v1/activity/email/{DRAFT_ID}/")]


async def test_the_whole_life_of_a_draft(jane: Client) -> None:
    """Written without a sender, changed, refused, given one, sent, cancelled, deleted."""
    draft = await jane.post("activity/email", {"lead_id": LEAD_ID, "status": "draft", "subject": "Hello"})
    path = f"activity/email/{draft['id']}"
    assert (await jane.put(path, {"subject": "Hello again"}))["subject"] == "Hello again"
    with pytest.raises(ValidationError):
        await jane.put(path, {"status": "outbox"})
    await jane.put(path, {"sender": "jane@example.com"})
    assert (await jane.put(path, LATER))["status"] == "scheduled"
    assert (await jane.put(path, {"status": "draft"}))["status"] == "draft"
    await jane.delete(path)
    with pytest.raises(APIError) as gone:
        await jane.get(path)
    assert gone.value.response.status_code == 404


async def test_an_email_that_is_not_there_is_closes_to_answer(jane: Client, gateway: Running) -> None:
    """A 404 of the look-up cannot tell whether there is a sender: the change is forwarded, and Close says 404."""
    with pytest.raises(APIError) as missing:
        await jane.put(f"activity/email/{OTHER_DRAFT_ID}", {"status": "outbox"})
    assert missing.value.response.status_code == 404
    assert missing.value.response.headers["X-Close-Gateway"] == "forwarded"
    (event,) = [event for event in gateway.log if event["event"] == "lookup_failed"]
    assert (event["kind"], event["reason"]) == ("stored_email", "status_404")

"""An integration sends an email without a sender, and is told so at once in Close's own words."""

import pytest
from closeio_api import ValidationError

from gateway.sandbox import Sandbox
from gateway.sandbox.seed import LEAD_ID
from tests.gateways import Running
from tests.journeys.conftest import Client

REFUSED_WITHOUT_SENDER = ("inbox", "scheduled", "outbox", "error")


@pytest.mark.parametrize("status", REFUSED_WITHOUT_SENDER)
async def test_the_official_client_reads_the_rejection(
    jane: Client, sandbox: Sandbox, gateway: Running, status: str
) -> None:
    """It raises its own ValidationError with Close's own words, and Close has not been asked."""
    with pytest.raises(ValidationError) as refused:
        await jane.post("activity/email", {"lead_id": LEAD_ID, "status": status, "subject": "Hello"})
    assert refused.value.field_errors == {"sender": "This field is required."}
    assert refused.value.errors == []
    assert list(sandbox.requests) == []
    (event,) = [event for event in gateway.log if event["event"] == "request_rejected"]
    assert (event["code"], event["email_status"], event["lead_id"]) == ("sender_required", status, LEAD_ID)


async def test_what_the_gateway_says_is_what_close_would_say(jane: Client, sandbox: Sandbox) -> None:
    """The client cannot tell the gateway's rejection from Close's."""
    email: dict[str, object] = {"lead_id": LEAD_ID, "status": "outbox", "sender": " "}
    close = Client(sandbox.url, sandbox.world.users[0].api_key)
    told = []
    for client in (jane, close):
        with pytest.raises(ValidationError) as refused:
            await client.post("activity/email", email)
        told.append((refused.value.response.status_code, refused.value.errors, refused.value.field_errors))
    assert told[0] == told[1]


async def test_the_fix_that_the_rejection_names_works(jane: Client, sandbox: Sandbox) -> None:
    """Adding a sender, as the detail says, gets the same email through; so does saving it as a draft."""
    email: dict[str, object] = {"lead_id": LEAD_ID, "status": "outbox"}
    with pytest.raises(ValidationError) as refused:
        await jane.post("activity/email", email)
    detail = refused.value.response.json()["gateway"]["detail"]
    assert 'add "sender", such as "Jane Roe <jane@example.com>", or save it as "draft"' in detail
    sent = await jane.post("activity/email", email | {"sender": "Jane Roe <jane@example.com>"})
    draft = await jane.post("activity/email", email | {"status": "draft"})
    assert (sandbox.world.emails[sent["id"]]["status"], sandbox.world.emails[draft["id"]]["status"]) == (
        "sent",
        "draft",
    )

"""An integration logs an email that was sent elsewhere, and leaves the sender to Close's documented default."""

import pytest

from gateway.sandbox import Sandbox
from gateway.sandbox.seed import JANE, JOHN, LEAD_ID, MARY
from tests.gateways import Running
from tests.journeys.conftest import Client


@pytest.mark.parametrize(("user_id", "sender"), [(None, JANE.email), (JOHN.id, JOHN.email)])
async def test_sent_gets_its_users_address(
    jane: Client, sandbox: Sandbox, gateway: Running, user_id: str | None, sender: str
) -> None:
    """The email's user stands in where one is named, else the owner of the key."""
    email: dict[str, object] = {"lead_id": LEAD_ID, "status": "sent", "sender": None}
    if user_id is not None:
        email["user_id"] = user_id
    made = await jane.post("activity/email", email)
    assert made["sender"] == sender
    assert [event["event"] for event in gateway.log if event["level"] == "warning"] == []


async def test_close_is_asked_once(jane: Client, sandbox: Sandbox) -> None:
    """A second email of the same key costs no look-up: look-ups count against the caller's rate limit."""
    for _ in range(3):
        await jane.post("activity/email", {"lead_id": LEAD_ID, "status": "sent"})
    asked = [target for method, target in sandbox.requests if method == "GET"]
    assert asked == ["/api/v1/me/?_fields=id,email"]


async def test_a_user_of_another_organization_is_never_filled_in(jane: Client, sandbox: Sandbox) -> None:
    """What Close does not tell this key is not found out by another: the email goes up as it came."""
    mary = Client(sandbox.url, MARY.api_key)
    await mary.get("me")
    with pytest.raises(Exception, match="Object does not exist"):
        await jane.post("activity/email", {"lead_id": LEAD_ID, "status": "sent", "user_id": MARY.id})
    assert sandbox.requests[-1] == ("POST", "/api/v1/activity/email/")


async def test_an_email_with_a_sender_keeps_it(jane: Client) -> None:
    """The default is a default."""
    made = await jane.post("activity/email", {"lead_id": LEAD_ID, "status": "sent", "sender": "x@example.org"})
    assert made["sender"] == "x@example.org"

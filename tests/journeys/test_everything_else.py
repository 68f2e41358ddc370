"""Whatever is no email write is Close's alone: the client sees what it would see without the gateway."""

import pytest
from closeio_api import APIError

from gateway.sandbox import Sandbox
from gateway.sandbox.seed import JANE, LEAD_ID
from tests.gateways import Running
from tests.journeys.conftest import Client


async def test_reads_and_other_writes_pass(jane: Client) -> None:
    """Leads, users and lists of emails work as they do at Close."""
    assert (await jane.get("me"))["email"] == JANE.email
    lead = await jane.post("lead", {"name": "A new lead"})
    assert (await jane.get(f"lead/{lead['id']}"))["name"] == "A new lead"
    emails = await jane.get("activity/email", {"lead_id": LEAD_ID, "_limit": 1, "_fields": "id,status"})
    assert set(emails["data"][0]) == {"id", "status"}


async def test_closes_refusals_pass(gateway: Running, jane: Client) -> None:
    """A wrong key is Close's 401 and a missing thing its 404, without a mark of the gateway's."""
    stranger = Client(gateway.url, "api_nobody")
    for client, endpoint, status in ((stranger, "me", 401), (jane, "lead/lead_nowhere", 404)):
        with pytest.raises(APIError) as refused:
            await client.get(endpoint)
        assert refused.value.response.status_code == status
        assert "X-Close-Gateway" not in refused.value.response.headers


async def test_a_rate_limit_is_waited_out(jane: Client, sandbox: Sandbox) -> None:
    """Close's 429 and its RateLimit reach the client, which waits as it is told and tries again."""
    sandbox.limit_next(1)
    assert (await jane.get("me"))["id"] == JANE.id
    assert [target for _, target in sandbox.requests] == ["/api/v1/me/", "/api/v1/me/"]

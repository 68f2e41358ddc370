import json
from typing import Any

import pytest

from gateway.sandbox import Rate, Sandbox
from gateway.sandbox.seed import JANE, LEAD_ID
from tests.sandbox.conftest import Client


async def control(ask: Client, method: str, path: str, data: str | None = None, **headers: str) -> tuple[int, Any]:
    """Ask for what lies beside the API."""
    async with ask.session.request(method, f"{ask.url}{path}", data=data, headers=headers) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def test_the_state_can_be_asked_for(sandbox: Sandbox, ask: Client) -> None:
    """All that it holds and was asked, without a key; a look at it is no request."""
    await ask("GET", "/me/")
    status, state = await control(ask, "GET", "/sandbox/state")
    assert (status, state["requests"]) == (200, [{"method": "GET", "target": "/api/v1/me/"}])
    assert [email["id"] for email in state["emails"]] == list(sandbox.world.emails)
    assert JANE.api_key not in json.dumps(state)
    assert await control(ask, "HEAD", "/sandbox/state") == (200, None)
    assert len(sandbox.requests) == 1


async def test_it_can_be_reset(sandbox: Sandbox, ask: Client) -> None:
    """Between two tests of somebody's, in whatever language."""
    await ask("POST", "/activity/email/", json={"lead_id": LEAD_ID, "status": "sent"})
    assert len(sandbox.world.emails) == 4
    assert await control(ask, "POST", "/sandbox/reset") == (200, {})
    assert (len(sandbox.world.emails), list(sandbox.requests)) == (3, [])


async def test_the_limit_can_be_set(sandbox: Sandbox, ask: Client) -> None:
    """It holds at once, and tells that it does; a type that curl gives a body does not matter."""
    form = "application/x-www-form-urlencoded"
    set_ = await control(ask, "POST", "/sandbox/limits", '{"rate": "1/h"}', **{"Content-Type": form})
    assert (set_, await control(ask, "GET", "/sandbox/limits")) == ((200, {"rate": "1/3600s"}),) * 2
    assert sandbox.rate == Rate(1, 3600)
    answers = [await ask("GET", "/me/") for _ in range(2)]
    told = [(answer.status, answer.headers["RateLimit"].rpartition("=")[0]) for answer in answers]
    assert told == [(status, "limit=1, remaining=0, reset") for status in (200, 429)]


@pytest.mark.parametrize(
    ("body", "errors", "fields"),
    [
        ("", ["The request contains invalid JSON."], {}),
        ("[]", ["Invalid request: JSON dictionary expected."], {}),
        ("{}", [], {"rate": "This field is required. Give a rate such as 20/s."}),
        ('{"rate": 20}', [], {"rate": "This field is required. Give a rate such as 20/s."}),
        ('{"rate": "fast"}', [], {"rate": "It is no rate, such as 20/s, 100/15s or 600/m."}),
    ],
)
async def test_a_wrong_limit_is_refused(
    sandbox: Sandbox, ask: Client, body: str, errors: list[str], fields: dict[str, str]
) -> None:
    """The answer says what would do, and the old limit stays."""
    refusal = await control(ask, "POST", "/sandbox/limits", body)
    assert refusal == (400, {"errors": errors, "field-errors": fields})
    assert sandbox.rate == Rate(1000)


async def test_what_there_is_not(ask: Client) -> None:
    """A wrong path is told the right ones, a wrong method the right methods."""
    status, body = await control(ask, "GET", "/sandbox/stat")
    assert (status, body["error"][:44]) == (404, "Not Found: there are /sandbox/state, /sandbo")
    assert await control(ask, "GET", "/sandbox/reset") == (405, {"error": "Method Not Allowed"})

from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from gateway.sandbox import Sandbox, User
from gateway.sandbox.seed import (
    CONTACT_ID,
    DRAFT_ID,
    JANE,
    JOHN,
    LEAD_ID,
    MARY,
    OTHER_DRAFT_ID,
    OTHER_LEAD_ID,
    SIGNED_DRAFT_ID,
)

EMAILS = "/activity/email/"
EMAIL_FIELDS = (
    "_type activity_at bcc body_html body_text bulk_email_action_id cc contact_id created_by date_created "
    "date_scheduled date_sent date_updated direction followup_sequence_add_cc_bcc followup_sequence_delay has_reply id "
    "in_reply_to_id lead_id message_ids need_smtp_credentials opens_summary organization_id references send_as_id "
    "sender status subject template_id thread_id to updated_by user_id users"
)
LEAD_FIELDS = (
    "contact_ids created_by date_created date_updated description html_url id name organization_id status_id "
    "updated_by url"
)


class Ask(Protocol):
    """The client that asks."""

    async def __call__(self, method: str, path: str, *, user: User | None = JANE, **how: Any) -> Any: ...


async def test_me(ask: Ask) -> None:
    """The owner of the credential is told who they are, key or token."""
    by_key = await ask("GET", "/me/")
    by_token = await ask("GET", "/me/", user=None, headers={"Authorization": f"Bearer {JANE.access_token}"})
    assert by_key.body == by_token.body
    assert (by_key.status, by_key.body["id"], by_key.body["email"]) == (200, JANE.id, "jane@example.com")
    assert [account["id"] for account in by_key.body["email_accounts"]] == ["emailacct_SandboxJane"]
    assert by_key.body["organizations"] == [{"id": JANE.organization_id, "name": "Example Inc."}]
    assert (await ask("GET", "/me/?_fields=email,id")).body == {"id": JANE.id, "email": "jane@example.com"}


async def test_users(ask: Ask) -> None:
    """Colleagues can be listed and read, and nobody's credentials are shown."""
    listed = await ask("GET", "/user/")
    assert [user["id"] for user in listed.body["data"]] == [JANE.id, JOHN.id]
    assert "sandbox_key" not in str(listed.body)
    assert (await ask("GET", f"/user/{JOHN.id}/?_fields=email")).body == {"email": "john@example.com"}
    assert (await ask("GET", f"/user/{MARY.id}/")).status == 404


async def test_leads(ask: Ask) -> None:
    """A lead is created, read and listed, with all that the published description calls required."""
    made = await ask("POST", "/lead/", json={"name": "Wernham Hogg"})
    read = await ask("GET", f"/lead/{made.body['id']}/")
    assert (made.status, read.body) == (200, made.body)
    assert set(LEAD_FIELDS.split()) <= set(made.body)
    listed = await ask("GET", "/lead/?_fields=id")
    assert listed.body == {"data": [{"id": made.body["id"]}, {"id": LEAD_ID}], "has_more": False}
    assert (await ask("GET", f"/lead/{OTHER_LEAD_ID}/")).status == 404


async def test_emails(ask: Ask) -> None:
    """An email is created, read, changed, listed and deleted, with all that the published description requires."""
    made = await ask("POST", EMAILS, json={"lead_id": LEAD_ID, "status": "draft", "subject": "One"})
    path = f"{EMAILS}{made.body['id']}/"
    assert (made.status, (await ask("GET", path)).body) == (200, made.body)
    assert set(EMAIL_FIELDS.split()) <= set(made.body)
    assert (await ask("PUT", path, json={"subject": "Two"})).body["subject"] == "Two"
    assert (await ask("PATCH", path, json={"subject": "Three"})).body["subject"] == "Three"
    assert (await ask("GET", f"{path}?_fields=subject")).body == {"subject": "Three"}
    deleted = await ask("DELETE", path)
    assert (deleted.status, deleted.body) == (200, {})
    assert (await ask("GET", path)).status == 404


async def test_emails_listed(ask: Ask) -> None:
    """The list has pages, newest first, and can be narrowed to leads."""
    first = await ask("GET", f"{EMAILS}?_limit=1&_fields=id")
    second = await ask("GET", f"{EMAILS}?_limit=1&_skip=1&_fields=id")
    assert first.body == {"data": [{"id": SIGNED_DRAFT_ID}], "has_more": True}
    assert second.body == {"data": [{"id": DRAFT_ID}], "has_more": False}
    assert (await ask("GET", f"{EMAILS}?lead_id=lead_none,{LEAD_ID}&_limit=1")).body["has_more"] is True
    assert (await ask("GET", f"{EMAILS}?lead_id=lead_none")).body == {"data": [], "has_more": False}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [SIGNED_DRAFT_ID, DRAFT_ID]),
        (f"?id__in={DRAFT_ID},acti_none", [DRAFT_ID]),
        (f"?contact_id={CONTACT_ID}", []),
        (f"?user_id={JOHN.id},{JANE.id}&lead_id={LEAD_ID}", [SIGNED_DRAFT_ID, DRAFT_ID]),
        (f"?user_id={JOHN.id}", []),
    ],
)
async def test_lists_are_narrowed(ask: Ask, query: str, found: list[str]) -> None:
    """By lead, contact, user and id; a value of several will do, and each filter counts. Threads have them too."""
    emails = await ask("GET", f"{EMAILS}{query}")
    assert [email["id"] for email in emails.body["data"]] == found
    if "id__in" not in query:
        threads = await ask("GET", f"/activity/emailthread/{query}")
        assert [thread["emails"][0]["id"] for thread in threads.body["data"]] == found


async def test_templates_are_narrowed(ask: Ask) -> None:
    """By whether they are shared, or archived."""
    counts = [
        len((await ask("GET", f"/email_template/?{query}")).body["data"])
        for query in ("", "is_shared=true", "is_shared=False", "is_archived=true")
    ]
    assert counts == [1, 1, 0, 0]


async def test_the_clock_is_moved_beside_the_api(ask: Ask, sandbox: Sandbox) -> None:
    """Whoever runs the sandbox needs no key for it; a scheduled email goes out when its time has come."""
    email = {"lead_id": LEAD_ID, "status": "scheduled", "sender": JANE.email, "date_scheduled": "2030-01-31T09:00Z"}
    path = f"{EMAILS}{(await ask('POST', EMAILS, json=email)).body['id']}/"
    async with aiohttp.ClientSession(sandbox.url) as anybody:
        async with anybody.post("/sandbox/clock", data='{"now": "2030-01-31T08:00:00Z"}') as answer:
            assert (answer.status, (await answer.json())["now"][:14]) == (200, "2030-01-31T08:")
        assert (await ask("GET", path)).body["status"] == "scheduled"
        async with anybody.post("/sandbox/clock", data='{"advance": "1h"}') as answer:
            assert answer.status == 200
        async with anybody.get("/sandbox/clock") as answer:
            assert (await answer.json())["now"].startswith("2030-01-31T09:")
        async with anybody.post("/sandbox/clock", data='{"now": "noon"}') as answer:
            assert (answer.status, list((await answer.json())["field-errors"])) == (400, ["now"])
    assert (await ask("GET", path)).body["date_sent"] == "2030-01-31T09:00:00+00:00"


async def test_a_sender_is_required(ask: Ask) -> None:
    """What Close refuses since 2025-12-17 is refused in its words, as a new email and as a draft sent on."""
    expected = {"errors": [], "field-errors": {"sender": "This field is required."}}
    made = await ask("POST", EMAILS, json={"lead_id": LEAD_ID, "status": "outbox"})
    sent_on = await ask("PUT", f"{EMAILS}{DRAFT_ID}/", json={"status": "outbox"})
    assert (made.status, made.body) == (sent_on.status, sent_on.body) == (400, expected)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/me", 404),
        ("GET", "/activity/email", 404),
        ("POST", "/activity/email", 404),
        ("GET", "/activity/call/", 404),
        ("GET", f"{EMAILS}{DRAFT_ID}", 404),
        ("GET", f"{EMAILS}{OTHER_DRAFT_ID}/", 404),
        ("GET", f"{EMAILS}acti_none/", 404),
        ("DELETE", EMAILS, 405),
        ("POST", f"{EMAILS}{DRAFT_ID}/", 405),
        ("PUT", f"/lead/{LEAD_ID}/", 405),
        ("OPTIONS", "/me/", 405),
    ],
)
async def test_no_such_thing(ask: Ask, method: str, path: str, status: int) -> None:
    """What is not there is a 404, what cannot be done to it a 405; a path needs its last slash."""
    answer = await ask(method, path)
    error = {404: "Not Found", 405: "Method Not Allowed"}[status]
    assert (answer.status, answer.body) == (status, {"error": error})


async def test_a_405_says_what_is_allowed(ask: Ask) -> None:
    """RFC 9110, 15.5.6: the answer lists the methods."""
    assert (await ask("DELETE", EMAILS)).headers["Allow"] == "GET, POST"


async def test_nobody_is_told_anything(ask: Ask) -> None:
    """Without a credential everything is a 401, whether it exists or not."""
    answers = [await ask("GET", path, user=None) for path in ("/me/", "/nothing/", f"{EMAILS}{DRAFT_ID}/")]
    assert [(answer.status, answer.body) for answer in answers] == [(401, {"error": "Unauthorized"})] * 3


async def test_a_method_can_be_overridden(ask: Ask, sandbox: Sandbox) -> None:
    """A POST that means GET reads and creates nothing; one that means PUT changes."""
    before = len(sandbox.world.emails)
    params = {"_params": {"lead_id": LEAD_ID, "_limit": 1, "_fields": "id"}}
    listed = await ask("POST", EMAILS, json=params, headers={"X-HTTP-Method-Override": "GET"})
    assert listed.body == {"data": [{"id": SIGNED_DRAFT_ID}], "has_more": True}
    override = {"X-HTTP-Method-Override": "PUT"}
    changed = await ask("POST", f"{EMAILS}{DRAFT_ID}/", json={"subject": "New"}, headers=override)
    assert (changed.body["subject"], len(sandbox.world.emails)) == ("New", before)


def test_it_shares_no_code_with_the_gateway() -> None:
    """The sandbox is what the gateway is held against, so it imports nothing of it."""
    sources = Path(__file__).parents[2].joinpath("gateway", "sandbox").glob("*.py")
    imports = [
        line for source in sources for line in source.read_text(encoding="utf-8").splitlines() if "import" in line
    ]
    assert [line for line in imports if "gateway" in line and "gateway.sandbox" not in line] == []

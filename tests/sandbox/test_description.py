"""What the sandbox answers, held against Close's published API description."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sandbox import Refusal, User, seeded_world
from gateway.sandbox.api import ENDPOINTS, ID
from gateway.sandbox.kinds import CONTACT, EMAIL, LEAD
from gateway.sandbox.seed import (
    CONTACT_ID,
    DRAFT_ID,
    JANE,
    JOHN,
    LEAD_ID,
    MARY,
    SEND_AS_ID,
    SIGNED_DRAFT_ID,
    TEMPLATE_ID,
)
from tests.sandbox.description import Description


class Ask(Protocol):
    """The client that asks."""

    async def __call__(self, method: str, path: str, *, user: User | None = JANE, **how: Any) -> Any: ...


UNDESCRIBED = {403, 405, 413, 415, 429}
"""Statuses that Close documents for all of its API, and its description for no operation."""
NOT_DESCRIBED = {("PATCH", "/activity/email/{id}/")}
"""What Close documents in words alone: every PUT behaves as a PATCH."""
ALLOW_JOHN = {"allowing_user_id": JANE.id, "allowed_user_id": JOHN.id}
DATE = "2030-01-31T09:00:00Z"
FILE = {"url": "https://app.close.com/go/file/1", "filename": "a.pdf", "size": 1}
SENT = {"lead_id": LEAD_ID, "status": "outbox", "sender": JANE.email, "to": ["lead@example.net"]}
THREAD = f"/activity/emailthread/{{thread_of:{SIGNED_DRAFT_ID}}}/"

ANSWERED: list[tuple[str, str, str, Any, int]] = [  # method, described path, path and query, body, status
    ("GET", "/me/", "/me/", None, 200),
    ("GET", "/me/", "/me/?_fields=id", None, 200),
    ("GET", "/user/", "/user/", None, 200),
    ("GET", "/user/", "/user/?_limit=x", None, 400),
    ("GET", "/user/{id}/", f"/user/{JOHN.id}/", None, 200),
    ("GET", "/user/{id}/", f"/user/{MARY.id}/", None, 404),
    ("GET", "/lead/", "/lead/", None, 200),
    ("POST", "/lead/", "/lead/", {"name": "New", "contacts": [{"name": "A", "phones": [{"phone": "1"}]}]}, 200),
    ("POST", "/lead/", "/lead/", {"name": 7}, 400),
    ("GET", "/lead/{id}/", f"/lead/{LEAD_ID}/", None, 200),
    ("GET", "/lead/{id}/", "/lead/none/", None, 404),
    ("GET", "/contact/", f"/contact/?lead_id={LEAD_ID}", None, 200),
    ("GET", "/contact/{id}/", f"/contact/{CONTACT_ID}/", None, 200),
    ("GET", "/contact/{id}/", "/contact/none/", None, 404),
    ("GET", "/activity/email/", "/activity/email/", None, 200),
    ("POST", "/activity/email/", "/activity/email/", SENT, 200),
    ("POST", "/activity/email/", "/activity/email/", SENT | {"template_id": TEMPLATE_ID, "attachments": [FILE]}, 200),
    ("POST", "/activity/email/", "/activity/email/", SENT | {"status": "scheduled", "date_scheduled": DATE}, 200),
    ("POST", "/activity/email/", "/activity/email/", SENT | {"status": "inbox", "activity_at": "2026-01-31"}, 200),
    ("POST", "/activity/email/", "/activity/email/", SENT | {"sender": None}, 400),
    ("GET", "/activity/email/{id}/", f"/activity/email/{DRAFT_ID}/", None, 200),
    ("GET", "/activity/email/{id}/", "/activity/email/none/", None, 404),
    ("PUT", "/activity/email/{id}/", f"/activity/email/{DRAFT_ID}/", {"opens": [{"opened_at": DATE}]}, 200),
    ("PUT", "/activity/email/{id}/", f"/activity/email/{DRAFT_ID}/", {"status": "outbox"}, 400),
    ("PUT", "/activity/email/{id}/", f"/activity/email/{DRAFT_ID}/", {"status": "sent"}, 200),
    ("GET", "/activity/email/", "/activity/email/", None, 200),
    ("GET", "/activity/emailthread/", f"/activity/emailthread/?lead_id={LEAD_ID}", None, 200),
    ("GET", "/activity/emailthread/{id}/", THREAD, None, 200),
    ("GET", "/activity/emailthread/{id}/", "/activity/emailthread/none/", None, 404),
    ("DELETE", "/activity/email/{id}/", f"/activity/email/{DRAFT_ID}/", None, 200),
    ("DELETE", "/activity/emailthread/{id}/", THREAD, None, 200),
    ("GET", "/email_template/", "/email_template/?is_archived=false", None, 200),
    ("POST", "/email_template/", "/email_template/", {"name": "N", "subject": "S", "body": "B"}, 200),
    ("POST", "/email_template/", "/email_template/", {"name": "N"}, 400),
    ("GET", "/email_template/{id}/", f"/email_template/{TEMPLATE_ID}/", None, 200),
    ("GET", "/email_template/{id}/", "/email_template/none/", None, 404),
    (
        "GET",
        "/email_template/{id}/render/",
        f"/email_template/{TEMPLATE_ID}/render/?lead_id={LEAD_ID}&contact_id={CONTACT_ID}",
        None,
        200,
    ),
    ("GET", "/email_template/{id}/render/", f"/email_template/{TEMPLATE_ID}/render/", None, 400),
    ("GET", "/connected_account/", "/connected_account/", None, 200),
    ("GET", "/connected_account/{id}/", "/connected_account/emailacct_SandboxJane/", None, 200),
    ("GET", "/connected_account/{id}/", "/connected_account/emailacct_SandboxJohn/", None, 404),
    ("GET", "/send_as/", "/send_as/", None, 200),
    ("GET", "/send_as/", f"/send_as/?allowing_user_id={JOHN.id}", None, 400),
    ("GET", "/send_as/{id}/", f"/send_as/{SEND_AS_ID}/", None, 200),
    ("DELETE", "/send_as/{id}/", f"/send_as/{SEND_AS_ID}/", None, 204),
    ("DELETE", "/send_as/{id}/", f"/send_as/{SEND_AS_ID}/", None, 404),
    ("POST", "/send_as/", "/send_as/", ALLOW_JOHN, 201),
    ("POST", "/send_as/", "/send_as/", {}, 400),
    ("DELETE", "/send_as/", f"/send_as/?allowing_user_id={JANE.id}&allowed_user_id={JOHN.id}", None, 204),
    ("POST", "/send_as/bulk/", "/send_as/bulk/", {"allowed_user_ids": [JOHN.id]}, 200),
    ("POST", "/send_as/bulk/", "/send_as/bulk/", {"disallowed_user_ids": [MARY.id]}, 400),
]


def served() -> set[tuple[str, str]]:
    """Every method and path that the sandbox answers, as the description writes them."""
    return {
        (method, path.pattern.removeprefix("/api/v1").replace(ID, "{id}"))
        for path, methods in ENDPOINTS
        for method in methods
    }


def test_every_operation_is_described_and_tried(described: Description) -> None:
    """The sandbox has nothing that Close has not, and the table below succeeds at each operation."""
    assert served() - described.operations() == NOT_DESCRIBED
    assert {(method, path) for method, path, _, _, status in ANSWERED if status < 400} == served() - NOT_DESCRIBED


async def test_every_answer_is_as_described(ask: Ask, described: Description) -> None:
    """One after the other: the status is one that the operation has, and the body is what it says."""
    for method, path, target, body, status in ANSWERED:
        answer = await ask(method, await with_thread(ask, target), **({} if body is None else {"json": body}))
        told = f"{method} {target} {body}: {answer.status} {answer.body}"
        assert answer.status == status, told
        assert status in described.statuses(method, path), told
        if answer.body is not None:
            assert described.problems_in_answer(method, path, status, answer.body) == [], told


async def with_thread(ask: Ask, target: str) -> str:
    """The path, with the thread of an email in it where it asks for one."""
    if found := re.search(r"\{thread_of:(\w+)\}", target):
        email = await ask("GET", f"/activity/email/{found[1]}/")
        return target.replace(found[0], email.body["thread_id"])
    return target


async def test_refusals_that_belong_to_no_operation(ask: Ask, described: Description) -> None:
    """A 401 is described for each operation; a 405 and its like for none, which is why the README names them."""
    for method, path in sorted(served() - NOT_DESCRIBED):
        answer = await ask(method, path.replace("{id}", "none"), user=None)
        assert (answer.status, described.problems_in_answer(method, path, 401, answer.body)) == (401, [])
        assert not UNDESCRIBED & described.statuses(method, path)


JUNK: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([DATE, CONTACT_ID]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["email", "name", "opened_at", "phone", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)
PEOPLE = st.lists(st.dictionaries(st.sampled_from(sorted(CONTACT)), JUNK, max_size=2), max_size=2)
FITTING = st.sampled_from([None, "", "text", DATE, ["text"], [], True, 7, [FILE], [{"opened_at": DATE}], 59])
BOUNDED = settings(derandomize=True, max_examples=150)


@BOUNDED
@given(st.dictionaries(st.sampled_from(sorted(EMAIL)), FITTING | JUNK, max_size=3), st.sampled_from(["draft", "inbox"]))
def test_whatever_is_written_what_is_kept_is_as_described(
    described: Description, payload: dict[str, Any], status: str
) -> None:
    """An email is refused for a field that it came with, or answered as Close describes emails."""
    world = seeded_world()
    email = {"lead_id": LEAD_ID, "status": status, "sender": JANE.email, **payload}
    made = taken(partial(world.create_email, JANE), email)
    if made is None:
        return
    assert described.problems_in("EmailActivity", made) == []
    assert made in world.thread(JANE, made["thread_id"])["emails"]


@BOUNDED
@given(st.dictionaries(st.sampled_from(sorted(LEAD)), FITTING | JUNK | PEOPLE, max_size=3))
def test_leads_and_contacts_too(described: Description, payload: dict[str, Any]) -> None:
    """A lead with contacts is refused, or answered as Close describes leads."""
    made = taken(partial(seeded_world().create_lead, JANE), payload)
    assert made is None or described.problems_in("Lead", made) == []


def taken(write: Callable[[object], Any], payload: dict[str, Any]) -> Any:
    """What was made of this; None where it was refused, for fields that it has."""
    try:
        return write(payload)
    except Refusal as refusal:
        if refusal.status != 400 or refusal.body["field-errors"].keys() - payload.keys():
            raise
        return None


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ("EmailActivity", {}, "is a required property"),
        ("Contact", {"date_created": "yesterday"}, "is not a 'date-time'"),
        ("MessageStatus", "received", "is not one of"),
    ],
)
def test_what_is_not_as_described_is_seen(described: Description, schema: str, value: Any, problem: str) -> None:
    """The yardstick itself: what is missing, of another format, or none of the choices is found."""
    assert any(problem in found for found in described.problems_in(schema, value))
    emails = {"data": [{}], "has_more": False}
    assert described.problems_in_answer("GET", "/activity/email/", 200, emails) != []

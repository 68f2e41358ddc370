import re
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.sandbox import World, seeded_world
from gateway.sandbox.page import LONGEST_RECORD, MOST_REQUESTS, MOST_ROWS, page
from gateway.sandbox.seed import DRAFT_ID, JANE, JOHN, LEAD_ID
from gateway.sandbox.state import State
from tests.sandbox.test_markup import Seen

CANARY = "<script>canary()</script>\"'&<b>"


@pytest.fixture
def state() -> State:
    """A seeded sandbox."""
    return State(seeded_world())


def seen(state: State, query: Mapping[str, str] | None = None) -> Seen:
    """What a browser makes of the page."""
    return Seen(page(state.dump(), query or {}))


def test_it_lists_what_there_is(state: State) -> None:
    """Whose drafts wait for which lead, who may sign in, and what was asked."""
    state.requests.append(("PUT", "/api/v1/activity/email/acti_SandboxDraft/"))
    text = seen(state).text
    for held in (
        "A draft without a sender",
        "no sender",
        '"Jane Roe" <jane@example.com>',
        "to lead@example.net",
        "Bluth Company",
        "John Doe",
        "Elsewhere Ltd.",
        "PUT /api/v1/activity/email/acti_SandboxDraft/",
        "1000/s",
        "POST /sandbox/reset",
    ):
        assert held in text


def test_credentials_are_hinted_at(state: State) -> None:
    """A page may be shown to others."""
    text = page(state.dump(), {"id": JANE.id})
    assert JANE.api_key[:6] in text
    assert not any(secret in text for user in (JANE, JOHN) for secret in (user.api_key, user.access_token))


def test_nothing_in_it_becomes_markup(state: State) -> None:
    """Whatever an email, a lead, a request or the address of the page says, the page has the elements of its own."""
    lead = state.world.create_lead(JANE, {"name": CANARY, "url": CANARY})
    fields = {"lead_id": lead["id"], "subject": CANARY, "to": [CANARY], "status": "draft", "body_html": CANARY}
    email = state.world.create_email(JANE, fields | {"sender": f"{CANARY} <jane@example.com>"})
    state.requests.append(("GET", f"/api/v1/me/?{CANARY}"))
    plain = {name for name, _ in seen(state, {"id": DRAFT_ID}).elements}
    for query in ({"id": email["id"]}, {"id": CANARY, "every": CANARY}):
        looked_at = seen(state, query)
        assert {name for name, _ in looked_at.elements} <= plain
        assert not any(name.startswith("on") for _, attributes in looked_at.elements for name in attributes)
        assert looked_at.text.count(CANARY) >= 5


def test_it_loads_nothing_from_elsewhere(state: State) -> None:
    """Every address in it is the sandbox's own."""
    state.world.create_lead(JANE, {"name": "x", "url": "javascript:alert(1)"})
    addresses = [
        attributes[name]
        for _, attributes in seen(state, {"id": DRAFT_ID}).elements
        for name in ("href", "src", "action")
        if name in attributes
    ]
    assert addresses
    assert all(re.match(r"/(sandbox/|\?|$)|#", address or "") for address in addresses)


def test_one_record_is_shown_whole(state: State) -> None:
    """By its id, as JSON; one that is not there any more is said to be gone."""
    assert '"status": "draft",\n' in seen(state, {"id": DRAFT_ID}).text
    assert "There is no acti_gone here." in seen(state, {"id": "acti_gone"}).text


def test_it_draws_itself_anew_for_who_wants_that(state: State) -> None:
    """Every five seconds, and at no other pace."""
    refresh = ("meta", {"http-equiv": "refresh", "content": "5"})
    assert [refresh in seen(state, query).elements for query in ({"every": "5"}, {}, {"every": "0"})] == [
        True,
        False,
        False,
    ]


def test_it_stays_short(state: State) -> None:
    """However much there is, it shows the newest, and how many there are."""
    for number in range(MOST_ROWS + 50):
        state.world.create_email(JANE, {"lead_id": LEAD_ID, "status": "draft", "subject": f"Email {number}."})
        state.requests.append(("GET", f"/{number}"))
    long = state.world.create_email(
        JANE, {"lead_id": LEAD_ID, "status": "draft", "body_text": "x" * 100_000, "to": ["y" * 3000] * 50}
    )
    looked_at = seen(state, {"id": long["id"]})
    assert f"{MOST_ROWS} of {MOST_ROWS + 54}" in looked_at.text
    assert "Email 149." in looked_at.text
    assert "Email 40." not in looked_at.text
    assert f"{MOST_REQUESTS} of {MOST_ROWS + 50}" in looked_at.text
    assert len(looked_at.text) < LONGEST_RECORD + 60_000


@pytest.mark.parametrize("dump", [{}, {"users": [], "emails": []}, {"new_things": [{"id": "new_1", "name": "Thing"}]}])
def test_it_does_without_what_it_does_not_know(dump: dict[str, Any]) -> None:
    """An empty world has a page, and so has one that holds more than the page has tables for."""
    text = Seen(page(dump | {"requests": [], "rate_limit": "1/s"}, {})).text
    assert ("None yet." in text, "Thing" in text) == (True, "new_things" in dump)


def test_half_a_character_does_not_break_it() -> None:
    """JSON can carry half a surrogate pair; HTML in UTF-8 cannot."""
    world = World([JANE])
    world.create_lead(JANE, {"name": "\ud800"})
    page(State(world).dump(), {"id": "\ud800"}).encode("utf-8", "replace")

import json
from typing import Any

import pytest

from gateway.sandbox import Refusal, User, World, seeded_world
from gateway.sandbox.refusal import NO_SUCH_OBJECT, NOT_A_CHOICE, NOT_A_STRING, NOT_AN_OBJECT, ONLY_DRAFTS, REQUIRED
from gateway.sandbox.seed import (
    DRAFT_ID,
    JANE,
    JOHN,
    LEAD_ID,
    MARY,
    OTHER_DRAFT_ID,
    OTHER_LEAD_ID,
    SIGNED_DRAFT_ID,
)

DRAFT = {"lead_id": LEAD_ID, "status": "draft"}


@pytest.fixture
def world() -> World:
    """A seeded world of the test's own."""
    return seeded_world()


def refusal_of(world: World, payload: object, email_id: str | None = None, user: User = JANE) -> tuple[int, Any]:
    """What the world answers to an email that it does not take."""
    with pytest.raises(Refusal) as refusal:
        world.update_email(user, email_id, payload) if email_id else world.create_email(user, payload)
    return refusal.value.status, refusal.value.body


def field_errors(**fields: str) -> tuple[int, Any]:
    """The 400 that names these fields."""
    return 400, {"errors": [], "field-errors": fields}


def test_a_new_email_is_kept(world: World) -> None:
    """An email has an id, an owner and the sender it came with."""
    email = world.create_email(JANE, {**DRAFT, "sender": "jane@example.com", "subject": "Hi", "unheard_of": 1})
    assert world.emails[email["id"]] == email
    assert email["id"].startswith("acti_")
    assert (email["sender"], email["subject"], email["user_id"]) == ("jane@example.com", "Hi", JANE.id)
    assert "unheard_of" not in email


def test_everything_wrong_is_named_at_once(world: World) -> None:
    """Close lists every field, not the first one only."""
    assert refusal_of(world, {}) == field_errors(lead_id=REQUIRED, status=REQUIRED)
    assert refusal_of(world, {"lead_id": 7, "status": "x", "sender": 7, "user_id": 7}) == field_errors(
        lead_id=NOT_A_STRING, status=NOT_A_CHOICE, sender=NOT_A_STRING, user_id=NOT_A_STRING
    )


@pytest.mark.parametrize("payload", [None, [], "", "draft", 7, [DRAFT]])
def test_an_email_is_an_object(world: World, payload: object) -> None:
    """Any other JSON is refused as a whole."""
    expected = (400, {"errors": [NOT_AN_OBJECT], "field-errors": {}})
    assert refusal_of(world, payload) == refusal_of(world, payload, DRAFT_ID) == expected


def test_sent_without_a_sender_is_the_owners(world: World) -> None:
    """The user named by user_id stands in, else the owner of the key."""
    sent = {**DRAFT, "status": "sent"}
    assert world.create_email(JANE, sent)["sender"] == "jane@example.com"
    assert world.create_email(JANE, {**sent, "user_id": JOHN.id})["sender"] == "john@example.com"
    assert world.create_email(JANE, {**sent, "user_id": None, "sender": ""})["sender"] == "jane@example.com"


@pytest.mark.parametrize(("field", "elsewhere"), [("lead_id", OTHER_LEAD_ID), ("user_id", MARY.id)])
def test_an_email_refers_to_what_its_organization_has(world: World, field: str, elsewhere: str) -> None:
    """A lead or a user of another organization is as unknown as one that never was."""
    unknown = field_errors(**{field: NO_SUCH_OBJECT})
    assert refusal_of(world, {**DRAFT, field: elsewhere}) == unknown
    assert refusal_of(world, {**DRAFT, field: "nothing"}) == unknown


def test_another_organizations_emails_do_not_exist(world: World) -> None:
    """They cannot be read, listed, changed or deleted; a colleague's can."""
    with pytest.raises(Refusal, match="404"):
        world.email(JANE, OTHER_DRAFT_ID)
    with pytest.raises(Refusal, match="404"):
        world.delete_email(JANE, OTHER_DRAFT_ID)
    assert refusal_of(world, {}, OTHER_DRAFT_ID) == (404, {"error": "Not Found"})
    assert [email["id"] for email in world.emails_of(JOHN)] == [SIGNED_DRAFT_ID, DRAFT_ID]
    assert world.emails_of(JOHN, {OTHER_LEAD_ID}) == []


def test_a_draft_is_completed_and_sent(world: World) -> None:
    """Without a sender it stays; with one it goes, and cannot be changed any more until it is taken back."""
    assert refusal_of(world, {"status": "outbox"}, DRAFT_ID) == field_errors(sender=REQUIRED)
    before = world.emails[DRAFT_ID]
    world.update_email(JANE, DRAFT_ID, {"sender": "jane@example.com"})
    change = {"status": "outbox", "sender": None, "send_in": 59}
    assert world.update_email(JANE, DRAFT_ID, change)["sender"] == "jane@example.com"
    assert refusal_of(world, {"subject": "Late"}, DRAFT_ID) == (400, {"errors": [ONLY_DRAFTS], "field-errors": {}})
    assert world.update_email(JANE, DRAFT_ID, {"status": "draft"})["status"] == "draft"
    assert (before["status"], before["sender"]) == ("draft", None)  # a record once read does not change


def test_a_refused_change_changes_nothing(world: World) -> None:
    """All of a change is taken, or none of it."""
    before = dict(world.emails[DRAFT_ID])
    refusal_of(world, {"subject": "New", "sender": 7}, DRAFT_ID)
    assert world.emails[DRAFT_ID] == before


def test_null_takes_a_drafts_sender_away(world: World) -> None:
    """While an email is a draft, its sender can be taken back."""
    assert world.update_email(JANE, SIGNED_DRAFT_ID, {"sender": None})["sender"] is None


def test_the_dates_and_the_direction_follow_the_status(world: World) -> None:
    """A received email is incoming; only what was sent has a date of sending."""
    received = world.create_email(JANE, {**DRAFT, "status": "inbox", "sender": "a@example.net"})
    assert (received["direction"], received["date_sent"]) == ("incoming", None)
    assert world.emails[DRAFT_ID]["direction"] == "outgoing"
    sent = world.update_email(JANE, DRAFT_ID, {"status": "sent", "activity_at": None, "to": None})
    assert (sent["date_sent"], sent["to"]) == (sent["date_updated"], [])
    assert sent["activity_at"] == sent["date_created"]


def test_an_email_keeps_its_user(world: World) -> None:
    """A colleague's change does not make the email theirs, unless it says so."""
    assert world.update_email(JOHN, DRAFT_ID, {"subject": "Hi"})["user_id"] == JANE.id
    changed = world.update_email(JOHN, DRAFT_ID, {"user_id": JOHN.id})
    assert (changed["user_id"], changed["updated_by"]) == (JOHN.id, JOHN.id)


def test_deleted_is_gone(world: World) -> None:
    """What was deleted cannot be read or deleted again."""
    world.delete_email(JANE, DRAFT_ID)
    assert DRAFT_ID not in world.emails
    with pytest.raises(Refusal, match="404"):
        world.delete_email(JANE, DRAFT_ID)


def test_the_oldest_is_forgotten() -> None:
    """A world does not grow without end."""
    world = World([JANE], most=2)
    leads = [world.create_lead(JANE, {"name": str(number)}) for number in range(3)]
    assert list(world.leads) == [lead["id"] for lead in leads[1:]]
    emails = [world.create_email(JANE, {**DRAFT, "lead_id": leads[2]["id"]}) for _ in range(3)]
    assert list(world.emails) == [email["id"] for email in emails[1:]]


def test_a_dump_holds_everything_but_credentials(world: World) -> None:
    """Every organization's records are in it, as JSON can carry them; of a key there is no more than a hint."""
    dump = json.loads(json.dumps(world.dump()))
    assert [user["id"] for user in dump["users"]] == [JANE.id, JOHN.id, MARY.id]
    assert (dump["users"][0]["api_key"], dump["users"][0]["access_token"]) == ("api_jane…", "oauth_ja…")
    assert [lead["id"] for lead in dump["leads"]] == [LEAD_ID, OTHER_LEAD_ID]
    assert [email["id"] for email in dump["emails"]] == [DRAFT_ID, SIGNED_DRAFT_ID, OTHER_DRAFT_ID]


def test_users_see_their_own_organization(world: World) -> None:
    """A colleague is found, a user of another organization is not."""
    assert world.users_beside(JANE) == [JANE, JOHN]
    assert world.user(JANE, JOHN.id) == JOHN
    with pytest.raises(Refusal, match="404"):
        world.user(JANE, MARY.id)

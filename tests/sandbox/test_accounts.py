from typing import Any

import pytest

from gateway.sandbox import Refusal, World, seeded_world
from gateway.sandbox.accounts import NOT_ALLOWED
from gateway.sandbox.people import NOT_YOURS
from gateway.sandbox.refusal import NO_SUCH_OBJECT, REQUIRED
from gateway.sandbox.seed import DRAFT_ID, JANE, JOHN, LEAD_ID, MARY, SEND_AS_ID

AS_JANE = {"lead_id": LEAD_ID, "status": "outbox", "sender": "Jane Roe <Jane@Example.com>", "send_in": 59}
AS_JOHN = AS_JANE | {"sender": "john@example.com"}
JANES, JOHNS = "emailacct_SandboxJane", "emailacct_SandboxJohn"


@pytest.fixture
def world() -> World:
    """A seeded world of the test's own. John may send as Jane; Jane may not send as John."""
    return seeded_world()


def refused_fields(refusal: pytest.ExceptionInfo[Refusal]) -> Any:
    """The fields that a 400 names."""
    return refusal.value.body.get("field-errors")


def test_who_sends_as_themselves_needs_nobody(world: World) -> None:
    """The email goes out through their own account."""
    email = world.create_email(JANE, AS_JANE)
    assert (email["email_account_id"], email["send_as_id"]) == (JANES, None)


def test_who_sends_as_a_colleague_has_to_be_allowed(world: World) -> None:
    """The association is told with the email; without one, it is the sender that is refused."""
    email = world.create_email(JOHN, AS_JANE)
    assert (email["email_account_id"], email["send_as_id"]) == (JANES, SEND_AS_ID)
    for status in ({}, {"status": "scheduled", "date_scheduled": "2030-01-31", "send_in": None}):
        with pytest.raises(Refusal) as refusal:
            world.create_email(JANE, AS_JOHN | status)
        assert refused_fields(refusal) == {"sender": NOT_ALLOWED}
    world.update_email(JANE, DRAFT_ID, {"sender": "john@example.com"})
    with pytest.raises(Refusal) as refusal:
        world.update_email(JANE, DRAFT_ID, {"status": "outbox"})
    assert refused_fields(refusal) == {"sender": NOT_ALLOWED}
    assert world.update_email(JOHN, DRAFT_ID, {"status": "outbox", "send_in": 59})["email_account_id"] == JOHNS


@pytest.mark.parametrize("status", ["draft", "sent", "inbox", "error"])
def test_what_is_not_sent_may_be_anybodys(world: World, status: str) -> None:
    """To write down what was sent elsewhere, nobody needs to be asked."""
    assert world.create_email(JANE, AS_JOHN | {"status": status, "send_in": None})["email_account_id"] is None


def test_an_address_that_is_nobodys_is_no_business_of_the_rule(world: World) -> None:
    """Another organization's address is nobody's here, too."""
    for sender in ("sales@example.com", MARY.email):
        email = world.create_email(JANE, AS_JANE | {"sender": sender})
        assert (email["email_account_id"], email["send_as_id"]) == (None, None)


def test_an_account_that_is_named_has_to_be_one_that_may_be_used(world: World) -> None:
    """By its owner, and by whom they let send as them."""
    assert world.create_email(JOHN, AS_JANE | {"account_id": JANES})["email_account_id"] == JANES
    with pytest.raises(Refusal) as refusal:
        world.create_email(JANE, AS_JANE | {"account_id": JOHNS})
    assert refused_fields(refusal) == {"account_id": NO_SUCH_OBJECT}


def test_accounts_are_shown_to_who_may_use_them(world: World) -> None:
    """Their owner's own, and those of who lets them send."""
    assert [[one["id"] for one in world.accounts_of(user)] for user in (JANE, JOHN)] == [[JANES], [JOHNS, JANES]]
    with pytest.raises(Refusal, match="404"):
        world.account(JANE, JOHNS)
    assert world.account(JOHN, JANES)["identities"] == [{"email": "jane@example.com", "name": "Jane Roe"}]


def test_permission_is_given_and_taken_back(world: World) -> None:
    """By who gives it alone, once, and by its id or by whom it is for."""
    mine = {"allowing_user_id": JOHN.id, "allowed_user_id": JANE.id}
    given = world.allow(JOHN, mine)
    assert world.allow(JOHN, mine) == given
    assert world.create_email(JANE, AS_JOHN)["send_as_id"] == given["id"]
    with pytest.raises(Refusal, match="403"):
        world.remove_send_as(JANE, given["id"])
    world.disallow(JOHN, JOHN.id, JANE.id)
    with pytest.raises(Refusal, match="404"):
        world.disallow(JOHN, JOHN.id, JANE.id)
    world.remove_send_as(JANE, SEND_AS_ID)
    assert world.send_as == {}


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        ({}, {"allowing_user_id": NOT_YOURS, "allowed_user_id": REQUIRED}),
        ({"allowing_user_id": JOHN.id, "allowed_user_id": JANE.id}, {"allowing_user_id": NOT_YOURS}),
        ({"allowing_user_id": JANE.id, "allowed_user_id": MARY.id}, {"allowed_user_id": NO_SUCH_OBJECT}),
    ],
)
def test_nobody_gives_what_is_anothers(world: World, payload: object, fields: dict[str, str]) -> None:
    """Nor to who is not there."""
    with pytest.raises(Refusal) as refusal:
        world.allow(JANE, payload)
    assert refused_fields(refusal) == fields


def test_permissions_are_shown_to_whom_they_concern(world: World) -> None:
    """By default those that the user gave; nobody asks about two others."""
    listed = [
        [one["id"] for one in world.send_as_of(user, allowing, allowed)]
        for user, allowing, allowed in (
            (JANE, None, None),
            (JOHN, None, None),
            (JOHN, None, JOHN.id),
            (JANE, JANE.id, JOHN.id),
            (JANE, JANE.id, MARY.id),
        )
    ]
    assert listed == [[SEND_AS_ID], [], [SEND_AS_ID], [SEND_AS_ID], []]
    with pytest.raises(Refusal) as refusal:
        world.send_as_of(JANE, JOHN.id, None)
    assert refused_fields(refusal) == {"allowing_user_id": NOT_YOURS}
    with pytest.raises(Refusal, match="404"):
        world.one_send_as(MARY, SEND_AS_ID)


def test_many_at_once(world: World) -> None:
    """All are known, or nothing is done."""
    with pytest.raises(Refusal) as refusal:
        world.allow_many(JANE, {"disallowed_user_ids": [JOHN.id, "none"], "allowed_user_ids": "none"})
    assert refused_fields(refusal) == dict.fromkeys(("allowed_user_ids", "disallowed_user_ids"), NO_SUCH_OBJECT)
    assert [one["id"] for one in world.allow_many(JANE, {"allowed_user_ids": [JOHN.id]})] == [SEND_AS_ID]
    assert world.allow_many(JANE, {"disallowed_user_ids": [JOHN.id]}) == []

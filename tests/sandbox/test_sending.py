from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.sandbox import Refusal, World
from gateway.sandbox.accounts import NOT_ALLOWED
from gateway.sandbox.refusal import NO_SUCH_OBJECT, NOT_A_STRING, ONLY_DRAFTS, REQUIRED
from gateway.sandbox.seed import JANE, JOHN
from tests.sandbox.clocks import NOW, standing_clock

AT = NOW.isoformat()
LATER = "2026-03-02T12:00:00+00:00"


@pytest.fixture
def world() -> World:
    """Jane and John and a lead, at a time that stands still."""
    world = World([JANE, JOHN], clock=standing_clock())
    world.create_lead(JANE, {"name": "A lead"}, lead_id="lead_1")
    return world


def write(world: World, **fields: Any) -> str:
    """The id of an email of Jane's that is on its way."""
    email = {"lead_id": "lead_1", "status": "outbox", "sender": "jane@example.com", **fields}
    made = world.create_email(JANE, email)
    assert made["status"] == email["status"]
    return str(made["id"])


def status_of(world: World, email_id: str) -> str:
    """Its status now."""
    return str(world.email(JANE, email_id)["status"])


@pytest.mark.parametrize("delay", [{}, {"send_in": None}, {"send_in": 0}, {"send_in": -5}])
def test_the_outbox_goes_out_at_once(world: World, delay: dict[str, Any]) -> None:
    """Who made the email is told of the outbox; whoever looks next finds it sent."""
    email = world.email(JANE, write(world, **delay))
    assert (email["status"], email["date_sent"], email["activity_at"], email["date_updated"]) == ("sent", AT, AT, AT)


def test_a_delay_leaves_time_to_take_it_back(world: World) -> None:
    """Until the seconds of send_in are over, it can be made a draft again; then it is gone."""
    kept, gone = write(world, send_in=10), write(world, send_in=10)
    world.clock.advance(timedelta(seconds=9))
    assert (status_of(world, gone), world.update_email(JANE, kept, {"status": "draft"})["status"]) == (
        "outbox",
        "draft",
    )
    world.clock.advance(timedelta(seconds=1))
    assert (status_of(world, kept), status_of(world, gone)) == ("draft", "sent")
    with pytest.raises(Refusal) as refusal:
        world.update_email(JANE, gone, {"status": "draft"})
    assert refusal.value.body == {"errors": [ONLY_DRAFTS], "field-errors": {}}


def test_what_is_scheduled_goes_out_when_its_date_has_come(world: World) -> None:
    """At that time, whenever somebody looks; a date that is over is now."""
    later = write(world, status="scheduled", date_scheduled="2026-03-02T13:00:00+01:00", send_in=7)
    earlier = write(world, status="scheduled", date_scheduled="2026-01-01")
    assert [world.email(JANE, one)["date_sent"] for one in (later, earlier)] == [None, AT]
    world.clock.advance(timedelta(hours=5))
    email = world.email(JANE, later)
    assert (email["status"], email["date_sent"], email["date_scheduled"]) == ("sent", LATER, LATER)


def test_a_draft_is_scheduled_and_moved(world: World) -> None:
    """A date that the draft has will do; taken back and scheduled anew, the new one counts."""
    draft = write(world, status="draft", date_scheduled=LATER)
    world.update_email(JANE, draft, {"status": "scheduled"})
    world.update_email(JANE, draft, {"status": "draft"})
    world.update_email(JANE, draft, {"status": "scheduled", "date_scheduled": "2026-03-03"})
    world.clock.advance(timedelta(hours=5))
    assert status_of(world, draft) == "scheduled"
    world.clock.advance(timedelta(days=1))
    assert status_of(world, draft) == "sent"


def test_a_clock_that_is_set_back_brings_nothing_back(world: World) -> None:
    """What went out went out."""
    email = write(world)
    assert status_of(world, email) == "sent"
    world.clock.set(NOW - timedelta(days=1))
    assert status_of(world, email) == "sent"


def test_whichever_way_one_looks_it_is_sent_first(world: World) -> None:
    """The list, the threads, the dump and the emails themselves."""
    ways: dict[str, Callable[[], str]] = {
        "list": lambda: world.emails_of(JANE)[0]["status"],
        "thread": lambda: world.threads_of(JANE)[0]["emails"][-1]["status"],
        "dump": lambda: world.dump()["emails"][-1]["status"],
        "emails": lambda: list(world.emails.values())[-1]["status"],
    }
    for name, look in ways.items():
        write(world, subject=name)
        assert look() == "sent", name


def test_an_account_that_cannot_send(world: World) -> None:
    """The email ends as an error, and tells why."""
    world.connect_account(JANE, {"send_status": "error"})
    email = world.email(JANE, write(world))
    assert (email["status"], email["need_smtp_credentials"], email["date_sent"]) == ("error", True, None)
    assert [(one["date"], one["error_message"]) for one in email["send_attempts"]] == [
        (AT, "The account failed to send.")
    ]


def test_a_permission_that_was_taken_back(world: World) -> None:
    """Whoever may not send as a colleague any more when the time comes, does not."""
    mine = world.allow(JOHN, {"allowing_user_id": JOHN.id, "allowed_user_id": JANE.id})
    email = write(world, sender="john@example.com", send_in=10)
    world.remove_send_as(JOHN, mine["id"])
    world.clock.advance(timedelta(minutes=1))
    kept = world.email(JANE, email)
    assert (kept["status"], kept["send_attempts"][0]["error_message"]) == ("error", NOT_ALLOWED)


def test_what_was_deleted_or_forgotten_is_not_sent() -> None:
    """Its time may come, and nothing happens."""
    world = World([JANE], most=2, clock=standing_clock())
    world.create_lead(JANE, {}, lead_id="lead_1")
    deleted, forgotten = write(world, send_in=10), write(world, send_in=10)
    world.delete_email(JANE, deleted)
    last = [write(world, status="draft") for _ in range(2)]
    world.clock.advance(timedelta(minutes=1))
    assert list(world.emails) == last
    assert forgotten not in world.emails


def test_what_waits_is_bounded_too() -> None:
    """Who schedules one email after the other, for a day that never comes, fills no memory."""
    world = World([JANE], most=2, clock=standing_clock())
    world.create_lead(JANE, {}, lead_id="lead_1")
    for _ in range(5):
        write(world, status="scheduled", date_scheduled=LATER)
    assert list(world._due) == list(world.emails)


def test_an_email_may_be_from_before(world: World) -> None:
    """Who writes down old emails says when they were."""
    email = world.email(JANE, write(world, status="sent", date_created="2026-01-31T10:00:00Z"))
    assert email["date_created"] == email["activity_at"] == email["date_sent"] == "2026-01-31T10:00:00+00:00"
    assert world.email(JANE, write(world, status="inbox", activity_at="2026-01-31"))["date_sent"] is None
    change = world.update_email(JANE, write(world, status="draft"), {"date_created": "2026-01-31"})
    assert change["date_created"] == AT


def test_what_has_to_be_there(world: World) -> None:
    """A date for what is scheduled, and whatever is referred to."""
    email = {"lead_id": "lead_1", "status": "scheduled", "sender": "jane@example.com", "date_scheduled": " "}
    with pytest.raises(Refusal) as refusal:
        world.create_email(JANE, email | {"contact_id": "cont_none", "template_id": 7, "account_id": "none"})
    assert refusal.value.body["field-errors"] == {
        "date_scheduled": REQUIRED,
        "contact_id": NO_SUCH_OBJECT,
        "template_id": NOT_A_STRING,
        "account_id": NO_SUCH_OBJECT,
    }

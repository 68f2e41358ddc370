from typing import Any

import pytest

from gateway.sandbox import Refusal, World, seeded_world
from gateway.sandbox.seed import DRAFT_ID, JANE, JOHN, LEAD_ID, MARY, OTHER_DRAFT_ID, OTHER_LEAD_ID
from gateway.sandbox.threads import normalized


@pytest.fixture
def world() -> World:
    """A seeded world of the test's own."""
    return seeded_world()


def write(world: World, subject: str | None, **fields: Any) -> dict[str, Any]:
    """An email of Jane's."""
    return world.create_email(JANE, {"lead_id": LEAD_ID, "status": "draft", "subject": subject, **fields})


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("An offer", "An offer"),
        ("Re: An offer", "An offer"),
        (" RE : fwd:Fw:  An   offer ", "An offer"),
        ("Regarding: an offer", "Regarding: an offer"),
        ("About Re: an offer", "About Re: an offer"),
        ("Re:", ""),
        (None, ""),
    ],
)
def test_a_subject_without_what_answering_adds(subject: str | None, expected: str) -> None:
    """What mail programs put before a subject is no part of it."""
    assert normalized(subject) == expected


def test_emails_are_grouped_by_lead_and_subject(world: World) -> None:
    """An answer by its subject joins; another subject, another lead and no subject do not."""
    first = write(world, "An offer")
    assert write(world, "re: an Offer")["thread_id"] == first["thread_id"]
    lead = world.create_lead(JANE, {"name": "Another"})
    others = [write(world, "Another offer"), write(world, "An offer", lead_id=lead["id"]), write(world, None)]
    others += [write(world, None), write(world, "Re: ")]
    assert len({email["thread_id"] for email in [first, *others]}) == 6


def test_an_answer_joins_what_it_answers(world: World) -> None:
    """Whatever its subject, if that email is there; another organization's is not."""
    first = write(world, "An offer")
    assert write(world, "Something else", in_reply_to_id=first["id"])["thread_id"] == first["thread_id"]
    assert write(world, "More", in_reply_to_id="acti_none")["thread_id"] != first["thread_id"]
    theirs = world.emails[OTHER_DRAFT_ID]["thread_id"]
    assert write(world, "Mine", in_reply_to_id=OTHER_DRAFT_ID)["thread_id"] != theirs


def test_a_draft_moves_with_its_subject(world: World) -> None:
    """Alone it takes its thread along, unless there is one of that subject; from among others it leaves."""
    draft, other = write(world, "One"), write(world, "Two")
    assert world.update_email(JANE, draft["id"], {"subject": "Three"})["thread_id"] == draft["thread_id"]
    assert world.update_email(JANE, draft["id"], {"subject": "two"})["thread_id"] == other["thread_id"]
    assert world.update_email(JANE, draft["id"], {"body_text": "Hi"})["thread_id"] == other["thread_id"]
    left = world.update_email(JANE, draft["id"], {"subject": "Four"})["thread_id"]
    assert left not in (draft["thread_id"], other["thread_id"])


def test_what_a_draft_was_about_before_it_is_about_no_more(world: World) -> None:
    """An email with its old subject is no answer to it; one with the new is."""
    draft = write(world, "One")
    world.update_email(JANE, draft["id"], {"subject": "Two"})
    assert [write(world, subject)["thread_id"] == draft["thread_id"] for subject in ("One", "Two")] == [False, True]


def test_a_thread(world: World) -> None:
    """It tells of its emails, oldest first, and of everybody in it, once."""
    first = write(world, "An offer", to=["Lucille <lead@example.net>"], sender="jane@example.com")
    last = write(
        world,
        "Re: An offer",
        status="inbox",
        user_id=JOHN.id,
        sender="lead@example.net",
        to=["Jane Roe <jane@example.com>"],
        cc=["john@example.com"],
    )
    thread = world.thread(JOHN, first["thread_id"])
    assert thread["emails"] == [first, last]
    assert {name: thread[name] for name in ("_type", "id", "n_emails", "latest_normalized_subject", "users")} == {
        "_type": "EmailThread",
        "id": first["thread_id"],
        "n_emails": 2,
        "latest_normalized_subject": "An offer",
        "users": [JANE.id, JOHN.id],
    }
    assert thread["participants"] == [
        {"email": "jane@example.com", "name": "Jane Roe"},
        {"email": "lead@example.net", "name": "Lucille"},
        {"email": "john@example.com", "name": ""},
    ]
    assert (thread["date_created"], thread["activity_at"]) == (first["date_created"], last["activity_at"])


def test_threads_are_listed_by_their_newest_email(world: World) -> None:
    """And a user of another organization sees none of them."""
    first, second = write(world, "One"), write(world, "Two")
    assert [thread["id"] for thread in world.threads_of(JANE)[:2]] == [second["thread_id"], first["thread_id"]]
    write(world, "One")
    assert [thread["id"] for thread in world.threads_of(JANE)[:2]] == [first["thread_id"], second["thread_id"]]
    assert [thread["lead_id"] for thread in world.threads_of(MARY)] == [OTHER_LEAD_ID]
    with pytest.raises(Refusal, match="404"):
        world.thread(MARY, first["thread_id"])


def test_a_deleted_thread_takes_its_emails_along(world: World) -> None:
    """What is written about the same afterwards begins a new one."""
    first, second = write(world, "One"), write(world, "One")
    world.delete_email(JANE, first["id"])
    assert world.thread(JANE, first["thread_id"])["emails"] == [second]
    world.delete_thread(JANE, first["thread_id"])
    assert [email for email in world.emails if email in (first["id"], second["id"])] == []
    assert DRAFT_ID in world.emails
    with pytest.raises(Refusal, match="404"):
        world.delete_thread(JANE, first["thread_id"])
    assert write(world, "One")["thread_id"] != first["thread_id"]

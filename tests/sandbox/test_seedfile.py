import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway.sandbox
from gateway.sandbox import SeedProblems, World, read_seed
from gateway.sandbox.seedfile import KNOWN, LARGEST, MOST_PROBLEMS, USER, world_of

EXAMPLE = Path(gateway.sandbox.__file__).parent / "example.json"
ANN = {"email": "ann@example.com", "api_key": "key_ann"}
ACME = {"id": "lead_1", "name": "Acme"}
JUNK: st.SearchStrategy[Any] = st.sampled_from([None, True, 7, "", " ", "a/b", "lead_1", "user_Seed1", [], [1], {}])
NAMES = ("id", "created_by", "user_id", "lead_id", "status", "sender", "name", "email", "api_key", "to", "contacts")
RECORDS = st.dictionaries(st.sampled_from(NAMES), JUNK, max_size=3) | JUNK


def problems_of(document: object) -> list[str]:
    """Everything that is said about it."""
    with pytest.raises(SeedProblems) as bad:
        world_of(document)
    return list(bad.value.problems)


def seeded(**lists: Any) -> dict[str, Any]:
    """A document with a user and a lead, and these."""
    return {"users": [ANN], "leads": [ACME], **lists}


def test_the_example_shows_everything() -> None:
    """Every list that a file may have is in it, and it is a world that goes on: a question, an answer, a draft."""
    assert set(json.loads(EXAMPLE.read_text(encoding="utf-8"))) == set(KNOWN)
    world = read_seed(EXAMPLE)
    question, answer, draft = world.emails.values()
    assert question["thread_id"] == answer["thread_id"] != draft["thread_id"]
    assert (draft["subject"], draft["sender"]) == ("An offer for Acme", None)
    assert [answer["status"], world.now()[:13]] == ["scheduled", "2026-03-02T09"]
    world.clock.advance(timedelta(hours=3))
    assert world.emails["acti_Answer"]["status"] == "sent"


def test_a_user_is_enough() -> None:
    """All that is not said is made up, the same each time."""
    (user,) = world_of({"users": [ANN | {"id": None}]}).users
    assert (user.id, user.name, user.organization_id, user.access_token) == ("user_Seed1", "ann", "orga_Seed", "")


def test_whose_doing_it_is() -> None:
    """The user who is named, else the first; for what is a lead's, the first of its organization."""
    users = [
        ANN | {"id": "u1", "organization_id": "o1"},
        {"id": "u2", "email": "b@example.org", "api_key": "b", "organization_id": "o2"},
    ]
    leads = [{"id": "l1"}, {"id": "l2", "created_by": "u2"}]
    emails = [{"lead_id": lead, "status": "draft"} for lead in ("l1", "l2")]
    world = world_of({"users": users, "leads": leads, "emails": emails})
    assert [lead["created_by"] for lead in world.leads.values()] == ["u1", "u2"]
    assert [email["created_by"] for email in world.emails.values()] == ["u1", "u2"]


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        ([], ["It has to be an object with some of " + ", ".join(KNOWN) + "."]),
        ({}, ["users is missing or empty: add at least one, with email and api_key"]),
        ({"users": "ann"}, ["users has to be a list of objects"]),
        ({"users": [{}]}, ["users[0].email is missing: add it", "users[0].api_key is missing: add it"]),
        ({"users": [ANN | {"first_name": 7}]}, ["users[0].first_name has to be a text"]),
        (
            {"users": [ANN | {"api_key": "a:b"}]},
            ["users[0].api_key can be no user name of HTTP Basic: write it in ASCII, without colons and blanks"],
        ),
        (
            {"users": [ANN | {"email": "ann"}]},
            ['users[0].email has no address in it: write it as "Jane Roe <jane@example.com>"'],
        ),
        (
            {"users": [ANN | {"id": ""}, ANN | {"id": "a/b", "organization_id": " ", "api_key": "b"}]},
            [
                "users[0].id has to be a text, not blank and without a slash",
                "users[1].id has to be a text, not blank and without a slash",
                "users[1].organization_id has to be a text, not blank and without a slash",
            ],
        ),
        ({"users": [ANN, ANN]}, ["users: two of them have the same api_key: each needs one of their own"]),
        ({"users": [ANN], "leeds": []}, ["leeds is not known: did you mean leads?"]),
        (seeded(now="noon"), ['now is no time: write it as "2026-03-01T09:00:00Z"']),
        (seeded(now="1900-01-01"), ["now has to be between the years 1970 and 2999"]),
        (
            seeded(leads=[{"nam": "x"}, {"name": 7}]),
            ["leads[0].nam is not known: did you mean name?", "leads[1].name has to be a text"],
        ),
        (seeded(leads=[{"id": "a/b"}]), ["leads[0].id has to be a text, not blank and without a slash"]),
        (seeded(leads=[ACME, ACME]), ["leads: 2 of them have the id lead_1: each needs its own"]),
        (seeded(leads=[ACME | {"created_by": "bob"}]), ["leads[0].created_by has to be a user of the file"]),
        (
            seeded(contacts=[{"lead_id": "lead_2"}]),
            ["contacts[0].lead_id names nothing that the file has in this organization: add it, or name another"],
        ),
        (
            seeded(contacts=[{"lead_id": "lead_1", "emails": [{}]}]),
            ["contacts[0].emails has something in it that is not right: Value must be of str type."],
        ),
        (seeded(email_templates=[{"name": "N", "subject": "S"}]), ["email_templates[0].body is missing: add it"]),
        (seeded(connected_accounts=[{}]), ["connected_accounts[0].user_id is missing: add it"]),
        (
            seeded(connected_accounts=[{"user_id": "user_Seed1", "_type": "pigeon", "send_status": "tired"}]),
            [
                "connected_accounts[0]._type is not right: It has to be one of google, microsoft, custom_email",
                "connected_accounts[0].send_status is not right: It has to be one of ok, error",
            ],
        ),
        (seeded(send_as=[{"allowing_user_id": "user_Seed1"}]), ["send_as[0].allowed_user_id is missing: add it"]),
        (
            seeded(send_as=[{}], connected_accounts=[{"_type": "pigeon"}]),
            [
                "connected_accounts[0].user_id is missing: add it",
                "connected_accounts[0]._type is not right: It has to be one of google, microsoft, custom_email",
                "send_as[0].allowing_user_id is missing: add it",
                "send_as[0].allowed_user_id is missing: add it",
            ],
        ),
        (
            seeded(emails=[{"lead_id": "lead_1", "status": "queued"}, {"lead_id": "lead_1", "status": "outbox"}]),
            [
                "emails[0].status is not right: It has to be one of inbox, draft, scheduled, outbox, sent, error",
                "emails[1].sender is missing: add it",
            ],
        ),
    ],
)
def test_what_is_wrong_is_told_with_what_mends_it(document: object, problems: list[str]) -> None:
    """Where it stands, and what to do."""
    assert problems_of(document) == problems


def test_a_colleagues_address_needs_their_leave() -> None:
    """What the API refuses, a file cannot have either."""
    bob = {"id": "bob", "email": "bob@example.com", "api_key": "b"}
    email = {"lead_id": "lead_1", "status": "outbox", "sender": "bob@example.com"}
    assert problems_of({"users": [ANN, bob], "leads": [ACME], "emails": [email]}) == [
        "emails[0].sender is a colleague's address: add to send_as that they allow this"
    ]
    leave = {"allowing_user_id": "bob", "allowed_user_id": "user_Seed1"}
    world = world_of({"users": [ANN, bob], "leads": [ACME], "emails": [email], "send_as": [leave]})
    assert [email["status"] for email in world.emails.values()] == ["sent"]


BOB = {"id": "bob", "email": "bob@example.com", "api_key": "b"}
AS_BOB = {"lead_id": "lead_1", "status": "outbox", "sender": "bob@example.com"}
NOTHING = "names nothing that the file has in this organization: add it, or name another"


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        (  # of all kinds, however far apart the API looks at them
            seeded(
                users=[ANN | {"phone": "1"}],
                now="noon",
                leads=[{"id": "lead_1", "nam": "x", "url": 7, "created_by": "carl"}],
                emails=[{"lead_id": "lead_2", "status": "queued", "subjct": "x", "to": 7}],
            ),
            [
                "users[0].phone is not known: leave it out; there are " + ", ".join(sorted(USER)),
                'now is no time: write it as "2026-03-01T09:00:00Z"',
                "leads[0].nam is not known: did you mean name?",
                "leads[0].created_by has to be a user of the file",
                "leads[0].url has to be a text",
                "emails[0].subjct is not known: did you mean subject?",
                "emails[0].to is not right: Value must be of list type.",
                f"emails[0].lead_id {NOTHING}",
                "emails[0].status is not right: It has to be one of inbox, draft, scheduled, outbox, sent, error",
            ],
        ),
        (
            seeded(users=[ANN, BOB], emails=[AS_BOB | {"to": 7}]),
            [
                "emails[0].sender is a colleague's address: add to send_as that they allow this",
                "emails[0].to is not right: Value must be of list type.",
            ],
        ),
        # What another problem brought about is none of its own.
        (
            seeded(leads=[ACME | {"nam": "x", "url": 7}], emails=[{"lead_id": "lead_1", "status": "draft"}]),
            [
                "leads[0].nam is not known: did you mean name?",
                "leads[0].url has to be a text",
            ],
        ),
        (
            seeded(leads=[{"idd": "lead_1"}], emails=[{"lead_id": "lead_1", "status": "draft"}]),
            [
                "leads[0].idd is not known: did you mean id?",
            ],
        ),
        (
            seeded(leads="Acme", emails=[{"lead_id": "lead_1", "status": "draft"}]),
            ["leads has to be a list of objects"],
        ),
        (
            {"users": [ANN], "leeds": [ACME], "emails": [{"lead_id": "lead_1", "status": "draft"}]},
            [
                "leeds is not known: did you mean leads?",
            ],
        ),
        (
            seeded(emails=[{"leadid": "lead_1", "status": "draft"}]),
            ["emails[0].leadid is not known: did you mean lead_id?"],
        ),
        (
            seeded(
                users=[{"emial": "ann@example.com", "api_key": "a"}], emails=[{"lead_id": "lead_1", "status": "draft"}]
            ),
            [
                "users[0].emial is not known: did you mean email?",
            ],
        ),
        (
            seeded(
                users=[ANN | {"organization_id": "o"}, BOB | {"organisation_id": "o"}],
                emails=[{"lead_id": "lead_1", "status": "draft", "created_by": "bob"}],
            ),
            ["users[1].organisation_id is not known: did you mean organization_id?"],
        ),
        (
            seeded(users=[ANN, BOB], send_as=[{"allowing_user_id": "bob", "allowed": "user_Seed1"}], emails=[AS_BOB]),
            ["send_as[0].allowed is not known: did you mean allowed_user_id?"],
        ),
        (
            seeded(
                users=[ANN, BOB | {"organization_id": "o"}],
                contacts=[{"id": "c", "lead_id": "lead_1", "created_by": "bobb"}],
                emails=[{"lead_id": "lead_1", "status": "draft", "contact_id": "c"}],
            ),
            ["contacts[0].created_by has to be a user of the file"],
        ),
    ],
)
def test_all_is_told_at_once_and_nothing_that_follows_from_it(document: object, problems: list[str]) -> None:
    """One round of mending is enough, and no mend is asked for that is none."""
    assert problems_of(document) == problems


@settings(derandomize=True, max_examples=200)
@given(st.dictionaries(st.sampled_from([*KNOWN, "x"]), JUNK | st.lists(RECORDS, max_size=3), max_size=3))
def test_whatever_is_in_it_is_a_world_or_told(document: dict[str, Any]) -> None:
    """No file brings the command down: each problem is one line that names where it stands."""
    made = made_of({"users": [ANN], "leads": [ACME], **document})
    if isinstance(made, World):
        assert json.dumps(made.dump())
    else:
        assert made
        assert all(problem.startswith((*KNOWN, "x")) for problem in made)


def made_of(document: object) -> World | tuple[str, ...]:
    """A world, or what is said about the document."""
    try:
        return world_of(document)
    except SeedProblems as bad:
        return bad.problems


def test_many_problems_are_not_all_told() -> None:
    """A mistake that was copied fills no screen."""
    assert len(problems_of(seeded(emails=[{}] * 1000))) == MOST_PROBLEMS
    assert problems_of(seeded(leads=[{}] * 10_001)) == [
        "leads has 10,001 records, and no more than 10,000 are kept: leave some out"
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "It cannot be read: no such file or directory."),
        (b"", "It is not JSON: "),
        (b"{'users': []}", "It is not JSON: "),
        (b"\xff", "It is not JSON: "),
        (b"[" * 100_000, "It is nested too deeply."),
        (b" " * (LARGEST + 1), "It has more than 32 MiB."),
    ],
)
def test_what_is_no_document(tmp_path: Path, content: bytes | None, problem: str) -> None:
    """It says what is wrong with the file."""
    file = tmp_path / "seed.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SeedProblems) as bad:
        read_seed(file)
    assert str(bad.value).startswith(problem)

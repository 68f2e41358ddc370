"""The policy against a Close that shares no code with it: where both have an opinion, they agree.

A real Close may be more lenient or more strict in what the change log does not tell; what it tells is in both.
"""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy import (
    EmailWrite,
    FillSender,
    Modes,
    Reject,
    StoredEmail,
    ViolationCode,
    decide,
    email_write,
    judge_create,
    judge_update,
    needs_stored_email,
    stored_email,
)
from gateway.policy.sender import SenderState, sender_state
from gateway.sandbox import Refusal, World, seeded_world
from gateway.sandbox.seed import JANE, JOHN, LEAD_ID, MARY
from gateway.wire.email import read_object, with_sender

BOUNDED = settings(derandomize=True, max_examples=600)
REQUIRED = "This field is required."
ADDRESS = "jane@example.com"

JUNK: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def one_of(*kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw a kind first, then from it: each is as likely as any other, however many ways there are within it."""
    return st.sampled_from(kinds).flatmap(lambda kind: kind)


def optional(name: str, *kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw an object with this member, or without it."""
    return one_of(st.just({}), *(kind.map(lambda value: {name: value}) for kind in kinds))


SENT_LATER = st.sampled_from(["scheduled", "outbox"])
STATUSES = st.sampled_from(["inbox", "draft", "scheduled", "outbox", "sent", "error"])
ODD_STATUSES = st.sampled_from(["received", "Outbox", "outbox ", " sent", "", "SENT", "queued"]) | JUNK
MISSING = st.sampled_from([None, "", " ", "\t\r\n", "\u00a0", "\x1c", "\u2003 "])
ADDRESSES = st.emails() | st.sampled_from(
    [f'"Roe, Jane" <{ADDRESS}>', f" {ADDRESS} ", "用户@例子.广告", "jane@localhost"]
)
LOOK_ALIKES = st.text('a@.<>,;:" \t()ü', max_size=8)
SENDERS = optional("sender", MISSING, ADDRESSES, LOOK_ALIKES, JUNK)
USERS = optional("user_id", st.sampled_from([None, "", " ", JANE.id, JOHN.id]), st.sampled_from([MARY.id, "user_None"]))
DATES = st.sampled_from(["2030-01-31T09:00:00+00:00", "2030-01-31"])
FILES = st.lists(
    st.fixed_dictionaries(
        {"url": st.sampled_from(["https://app.close.com/go/file/1", "https://app.close.com/", None])},
        optional={"filename": st.just("a.pdf"), "size": st.integers(0, 9)},
    )
    | JUNK,
    max_size=3,
)
OTHERS = st.tuples(
    one_of(
        st.just({}), st.just({}), st.dictionaries(st.sampled_from(["subject", "to", "followup_date"]), JUNK, max_size=1)
    ),
    one_of(optional("date_scheduled", DATES), optional("date_scheduled", DATES, MISSING, JUNK)),
    one_of(st.just({}), optional("send_in", st.integers(-1, 70), JUNK)),
    one_of(st.just({}), optional("attachments", FILES, JUNK)),
).map(lambda drawn: {name: value for part in drawn for name, value in part.items()})
LEAD = st.just({"lead_id": LEAD_ID})


def emails(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a client may send, mostly sensible."""
    return st.tuples(OTHERS, SENDERS, one_of(st.just({}), USERS), *parts).map(
        lambda drawn: {name: value for part in drawn for name, value in part.items()}
    )


NEW = emails(one_of(LEAD, LEAD, LEAD, optional("lead_id", JUNK)), optional("status", STATUSES, STATUSES, ODD_STATUSES))
CHANGES = emails(optional("status", SENT_LATER, SENT_LATER, STATUSES, ODD_STATUSES))
KEPT = st.tuples(one_of(st.just("draft"), st.just("draft"), STATUSES), one_of(st.none(), ADDRESSES))


AS_THE_SANDBOX = Modes(
    frozenset(
        {
            ViolationCode.SENDER_REQUIRED,
            ViolationCode.SENDER_MALFORMED,
            ViolationCode.STATUS_REQUIRED,
            ViolationCode.STATUS_UNKNOWN,
            ViolationCode.LEAD_ID_REQUIRED,
            ViolationCode.DATE_SCHEDULED_REQUIRED,
            ViolationCode.SEND_IN_INVALID,
            ViolationCode.ATTACHMENT_URL_INVALID,
        }
    ),
    frozenset(),
)
"""Its rules. That a delay is misplaced, for which Close has no words, it does not mind."""


def read(payload: dict[str, Any]) -> tuple[bytes, dict[str, object], EmailWrite]:
    """Send it over the wire, and read it as the gateway does."""
    body = json.dumps(payload).encode()
    members = read_object(body)
    assert members is not None
    return body, members, email_write(members)


def refusal_of(world: World, payload: object, email_id: str | None = None) -> dict[str, Any] | None:
    """What the world answers to who sends this; None where it is taken."""
    try:
        if email_id is None:
            world.create_email(JANE, payload)
        else:
            world.update_email(JANE, email_id, payload)
    except Refusal as refusal:
        return refusal.body
    return None


@BOUNDED
@given(NEW)
def test_a_creation_is_rejected_only_where_close_refuses_it(payload: dict[str, Any]) -> None:
    """Whatever email comes: what we reject Close refuses, in the same words; a missing sender it refuses we reject."""
    _, _, email = read(payload)
    verdict = decide(judge_create(email), AS_THE_SANDBOX)
    refusal = refusal_of(seeded_world(), payload)
    told = refusal["field-errors"] if refusal else {}
    found = verdict.violations if isinstance(verdict, Reject) else ()
    for violation in found:
        assert told[violation.field] == violation.message
    assert {field for field, message in told.items() if message == REQUIRED} <= {one.field for one in found}


@BOUNDED
@given(NEW)
def test_what_is_filled_in_close_takes(payload: dict[str, Any]) -> None:
    """Whatever email is to be filled: with a sender, Close refuses it no more than without, and keeps that sender."""
    body, members, email = read({**payload, "status": "sent"})
    verdict = judge_create(email).otherwise
    if not isinstance(verdict, FillSender):
        assert sender_state(email.sender) is not SenderState.MISSING
        return
    filled = json.loads(with_sender(body, members, ADDRESS))
    world = seeded_world()
    refusal = refusal_of(world, filled)
    assert refusal == refusal_of(seeded_world(), json.loads(body))
    if refusal is None:
        assert world.emails_of(JANE)[0]["sender"] == ADDRESS


@BOUNDED
@given(CHANGES, KEPT)
def test_an_update_is_rejected_only_where_close_refuses_it(
    change: dict[str, Any], kept: tuple[str, str | None]
) -> None:
    """Whatever the change and the stored email: what we reject Close refuses; a missing sender it refuses we reject."""
    world, email_id = with_stored(*kept)
    _, _, write = read(change)
    stored = read_stored(world, email_id) if needs_stored_email(write) else None
    verdict = decide(judge_update(write, stored), AS_THE_SANDBOX)
    refusal = refusal_of(world, change, email_id)
    told = refusal["field-errors"] if refusal else {}
    found = verdict.violations if isinstance(verdict, Reject) else ()
    if found:
        assert refusal is not None
        assert refusal["errors"] or all(told[violation.field] == violation.message for violation in found)
    if told.get("sender") == REQUIRED:
        assert "sender" in {violation.field for violation in found}


@BOUNDED
@given(CHANGES, KEPT)
def test_without_the_stored_email_nothing_is_rejected_that_close_takes(
    change: dict[str, Any], kept: tuple[str, str | None]
) -> None:
    """Whatever the change: where Close could not be asked, only what is wrong on its face is rejected."""
    world, email_id = with_stored(*kept)
    verdict = decide(judge_update(read(change)[2], None), AS_THE_SANDBOX)
    assert not isinstance(verdict, Reject) or refusal_of(world, change, email_id) is not None


def with_stored(status: str, sender: str | None) -> tuple[World, str]:
    """A world that holds such an email, and its id."""
    world = seeded_world()
    needs_one = status in {"inbox", "scheduled", "outbox", "error"}
    payload: dict[str, object] = {"lead_id": LEAD_ID, "status": status, "send_in": 59}
    payload |= {"sender": sender or (ADDRESS if needs_one else None), "date_scheduled": "2030-01-31T09:00:00+00:00"}
    return world, world.create_email(JANE, payload)["id"]


def read_stored(world: World, email_id: str) -> StoredEmail | None:
    """Read Close's answer about an email as the gateway does."""
    members = read_object(json.dumps(world.email(JANE, email_id)).encode())
    assert members is not None
    return stored_email(members)

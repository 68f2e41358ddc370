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
from gateway.sandbox import Refusal, seeded_world
from gateway.sandbox.seed import JANE, JOHN, LEAD_ID, MARY
from gateway.wire.email import read_object, with_sender

BOUNDED = settings(derandomize=True, max_examples=300)
REQUIRED = "This field is required."
ADDRESS = "jane@example.com"

JUNK: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


ABSENT = None


@st.composite
def emails(draw: st.DrawFn, /, **members: tuple[st.SearchStrategy[Any] | None, ...]) -> dict[str, Any]:
    """Draw what a client may send, mostly sensible.

    Of each member a kind is drawn first, then the value: each is as likely as any other, however many values it has.
    """
    kinds = {name: draw(st.sampled_from(kinds)) for name, kinds in members.items()}
    return {name: draw(kind) for name, kind in kinds.items() if kind is not ABSENT}


SENT_LATER = st.sampled_from(["scheduled", "outbox"])
STATUSES = st.sampled_from(["inbox", "draft", "scheduled", "outbox", "sent", "error"])
ODD_STATUSES = st.sampled_from(["received", "Outbox", "outbox ", " sent", "", "SENT", "queued"]) | JUNK
MISSING = st.sampled_from([None, "", " ", "\t\r\n", "\u00a0", "\x1c", "\u2003 "])
LOCAL_PARTS, DOMAINS = (st.text(letters, min_size=1, max_size=5) for letters in ("aZ9.!#$%&'*+-/=^_`{|}~", "aZ9-"))
ADDRESSES = st.builds("{}@{}.com".format, LOCAL_PARTS, DOMAINS) | st.sampled_from(
    [f'"Roe, Jane" <{ADDRESS}>', f" {ADDRESS} ", "用户@例子.广告", "jane@localhost"]
)
LOOK_ALIKES = st.text('a@.<>,;:" \t()ü', max_size=8)
DATES = st.sampled_from(["2030-01-31T09:00:00+00:00", "2030-01-31"])
FILES = st.lists(
    st.fixed_dictionaries(
        {"url": st.sampled_from(["https://app.close.com/go/file/1", "https://app.close.com/", None])},
        optional={"filename": st.just("a.pdf"), "size": st.integers(0, 9)},
    )
    | JUNK,
    max_size=3,
)
USERS = st.sampled_from([None, "", " ", JANE.id, JOHN.id])
STRANGERS = st.sampled_from([MARY.id, "user_None"])
LEAD = st.just(LEAD_ID)

OTHERS: dict[str, tuple[st.SearchStrategy[Any] | None, ...]] = {
    **dict.fromkeys(("subject", "to", "followup_date"), (*[ABSENT] * 15, JUNK)),
    "date_scheduled": (*[ABSENT] * 4, *[DATES] * 4, MISSING, MISSING, JUNK),
    "send_in": (ABSENT, ABSENT, ABSENT, ABSENT, st.integers(-1, 70), JUNK),
    "attachments": (ABSENT, ABSENT, ABSENT, ABSENT, FILES, JUNK),
    "sender": (ABSENT, ABSENT, MISSING, MISSING, ADDRESSES, LOOK_ALIKES, JUNK),
    "user_id": (ABSENT, ABSENT, ABSENT, ABSENT, USERS, STRANGERS),
}
NEW = emails(
    **OTHERS, lead_id=(*[LEAD] * 6, ABSENT, JUNK), status=(ABSENT, STATUSES, STATUSES, STATUSES, STATUSES, ODD_STATUSES)
)
SENT = emails(
    **OTHERS | {"sender": (ABSENT, MISSING, MISSING, LOOK_ALIKES, JUNK)},
    lead_id=(*[LEAD] * 6, ABSENT, JUNK),
    status=(st.just("sent"),),
)
CHANGES = emails(**OTHERS, status=(ABSENT, *[SENT_LATER] * 5, STATUSES, ODD_STATUSES))
KEPT = st.tuples(
    st.sampled_from(["draft"] * 9 + ["inbox", "scheduled", "outbox", "sent", "error"]), st.none() | ADDRESSES
)


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
CLOSE = seeded_world()
"""One for all of it: what it makes of an email does not hang on the emails that came before."""


def read(payload: dict[str, Any]) -> tuple[bytes, dict[str, object], EmailWrite]:
    """Send it over the wire, and read it as the gateway does."""
    body = json.dumps(payload).encode()
    members = read_object(body)
    assert members is not None
    return body, members, email_write(members)


def refusal_of(payload: object, email_id: str | None = None) -> dict[str, Any] | None:
    """What Close answers to who sends this; None where it is taken."""
    try:
        if email_id is None:
            CLOSE.create_email(JANE, payload)
        else:
            CLOSE.update_email(JANE, email_id, payload)
    except Refusal as refusal:
        return refusal.body
    return None


@BOUNDED
@given(NEW)
def test_a_creation_is_rejected_only_where_close_refuses_it(payload: dict[str, Any]) -> None:
    """Whatever email comes: what we reject Close refuses, in the same words; a missing sender it refuses we reject."""
    _, _, email = read(payload)
    verdict = decide(judge_create(email), AS_THE_SANDBOX)
    refusal = refusal_of(payload)
    told = refusal["field-errors"] if refusal else {}
    found = verdict.violations if isinstance(verdict, Reject) else ()
    for violation in found:
        assert told[violation.field] == violation.message
    assert {field for field, message in told.items() if message == REQUIRED} <= {one.field for one in found}


@settings(BOUNDED, max_examples=200)
@given(SENT)
def test_what_is_filled_in_close_takes(payload: dict[str, Any]) -> None:
    """Whatever email is to be filled: with a sender, Close refuses it no more than without, and keeps that sender."""
    body, members, email = read(payload)
    verdict = judge_create(email).otherwise
    if not isinstance(verdict, FillSender):
        assert sender_state(email.sender) is not SenderState.MISSING
        return
    filled = json.loads(with_sender(body, members, ADDRESS))
    without, refusal = refusal_of(json.loads(body)), refusal_of(filled)
    assert refusal == without
    if refusal is None:
        assert CLOSE.emails_of(JANE)[0]["sender"] == ADDRESS


@BOUNDED
@given(CHANGES, KEPT)
def test_an_update_is_rejected_only_where_close_refuses_it(
    change: dict[str, Any], kept: tuple[str, str | None]
) -> None:
    """Whatever the change and the stored email: what we reject Close refuses; a missing sender it refuses we reject.

    Where Close could not be asked for the stored email, only what is wrong on its face is rejected.
    """
    email_id = with_stored(*kept)
    _, _, write = read(change)
    stored = read_stored(email_id) if needs_stored_email(write) else None
    verdict, blind = (decide(judge_update(write, known), AS_THE_SANDBOX) for known in (stored, None))
    refusal = refusal_of(change, email_id)
    told = refusal["field-errors"] if refusal else {}
    found = verdict.violations if isinstance(verdict, Reject) else ()
    if found:
        assert refusal is not None
        assert refusal["errors"] or all(told[violation.field] == violation.message for violation in found)
    if told.get("sender") == REQUIRED:
        assert "sender" in {violation.field for violation in found}
    assert refusal is not None or not isinstance(blind, Reject)


def with_stored(status: str, sender: str | None) -> str:
    """Have Close hold such an email; its id."""
    needs_one = status in {"inbox", "scheduled", "outbox", "error"}
    payload: dict[str, object] = {"lead_id": LEAD_ID, "status": status, "send_in": 59}
    payload |= {"sender": sender or (ADDRESS if needs_one else None), "date_scheduled": "2030-01-31T09:00:00+00:00"}
    return str(CLOSE.create_email(JANE, payload)["id"])


def read_stored(email_id: str) -> StoredEmail | None:
    """Read Close's answer about an email as the gateway does."""
    members = read_object(json.dumps(CLOSE.email(JANE, email_id)).encode())
    assert members is not None
    return stored_email(members)

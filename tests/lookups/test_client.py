import asyncio
from collections.abc import Awaitable

import pytest

from gateway.exchange import Credentials
from gateway.lookups import client
from gateway.lookups.client import MAX_ANSWER, Kind, LookupFailed, Question
from gateway.sandbox import Sandbox
from gateway.sandbox.seed import DRAFT_ID, JANE, JOHN, MARY
from gateway.upstream.pool import Pool
from tests.lookups.asking import ANYONE, KEY, asker, basic, bearer
from tests.pools import pooled, until
from tests.raw import with_length
from tests.recording import OWNER, Call, Script, answers, closes, hangs, in_turn, recording, resets

OK_HEAD = b"HTTP/1.1 200 OK\r\n"
QUESTIONS = [
    (client.owner(), b"/api/v1/me/?_fields=id,email"),
    (client.user("user_1"), b"/api/v1/user/user_1/?_fields=id,email"),
    (client.stored_email("acti_1"), b"/api/v1/activity/email/acti_1/?_fields=id,sender"),
]


def test_the_table_is_complete() -> None:
    """A kind of question that is added has to be given a row."""
    assert [question.kind for question, _ in QUESTIONS] == list(Kind)


@pytest.mark.parametrize(("question", "target"), QUESTIONS)
async def test_a_question_is_one_small_request(question: Question, target: bytes) -> None:
    """On the caller's credentials to the byte, for the fields that are wanted, with nothing else of the caller's."""
    authorization = b"bEARER caf\xe9=="
    async with recording(OWNER) as upstream, pooled(upstream.url) as pool:
        answer = await asker(pool).ask(question, Credentials(authorization, KEY))
        assert answer == {"email": "jane@example.com"}
        assert [(request.head, request.body) for request in upstream.requests] == [
            (
                b"GET %b HTTP/1.1\r\nAuthorization: %b\r\nHost: %b\r\nUser-Agent: close-gateway/test\r\n"
                b"Accept: application/json\r\nAccept-Encoding: identity\r\n\r\n"
                % (target, authorization, upstream.authority),
                b"",
            )
        ]


async def test_the_sandbox_answers(pool: Pool, sandbox: Sandbox) -> None:
    """Each kind, by key and by token, over one connection."""
    lookups = asker(pool)
    jane = {"id": JANE.id, "email": JANE.email}
    assert await lookups.ask(client.owner(), basic(JANE)) == jane
    assert await lookups.ask(client.owner(), bearer(JANE)) == jane
    assert await lookups.ask(client.user(JOHN.id), basic(JANE)) == {"id": JOHN.id, "email": JOHN.email}
    assert await lookups.ask(client.stored_email(DRAFT_ID), basic(JOHN)) == {"id": DRAFT_ID, "sender": None}
    assert len(sandbox.requests) == 4
    assert (pool.open, pool.idle) == (1, 1)


IDS = ["user_1", "acti_SandboxDraft", "A-b_9", "x" * 128, "-", "0"]
NO_IDS = [
    "",
    ".",
    "..",
    "../me",
    "a/b",
    "a b",
    " a",
    "a\n",
    "a%2fb",
    "a?b",
    "a#b",
    "a;b",
    "é",
    "x" * 129,
    "\ud800",
    "a\0",
]


@pytest.mark.parametrize("given", IDS)
def test_an_id_goes_into_the_path(given: str) -> None:
    """As it is; there is nothing in it to be encoded."""
    assert client.user(given).path == f"/api/v1/user/{given}/"
    assert client.stored_email(given).path == f"/api/v1/activity/email/{given}/"


@pytest.mark.parametrize("given", NO_IDS)
def test_what_cannot_be_an_id_never_leaves(given: str) -> None:
    """Nothing of a client's choosing makes a path of ours lead elsewhere."""
    with pytest.raises(LookupFailed, match=r"^The look-up of the user failed: not_an_id\.$"):
        client.user(given)
    with pytest.raises(LookupFailed, match=r"^The look-up of the stored_email failed: not_an_id\.$"):
        client.stored_email(given)


def status(code: int) -> Script:
    """Answer with this status and a body that would do."""
    return answers(with_length(b"HTTP/1.1 %d Status\r\n" % code, b'{"email": "jane@example.com"}'))


def ok(body: bytes) -> Script:
    """Answer with this body."""
    return answers(with_length(OK_HEAD, body))


FAILURES: list[tuple[Script, str, bool]] = [  # what Close does, the reason given, whether Close is ailing
    (status(400), "status_400", False),
    (status(401), "status_401", False),
    (status(403), "status_403", False),
    (status(404), "status_404", False),
    (status(429), "status_429", False),
    (status(500), "status_500", True),
    (status(502), "status_502", True),
    (status(503), "status_503", True),
    (status(302), "status_302", True),
    (status(201), "status_201", True),
    (answers(b"HTTP/1.1 204 None\r\n\r\n"), "status_204", True),
    (ok(b""), "unreadable", True),
    (ok(b"<html>"), "unreadable", True),
    (ok(b"[]"), "unreadable", True),
    (ok(b"null"), "unreadable", True),
    (ok(b'"email"'), "unreadable", True),
    (ok(b'{"email": "jane@exam'), "unreadable", True),
    (ok(b'{"email": "\xff"}'), "unreadable", True),
    (ok(b"\x1f\x8b\x08"), "unreadable", True),
    (ok(b'{"email": "' + b"x" * MAX_ANSWER + b'"}'), "unreadable", True),
    (closes(OK_HEAD + b"Content-Length: 99\r\n\r\n{}"), "upstream_broken", True),
    (closes(), "upstream_broken", True),
    (resets(), "upstream_broken", True),
    (hangs(b"no HTTP\r\n\r\n"), "upstream_broken", True),
    (hangs(), "timed_out", True),
    (hangs(OK_HEAD), "timed_out", True),
    (hangs(OK_HEAD + b"Content-Length: 99\r\n\r\n{}"), "timed_out", True),
]


@pytest.mark.parametrize(("script", "reason", "ailing"), FAILURES, ids=range(len(FAILURES)))
async def test_what_does_not_tell_is_a_failure(script: Script, reason: str, *, ailing: bool) -> None:
    """With one of a few fixed words for a reason. A no is an answer; only what shows Close ailing makes us pause."""
    patience = 0.05 if reason == "timed_out" else 5.0
    async with recording(script) as upstream, pooled(upstream.url) as pool:
        lookups = asker(pool, patience=patience, failures=1)
        for expected in (reason, "paused" if ailing else reason):
            with pytest.raises(LookupFailed) as failure:
                await lookups.ask(client.owner(), ANYONE)
            assert (failure.value.kind, failure.value.reason) == (Kind.OWNER, expected)
            assert str(failure.value) == f"The look-up of the owner failed: {expected}."
        assert len(upstream.requests) == (1 if ailing else 2)


async def test_an_upstream_that_is_not_there_is_a_failure() -> None:
    """Unreachable, or without a connection to spare; nothing is asked then."""
    async with recording() as upstream:
        url = upstream.url
        async with pooled(url, max_connections=1, connect_timeout=0.02) as pool:
            taken = await pool.connect()
            with pytest.raises(LookupFailed, match="upstream_busy"):
                await asker(pool).ask(client.owner(), ANYONE)
            taken.abort()
        assert upstream.requests == []
    async with pooled(url) as pool:
        with pytest.raises(LookupFailed, match="upstream_unreachable"):
            await asker(pool).ask(client.owner(), ANYONE)


async def test_an_answer_without_an_end_is_not_read_to_it() -> None:
    """What is too large to be an answer of ours is given up at once, and its connection with it."""

    async def script(call: Call) -> None:
        await call.send(OK_HEAD + b"\r\n")
        while not call.connection.left.is_set():
            await call.send(b" " * 16384)

    async with recording(script) as upstream, pooled(upstream.url) as pool:
        with pytest.raises(LookupFailed, match="unreadable"):
            await asker(pool).ask(client.owner(), ANYONE)
        await upstream.connections[0].left.wait()
        await until(lambda: (pool.open, pool.idle) == (0, 0))


async def test_after_a_time_out_nothing_is_left_behind() -> None:
    """Its late answer is not taken for the next one's."""
    async with recording(in_turn(hangs(), answers(OWNER))) as upstream, pooled(upstream.url) as pool:
        lookups = asker(pool, patience=0.05)
        with pytest.raises(LookupFailed, match="timed_out"):
            await lookups.ask(client.owner(), ANYONE)
        assert pool.idle == 0
        assert await asker(pool).ask(client.owner(), ANYONE) == {"email": "jane@example.com"}
        assert [request.connection for request in upstream.requests] == [0, 1]


async def test_an_old_connection_that_breaks_is_no_failure() -> None:
    """To ask is idempotent: it is asked once more, on a connection of its own."""
    async with recording(in_turn(answers(OWNER), closes(), answers(OWNER))) as upstream, pooled(upstream.url) as pool:
        lookups = asker(pool, failures=1)
        for _ in range(2):
            assert await lookups.ask(client.owner(), ANYONE) == {"email": "jane@example.com"}
        assert [request.connection for request in upstream.requests] == [0, 0, 1]


async def test_a_question_is_asked_twice_at_most() -> None:
    """Where the new connection breaks, too, that is news of Close."""
    async with recording(in_turn(answers(OWNER), closes())) as upstream, pooled(upstream.url) as pool:
        lookups = asker(pool)
        await lookups.ask(client.owner(), ANYONE)
        with pytest.raises(LookupFailed, match="upstream_broken"):
            await lookups.ask(client.owner(), ANYONE)
        assert len(upstream.requests) == 3


async def test_who_leaves_takes_its_connection_along() -> None:
    """The answer that nobody waits for any more comes to nobody."""
    async with recording(hangs()) as upstream, pooled(upstream.url) as pool:
        asking = asyncio.create_task(asker(pool).ask(client.owner(), ANYONE))
        await upstream.received(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: (pool.open, pool.idle) == (0, 0))


async def test_a_dead_endpoint_is_left_alone_and_then_tried_again() -> None:
    """After so many failures in a row there is a pause; then one try, and where it succeeds all is as before."""
    script = in_turn(status(500), status(500), status(500), answers(OWNER))
    async with recording(script) as upstream, pooled(upstream.url) as pool:
        lookups = asker(pool, failures=3, pause=0.25)
        reasons = [await _reason(lookups.ask(client.owner(), ANYONE)) for _ in range(5)]
        assert reasons == ["status_500"] * 3 + ["paused"] * 2
        assert len(upstream.requests) == 3
        while await _reason(lookups.ask(client.owner(), ANYONE)) == "paused":  # noqa: ASYNC110 - the end of a pause is told by no event
            await asyncio.sleep(0.005)
        assert await lookups.ask(client.owner(), ANYONE) == {"email": "jane@example.com"}
        assert len(upstream.requests) == 5


async def _reason(asking: Awaitable[object]) -> str | None:
    try:
        await asking
    except LookupFailed as failure:
        return failure.reason
    return None


async def test_kinds_pause_apart() -> None:
    """Close limits endpoints apart, and one of them may be dead alone."""
    async with recording(in_turn(status(500), answers(OWNER))) as upstream, pooled(upstream.url) as pool:
        lookups = asker(pool, failures=1)
        with pytest.raises(LookupFailed, match="status_500"):
            await lookups.ask(client.owner(), ANYONE)
        assert await lookups.ask(client.user("user_1"), ANYONE) == {"email": "jane@example.com"}
        assert await lookups.ask(client.stored_email("acti_1"), ANYONE) == {"email": "jane@example.com"}
        with pytest.raises(LookupFailed, match="paused"):
            await lookups.ask(client.owner(), ANYONE)


async def test_what_the_sandbox_refuses(pool: Pool, sandbox: Sandbox) -> None:
    """Unknown credentials, another organization's user and email, and too many requests."""
    lookups = asker(pool, failures=1)
    refusals = [
        (client.owner(), ANYONE, "status_401"),
        (client.user(MARY.id), basic(JANE), "status_404"),
        (client.stored_email(DRAFT_ID), basic(MARY), "status_404"),
    ]
    for question, credentials, reason in refusals:
        assert await _reason(lookups.ask(question, credentials)) == reason
    sandbox.limit_next(1)
    assert await _reason(lookups.ask(client.owner(), basic(JANE))) == "status_429"
    assert await _reason(lookups.ask(client.owner(), basic(JANE))) is None

"""The README's tables of verdicts, row by row, at each front: what the client is told, and what goes up."""

import json
from typing import Any, Final

from gateway.config.settings import InspectSettings, Mode, RulesSettings
from gateway.policy import Status
from tests.forwarding.emails import EMAILS, SENDERLESS, change, write
from tests.fronts.fronts import Runs
from tests.raw import Answer, connected, with_length
from tests.recording import OK, OWNER, Call, Recording, answers, recording

MISSING: Final[list[dict[str, Any]]] = [{}, {"sender": None}, {"sender": ""}, {"sender": " \t"}]
MALFORMED: Final[list[dict[str, Any]]] = [{"sender": 7}, {"sender": "nobody"}]
GIVEN: Final[list[dict[str, Any]]] = [{"sender": "joe@example.com"}]

REQUIRED: Final = (400, "rejected; sender_required")
BAD: Final = (400, "rejected; sender_malformed")
FORWARDED: Final = (200, "forwarded")
FILLED: Final = (200, "filled; sender")

CREATED: Final = {  # by status: what comes of a sender that is missing, malformed, given
    "inbox": (REQUIRED, BAD, FORWARDED),
    "scheduled": (REQUIRED, BAD, FORWARDED),
    "outbox": (REQUIRED, BAD, FORWARDED),
    "error": (REQUIRED, BAD, FORWARDED),
    "sent": (FILLED, FORWARDED, FORWARDED),
    "draft": (FORWARDED, FORWARDED, FORWARDED),
    None: (FORWARDED, FORWARDED, FORWARDED),
    "queued": (FORWARDED, FORWARDED, FORWARDED),
}
CHANGED: Final = {  # by status, and whether the stored email has a sender
    ("scheduled", "without"): (REQUIRED, BAD, FORWARDED),
    ("scheduled", "with"): (FORWARDED, BAD, FORWARDED),
    ("scheduled", "untold"): (FORWARDED, BAD, FORWARDED),
    ("outbox", "without"): (REQUIRED, BAD, FORWARDED),
    ("outbox", "with"): (FORWARDED, BAD, FORWARDED),
    ("outbox", "untold"): (FORWARDED, BAD, FORWARDED),
    ("inbox", "without"): (FORWARDED, FORWARDED, FORWARDED),
    ("error", "without"): (FORWARDED, FORWARDED, FORWARDED),
    ("sent", "without"): (FORWARDED, FORWARDED, FORWARDED),
    ("draft", "without"): (FORWARDED, FORWARDED, FORWARDED),
    (None, "without"): (FORWARDED, FORWARDED, FORWARDED),
    ("queued", "without"): (FORWARDED, FORWARDED, FORWARDED),
}
OF_SENDERS: Final = RulesSettings(
    status_required=Mode.OFF,
    status_unknown=Mode.OFF,
    lead_id_required=Mode.OFF,
    date_scheduled_required=Mode.OFF,
    send_in_invalid=Mode.OFF,
    send_in_misplaced=Mode.OFF,
    attachment_url_invalid=Mode.OFF,
)
"""Leaves the rules that the tables are about."""


async def close(call: Call) -> None:
    """Know the owner of every key, and a few emails; take every write."""
    stored = {b"without": b'{"sender": null}', b"with": b'{"sender": "jane@example.com"}'}
    if call.request.method != b"GET":
        await answers(OK)(call)
    elif call.request.target.startswith(b"/api/v1/me/"):
        await answers(OWNER)(call)
    else:
        told = stored.get(call.request.target.split(b"/")[5])
        status = b"404 Not Found" if told is None else b"200 OK"
        await answers(with_length(b"HTTP/1.1 %b\r\n" % status, told or b"{}"))(call)


def told(answer: Answer) -> tuple[int, str]:
    """Give what a client is told of the verdict."""
    (mark,) = answer.values(b"x-close-gateway")
    return answer.status, mark.decode()


def gone_up(upstream: Recording) -> list[object]:
    """Give the writes that have gone up, read."""
    return [json.loads(request.body) for request in upstream.requests if request.method != b"GET"]


def with_status(status: str | None, sender: dict[str, Any]) -> dict[str, Any]:
    """Make an email of these."""
    return sender if status is None else {"status": status, **sender}


def test_the_tables_are_complete() -> None:
    """Each status of Close's has its rows."""
    statuses = {status.value for status in Status} | {None, "queued"}
    assert set(CREATED) == statuses
    assert {status for status, _ in CHANGED} == statuses


async def test_an_email_to_create(in_front: Runs) -> None:
    """Each row of the first table, with every way to lack a sender and to have a bad one."""
    async with (
        recording(close) as upstream,
        in_front(upstream.url, rules=OF_SENDERS) as gateway,
        connected(gateway.port) as client,
    ):
        rows = [
            (with_status(status, sender), verdict)
            for status, verdicts in CREATED.items()
            for senders, verdict in zip((MISSING, MALFORMED, GIVEN), verdicts, strict=True)
            for sender in senders
        ]
        for email, verdict in rows:
            assert told(await client.ask(write(json.dumps(email).encode()))) == verdict, email
        assert gone_up(upstream) == [
            email | ({"sender": "jane@example.com"} if verdict is FILLED else {})
            for email, verdict in rows
            if verdict[0] == 200
        ]
        assert gateway.counts == {
            "rejected": sum(verdict[0] == 400 for _, verdict in rows),
            "filled": sum(verdict is FILLED for _, verdict in rows),
            "forwarded": sum(verdict is FORWARDED for _, verdict in rows),
        }


async def test_an_email_to_change(in_front: Runs) -> None:
    """Each row of the second table; Close is asked for the stored email where that alone can tell, and only there."""
    async with (
        recording(close) as upstream,
        in_front(upstream.url, rules=OF_SENDERS) as gateway,
        connected(gateway.port) as client,
    ):
        rows = [
            (with_status(status, sender), stored, verdict, senders is MISSING and status in {"scheduled", "outbox"})
            for (status, stored), verdicts in CHANGED.items()
            for senders, verdict in zip((MISSING, MALFORMED, GIVEN), verdicts, strict=True)
            for sender in senders
        ]
        for email, stored, verdict, _ in rows:
            answer = await client.ask(change(json.dumps(email).encode(), email_id=stored.encode()))
            assert told(answer) == verdict, (email, stored)
        assert gone_up(upstream) == [email for email, _, verdict, _ in rows if verdict[0] == 200]
        asked = [request.target for request in upstream.requests if request.method == b"GET"]
        assert asked == [EMAILS + stored.encode() + b"/?_fields=id,sender" for _, stored, _, asks in rows if asks]


async def test_a_refusal_is_the_same_at_each_front(in_front: Runs) -> None:
    """The JSON, the request's id in it, and the fields that clients read."""
    async with recording() as upstream, in_front(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(write(SENDERLESS, b"X-Request-Id: r-1\r\n"))
        assert answer.start_line == b"HTTP/1.1 400 Bad Request"
        fields = {name.lower(): value for name, value in answer.fields if name.lower() != b"date"}
        assert fields == {
            b"content-type": b"application/json",
            b"content-length": b"%d" % len(answer.body),
            b"x-request-id": b"r-1",
            b"x-close-gateway": b"rejected; sender_required",
        }
        assert json.loads(answer.body) == {
            "errors": [],
            "field-errors": {"sender": "This field is required."},
            "gateway": {
                "code": "sender_required",
                "detail": 'An email with status "outbox" needs a sender: add "sender", such as '
                '"Jane Roe <jane@example.com>", or save it as "draft" for now.',
                "docs": "https://developer.close.com/api/overview/changelog/2025/12/17",
                "request_id": "r-1",
            },
        }
        assert upstream.connections == []
        assert gateway.counts == {"rejected": 1}


async def test_where_nothing_is_refused(in_front: Runs) -> None:
    """In report mode what would have been is told; with mode off, nobody looks."""
    for mode, marks in ((Mode.REPORT, [b"forwarded; reported=sender_required"]), (Mode.OFF, [])):
        async with (
            recording(close) as upstream,
            in_front(upstream.url, rules=OF_SENDERS, inspect=InspectSettings(mode=mode)) as gateway,
            connected(gateway.port) as client,
        ):
            answer = await client.ask(write(SENDERLESS))
            assert (answer.status, answer.values(b"x-close-gateway")) == (200, marks)
            assert [request.body for request in upstream.requests] == [SENDERLESS]

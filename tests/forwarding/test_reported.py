"""What is reported of an email write is told in the mark, the log and the store, and is forwarded as it came."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.settings import InspectSettings, Mode, RejectionsSettings, RulesSettings, UpstreamSettings
from gateway.config.store import StoreLocation
from gateway.policy import ViolationCode
from tests.forwarding.emails import EMAILS, LOGGED, SENDERLESS, change, write
from tests.gateways import Running, running
from tests.policy.senders import JSON_VALUES
from tests.raw import ask, connected, with_length
from tests.recording import OK, OWNER, answers, by_path, hangs, recording
from tests.rejections.recorders import kept

ME = b"/api/v1/me/"
CLOSE = by_path({ME: answers(OWNER)}, answers(OK))
SENT_BY: dict[str, object] = {"lead_id": "lead_1", "status": "outbox", "sender": "jane@example.com"}
ELSEWHERE: list[object] = [{"url": "https://example.com/x"}]
OFF = RulesSettings(**dict.fromkeys((code.value for code in ViolationCode), Mode.OFF))
WATCHING = InspectSettings(mode=Mode.REPORT)


def created(**members: object) -> bytes:
    """Make an email that is fit to be sent, but for these members."""
    return json.dumps(SENT_BY | members).encode()


def reported(gateway: Running) -> list[str]:
    """Tell the codes that the log reports, in their order."""
    return [event["code"] for event in gateway.events("request_reported")]


CREATED = [  # what comes, and what is reported of it
    (b"{}", ["status_required", "lead_id_required"]),
    (created(status=None), ["status_required"]),
    (created(status="received"), ["status_unknown"]),
    (created(lead_id=" "), ["lead_id_required"]),
    (created(status="scheduled"), ["date_scheduled_required"]),
    (created(status="scheduled", date_scheduled="2030-01-31T09:00:00+00:00"), []),
    (created(send_in=60), ["send_in_invalid"]),
    (created(send_in=59), []),
    (created(send_in=30)[:-1] + b', "x": NaN}', []),
    (created(status="draft", send_in=30), ["send_in_misplaced"]),
    (created(attachments=ELSEWHERE), ["attachment_url_invalid"]),
    (
        json.dumps({"status": "x", "send_in": True, "attachments": ELSEWHERE}).encode(),
        ["status_unknown", "lead_id_required", "send_in_invalid", "send_in_misplaced", "attachment_url_invalid"],
    ),
]
CHANGED = [
    (b"{}", []),
    (b'{"status": "received", "lead_id": null}', []),
    (b'{"status": "scheduled", "sender": "a@b.c"}', []),
    (b'{"status": "scheduled", "sender": "a@b.c", "date_scheduled": null}', ["date_scheduled_required"]),
    (b'{"send_in": "30", "attachments": [{}]}', ["send_in_invalid", "attachment_url_invalid"]),
    (b'{"status": "draft", "send_in": 30}', ["send_in_misplaced"]),
]
ROWS = [(write(body), body, codes) for body, codes in CREATED] + [
    (change(body), body, codes) for body, codes in CHANGED
]


@pytest.mark.parametrize(("request_", "body", "codes"), ROWS)
async def test_what_is_reported_is_forwarded(request_: bytes, body: bytes, codes: list[str]) -> None:
    """By default, as it came, and nobody is asked anything; the mark names the codes, and the log each by itself."""
    async with recording() as upstream, running(upstream.url) as gateway:
        answer = await ask(gateway.port, request_)
        assert (answer.status, answer.body) == (200, b"recorded")
        (mark,) = answer.values(b"x-close-gateway")
        assert mark.decode() == "forwarded" + (f"; reported={','.join(codes)}" if codes else "")
        assert len(mark) < 160
        assert [request.body for request in upstream.requests] == [body]
        assert reported(gateway) == codes
        assert gateway.counts == {"forwarded": 1} | ({"reported": 1} if codes else {})


BESIDE = [  # what comes, the mark, what is reported
    (LOGGED[:-1] + b', "send_in": 5}', "filled; sender; reported=send_in_misplaced", ["send_in_misplaced"]),
    (b'{"status": "sent"}', "filled; sender; reported=lead_id_required", ["lead_id_required"]),
    (b'{"status": "outbox"}', "rejected; sender_required; reported=lead_id_required", ["lead_id_required"]),
    (SENDERLESS, "rejected; sender_required", []),
]


@pytest.mark.parametrize(("body", "mark", "codes"), BESIDE)
async def test_what_is_reported_stands_beside_whatever_else_is_done(body: bytes, mark: str, codes: list[str]) -> None:
    """A sender is filled in all the same, and a refusal is one."""
    async with recording(CLOSE) as upstream, running(upstream.url) as gateway:
        answer = await ask(gateway.port, write(body))
        assert answer.values(b"x-close-gateway") == [mark.encode()]
        assert reported(gateway) == codes
        assert gateway.counts == {mark.partition(";")[0]: 1} | ({"reported": 1} if codes else {})


async def test_what_is_reported_is_told_where_nobody_could_be_asked() -> None:
    """The email goes up without a sender, and the mark has the rest."""
    async with recording() as upstream, running(upstream.url) as gateway:
        body = b'{"status": "sent", "user_id": "../x"}'
        answer = await ask(gateway.port, write(body))
        assert answer.values(b"x-close-gateway") == [b"forwarded; reported=lead_id_required"]
        assert [request.body for request in upstream.requests] == [body]


async def test_each_report_is_an_entry_of_its_own(tmp_path: Path) -> None:
    """And the refusal is one, with the first code that was enforced: so the counts of each rule are right."""
    location = StoreLocation.parse(str(tmp_path / "rejections.sqlite3"))
    rules = RulesSettings(send_in_invalid=Mode.ENFORCE, send_in_misplaced=Mode.OFF)
    store = RejectionsSettings(store=location)
    async with recording() as upstream, running(upstream.url, rules=rules, rejections=store) as gateway:
        await ask(
            gateway.port, write(b'{"status": "inbox", "send_in": 99, "attachments": [{}]}', b"X-Request-Id: r-1\r\n")
        )
        await ask(gateway.port, write(created(status="x", lead_id=None), b"X-Request-Id: r-2\r\n"))
        assert len(gateway.events("request_rejected")) == 1
        assert len(gateway.events("request_reported")) == 4
    entries = [(entry.request_id, entry.code, entry.enforced, entry.status) for entry in kept(location)]
    assert sorted(entries) == [
        ("r-1", "attachment_url_invalid", False, 400),
        ("r-1", "lead_id_required", False, 400),
        ("r-1", "sender_required", True, 400),
        ("r-2", "lead_id_required", False, None),
        ("r-2", "status_unknown", False, None),
    ]
    assert [entry.shape for entry in kept(location) if entry.request_id == "r-1"] == [
        {
            "bytes": 55,
            "sender": "absent",
            "fields": {"attachments": "list of 1", "send_in": "number", "status": "inbox"},
            "others": 0,
        }
    ] * 3


async def test_a_rule_that_is_enforced_refuses() -> None:
    """With the field of each that is enforced, and Close is asked nothing: not even who would stand in."""
    rules = RulesSettings(lead_id_required=Mode.ENFORCE, send_in_misplaced=Mode.ENFORCE)
    async with recording() as upstream, running(upstream.url, rules=rules) as gateway:
        answer = await ask(gateway.port, write(b'{"status": "sent", "send_in": 60}'))
        assert (answer.status, answer.values(b"x-close-gateway")) == (
            400,
            [b"rejected; lead_id_required; reported=send_in_invalid"],
        )
        told = json.loads(answer.body)
        assert told["field-errors"] == {
            "lead_id": "This field is required.",
            "send_in": 'This field is only for status "outbox".',
        }
        assert told["gateway"]["code"] == "lead_id_required"
        assert upstream.requests == []


@pytest.mark.parametrize("code", [code.value for code in ViolationCode])
async def test_every_rule_has_a_mode_that_decides(code: str) -> None:
    """Enforced it refuses what breaks it; under inspect.mode = report it is reported; off, nothing is said of it."""
    breaches: dict[str, dict[str, object]] = {
        "sender_required": {"sender": None},
        "sender_malformed": {"sender": "nobody"},
        "status_required": {"status": None},
        "status_unknown": {"status": "received"},
        "lead_id_required": {"lead_id": None},
        "date_scheduled_required": {"status": "scheduled"},
        "send_in_invalid": {"send_in": 60},
        "send_in_misplaced": {"status": "draft", "send_in": 1},
        "attachment_url_invalid": {"attachments": ELSEWHERE},
    }
    request = write(created(**breaches[code]))
    enforced: dict[str, Any] = {"rules": RulesSettings(**(vars_of(OFF) | {code: Mode.ENFORCE}))}
    for sections, status, mark in (
        (enforced, 400, f"rejected; {code}"),
        (enforced | {"inspect": WATCHING}, 200, f"forwarded; reported={code}"),
        ({"rules": OFF}, 200, "forwarded"),
        ({"rules": OFF, "inspect": WATCHING}, 200, "forwarded"),
    ):
        async with recording() as upstream, running(upstream.url, **sections) as gateway:
            answer = await ask(gateway.port, request)
            assert (answer.status, answer.values(b"x-close-gateway")) == (status, [mark.encode()])
            logged = {"gateway_started", f"request_{'rejected' if status == 400 else 'reported'}"}
            assert {event["event"] for event in gateway.log} == (logged if code in mark else {"gateway_started"})


def vars_of(rules: RulesSettings) -> dict[str, Mode]:
    """Give the mode of each rule."""
    return {code.value: getattr(rules, code.value) for code in ViolationCode}


@pytest.mark.parametrize("mode", Mode)
async def test_the_stored_email_is_asked_for_only_where_something_follows(mode: Mode) -> None:
    """A question counts against the caller's limit: with the rule off, none is asked."""
    stored = with_length(b"HTTP/1.1 200 OK\r\n", b'{"sender": null}')
    script = by_path({EMAILS + b"acti_1/": answers(stored)}, answers(OK))
    rules = RulesSettings(sender_required=mode)
    async with recording(script) as upstream, running(upstream.url, rules=rules) as gateway:
        answer = await ask(gateway.port, change(SENDERLESS))
        asked = [request.method for request in upstream.requests].count(b"GET")
        assert (answer.status, asked) == {Mode.ENFORCE: (400, 1), Mode.REPORT: (200, 1), Mode.OFF: (200, 0)}[mode]


async def test_with_all_rules_off_senders_are_filled_in() -> None:
    """Only inspect.mode turns that off."""
    async with recording(CLOSE) as upstream, running(upstream.url, rules=OFF) as gateway:
        assert (await ask(gateway.port, write(LOGGED))).values(b"x-close-gateway") == [b"filled; sender"]
        assert (await ask(gateway.port, write(SENDERLESS))).values(b"x-close-gateway") == [b"forwarded"]


async def test_a_failure_is_told_rather_than_a_report() -> None:
    """It is the gateway that answers then; the log has both."""
    impatient = UpstreamSettings(timeout=0.05)
    async with recording(hangs()) as upstream, running(upstream.url, upstream=impatient) as gateway:
        answer = await ask(gateway.port, write(b'{"status": "draft"}'))
        assert answer.values(b"x-close-gateway") == [b"failed; upstream_timed_out"]
        assert reported(gateway) == ["lead_id_required"]


FIELDS = st.sampled_from(["status", "sender", "lead_id", "date_scheduled", "send_in", "attachments", "user_id", "to"])


@settings(derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(FIELDS, JSON_VALUES), min_size=1, max_size=5))
async def test_reporting_makes_no_request_fail(emails: list[dict[str, object]]) -> None:
    """Whatever JSON stands in whatever field, in report mode Close gets it as it came, and answers it."""
    async with recording() as upstream, running(upstream.url, inspect=WATCHING) as gateway:
        bodies = [json.dumps(email).encode() for email in emails]
        async with connected(gateway.port) as client:
            for body in bodies:
                for request in (write(body), change(body)):
                    assert (await client.ask(request)).body == b"recorded"
        sent = [request.body for request in upstream.requests if request.method != b"GET"]
        assert sent == [body for body in bodies for _ in range(2)]
        assert gateway.events("internal_error") == []

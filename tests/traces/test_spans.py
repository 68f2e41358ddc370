"""The spans of email writes, as a collector gets them from a whole gateway, and what goes up beside them."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.config.settings import InspectSettings, LookupSettings, Mode, TracesSettings, UpstreamSettings
from gateway.upstream.pool import Pool
from tests.change.reloading import reloading
from tests.collector import CLIENT, ERROR, INTERNAL, OK_OR_UNSET, SERVER, Collector, Span
from tests.forwarding.emails import DRAFT, LOGGED, SENDERLESS, change, write
from tests.gateways import running
from tests.raw import ask, connected, values, with_length
from tests.recording import OK, OWNER, Call, Received, Script, answers, by_path, closes, hangs, in_turn, recording

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
CONTEXT = f"traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: vendor=1, other=2\r\n".encode()
CREATE = "POST /api/v1/activity/email/"
CHANGE = "PUT /api/v1/activity/email/{id}/"
ME = b"/api/v1/me/"
CLOSE = by_path({ME: answers(OWNER)}, answers(OK))


def on(collector: Collector, sample: float = 1.0) -> TracesSettings:
    """Give the settings that send spans there."""
    return TracesSettings(endpoint=collector.endpoint, sample=sample)


def handed_on(request: Received) -> tuple[str, str, int]:
    """Read the trace, the span and the flags that a request brought along."""
    (line,) = values(request.head, b"traceparent")
    found = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", line.decode())
    assert found is not None
    return found[1], found[2], int(found[3], 16)


async def test_a_forwarded_email_is_two_spans(collector: Collector) -> None:
    """One of the request, within the client's trace, and one of the call to Close, whose context goes up."""
    async with recording() as upstream, running(upstream.url, traces=on(collector)) as gateway:
        fields = b"User-Agent: test\r\nX-Request-Id: r-1\r\n" + CONTEXT
        await ask(gateway.port, write(DRAFT, fields, path=b"/api/v1/activity/email/?canary=1"))
        await gateway.stop()
        port, (request,) = upstream.port, upstream.requests
    server, call = collector.named(CREATE), collector.named("POST")
    assert (server.kind, server.trace, server.parent, server.state) == (SERVER, TRACE, PARENT, "vendor=1,other=2")
    assert (call.kind, call.trace, call.parent) == (CLIENT, TRACE, server.id)
    assert server.status == call.status == OK_OR_UNSET
    assert server.facts.pop("close_gateway.credential").startswith("fp:")
    assert server.facts == {
        "http.request.method": "POST",
        "http.route": "/api/v1/activity/email/",
        "url.scheme": "http",
        "url.path": "/api/v1/activity/email/",
        "client.address": "127.0.0.1",
        "user_agent.original": "test",
        "http.response.status_code": 200,
        "close_gateway.request_id": "r-1",
        "close_gateway.verdict": "forwarded",
    }
    assert call.facts == {
        "http.request.method": "POST",
        "url.full": f"http://127.0.0.1:{port}/api/v1/activity/email/",
        "server.address": "127.0.0.1",
        "server.port": port,
        "http.response.status_code": 200,
    }
    assert handed_on(request) == (TRACE, call.id, 1)
    assert values(request.head, b"tracestate") == [b"vendor=1,other=2"]
    assert request.body == DRAFT


async def test_a_refusal_is_no_error(collector: Collector) -> None:
    """The span says what was refused, by its code; nothing went up, and the server did as it should."""
    async with recording() as upstream, running(upstream.url, traces=on(collector)) as gateway:
        assert (await ask(gateway.port, write(SENDERLESS))).status == 400
    (span,) = collector.spans
    assert (span.name, span.parent, span.status) == (CREATE, "", OK_OR_UNSET)
    told = {name: span.facts[name] for name in ("close_gateway.verdict", "close_gateway.code")}
    assert told == {"close_gateway.verdict": "rejected", "close_gateway.code": "sender_required"}
    assert span.facts["http.response.status_code"] == 400


async def test_what_is_reported_is_told_apart(collector: Collector) -> None:
    """Beside a verdict and its code, so that who looks for a code finds it."""
    bare = {b"sent": "filled", b"outbox": "rejected", b"draft": "forwarded"}
    async with recording(CLOSE) as upstream, running(upstream.url, traces=on(collector)) as gateway:
        for status in bare:
            await ask(gateway.port, write(b'{"status": "%b", "send_in": 90}' % status))
    told = [
        tuple(span.facts.get(f"close_gateway.{name}") for name in ("verdict", "code", "reported"))
        for span in collector.spans
        if span.name == CREATE
    ]
    assert sorted(told, key=str) == [
        ("filled", "sender", "lead_id_required,send_in_invalid,send_in_misplaced"),
        ("forwarded", None, "lead_id_required,send_in_invalid,send_in_misplaced"),
        ("rejected", "sender_required", "lead_id_required,send_in_invalid"),
    ]


async def test_a_look_up_has_its_spans(collector: Collector) -> None:
    """The wait for it below the request, the question to Close below the wait; each call hands its own context on."""
    async with recording(CLOSE) as upstream, running(upstream.url, traces=on(collector)) as gateway:
        await ask(gateway.port, write(LOGGED, CONTEXT))
        await ask(gateway.port, write(LOGGED))
        await gateway.stop()
        question, first, _ = upstream.requests
    one, other = [span for span in collector.spans if span.name == CREATE]
    lookup = collector.named("lookup owner")
    (get,) = collector.below(lookup)
    assert (lookup.kind, lookup.parent, lookup.trace) == (INTERNAL, one.id, TRACE)
    assert lookup.facts == {
        "close_gateway.lookup.kind": "owner",
        "close_gateway.lookup.outcome": "answered",
        "close_gateway.lookup.asked": True,
    }
    assert (get.name, get.kind, get.facts["http.response.status_code"]) == ("GET /api/v1/me/", CLIENT, 200)
    assert get.facts["url.template"] == "/api/v1/me/"
    assert handed_on(question) == (TRACE, get.id, 1)
    (post,) = [span for span in collector.below(one) if span.name == "POST"]
    assert handed_on(first) == (TRACE, post.id, 1)
    assert one.facts["close_gateway.verdict"] == "filled"
    assert [span.name for span in collector.below(other)] == ["POST"]  # by then the owner was remembered


async def test_who_shares_a_question_waits_for_it(collector: Collector) -> None:
    """Of requests that need the same at the same time one asks; the wait of each is a span of its own."""
    release = asyncio.Event()

    async def script(call: Call) -> None:
        await release.wait()
        await answers(OWNER)(call)

    async with (
        recording(by_path({ME: script}, answers(OK))) as upstream,
        running(upstream.url, traces=on(collector)) as gateway,
    ):
        asked = [asyncio.create_task(ask(gateway.port, write(LOGGED))) for _ in range(4)]
        await upstream.received(1)
        await asyncio.sleep(0.05)
        release.set()
        await asyncio.gather(*asked)
    lookups = [span for span in collector.spans if span.name == "lookup owner"]
    assert len({span.parent for span in lookups}) == 4
    assert sorted(span.facts["close_gateway.lookup.asked"] for span in lookups) == [False] * 3 + [True]
    assert [len(collector.below(span)) for span in lookups if span.facts["close_gateway.lookup.asked"]] == [1]
    assert len([span for span in collector.spans if span.name == "GET /api/v1/me/"]) == 1


LOOKUPS: dict[str, tuple[Script, str, dict[str, Any]]] = {
    "no": (answers(with_length(b"HTTP/1.1 404 Not Found\r\n", b"{}")), "status_404", {"error.type": "404"}),
    "slow": (hangs(), "timed_out", {"error.type": "given_up"}),
    "broken": (closes(), "upstream_broken", {"error.type": "upstream_broken"}),
}


@pytest.mark.parametrize("case", LOOKUPS.values(), ids=LOOKUPS)
async def test_a_look_up_that_fails_says_why(collector: Collector, case: tuple[Script, str, dict[str, Any]]) -> None:
    """The stored email cannot be told: the update is forwarded all the same, and the spans show both."""
    script, outcome, error = case

    async def close(call: Call) -> None:
        await (script if call.request.method == b"GET" else answers(OK))(call)

    hasty = LookupSettings(timeout=0.1)
    async with recording(close) as upstream, running(upstream.url, lookups=hasty, traces=on(collector)) as gateway:
        assert (await ask(gateway.port, change(SENDERLESS))).status == 200
    server, lookup = collector.named(CHANGE), collector.named("lookup stored_email")
    assert (lookup.status, lookup.facts["close_gateway.lookup.outcome"]) == (ERROR, outcome)
    assert lookup.facts["error.type"] == outcome
    get = collector.below(lookup)[-1]
    assert get.status == ERROR
    assert get.facts.items() >= error.items()
    assert (server.status, server.facts["close_gateway.verdict"]) == (OK_OR_UNSET, "forwarded")


async def _spans_of(collector: Collector, script: Script, status: int) -> tuple[Span, Span]:
    """Have an email write meet what Close does; give the spans of the request and of the call."""
    hasty = UpstreamSettings(timeout=0.1)
    async with (
        recording(script) as upstream,
        running(upstream.url, upstream=hasty, traces=on(collector)) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(write(DRAFT))
        assert int((await client.head())[9:12]) == status
        if status == 200:
            await client.rest()
    return collector.named(CREATE), collector.named("POST")


async def test_what_close_fails_to_answer_is_an_error(collector: Collector) -> None:
    """Of both, by the code that the log has; the answer was ours, so the call has no status."""
    server, call = await _spans_of(collector, hangs(), 504)
    assert server.status == call.status == ERROR
    assert server.facts["error.type"] == call.facts["error.type"] == "upstream_timed_out"
    assert server.facts["close_gateway.verdict"] == "failed"
    assert "http.response.status_code" not in call.facts


async def test_an_answer_broken_off_is_an_error(collector: Collector) -> None:
    """Its status was 200, and yet it did not come to its end."""
    server, call = await _spans_of(collector, closes(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx"), 200)
    assert server.status == call.status == ERROR
    assert server.facts["http.response.status_code"] == call.facts["http.response.status_code"] == 200
    assert server.facts["error.type"] == call.facts["error.type"] == "upstream_broken"


@pytest.mark.parametrize(("status", "of_server"), [(500, ERROR), (422, OK_OR_UNSET)])
async def test_an_error_of_closes_is_told_by_its_status(collector: Collector, status: int, of_server: int) -> None:
    """5xx is an error on both sides, 4xx only to who called."""
    close = answers(with_length(b"HTTP/1.1 %d No\r\n" % status, b"{}"))
    async with recording(close) as upstream, running(upstream.url, traces=on(collector)) as gateway:
        assert (await ask(gateway.port, write(DRAFT))).status == status
    server, call = collector.named(CREATE), collector.named("POST")
    assert (server.status, call.status, call.facts["error.type"]) == (of_server, ERROR, str(status))
    assert server.facts.get("error.type") == (str(status) if of_server == ERROR else None)


async def test_a_client_that_leaves_is_told(collector: Collector) -> None:
    """Nobody got the answer; the call ends with the request."""
    async with recording(hangs()) as upstream, running(upstream.url, traces=on(collector)) as gateway:
        async with connected(gateway.port) as client:
            await client.send(write(DRAFT))
            await upstream.received(1)
        await asyncio.sleep(0.05)
    server, call = collector.named(CREATE), collector.named("POST")
    assert server.facts["error.type"] == call.facts["error.type"] == "client_left"
    assert "http.response.status_code" not in server.facts


async def test_a_second_try_is_told(collector: Collector) -> None:
    """A connection of the pool was stale: the same call goes up again, with the same context."""
    script = in_turn(answers(OK), closes(), answers(OK))
    async with recording(script) as upstream, running(upstream.url, traces=on(collector)) as gateway:
        async with connected(gateway.port) as client:
            await client.ask(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await client.ask(change(b"{}"))).status == 200
        await gateway.stop()
        _, first, second = upstream.requests
    call = collector.named("PUT")
    assert (call.status, call.facts["http.request.resend_count"]) == (OK_OR_UNSET, 1)
    assert handed_on(first) == handed_on(second) == (call.trace, call.id, 3)


async def test_what_is_not_sampled_is_handed_on_so(collector: Collector) -> None:
    """With a share of 0 a trace begun here goes on unsampled, and one that the client began stays as it was."""
    async with recording() as upstream, running(upstream.url, traces=on(collector, 0.0)) as gateway:
        await ask(gateway.port, write(DRAFT))
        await ask(gateway.port, write(DRAFT, CONTEXT.replace(b"-01\r\n", b"-00\r\n")))
        await ask(gateway.port, write(DRAFT, CONTEXT))
        await gateway.stop()
        begun, unsampled, sampled = map(handed_on, upstream.requests)
    assert begun[2] & 1 == 0
    assert (unsampled[0], unsampled[2]) == (TRACE, 0)
    assert unsampled[1] != PARENT
    assert (sampled[0], sampled[2]) == (TRACE, 1)
    assert {span.trace for span in collector.spans} == {TRACE}
    assert len(collector.spans) == 2


async def test_what_passes_through_is_left_alone(collector: Collector) -> None:
    """It has no span, and keeps the context that its client gave it, byte for byte; so has all with mode off."""
    odd = b"TraceParent: 00-zz\r\ntraceparent: 2\r\nTRACESTATE: a=1\r\n"
    sections: list[dict[str, Any]] = [{}, {"inspect": InspectSettings(mode=Mode.OFF)}]
    for section, path in zip(sections, (b"/api/v1/lead/", b"/api/v1/activity/email/"), strict=True):
        async with recording() as upstream, running(upstream.url, traces=on(collector), **section) as gateway:
            await ask(gateway.port, write(DRAFT, odd, path=path))
            assert odd in upstream.requests[0].head
    assert collector.spans == []


async def test_off_leaves_all_alone() -> None:
    """Without an endpoint email writes too keep the context of their client."""
    async with recording() as upstream, running(upstream.url) as gateway:
        await ask(gateway.port, write(DRAFT, CONTEXT))
        assert CONTEXT in upstream.requests[0].head


async def test_a_changed_upstream_is_told_and_the_collector_stays(collector: Collector, tmp_path: Path) -> None:
    """Read anew, the settings lead elsewhere, and the spans say so; where these go waits for a restart."""
    settings = f'[traces]\nendpoint = "{collector.endpoint}"\n'
    async with recording() as one, recording() as other, reloading(tmp_path, one.url, settings) as gateway:
        await ask(gateway.port, write(DRAFT))
        gateway.flags["upstream.url"] = other.url
        gateway.write(settings.replace("/v1/", "/v2/") + "sample = 0.5\n")
        told = await gateway.reload()
        assert told["needs_restart"] == ["traces.endpoint", "traces.sample"]
        await ask(gateway.port, write(DRAFT))
        await gateway.running.stop()
    ports = [span.facts["server.port"] for span in collector.spans if span.kind == CLIENT]
    assert ports == [one.port, other.port]


async def test_a_user_that_is_asked_for_is_not_named(collector: Collector) -> None:
    """An id out of a body goes into the question, and into no span."""
    body = LOGGED.replace(b"}", b', "user_id": "user_canary"}')
    close = by_path({b"/api/v1/user/user_canary/": answers(OWNER)}, answers(OK))
    async with recording(close) as upstream, running(upstream.url, traces=on(collector)) as gateway:
        assert (await ask(gateway.port, write(body))).values(b"x-close-gateway") == [b"filled; sender"]
    assert collector.named("lookup user").facts["close_gateway.lookup.asked"]
    assert collector.named("GET /api/v1/user/{id}/").status == OK_OR_UNSET
    assert b"canary" not in b"".join(collector.bodies)


async def test_a_fault_of_our_own_is_an_error(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its code, not by what the verdict was."""

    def fail(pool: Pool) -> None:
        raise ValueError("canary")

    monkeypatch.setattr(Pool, "take", fail)
    async with recording() as upstream, running(upstream.url, traces=on(collector)) as gateway:
        assert (await ask(gateway.port, write(DRAFT))).status == 500
    server, call = collector.named(CREATE), collector.named("POST")
    assert server.status == call.status == ERROR
    assert server.facts["error.type"] == call.facts["error.type"] == "internal_error"
    assert b"canary" not in b"".join(collector.bodies)

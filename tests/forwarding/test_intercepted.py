"""Email writes that are looked into and forwarded: they go up as they came, and their answers are marked."""

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from gateway.config.settings import InspectSettings, Mode, UpstreamSettings
from tests.forwarding.emails import DRAFT, EMAILS, FIELDS, LOGGED, SENDERLESS, change, write
from tests.gateways import running
from tests.raw import Answer, ask, chunked, connected, values, with_length
from tests.recording import OK, OWNER, Call, Script, answers, by_path, hangs, recording, resets

SENT_BY = b'{"lead_id": "lead_1", "status": "outbox", "sender": "jane@example.com"}'

FORWARDED = [
    DRAFT,
    SENT_BY,
    b' \r\n{"lead_id":"l", "status" :\t"draft" , "x":1.0E+2,"y":"\\u00e9\\/", "status":"draft"}\n ',
    b'\xef\xbb\xbf{"lead_id": "l", "status": "draft"}',
    '{"lead_id": "l", "status": "draft"}'.encode("utf-16"),
    b'{"lead_id": "l", "status": "draft", "x": NaN, "y": -Infinity, "z": ' + b"9" * 5000 + b"}",
    b'{"lead_id": "l", "status": "draft", "x": "\\ud800"}',
]
UNREADABLE = [
    b"",
    b" ",
    b"status=outbox",
    b"[]",
    b'["status", "outbox"]',
    b"null",
    b'"outbox"',
    b'{"status": "outbox"',
    b'{"status": "outbox"}}',
    b'{"status": "outbox", "x": "\xff"}',
    b'{"status": "outbox", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    b"\0\xff" * 100,
]


@pytest.mark.parametrize("make", [write, change], ids=["create", "update"])
@pytest.mark.parametrize("body", FORWARDED + UNREADABLE, ids=lambda body: repr(body[:24]))
async def test_what_is_forwarded_goes_up_as_it_came(body: bytes, make: Callable[[bytes, bytes], bytes]) -> None:
    """Judged fit or not readable at all: head and body are the client's, byte for byte."""
    fields = b"X-Twice: a\r\nx-TWICE: \xff\r\nX-Request-Id: r-1\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(make(body, fields))
        stamp = b"X-Request-Id: r-1\r\nX-Close-Gateway: forwarded\r\n"
        assert answer == Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n" + stamp + b"\r\n", b"recorded")
        (request,) = upstream.requests
        expected = make(body, fields).replace(b"api.close.com", upstream.authority)
        assert request.head + request.body == expected
        assert [event["event"] for event in gateway.log] == ["gateway_started"]


CODED = [
    (b"gzip", gzip.compress(DRAFT, mtime=0)),
    (b"x-gzip", gzip.compress(DRAFT, mtime=0)),
    (b"deflate", zlib.compress(DRAFT)),
    (b"br", brotli.compress(DRAFT)),
    (b"zstd", zstandard.compress(DRAFT)),
    (b"gzip, br", brotli.compress(gzip.compress(DRAFT, mtime=0))),
    (b"identity", DRAFT),
    (b"gzip", gzip.compress(SENDERLESS, mtime=0)[:-1]),
    (b"gzip", SENDERLESS),
    (b"compress", SENDERLESS),
]


@pytest.mark.parametrize(("coding", "body"), CODED)
async def test_a_coded_body_goes_up_as_it_came(coding: bytes, body: bytes) -> None:
    """Read or unreadable, it keeps its coding."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(write(body, b"Content-Encoding: %b\r\n" % coding))
        assert values(upstream.requests[0].head, b"content-encoding") == [coding]
        assert upstream.requests[0].body == body


async def test_a_chunked_body_goes_up_whole() -> None:
    """The gateway has read it, so its length is known."""
    head = b"POST %b HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (EMAILS, FIELDS)
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(head + chunked(DRAFT[:7], DRAFT[7:]))
        expected = write(DRAFT).replace(b"api.close.com", upstream.authority)
        assert upstream.requests[0].head + upstream.requests[0].body == expected


SANE = [b"r-1", b"9f86d081-884c-4d63-a1b2-000000000000", b"a.b_c:d/e+f=g@h", b"x" * 128]
INSANE = [b"", b"x" * 129, b"a b", b"-a", b'a"b', b"caf\xe9", b"a;b", b"a\tb"]


async def test_the_clients_own_request_id_is_answered_where_it_is_sane() -> None:
    """Else the answer has one that can be looked for in the log. Either way the client's goes up as it came."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for given in SANE + INSANE:
            answer = await client.ask(write(DRAFT, b"X-Request-Id: %b\r\n" % given))
            (answered,) = answer.values(b"x-request-id")
            assert (answered == given) is (given in SANE), given
            assert given in SANE or re.fullmatch(rb"[0-9a-f]{32}", answered)
        assert [values(request.head, b"x-request-id") for request in upstream.requests] == [[i] for i in SANE + INSANE]


async def test_each_request_has_an_id_of_its_own() -> None:
    """Where the client sends none, none goes up."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        ids = {(await client.ask(write(DRAFT))).values(b"x-request-id")[0] for _ in range(3)}
        assert len(ids) == 3
        assert not any(values(request.head, b"x-request-id") for request in upstream.requests)


async def test_an_answer_has_one_request_id() -> None:
    """Close's own would contradict what the log says: it gives place, whatever its case."""
    answer = with_length(b"HTTP/1.1 200 OK\r\nx-request-ID: close-1\r\nX-Other: 1\r\n", b"x")
    async with recording(answer) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        first = await client.ask(write(DRAFT, b"X-Request-Id: r-1\r\n"))
        assert (first.values(b"x-request-id"), first.values(b"x-other")) == ([b"r-1"], [b"1"])
        plain = await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\n\r\n")
        assert plain.head + plain.body == answer


async def test_an_absolute_target_is_judged_too() -> None:
    """What follows its authority is the path; the upstream gets no more than that."""
    target = b"http://api.close.com/api/v1/activity/email/?x"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(write(SENDERLESS, path=target))).status == 400
        assert (await client.ask(write(DRAFT, path=target))).status == 200
        assert upstream.targets == [EMAILS + b"?x"]


async def test_report_mode_forwards_what_it_would_reject() -> None:
    """As it came, with a mark and an event that say so; fills are filled."""
    report = InspectSettings(mode=Mode.REPORT)
    script = by_path({b"/api/v1/me/": answers(OWNER)}, answers(OK))
    async with recording(script) as upstream, running(upstream.url, inspect=report) as gateway:
        answer = await ask(gateway.port, write(SENDERLESS, b"X-Request-Id: r-1\r\n"))
        assert (answer.status, answer.body) == (200, b"recorded")
        assert answer.values(b"x-close-gateway") == [b"forwarded; reported=sender_required"]
        assert upstream.requests[0].body == SENDERLESS
        (event,) = gateway.events("request_reported")
        assert (event["request_id"], event["code"], event["email_status"]) == ("r-1", "sender_required", "outbox")
        assert gateway.counts == {"forwarded": 1, "reported": 1}
        filled = await ask(gateway.port, write(LOGGED))
        assert filled.values(b"x-close-gateway") == [b"filled; sender"]


async def test_off_mode_looks_into_nothing() -> None:
    """Everything passes, unread, unmarked and unfilled."""
    async with recording() as upstream, running(upstream.url, inspect=InspectSettings(mode=Mode.OFF)) as gateway:
        for body in (SENDERLESS, LOGGED, DRAFT):
            answer = await ask(gateway.port, write(body))
            assert answer.head + answer.body == OK
        assert [request.body for request in upstream.requests] == [SENDERLESS, LOGGED, DRAFT]


LOOKED_UP = [  # the stored email's answer, the change's status, and whether a look-up failure is told
    (with_length(b"HTTP/1.1 200 OK\r\n", b'{"sender": null}'), 400, False),
    (with_length(b"HTTP/1.1 200 OK\r\n", b'{"sender": ""}'), 400, False),
    (with_length(b"HTTP/1.1 200 OK\r\n", b'{"sender": "jane@example.com"}'), 200, False),
    (with_length(b"HTTP/1.1 200 OK\r\n", b"{}"), 200, True),
    (with_length(b"HTTP/1.1 200 OK\r\n", b"nonsense"), 200, True),
    (with_length(b"HTTP/1.1 404 Not Found\r\n", b"{}"), 200, True),
    (with_length(b"HTTP/1.1 500 Oh\r\n", b"{}"), 200, True),
    (b"garbage\r\n\r\n", 200, True),
]


@pytest.mark.parametrize(("stored", "status", "failed"), LOOKED_UP)
async def test_an_update_asks_for_the_stored_email(stored: bytes, status: int, *, failed: bool) -> None:
    """One question, on the caller's credentials, for no more than is needed; what Close cannot tell is forwarded."""

    async def script(call: Call) -> None:
        await answers(stored if call.request.method == b"GET" else OK)(call)

    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(change(SENDERLESS))).status == status
        question, *forwarded = upstream.requests
        assert question.target == b"/api/v1/activity/email/acti_1/?_fields=id,sender"
        assert values(question.head, b"authorization") == [b"Basic a2V5Og=="]
        assert [request.body for request in forwarded] == [SENDERLESS] * (status == 200)
        assert len(gateway.events("lookup_failed")) == failed


@pytest.mark.parametrize("make", [write, change], ids=["create", "update"])
async def test_the_gateway_grants_continue_for_what_it_reads(make: Callable[[bytes, bytes], bytes]) -> None:
    """RFC 9110, 10.1.1: it wants the body itself, so nobody else is asked."""
    request = make(DRAFT, b"Expect: 100-continue\r\n")
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(request.removesuffix(DRAFT))).head == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert upstream.requests == []
        assert (await client.ask(DRAFT)).status == 200
        assert values(upstream.requests[0].head, b"expect") == []
        assert upstream.requests[0].body == DRAFT


async def test_no_continue_for_a_body_that_is_there() -> None:
    """Nor for a client of HTTP/1.0, which knows none (RFC 9110, 10.1.1)."""
    request = write(DRAFT, b"Expect: 100-continue\r\nConnection: keep-alive\r\n")
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(request)).status == 200
        await client.send(request.replace(b"HTTP/1.1", b"HTTP/1.0").removesuffix(DRAFT))
        await asyncio.sleep(0.05)
        assert (await client.ask(DRAFT)).status == 200
        assert len(upstream.requests) == 2


async def test_a_body_that_ends_early_goes_nowhere() -> None:
    """What is not whole is not judged and not forwarded, whoever ended it."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        await client.send(write(DRAFT)[:-1])
        client.end()
        await client.rest()
        assert upstream.requests == []


@pytest.mark.parametrize(("together", "code"), [(True, "request_malformed"), (False, "request_broken")])
async def test_a_body_that_is_framed_wrongly_is_refused(*, together: bool, code: str) -> None:
    """In Close's shape, and the connection ends: what follows is not worth guessing."""
    head = b"POST %b HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (EMAILS, FIELDS)
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        body = b"4\r\n{}  \r\nnonsense\r\n"
        for piece in [head + body] if together else [head, body]:
            await client.send(piece)
            await asyncio.sleep(0.05)
        answer = await client.answer()
        assert (answer.status, answer.values(b"connection")) == (400, [b"close"])
        assert json.loads(answer.body)["gateway"]["code"] == code
        assert await client.rest() == b""
        assert upstream.requests == []


FAILURES = [(hangs(), "upstream_timed_out"), (resets(), "upstream_broken")]


@pytest.mark.parametrize(("script", "code"), FAILURES)
async def test_what_the_upstream_fails_is_marked_so(script: Script, code: str) -> None:
    """A client that goes by the mark sees that it is not Close who answers."""
    impatient = UpstreamSettings(timeout=0.2)
    async with recording(script) as upstream, running(upstream.url, upstream=impatient) as gateway:
        answer = await ask(gateway.port, write(DRAFT, b"X-Request-Id: r-1\r\n"))
        assert answer.status in {502, 504}
        assert answer.values(b"x-close-gateway") == [f"failed; {code}".encode()]
        assert answer.values(b"x-request-id") == [b"r-1"]

"""What goes up of a request, at each front: the client's own bytes, but for what a verdict changes."""

import gzip
import json
import zlib
from typing import Final

import brotli
import pytest
import zstandard

from gateway.config.settings import AnswerSettings, InspectSettings, Oversize
from tests.forwarding.emails import DRAFT, EMAILS, FIELDS, LOGGED, SENDERLESS, write
from tests.fronts.fronts import Runs
from tests.raw import Answer, Client, chunked, connected, values, with_length
from tests.recording import OK, OWNER, Received, answers, by_path, recording

ME: Final = b"/api/v1/me/"
CLOSE: Final = by_path({ME: answers(OWNER)}, answers(OK))
FILLED: Final = b'{"sender": "jane@example.com", "lead_id": "lead_1", "status": "sent"}'
LIMIT: Final = 1000
LONG: Final = SENDERLESS[:-1] + b', "x": "' + b"x" * LIMIT + b'"}'
BEFORE_THE_BODY: Final = b"POST %b HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (EMAILS, FIELDS)


def one(request: Received, name: bytes) -> bytes | None:
    """Give the value of a field that comes once, or not at all."""
    found = values(request.head, name)
    assert len(found) <= 1
    return found[0] if found else None


BODIES = [  # what comes, what goes up
    (DRAFT, DRAFT),
    (LOGGED, FILLED),
    (b'{ "status" : "sent", "sender" : null }', b'{ "status" : "sent", "sender" : "jane@example.com" }'),
    (
        b'{"status":"sent","x":NaN,"y":"\\ud800"}',
        b'{"sender": "jane@example.com", "status":"sent","x":NaN,"y":"\\ud800"}',
    ),
    (b'\xef\xbb\xbf{"status": "draft"}', b'\xef\xbb\xbf{"status": "draft"}'),
    (b'{"status": "outbox"', b'{"status": "outbox"'),
    (b"\0\xff" * 100, b"\0\xff" * 100),
    (b"", b""),
]


@pytest.mark.parametrize("chunks", [False, True], ids=["length", "chunks"])
async def test_a_body_goes_up_as_it_came_but_for_a_sender(in_front: Runs, *, chunks: bool) -> None:
    """With the length that it has, and every field that it came with."""
    fields = b"X-Twice: a\r\nx-TWICE: \xff\r\nX-Request-Id: r-1\r\n"
    async with (
        recording(CLOSE) as upstream,
        in_front(upstream.url) as gateway,
        connected(gateway.port) as client,
    ):
        for body, _ in BODIES:
            head = BEFORE_THE_BODY.removesuffix(b"\r\n") + fields + b"\r\n"
            pieces = chunked(body[:9], body[9:]) if len(body) > 9 else chunked(body) if body else b"0\r\n\r\n"
            answer = await client.ask(head + pieces if chunks else write(body, fields))
            assert (answer.status, answer.values(b"x-request-id")) == (200, [b"r-1"])
        writes = [request for request in upstream.requests if request.method == b"POST"]
        assert [request.body for request in writes] == [filled for _, filled in BODIES]
        for request in writes:
            assert values(request.head, b"x-twice") == [b"a", b"\xff"]
            assert one(request, b"authorization") == b"Basic a2V5Og=="
            assert one(request, b"x-request-id") == b"r-1"
            if not chunks:
                assert one(request, b"content-length") == b"%d" % len(request.body)


CODED = [
    (b"gzip", gzip.compress),
    (b"deflate", zlib.compress),
    (b"br", brotli.compress),
    (b"zstd", zstandard.compress),
]


async def test_a_coded_body_is_judged_and_keeps_its_coding_unless_it_is_filled(in_front: Runs) -> None:
    """A sender is put into the plain bytes: without the coding, and without digests of bytes that are no more."""
    digests = b"Content-MD5: x\r\nDigest: x\r\nContent-Digest: x\r\nRepr-Digest: x\r\n"
    async with recording(CLOSE) as upstream, in_front(upstream.url) as gateway, connected(gateway.port) as client:
        for coding, code in CODED:
            fields = b"Content-Encoding: %b\r\n" % coding + digests
            assert (await client.ask(write(code(SENDERLESS), fields))).status == 400
            for body, gone_up, its_coding, its_digest in (
                (DRAFT, code(DRAFT), coding, b"x"),
                (LOGGED, FILLED, None, None),
            ):
                assert (await client.ask(write(code(body), fields))).status == 200
                request = upstream.requests[-1]
                assert (request.body, one(request, b"content-encoding")) == (gone_up, its_coding)
                assert one(request, b"content-length") == b"%d" % len(gone_up)
                assert {one(request, name) for name in (b"content-md5", b"digest", b"repr-digest")} == {its_digest}


async def ask_in_chunks(client: Client, body: bytes) -> Answer:
    """Send a body whose length is told at its end alone."""
    return await client.ask(BEFORE_THE_BODY + chunked(body[:LIMIT], body[LIMIT:]))


async def test_what_is_larger_than_is_inspected_goes_up_unjudged(in_front: Runs) -> None:
    """Its length was told or not; it would have been refused."""
    small = InspectSettings(max_body=LIMIT)
    async with (
        recording(CLOSE) as upstream,
        in_front(upstream.url, inspect=small) as gateway,
        connected(gateway.port) as client,
    ):
        for answer in (await client.ask(write(LONG)), await ask_in_chunks(client, LONG)):
            assert (answer.status, answer.values(b"x-close-gateway")) == (200, [b"forwarded"])
        assert [request.body for request in upstream.requests] == [LONG, LONG]
        assert gateway.counts == {"oversize": 2}
        assert (await client.ask(write(SENDERLESS))).status == 400


async def test_what_is_larger_may_be_refused(in_front: Runs) -> None:
    """inspect.oversize = "reject": 413, in Close's shape."""
    small = InspectSettings(max_body=LIMIT, oversize=Oversize.REJECT)
    async with recording(CLOSE) as upstream, in_front(upstream.url, inspect=small) as gateway:
        for in_chunks in (False, True):
            async with connected(gateway.port) as client:
                answer = await (ask_in_chunks(client, LONG) if in_chunks else client.ask(write(LONG)))
                assert (answer.status, answer.values(b"x-close-gateway")) == (413, [b"rejected; body_too_large"])
                assert json.loads(answer.body)["gateway"]["code"] == "body_too_large"
        assert upstream.requests == []


@pytest.mark.parametrize("size", [100_000, 3_000_000])
async def test_a_large_body_is_judged_and_filled(in_front: Runs, size: int) -> None:
    """Within inspect.max_body, 8 MiB: with its length told, and without."""
    large = LOGGED[:-1] + b', "x": "' + b"x" * size + b'"}'
    async with recording(CLOSE) as upstream, in_front(upstream.url) as gateway, connected(gateway.port) as client:
        for answer in (await client.ask(write(large)), await ask_in_chunks(client, large)):
            assert (answer.status, answer.values(b"x-close-gateway")) == (200, [b"filled; sender"])
        assert {request.body for request in upstream.requests[1:]} == {b'{"sender": "jane@example.com", ' + large[1:]}


SPELLINGS = [
    b"/api/v1/activity/email/",
    b"/api/v1/activity/email",
    b"/api/v1/activity/email/?_fields=id",
    b"/api/v1/activity/email?x=/other/",
    b"//api///v1/activity/email//",
    b"/api/v1/./activity/../activity/email/",
    b"/api/v1/activity/email/.",
    b"/x/../api/v1/activity/email/acti_1/..",
    b"/%61pi/v1/activity/%65mail/",
    b"/api%2Fv1%2factivity/email/",
    b"/api/v1/lead/%2e%2e/activity/email/",
]


async def test_no_spelling_of_the_path_slips_past(in_front: Runs) -> None:
    """Each is judged: a draft goes up with the target as it came, what lacks its sender does not go up."""
    async with recording() as upstream, in_front(upstream.url) as gateway, connected(gateway.port) as client:
        for spelling in SPELLINGS:
            assert (await client.ask(write(DRAFT, path=spelling))).status == 200, spelling
            assert (await client.ask(write(SENDERLESS, path=spelling))).status == 400, spelling
        assert upstream.targets == SPELLINGS


UNJUDGED = [
    b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % EMAILS,
    b"DELETE %bacti_1/ HTTP/1.1\r\nHost: a\r\n\r\n" % EMAILS,
    write(SENDERLESS, path=b"/api/v1/activity/emailthread/"),
    write(SENDERLESS, path=b"/api/v1/bulk_action/email/"),
    write(SENDERLESS, path=EMAILS + b"acti_1/"),
    write(SENDERLESS, method=b"PUT"),
    write(SENDERLESS, path=b"/api/v1/activity/email/acti_1/send/"),
    write(SENDERLESS, path=b"/api/v2/activity/email/"),
    write(SENDERLESS, path=b"/?next=/api/v1/activity/email/"),
    write(SENDERLESS, b"X-HTTP-Method-Override: GET\r\n"),
]


async def test_what_is_no_email_write_passes_unmarked(in_front: Runs) -> None:
    """Whether or not it has to be looked at to know so."""
    async with recording() as upstream, in_front(upstream.url) as gateway, connected(gateway.port) as client:
        for request in UNJUDGED:
            answer = await client.ask(request)
            assert (answer.status, answer.body) == (200, b"recorded")
            assert answer.values(b"x-close-gateway") + answer.values(b"x-request-id") == []
        assert len(upstream.requests) == len(UNJUDGED)
        assert gateway.counts == {}


async def test_a_method_override_is_judged_as_what_it_stands_for(in_front: Runs) -> None:
    """A POST that stands for a PUT is an update; it goes up as the POST it is."""
    override = b"X-HTTP-Method-Override: put\r\n"
    async with recording() as upstream, in_front(upstream.url) as gateway, connected(gateway.port) as client:
        bad = b'{"status": "outbox", "sender": 7}'
        assert (await client.ask(write(bad, override, path=EMAILS + b"acti_1/"))).status == 400
        assert (await client.ask(write(DRAFT, override, path=EMAILS + b"acti_1/"))).status == 200
        assert [request.method for request in upstream.requests] == [b"POST"]


async def test_the_mark_can_be_turned_off(in_front: Runs) -> None:
    """answer.mark = false; the request id stays."""
    async with (
        recording() as upstream,
        in_front(upstream.url, answer=AnswerSettings(mark=False)) as gateway,
        connected(gateway.port) as client,
    ):
        for body, status in ((DRAFT, 200), (SENDERLESS, 400)):
            answer = await client.ask(write(body))
            assert (answer.status, answer.values(b"x-close-gateway")) == (status, [])
            assert answer.values(b"x-request-id")


async def test_a_key_that_close_refuses_is_asked_for_anew(in_front: Runs) -> None:
    """A 401 to an email write drops what was learnt on its key."""
    refused = answers(with_length(b"HTTP/1.1 401 Unauthorized\r\n", b"{}"))
    script = by_path({ME: answers(OWNER), EMAILS + b"acti_1/": refused}, answers(OK))
    async with recording(script) as upstream, in_front(upstream.url) as gateway, connected(gateway.port) as client:
        for request in (write(LOGGED), write(DRAFT, method=b"PUT", path=EMAILS + b"acti_1/"), write(LOGGED)):
            await client.ask(request)
        paths = [target.partition(b"?")[0] for target in upstream.targets]
        assert paths == [ME, EMAILS, EMAILS + b"acti_1/", ME, EMAILS]


async def test_an_event_tells_of_the_client(in_front: Runs) -> None:
    """Its address, its key's fingerprint, and what it sent."""
    async with recording() as upstream, in_front(upstream.url) as gateway, connected(gateway.port) as client:
        await client.ask(write(SENDERLESS, b"X-Request-Id: r-1\r\nUser-Agent: a/1\r\n"))
        (event,) = gateway.events("request_rejected")
        names = ("request_id", "code", "method", "path", "email_status", "lead_id", "client", "user_agent")
        assert [event[name] for name in names] == [
            *("r-1", "sender_required", "POST", "/api/v1/activity/email/", "outbox", "lead_1", "127.0.0.1", "a/1")
        ]
        assert event["credential"].startswith("fp:")

"""Email writes that are filled: the sender is put into the bytes, and the head fits the new body."""

import gzip
import zlib

import brotli
import pytest
import zstandard

from tests.forwarding.emails import EMAILS, FIELDS, LOGGED, write
from tests.gateways import running
from tests.raw import ask, chunked, connected, values, with_length
from tests.recording import OK, OWNER, Script, answers, by_path, hangs, recording, resets

ME = b"/api/v1/me/"
FILLED = b'{"sender": "jane@example.com", "lead_id": "lead_1", "status": "sent"}'
CLOSE = by_path({ME: answers(OWNER)}, answers(OK))
"""Knows the owner of every key."""

BODIES = [  # what comes, what goes up
    (b'{"status":"sent"}', b'{"sender": "jane@example.com", "status":"sent"}'),
    (b'{ "status" : "sent", "sender" : null }', b'{ "status" : "sent", "sender" : "jane@example.com" }'),
    (b'{"sender":"","status":"sent","x":1.0E+2}', b'{"sender":"jane@example.com","status":"sent","x":1.0E+2}'),
    (b'{"status":"sent","sender":" \\t"}\r\n', b'{"status":"sent","sender":"jane@example.com"}\r\n'),
    (
        b'{"sender":"a@b.c","s\\u0065nder":null,"status":"sent"}',
        b'{"sender":"a@b.c","s\\u0065nder":"jane@example.com","status":"sent"}',
    ),
    (
        b'{"status":"sent","x":NaN,"y":"\\ud800","z":{"sender":null}}',
        b'{"sender": "jane@example.com", "status":"sent","x":NaN,"y":"\\ud800","z":{"sender":null}}',
    ),
]


@pytest.mark.parametrize(("body", "filled"), BODIES)
async def test_the_sender_is_put_into_the_bytes(body: bytes, filled: bytes) -> None:
    """All else of the body stays byte for byte, and all of the head but Host and Content-Length."""
    fields = b"X-Twice: a\r\nx-TWICE: \xff\r\nX-Request-Id: r-1\r\n"
    async with recording(CLOSE) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(write(body, fields))
        mark = b"filled; sender; reported=lead_id_required"
        assert (answer.status, answer.values(b"x-close-gateway")) == (200, [mark])
        assert answer.values(b"x-request-id") == [b"r-1"]
        _, request = upstream.requests
        assert request.head + request.body == write(filled, fields).replace(b"api.close.com", upstream.authority)
        (event,) = gateway.events("sender_filled")
        assert (event["request_id"], event["source"]) == ("r-1", "owner")
        assert gateway.counts == {"filled": 1, "reported": 1}


CODED = [
    (b"gzip", gzip.compress(LOGGED, mtime=0)),
    (b"deflate", zlib.compress(LOGGED)),
    (b"br", brotli.compress(LOGGED)),
    (b"zstd", zstandard.compress(LOGGED)),
    (b"gzip, br", brotli.compress(gzip.compress(LOGGED, mtime=0))),
]


@pytest.mark.parametrize(("coding", "body"), CODED)
async def test_a_coded_body_goes_up_plain(coding: bytes, body: bytes) -> None:
    """Without its Content-Encoding, and without digests of bytes that are no more (RFC 9530)."""
    of_the_bytes = b"CONTENT-encoding: %b\r\nContent-MD5: x\r\nDigest: x\r\nContent-Digest: x\r\nRepr-Digest: x\r\n"
    async with recording(CLOSE) as upstream, running(upstream.url) as gateway:
        answer = await ask(gateway.port, write(body, b"X-Before: 1\r\n" + of_the_bytes % coding + b"X-After: 2\r\n"))
        assert answer.values(b"x-close-gateway") == [b"filled; sender"]
        request = upstream.requests[1]
        expected = write(FILLED, b"X-Before: 1\r\nX-After: 2\r\n").replace(b"api.close.com", upstream.authority)
        assert request.head + request.body == expected


async def test_a_chunked_body_gets_its_length() -> None:
    """The gateway has read and changed it, so its length is known."""
    head = b"POST %b HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (EMAILS, FIELDS)
    async with recording(CLOSE) as upstream, running(upstream.url) as gateway:
        await ask(gateway.port, head + chunked(LOGGED[:9], LOGGED[9:]))
        request = upstream.requests[1]
        assert request.head + request.body == write(FILLED).replace(b"api.close.com", upstream.authority)


async def test_the_owner_is_asked_for_with_the_callers_own_key() -> None:
    """Once for many, for no more than is needed, and with nothing else of the caller's."""
    async with recording(CLOSE) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for _ in range(3):
            await client.ask(write(LOGGED, b"Cookie: a=1\r\nX-Mine: 1\r\n"))
        question, *forwarded = upstream.requests
        assert question.target == ME + b"?_fields=id,email"
        assert values(question.head, b"authorization") == [b"Basic a2V5Og=="]
        assert values(question.head, b"cookie") + values(question.head, b"x-mine") == []
        assert [request.body for request in forwarded] == [FILLED] * 3


async def test_the_users_own_address_is_filled_in_where_the_email_names_one() -> None:
    """The user is asked for by id, not the key's owner."""
    john = with_length(b"HTTP/1.1 200 OK\r\n", b'{"email": "john@example.com"}')
    script = by_path({b"/api/v1/user/user_2/": answers(john)}, answers(OK))
    async with recording(script) as upstream, running(upstream.url) as gateway:
        await ask(gateway.port, write(b'{"status":"sent","user_id":"user_2"}'))
        expected = b'{"sender": "john@example.com", "status":"sent","user_id":"user_2"}'
        assert upstream.requests[1].body == expected
        assert gateway.events("sender_filled")[0]["source"] == "user"


UNTOLD = [
    (answers(with_length(b"HTTP/1.1 401 Unauthorized\r\n", b"{}")), "status_401"),
    (answers(with_length(b"HTTP/1.1 500 Oh\r\n", b'{"email": "jane@example.com"}')), "status_500"),
    (answers(with_length(b"HTTP/1.1 200 OK\r\n", b"nonsense")), "unreadable"),
    (answers(with_length(b"HTTP/1.1 200 OK\r\n", b'["email"]')), "unreadable"),
    (answers(with_length(b"HTTP/1.1 200 OK\r\n", b"{}")), "no_email_told"),
    (answers(with_length(b"HTTP/1.1 200 OK\r\n", b'{"email": "nobody"}')), "no_email_told"),
    (answers(with_length(b"HTTP/1.1 200 OK\r\n", b" " * 100_000)), "unreadable"),
    (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}garbage"), "unreadable"),
    (answers(b"garbage\r\n\r\n"), "upstream_broken"),
    (resets(), "upstream_broken"),
    (resets(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"email": "jane@example.com"}'), "upstream_broken"),
]


@pytest.mark.parametrize(("script", "reason"), UNTOLD)
async def test_what_close_does_not_tell_is_not_filled(script: Script, reason: str) -> None:
    """The request goes up as it came, and the log says why; the upstream's answer decides."""
    async with recording(by_path({ME: script}, answers(OK))) as upstream, running(upstream.url) as gateway:
        answer = await ask(gateway.port, write(LOGGED, b"X-Request-Id: r-1\r\n"))
        assert (answer.status, answer.values(b"x-close-gateway")) == (200, [b"forwarded"])
        assert upstream.requests[1].body == LOGGED
        (event,) = gateway.events("lookup_failed")
        assert (event["request_id"], event["kind"], event["reason"]) == ("r-1", "owner", reason)


NO_OWNER = [
    write(LOGGED).replace(b"Authorization: Basic a2V5Og==\r\n", b""),
    write(LOGGED, b"authorization: Basic b3RoZXI6\r\n"),
]


@pytest.mark.parametrize("request_", NO_OWNER, ids=["none", "two"])
async def test_without_one_clear_key_nobody_is_asked_for(request_: bytes) -> None:
    """Whose request it is would be a guess; Close will say what it thinks of it."""
    async with recording(CLOSE) as upstream, running(upstream.url) as gateway:
        assert (await ask(gateway.port, request_)).values(b"x-close-gateway") == [b"forwarded"]
        assert [request.body for request in upstream.requests] == [LOGGED]
        assert gateway.events("lookup_failed")[0]["reason"] == "no_credentials"


async def test_a_key_that_close_refuses_is_asked_for_anew() -> None:
    """A 401 to any request drops what was learnt on its key."""
    refused = answers(with_length(b"HTTP/1.1 401 Unauthorized\r\n", b"{}"))
    script = by_path({ME: answers(OWNER), b"/api/v1/lead/": refused}, answers(OK))
    lead = b"GET /api/v1/lead/ HTTP/1.1\r\n" + FIELDS + b"\r\n"
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for request in (write(LOGGED), lead, write(LOGGED)):
            await client.ask(request)
        paths = [target.partition(b"?")[0] for target in upstream.targets]
        assert paths == [ME, EMAILS, b"/api/v1/lead/", ME, EMAILS]


async def test_the_answer_of_one_key_is_not_told_to_another() -> None:
    """Each key asks for itself, also while the first one waits."""
    async with (
        recording(by_path({ME: hangs()}, answers(OK))) as upstream,
        running(upstream.url) as gateway,
        connected(gateway.port) as one,
        connected(gateway.port) as two,
    ):
        await one.send(write(LOGGED))
        await two.send(write(LOGGED).replace(b"a2V5Og==", b"b3RoZXI6"))
        await upstream.received(2)
        keys = {values(request.head, b"authorization")[0] for request in upstream.requests}
        assert keys == {b"Basic a2V5Og==", b"Basic b3RoZXI6"}

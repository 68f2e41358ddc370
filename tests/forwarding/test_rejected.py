"""Email writes that are rejected: nothing goes up, the client is told why, and its connection goes on."""

import json

import pytest

from tests.forwarding.emails import DRAFT, SENDERLESS, change, write
from tests.gateways import running
from tests.raw import ask, chunked, connected, values, with_length
from tests.recording import answers, in_turn, recording

MALFORMED = b'{"status": "outbox", "sender": "nobody"}'
GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


CASES = [
    (SENDERLESS, "sender_required", "This field is required."),
    (b'{"status": "inbox", "sender": null}', "sender_required", "This field is required."),
    (b'{"status": "error", "sender": " "}', "sender_required", "This field is required."),
    (b'{"status": "scheduled", "sender": 7}', "sender_malformed", "Value must be of str type."),
    (MALFORMED, "sender_malformed", "Invalid email address."),
    (b'{"sender": "a@b.c", "status": "draft", "status": "outbox", "sender": ""}', "sender_required", None),
    (b'\xef\xbb\xbf{"status": "outbox"}', "sender_required", None),
    ('{"status": "outbox"}'.encode("utf-16"), "sender_required", None),
    ('{"status": "outbox"}'.encode("utf-32-be"), "sender_required", None),
    (b'{"\\u0073tatus": "\\u006futbox"}', "sender_required", None),
    (b'{"status": "outbox", "x": NaN}', "sender_required", None),
    (b'{"status": "outbox", "x": ' + b"9" * 5000 + b"}", "sender_required", None),
]


@pytest.mark.parametrize(("body", "code", "message"), CASES, ids=lambda value: repr(value)[:40])
async def test_no_encoding_slips_past(body: bytes, code: str, message: str | None) -> None:
    """However the body is written, it is read as Close reads it, and nothing goes up."""
    async with recording() as upstream, running(upstream.url) as gateway:
        answer = await ask(gateway.port, write(body))
        told = json.loads(answer.body)
        assert (answer.status, told["gateway"]["code"]) == (400, code)
        assert message is None or told["field-errors"] == {"sender": message}
        assert upstream.connections == []


@pytest.mark.parametrize("type_", [b"text/plain", b"application/x-www-form-urlencoded", b""])
async def test_the_content_type_does_not_matter(type_: bytes) -> None:
    """What reads as JSON is judged, whatever it is called."""
    async with recording() as upstream, running(upstream.url) as gateway:
        answer = await ask(gateway.port, write(SENDERLESS).replace(b"application/json", type_))
        assert answer.status == 400
        assert upstream.connections == []


async def test_the_connection_goes_on() -> None:
    """After a rejection, the next request of the same connection is served; also when both came at once."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for _ in range(3):
            assert (await client.ask(write(SENDERLESS))).status == 400
            assert (await client.ask(GET)).body == b"recorded"
        await client.send(write(SENDERLESS) + GET + change(MALFORMED) + GET)
        assert [(await client.answer()).status for _ in range(4)] == [400, 200, 400, 200]
        assert upstream.targets == [b"/x"] * 5


async def test_the_connection_goes_on_after_chunks() -> None:
    """A chunked body is read to its end before it is refused."""
    request = write(SENDERLESS).partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for _ in range(2):
            assert (await client.ask(request + chunked(SENDERLESS[:5], SENDERLESS[5:]))).status == 400
        assert upstream.connections == []


async def test_the_connection_is_closed_where_the_client_wants_it() -> None:
    """An answer of our own follows the same rules as any other (RFC 9112, 9.6)."""
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(write(SENDERLESS, b"Connection: close\r\n"))
        assert (answer.status, answer.values(b"connection")) == (400, [b"close"])
        assert await client.rest() == b""


async def test_a_client_of_http_1_0_is_told_that_its_connection_goes_on() -> None:
    """Where it asked for that (RFC 9112, 9.3)."""
    request = write(SENDERLESS, b"Connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0")
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        for _ in range(2):
            answer = await client.ask(request)
            assert (answer.status, answer.values(b"connection")) == (400, [b"keep-alive"])


async def test_a_rejection_needs_no_upstream() -> None:
    """The verdict is the gateway's own; the upstream is down, and the client learns what to mend all the same."""
    async with recording() as upstream:
        await upstream.stop()
        async with running(upstream.url) as gateway, connected(gateway.port) as client:
            assert (await client.ask(write(SENDERLESS))).status == 400
            assert (await client.ask(change(MALFORMED))).status == 400
            assert (await client.ask(write(DRAFT))).status == 502


async def test_an_update_is_rejected_on_what_close_holds() -> None:
    """One look-up, no update: the stored email has no sender either."""
    script = in_turn(answers(with_length(b"HTTP/1.1 200 OK\r\n", b'{"id": "acti_1", "sender": null}')))
    async with recording(script) as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        answer = await client.ask(change(SENDERLESS))
        assert (answer.status, answer.values(b"x-close-gateway")) == (400, [b"rejected; sender_required"])
        assert "the stored one has none" in json.loads(answer.body)["gateway"]["detail"]
        assert [request.method for request in upstream.requests] == [b"GET"]


async def test_a_rejection_is_one_event() -> None:
    """Who was refused what and why."""
    async with recording() as upstream, running(upstream.url) as gateway:
        await ask(gateway.port, write(SENDERLESS, b"X-Request-Id: r-1\r\nUser-Agent: a/1\r\n"))
        (event,) = gateway.events("request_rejected")
        assert event["level"] == "warning"
        assert (event["request_id"], event["code"], event["method"]) == ("r-1", "sender_required", "POST")
        assert (event["path"], event["email_status"], event["lead_id"]) == (
            "/api/v1/activity/email/",
            "outbox",
            "lead_1",
        )
        assert (event["client"], event["user_agent"]) == ("127.0.0.1", "a/1")
        assert event["credential"].startswith("fp:")
        assert len(gateway.log) == 2


async def test_continue_is_granted_before_the_refusal() -> None:
    """The body has to be read for a verdict."""
    request = write(SENDERLESS, b"Expect: 100-continue\r\n")
    async with recording() as upstream, running(upstream.url) as gateway, connected(gateway.port) as client:
        assert (await client.ask(request.removesuffix(SENDERLESS))).status == 100
        assert (await client.ask(SENDERLESS)).status == 400
        assert (await client.ask(GET)).status == 200
        assert [values(request.head, b"expect") for request in upstream.requests] == [[]]

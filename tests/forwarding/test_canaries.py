"""What is nobody's business is in no line of the log and in no answer of our own, whatever becomes of a request."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from gateway.config.settings import InspectSettings, LookupSettings, Mode, Oversize, RulesSettings, UpstreamSettings
from tests.forwarding.emails import EMAILS
from tests.gateways import running
from tests.raw import chunked, connected, with_length
from tests.recording import OK, OWNER, Script, answers, by_path, closes, hangs, recording

KEY: Final = "api_canary_key"
CODED_KEY: Final = base64.b64encode(f"{KEY}:".encode()).decode()
EMAIL: Final = {
    "lead_id": "lead_1",
    "sender": "Canary-Sender",
    "subject": "Canary-Subject",
    "body_text": "Canary-Text",
    "body_html": "<p>Canary-Html</p>",
    "to": ["canary-to@example.net"],
    "cc": ["canary-cc@example.net"],
    "bcc": ["canary-bcc@example.net"],
}
CANARIES: Final = [
    text.encode().lower()
    for text in (KEY, CODED_KEY, "canary", "Canary-", base64.b64encode(b"Canary-Subject").decode())
]
FIELDS: Final = (
    f"Host: canary.example\r\nAuthorization: Basic {CODED_KEY}\r\nCookie: session=canary-cookie\r\n"
    "X-Other: canary-field\r\nContent-Type: application/json; x=canary-type\r\n"
).encode()
TARGET: Final = EMAILS + b"?subject=canary-query"


def body(**changes: object) -> bytes:
    """Make an email full of canaries."""
    return json.dumps(EMAIL | changes).encode()


def post(content: bytes, fields: bytes = b"", *, line: bytes = b"POST %b HTTP/1.1" % TARGET) -> bytes:
    """Make a request that carries canaries wherever one may be."""
    return with_length(line + b"\r\n" + FIELDS + fields, content)


def chunks(content: bytes) -> bytes:
    """Make a chunked one, with more chunks to come."""
    head = b"POST %b HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (TARGET, FIELDS)
    return head + chunked(content, end=b"")


CLOSE: Final = by_path({b"/api/v1/me/": answers(OWNER)}, answers(OK))


@dataclass(frozen=True)
class Case:
    """A request full of canaries, and what becomes of it."""

    request: bytes
    event: str
    """Proves that the request came to where it was sent."""
    status: int
    script: Script = CLOSE
    later: bytes = b""
    """What comes once the request has reached the upstream, or would have."""
    sections: dict[str, Any] = field(default_factory=dict)


ECHOING = answers(with_length(b"HTTP/1.1 200 OK\r\n", b'{"email": "canary", "id": "canary"}'))
PUT = b"PUT %bacti_1/ HTTP/1.1" % EMAILS
PASSING = b"POST /api/v1/lead/?canary HTTP/1.1"
WRONG = b', "send_in": "canary", "date_scheduled": "canary", "attachments": [{"url": "https://canary.example/canary"}]}'
IMPATIENT = {"upstream": UpstreamSettings(timeout=0.1)}

CASES = {
    "rejected, malformed": Case(post(body(status="outbox")), "request_rejected", 400),
    "rejected, missing": Case(post(body(status="inbox", sender="")), "request_rejected", 400),
    "rejected, no string": Case(post(body(status="error", sender=["canary"])), "request_rejected", 400),
    "rejected, doubled": Case(post(b'{"sender":"canary","sender":{},"status":"outbox"}'), "request_rejected", 400),
    "rejected, an update": Case(
        post(body(status="outbox", sender=None), line=PUT),
        "request_rejected",
        400,
        answers(with_length(b"HTTP/1.1 200 OK\r\n", b'{"sender": null, "subject": "canary"}')),
    ),
    "reported": Case(
        post(body(status="outbox")),
        "request_reported",
        200,
        sections={"inspect": InspectSettings(mode=Mode.REPORT)},
    ),
    "reported, all that is wrong": Case(post(body(status="draft")[:-1] + WRONG), "request_reported", 200),
    "rejected, all that is wrong": Case(
        post(body(status="draft")[:-1] + WRONG),
        "request_rejected",
        400,
        sections={"rules": RulesSettings(send_in_invalid=Mode.ENFORCE, attachment_url_invalid=Mode.ENFORCE)},
    ),
    "filled": Case(post(body(status="sent", sender="")), "sender_filled", 200),
    "look-up, nonsense": Case(post(body(status="sent", sender="")), "lookup_failed", 200, ECHOING),
    "look-up, hangs": Case(
        post(body(status="sent", sender="")),
        "lookup_failed",
        200,
        by_path({b"/api/v1/me/": hangs(b"HTTP/1.1 200 OK\r\nX: canary")}, answers(OK)),
        sections={"lookups": LookupSettings(timeout=0.1)},
    ),
    "look-up, no id": Case(
        post(body(status="sent", sender="", user_id="user/../canary")), "lookup_failed", 200
    ),
    "look-up, two keys": Case(
        post(body(status="sent", sender=""), b"Authorization: Bearer canary\r\n"), "lookup_failed", 200
    ),
    "oversized": Case(
        post(body(status="outbox")), "body_oversized", 200, sections={"inspect": InspectSettings(max_body=10)}
    ),
    "oversized, refused": Case(
        post(body(status="outbox")),
        "body_oversized",
        413,
        sections={"inspect": InspectSettings(max_body=10, oversize=Oversize.REJECT)},
    ),
    "hangs": Case(post(body(status="draft")), "upstream_failed", 504, hangs(), sections=IMPATIENT),
    "hangs, passing": Case(post(body(), line=PASSING), "upstream_failed", 504, hangs(), sections=IMPATIENT),
    "closes": Case(post(body(status="draft")), "upstream_failed", 502, closes()),
    "garbage": Case(
        post(body(), line=PASSING), "upstream_failed", 502, answers(b"HTTP/1.1 200 canary\r\ncanary\r\n\r\n")
    ),
    "cut short": Case(
        post(body(), line=PASSING), "upstream_failed", 200, closes(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
    ),
    "broken": Case(chunks(body(status="outbox")) + b"canary\r\n", "gateway_started", 400),
    "broken, passing": Case(
        chunks(body()).replace(TARGET, b"/api/v1/lead/?canary") + b"canary\r\n", "gateway_started", 400
    ),
    "broken later": Case(chunks(body()), "request_broken", 400, later=b"canary\r\n"),
    "broken later, passing": Case(
        chunks(body()).replace(TARGET, b"/api/v1/lead/?canary"), "request_broken", 400, hangs(), later=b"canary\r\n"
    ),
    "malformed": Case(post(body(), b"canary without a colon\r\n"), "gateway_started", 400),
    "malformed line": Case(post(body(), line=b"CANARY@ /canary HTTP/1.1"), "gateway_started", 400),
    "malformed version": Case(post(body(), line=b"POST /canary CANARY/1.1"), "gateway_started", 400),
    "an odd coding": Case(
        post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: canary"), "gateway_started", 400
    ),
    "a tunnel": Case(post(b"", line=b"CONNECT canary.example:443 HTTP/1.1"), "gateway_started", 405),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_no_canary_gets_out(case: Case) -> None:
    """The request comes to where it was sent, and neither the log nor the answer holds a word of it."""
    async with recording(case.script) as upstream, running(upstream.url, **case.sections) as gateway:
        async with connected(gateway.port) as client:
            await client.send(case.request)
            if case.later:
                await asyncio.sleep(0.05)
                await client.send(case.later)
            head = await client.head()
            assert int(head[9:12]) == case.status
            body = b"" if case.status == 200 else await client.reader.read(10_000)
        await gateway.stop()
        assert gateway.events(case.event)
        assert any(canary in case.request.lower() for canary in CANARIES)
        for written in (head, body, gateway.written):
            assert [canary for canary in CANARIES if canary in written.lower()] == []

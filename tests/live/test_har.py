"""What passes through a real gateway, as entries of a HAR archive."""

import base64
import gzip
import json
from datetime import datetime
from typing import Any, Final

import orjson

from gateway.live.har import entry_of
from gateway.live.story import Story
from tests.forwarding.emails import EMAILS, LOGGED, SENDERLESS
from tests.live.watching import watched
from tests.raw import chunked, connected, with_length
from tests.recording import OWNER, answers, by_path, recording

FORM: Final = b"application/x-www-form-urlencoded"
KEY: Final = b"api_canary_of_a_key_0123456789"
BASIC: Final = base64.b64encode(KEY + b":")
FIELDS: Final = b"Host: gateway.test\r\nAuthorization: Basic %b\r\nCookie: sid=CANARY-COOKIE; b=c\r\n" % BASIC
CODED: Final = gzip.compress(b'{"access_token": "CANARY-ACCESS", "ok": "yes"}')
ANSWER: Final = with_length(
    b"HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\nSet-Cookie: sid=CANARY-SET; Path=/\r\n"
    b"Location: https://x.test/?token=CANARY-TOKEN\r\nContent-Encoding: gzip\r\n",
    CODED,
)
CLOSE: Final = by_path({b"/api/v1/me/": answers(OWNER)}, answers(ANSWER))
SECRETS: Final = (KEY, BASIC, b"CANARY")


async def recorded(*requests: bytes, most: int = 1000) -> list[Story]:
    """Send them all, and give their stories."""
    async with recording(CLOSE) as upstream, watched(upstream.url, most) as close, connected(close.port) as client:
        for request in requests:
            await client.ask(request)
        return close.stories


async def test_an_entry() -> None:
    """All that the specification asks for: the request as it came and not as it was filled, the answer as it went."""
    target = EMAILS + b"?api_key=%b&a=b%%20c" % KEY
    (story,) = await recorded(post(target, LOGGED, b"Content-Type: application/json\r\n"))
    entry = entry_of(story)
    assert datetime.fromisoformat(entry.pop("startedDateTime")).tzinfo is not None
    timings = entry.pop("timings")
    assert min(timings.values()) >= 0
    assert abs(sum(timings.values()) - entry.pop("time")) < 0.01
    assert entry.pop("_closeGateway") == {
        "done": "filled; sender",
        "requestId": story.exchange.id,
        "complete": True,
    }
    answer: dict[str, Any] = entry["response"]
    by_name = {header["name"]: header["value"] for header in answer.pop("headers")}
    assert (by_name["Set-Cookie"], by_name["X-Close-Gateway"]) == ("***", "filled; sender")
    assert entry == {
        "request": {
            "method": "POST",
            "url": f"http://gateway.test{EMAILS.decode()}?api_key=***&a=b%20c",
            "httpVersion": "HTTP/1.1",
            "cookies": [{"name": "sid", "value": "***"}, {"name": "b", "value": "***"}],
            "headers": [
                {"name": "Host", "value": "gateway.test"},
                {"name": "Authorization", "value": "***"},
                {"name": "Cookie", "value": "***"},
                {"name": "Content-Type", "value": "application/json"},
                {"name": "Content-Length", "value": str(len(LOGGED))},
            ],
            "queryString": [{"name": "api_key", "value": "***"}, {"name": "a", "value": "b c"}],
            "headersSize": -1,
            "bodySize": len(LOGGED),
            "postData": {"mimeType": "application/json", "params": [], "text": LOGGED.decode()},
        },
        "response": {
            "status": 200,
            "statusText": "Fine",
            "httpVersion": "HTTP/1.1",
            "cookies": [{"name": "sid", "value": "***"}],
            "content": {"size": 46, "mimeType": "application/json", "text": '{"access_token": "***", "ok": "yes"}'},
            "redirectURL": "https://x.test/?token=***",
            "headersSize": -1,
            "bodySize": len(CODED),
        },
        "cache": {},
    }


def post(path: bytes, body: bytes, fields: bytes = b"") -> bytes:
    """Make a request."""
    return with_length(b"POST %b HTTP/1.1\r\n" % path + FIELDS + fields, body)


REQUESTS: Final = (
    b"GET /api/v1/me/?token=CANARY-Q HTTP/1.1\r\n" + FIELDS + b"X-Api-Key: CANARY-H\r\n\r\n",
    b"GET /%b/ HTTP/1.1\r\n" % KEY + FIELDS + b"\r\n",
    post(
        b"/oauth2/token/", b"client_secret=CANARY&code=CANARY", b"Content-Type: application/x-www-form-urlencoded\r\n"
    ),
    post(EMAILS, SENDERLESS[:-1] + b', "password": "CANARY", "note": "%b"}' % KEY),
    post(EMAILS, gzip.compress(b'{"api_key": "CANARY"}'), b"Content-Encoding: gzip\r\n"),
)


async def test_no_credential_is_in_any_entry() -> None:
    """Whatever is asked for, and wherever the client puts its key."""
    stories = await recorded(*REQUESTS)
    text = json.dumps([entry_of(story) for story in stories]).encode()
    assert len(stories) == len(REQUESTS)
    assert [secret for secret in SECRETS if secret in text] == []


async def test_fields_that_are_no_utf8() -> None:
    """They are written as the bytes that they are; a type that is none keeps no entry out of the archive."""
    (story,) = await recorded(post(EMAILS, b"{}", b"Content-Type: text/\xe9\r\nX-Odd: \xff\r\n"))
    request = json.loads(orjson.dumps(entry_of(story)))["request"]
    assert request["postData"] == {"mimeType": "text/é", "params": [], "text": "{}"}
    assert {"name": "X-Odd", "value": "ÿ"} in request["headers"]


async def test_bodies_that_are_no_text_or_too_long() -> None:
    """It is said what is missing, and how much of it there was."""
    head = b"POST /api/v1/files/ HTTP/1.1\r\n" + FIELDS
    chunks = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"a" * 600, b"b" * 600)
    stories = await recorded(with_length(head, b"\x89PNG\xff"), chunks)
    data = [entry_of(story)["request"]["postData"] for story in stories]
    assert data == [
        {"mimeType": "", "params": [], "text": "", "comment": "left out: it is no text, or too long to be decoded"},
        {
            "mimeType": "",
            "params": [],
            "text": "a" * 600 + "b" * 400,
            "comment": "cut short after 1000 bytes of 1200",
        },
    ]


async def test_a_head_and_nothing_more() -> None:
    """An answer to HEAD has no body, however long it says it is."""
    (story,) = await recorded(b"HEAD /api/v1/ HTTP/1.1\r\n" + FIELDS + b"\r\n")
    assert entry_of(story)["response"]["status"] == 200

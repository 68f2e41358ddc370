"""Pure: an exchange as an entry of a HAR archive, version 1.2, credentials redacted.

Rule    The request is the client's own, as it came and before a sender was put in; the answer is the one it got.
        Bodies are text, without their codings; what is no text, or longer than is kept, is told by its size.
Source  http://www.softwareishard.com/blog/har-12-spec/ (a field of one's own begins with "_").
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl

from gateway import __version__
from gateway.exchange import Exchange, Fields
from gateway.live.answers import Answer, phrase, read_answer, text_of, value
from gateway.live.redaction import STARS, Redaction
from gateway.live.story import Story, Tape

MOST_BODY: Final = 1_048_576
"""Bytes of a body that are kept."""
UNFOLDED: Final = 8 * MOST_BODY
"""Bytes that a coded body may unfold to."""
LOG: Final = {"version": "1.2", "creator": {"name": "Close Gateway", "version": __version__}}
OLD: Final = "HTTP/1.0"
NEW: Final = "HTTP/1.1"
UNKNOWN: Final = -1
"""What the specification has for a size that is not known."""


def entry_of(story: Story) -> dict[str, Any]:
    """Tell an exchange that is over."""
    exchange = story.exchange
    redaction = Redaction(exchange.fields)
    answer = read_answer(story.went.heard)
    send, wait = round(story.by_client * 1000, 3), round(story.by_close * 1000, 3)
    total = round(story.total * 1000, 3)
    return {
        "startedDateTime": datetime.fromtimestamp(story.at, UTC).isoformat(timespec="milliseconds"),
        "time": total,
        "request": _request(exchange, story.came, redaction),
        "response": _response(exchange, answer, story.went, redaction),
        "cache": {},
        # What the gateway took itself stands under "receive": HAR has no place for it, and the three are to add up.
        "timings": {"send": send, "wait": wait, "receive": max(0.0, round(total - send - wait, 3))},
        "_closeGateway": {"done": exchange.mark, "requestId": exchange.id, "complete": exchange.complete},
    }


def _request(exchange: Exchange, came: Tape, redaction: Redaction) -> dict[str, Any]:
    target = redaction.target(exchange.target)
    told: dict[str, Any] = {
        "method": exchange.method,
        "url": f"{exchange.scheme}://{exchange.host or 'localhost'}{target}",
        "httpVersion": NEW if exchange.http11 else OLD,
        "cookies": _cookies(exchange.values(b"cookie")),
        "headers": _headers(exchange.fields, redaction),
        "queryString": [
            {"name": name, "value": given}
            for name, given in parse_qsl(target.partition("?")[2], keep_blank_values=True)
        ],
        "headersSize": UNKNOWN,
        "bodySize": came.size,
    }
    if came.size:
        mime = value(exchange.fields, b"content-type")
        encodings = exchange.values(b"content-encoding")
        told["postData"] = {"mimeType": mime, "params": [], **_text(came.heard, encodings, mime, came, redaction)[1]}
    return told


def _response(exchange: Exchange, answer: Answer | None, went: Tape, redaction: Redaction) -> dict[str, Any]:
    if answer is None:
        answer = Answer(0, "", [], b"")  # as browsers write it: there was none
    mime = value(answer.fields, b"content-type")
    encodings = [given for name, given in answer.fields if name.lower() == b"content-encoding"]
    size, text = _text(answer.body, encodings, mime, went, redaction)
    return {
        "status": answer.status,
        "statusText": answer.reason or phrase(answer.status),
        "httpVersion": NEW if exchange.http11 else OLD,
        "cookies": _cookies([given for name, given in answer.fields if name.lower() == b"set-cookie"]),
        "headers": _headers(answer.fields, redaction),
        "content": {
            "size": size,
            "mimeType": mime or "application/octet-stream",
            **text,
        },
        "redirectURL": redaction.target(value(answer.fields, b"location")),
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN if went.cut else len(answer.body),
    }


def _text(
    body: bytes, encodings: list[bytes], mime: str, tape: Tape, redaction: Redaction
) -> tuple[int, dict[str, Any]]:
    """Give the size of a body, and it as text where it is one; and say where that is not all, or left out."""
    text = text_of(body, encodings, UNFOLDED, cut=tape.cut)
    if text is None:
        return len(body), {"text": "", "comment": "left out: it is no text, or too long to be decoded"}
    cut = {"comment": f"cut short after {tape.kept} bytes of {tape.size}"} if tape.cut else {}
    return len(text.encode()), {"text": redaction.body(text, mime), **cut}


def _headers(fields: Fields, redaction: Redaction) -> list[dict[str, str]]:
    return [
        {"name": name.decode("latin-1"), "value": redaction.field(name.decode("latin-1"), given.decode("latin-1"))}
        for name, given in fields
    ]


def _cookies(values: Iterable[bytes]) -> list[dict[str, str]]:
    """Name the cookies; their values are nobody's business."""
    jar: SimpleCookie = SimpleCookie()
    for given in values:
        try:
            jar.load(given.decode("latin-1"))
        except CookieError:
            continue
    return [{"name": name, "value": STARS} for name in jar]

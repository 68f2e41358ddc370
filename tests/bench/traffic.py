"""The requests that the bench sends, as bytes, with the header fields that Close's own client sends."""

import base64
import json
from dataclasses import dataclass
from typing import Final

from tests.bench.upstream import EMAILS, NO_SENDER_ID

FIELDS: Final = (
    b"Host: 127.0.0.1\r\n"
    b"User-Agent: Close/2.1 python (bench)\r\n"
    b"Accept-Encoding: gzip, deflate\r\n"
    b"Accept: */*\r\n"
    b"X-TZ-Offset: 1\r\n"
    b"Authorization: Basic " + base64.b64encode(b"api_bench:") + b"\r\n"
)
EMAIL_PATH: Final = EMAILS.decode()
SENDER: Final = '"Jane Roe" <jane@example.com>'


@dataclass(frozen=True, slots=True)
class Sample:
    """A request and the status of the answer that it is to get."""

    data: bytes
    body: bytes = b""
    status: int = 200


def get(path: str) -> Sample:
    """Write a GET."""
    return Sample(b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), FIELDS))


def write(method: str, path: str, content: object, status: int = 200) -> Sample:
    """Write a request with a JSON body."""
    body = json.dumps(content).encode()
    return Sample(head(method, path, len(body)) + body, body, status)


def head(method: str, path: str, length: int) -> bytes:
    """Build the head of a request with a body of this many bytes."""
    line = f"{method} {path} HTTP/1.1\r\n".encode()
    return line + FIELDS + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length


def email(**members: object) -> dict[str, object]:
    """Write an email of about 2 KB, as a client would: numbers, lists, quotes and some HTML."""
    return {
        "lead_id": "lead_1",
        "contact_id": "cont_1",
        "to": ["sam@example.com", "alex@example.com"],
        "cc": [],
        "subject": 'About the "sender" of your last email',
        "body_text": "Dear Sam,\n\n" + "it was good to talk to you yesterday. " * 21,
        "body_html": '<p class="x">Dear Sam,</p>' + "<p>it was good to talk to you yesterday.</p>" * 21,
        "send_in": 30,
        "template_id": None,
        **members,
    }


GET: Final = get("/api/v1/lead/lead_1/?_fields=id,display_name")
POST: Final = write("POST", "/api/v1/lead/", {"name": "Example Ltd", "description": "d" * 980})
ACCEPTED: Final = write("POST", EMAIL_PATH, email(status="outbox", sender=SENDER))
REJECTED: Final = write("POST", EMAIL_PATH, email(status="outbox"), 400)
FILLED: Final = write("POST", EMAIL_PATH, email(status="sent", send_in=None))
UPDATE: Final = write("PUT", f"{EMAIL_PATH}acti_1/", {"status": "outbox"})
REFUSED_UPDATE: Final = write("PUT", f"{EMAIL_PATH}{NO_SENDER_ID}/", {"status": "outbox"}, 400)
SEEN: Final = get("/-/seen")

import io
import json
from typing import Any

import pytest

from gateway.exchange import Credentials
from gateway.log import make_log
from gateway.policy.attachments import ATTACHMENT_URL_INVALID
from gateway.policy.lead import LEAD_ID_REQUIRED
from gateway.policy.sender import SENDER_NO_ADDRESS, SENDER_REQUIRED
from gateway.rejections.log import log_rejection
from gateway.rejections.record import Rejection, make_rejections
from tests.exchanges import KEY, exchange_of

BASIC = b"Basic YXBpX2s6"


def post(*fields: bytes, method: bytes = b"POST", target: bytes = b"/api/v1/activity/email/") -> bytes:
    """Write a request with these fields."""
    lines = b"".join(field + b"\r\n" for field in fields)
    return b"%b %b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n%b\r\n" % (method, target, lines)


def rejection_of(
    request: bytes, members: dict[str, object], *, email_id: str | None = None, owner: str | None = None
) -> Rejection:
    """Have a request refused, and give the record of it."""
    (rejection,) = make_rejections(
        exchange_of(request), (SENDER_REQUIRED,), members, email_id=email_id, owner=owner, enforced=True, refused=True
    )
    return rejection


def test_what_is_kept_of_a_creation() -> None:
    """Who, what and why."""
    request = post(b"Authorization: " + BASIC, b"User-Agent: Close/2.1 python", b"X-Request-Id: r-1")
    members: dict[str, object] = {"status": "outbox", "lead_id": "lead_1", "subject": "Hi", "sender": None}
    rejection = rejection_of(request, members, owner="jane@example.com")
    assert rejection.elapsed_ms >= 0
    assert rejection._replace(elapsed_ms=0) == Rejection(
        request_id="r-1",
        code="sender_required",
        method="POST",
        path="/api/v1/activity/email/",
        email_status="outbox",
        lead_id="lead_1",
        email_id=None,
        credential=Credentials(BASIC, KEY).fingerprint,
        owner="jane@example.com",
        client="127.0.0.1",
        user_agent="Close/2.1 python",
        elapsed_ms=0,
        enforced=True,
        status=400,
    )


def test_what_is_kept_of_an_update_of_which_little_is_known() -> None:
    """What is not known is None; the query is nobody's business."""
    request = post(b"X-Request-Id: r-1", method=b"PUT", target=b"/api/v1/activity/email/acti_1/?token=secret")
    members: dict[str, object] = {"sender": "nobody"}
    (rejection,) = make_rejections(
        exchange_of(request),
        (SENDER_NO_ADDRESS,),
        members,
        email_id="acti_1",
        owner=None,
        enforced=False,
        refused=False,
    )
    assert rejection._replace(elapsed_ms=0) == Rejection(
        request_id="r-1",
        code="sender_malformed",
        method="PUT",
        path="/api/v1/activity/email/acti_1/",
        email_status=None,
        lead_id=None,
        email_id="acti_1",
        credential=None,
        owner=None,
        client="127.0.0.1",
        user_agent=None,
        elapsed_ms=0,
        enforced=False,
        status=None,
    )


@pytest.mark.parametrize("refused", [False, True])
def test_each_thing_that_is_reported_is_a_record_of_its_own(*, refused: bool) -> None:
    """They differ in nothing but the code, and tell whether the request was refused for something else."""
    first, second = make_rejections(
        exchange_of(post()),
        (LEAD_ID_REQUIRED, ATTACHMENT_URL_INVALID),
        {},
        email_id=None,
        owner=None,
        enforced=False,
        refused=refused,
    )
    assert (first.code, first.enforced, first.status) == ("lead_id_required", False, 400 if refused else None)
    assert second == first._replace(code="attachment_url_invalid")


@pytest.mark.parametrize("value", [None, 7, True, ["outbox"], {"a": 1}])
def test_what_is_no_text_is_not_kept(value: object) -> None:
    """An id or a status is a text, or it is none."""
    rejection = rejection_of(post(), {"status": value, "lead_id": value})
    assert (rejection.email_status, rejection.lead_id) == (None, None)


HOSTILE = [
    'x\n{"event": "request_rejected", "forged": true}',
    "x\r\nforged",
    "\x1b[2J\x1b[31mforged",
    "\u2028forged\u2029",
    "\u202eforged",
    "\0",
    "\ud800\udfff\udc00",
    '","forged":"',
    "x" * 1_000_000,
    "\n" * 10_000,
]


@pytest.mark.parametrize("console", [False, True])
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_value_is_bounded_and_forges_nothing(hostile: str, *, console: bool) -> None:
    """Whatever stands in the email, the path, the headers or Close's answer, it is one line, printable and short."""
    members: dict[str, object] = {"status": hostile, "lead_id": hostile, "sender": hostile}
    request = post(b"User-Agent: \xe2\x80\xa8" + b"x" * 6000, method=b"PUT", target=b"/%0aforged" + b"x" * 6000)
    rejection = rejection_of(request, members, email_id=hostile, owner=hostile)
    for text in rejection:
        assert not isinstance(text, str) or (len(text) <= 256 and text.isprintable())
    line = _line(rejection, console=console)
    assert line.isprintable()
    assert len(line) < 4000
    if not console:
        assert "forged" not in json.loads(line)


def _line(rejection: Rejection, *, console: bool) -> str:
    """Write the event; give the one line that comes of it."""
    stream = io.BytesIO()
    log_rejection(make_log("debug", console=console, stream=stream), rejection)
    lines = stream.getvalue().decode().split("\n")
    assert lines[1:] == [""]
    return lines[0]


CANARIES: dict[str, Any] = {
    "sender": "canary-sender@example.com",
    "subject": "canary-subject",
    "body_text": "canary-text",
    "body_html": "<p>canary-html</p>",
    "to": ["canary-to@example.com"],
    "cc": ["canary-cc@example.com"],
    "bcc": ["canary-bcc@example.com"],
    "attachments": [{"filename": "canary-file"}],
    "user_id": "canary-user",
    "anything": {"else": "canary-else"},
}


@pytest.mark.parametrize("console", [False, True])
def test_no_secret_and_no_text_of_the_email_is_written(*, console: bool) -> None:
    """Of a request full of marked texts, not one gets into the line, nor into the record itself."""
    request = post(
        b"Authorization: Basic canary-credential",
        b"Cookie: canary-cookie",
        b"X-Anything: canary-field",
        target=b"/api/v1/activity/email/?canary-query",
    )
    rejection = rejection_of(request, CANARIES | {"status": "outbox", "lead_id": "lead_1"})
    assert "outbox" in _line(rejection, console=console)
    assert "canary" not in _line(rejection, console=console) + repr(rejection)

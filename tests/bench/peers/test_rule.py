import json

import pytest

from tests.bench.peers.rule import judge, judges

TABLE = [  # status, what is done about a create without a sender, about an update without one
    ("inbox", "reject", "forward"),
    ("draft", "forward", "forward"),
    ("scheduled", "reject", "look"),
    ("outbox", "reject", "look"),
    ("sent", "fill", "forward"),
    ("error", "reject", "forward"),
    (None, "forward", "forward"),
]


@pytest.mark.parametrize(("status", "create", "update"), TABLE)
@pytest.mark.parametrize("sender", [None, "", "  "])
def test_the_scripted_peers_judge_as_close_does(status: str | None, create: str, update: str, sender: object) -> None:
    """Else they would be timed for another job."""
    body = json.dumps({"status": status, "sender": sender}).encode()
    assert (judge("POST", body).act, judge("PUT", body).act) == (create, update)
    assert judge("POST", json.dumps({"status": status, "sender": "jane@example.com"}).encode()).act == "forward"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_object_is_forwarded(body: bytes) -> None:
    """It is Close's to answer."""
    assert judge("POST", body).act == "forward"


@pytest.mark.parametrize(
    ("method", "path", "judged"),
    [
        ("POST", "/api/v1/activity/email/", True),
        ("PUT", "/api/v1/activity/email/acti_1/", True),
        ("POST", "/api/v1/activity/email/acti_1/", False),
        ("GET", "/api/v1/activity/email/acti_1/", False),
        ("POST", "/api/v1/lead/", False),
    ],
)
def test_only_writes_of_emails_are_judged(method: str, path: str, *, judged: bool) -> None:
    """Only their bodies are read."""
    assert judges(method, path) is judged

import json
import shlex

import pytest

from gateway.policy import Findings, StoredEmail, ViolationCode
from gateway.policy.create import judge_create
from gateway.policy.members import email_write
from gateway.policy.update import judge_update
from gateway.rejections.explain import explain
from tests.rejections.stores import an_entry

URL = "http://127.0.0.1:8080"


@pytest.mark.parametrize("email_id", [None, "acti_1"])
@pytest.mark.parametrize("code", ViolationCode)
@pytest.mark.parametrize("status", ["inbox", "draft", "scheduled", "outbox", "sent", "error", "received", None])
@pytest.mark.parametrize("owner", ["jane@example.com", "a'; touch /tmp/x; '@example.com", None])
def test_the_example_passes(code: ViolationCode, status: str | None, email_id: str | None, owner: str | None) -> None:
    """What is told for a code, on a creation and on an update, breaks no rule, and the curl line sends just that."""
    explained = explain(an_entry(code=code.value, email_status=status, email_id=email_id, owner=owner), URL)
    assert explained is not None
    write = email_write(dict(explained.example))
    assert (judge_create(write) if email_id is None else judge_update(write, StoredEmail(None))) == Findings()
    words = shlex.split(explained.curl)
    assert words[:3] == ["curl", "-X", "POST" if email_id is None else "PUT"]
    assert words[3] == f"{URL}/api/v1/activity/email/" + ("" if email_id is None else "acti_1/")
    assert words[4:8] == ["-u", "$CLOSE_API_KEY:", "-H", "Content-Type: application/json"]
    assert json.loads(words[9]) == explained.example


def test_the_sentences() -> None:
    """They are those of the answer that the client got, in two."""
    explained = explain(an_entry(), URL)
    assert explained is not None
    assert explained.rule == 'An email with status "outbox" needs a sender.'
    assert explained.fix == ('Add "sender", such as "Jane Roe <jane@example.com>", or save it as "draft" for now.')
    assert explained.source.startswith("https://developer.close.com/")


BESIDE = [  # a code, the status, and what the example has beside what every example has
    ("send_in_invalid", "outbox", {"send_in": 30}),
    ("send_in_misplaced", "draft", {}),
    ("date_scheduled_required", "scheduled", {"date_scheduled": "2030-01-31T09:00:00+00:00"}),
    (
        "attachment_url_invalid",
        "outbox",
        {
            "attachments": [
                {
                    "url": "https://app.close.com/go/file/...",
                    "filename": "offer.pdf",
                    "content_type": "application/pdf",
                    "size": 12345,
                }
            ]
        },
    ),
]


@pytest.mark.parametrize(("code", "status", "more"), BESIDE)
def test_the_example_shows_what_the_rule_is_about(code: str, status: str, more: dict[str, object]) -> None:
    """How it is done right, and no more than that."""
    explained = explain(an_entry(code=code, email_status=status, email_id="acti_1"), URL)
    assert explained is not None
    assert explained.example == {"status": status, "sender": "jane@example.com", **more}
    assert explained.source == "https://developer.close.com/api/resources/activities/emails/create"


def test_an_example_for_an_unknown_status_sends_nothing() -> None:
    """Whoever tries it out makes a draft."""
    explained = explain(an_entry(code="status_unknown", email_status="received"), URL)
    assert explained is not None
    assert explained.example["status"] == "draft"


def test_a_code_of_another_version() -> None:
    """Where several gateways share a store, another may be newer."""
    assert explain(an_entry(code="subject_too_long"), URL) is None

import json
import shlex

import pytest

from gateway.policy import EmailWrite, Status, StoredEmail, ViolationCode
from gateway.policy.create import judge_create
from gateway.policy.update import judge_update
from gateway.policy.verdict import FORWARD
from gateway.rejections.explain import explain
from tests.rejections.stores import an_entry

URL = "http://127.0.0.1:8080"


@pytest.mark.parametrize("email_id", [None, "acti_1"])
@pytest.mark.parametrize("code", ViolationCode)
@pytest.mark.parametrize("owner", ["jane@example.com", "a'; touch /tmp/x; '@example.com", None])
def test_the_example_passes(code: ViolationCode, email_id: str | None, owner: str | None) -> None:
    """What is told for a code, on a creation and on an update, breaks no rule, and the curl line sends just that."""
    explained = explain(an_entry(code=code.value, email_id=email_id, owner=owner), URL)
    assert explained is not None
    write = EmailWrite(Status(explained.example["status"]), explained.example["sender"])
    assert (judge_create(write) if email_id is None else judge_update(write, StoredEmail(None))) == FORWARD
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


def test_a_code_of_another_version() -> None:
    """Where several gateways share a store, another may be newer."""
    assert explain(an_entry(code="subject_too_long"), URL) is None

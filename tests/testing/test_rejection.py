import itertools

import pytest

from gateway.policy import Status, Violation, ViolationCode, email_write
from gateway.testing.rejection import FIELDS, FOUND, Rejection, from_event
from gateway.wire.error import explain

EVENT = {
    "timestamp": "2026-11-26T10:00:00Z",
    "event": "request_rejected",
    "request_id": "r-1",
    "code": "sender_required",
    "method": "PUT",
    "path": "/api/v1/activity/email/acti_1/",
    "email_status": "outbox",
    "lead_id": None,
    "email_id": "acti_1",
    "credential": "fp:0123456789abcdef",
    "client": "127.0.0.1",
    "elapsed_ms": 0.4,
}


def test_it_tells_what_a_test_compares() -> None:
    """Nothing of it differs from one run to the next but the id of the request."""
    assert from_event(EVENT) == Rejection(
        code="sender_required",
        method="PUT",
        path="/api/v1/activity/email/acti_1/",
        email_status="outbox",
        lead_id=None,
        email_id="acti_1",
        owner=None,
        user_agent=None,
        request_id="r-1",
    )


def test_it_reads_as_two_lines() -> None:
    """What was sent and which rule it broke; then what to change."""
    assert str(from_event(EVENT)) == (
        "PUT /api/v1/activity/email/acti_1/: sender_required, field sender\n"
        '  An email cannot be changed to status "outbox" without a sender, and the stored one has none: add "sender", '
        'such as "Jane Roe <jane@example.com>".'
    )


def test_each_code_has_its_field() -> None:
    """A code that the policy gains has to be given a field; and none has two."""
    assert set(FIELDS) == {code.value for code in ViolationCode}
    assert len({(violation.code, violation.field) for violation in FOUND}) == len(FIELDS)


CASES = list(itertools.product(FOUND, [*[status.value for status in Status], "unheard of", None], [None, "acti_1"]))


@pytest.mark.parametrize(("violation", "status", "email_id"), CASES)
def test_its_detail_is_that_of_the_answer(violation: Violation, status: str | None, email_id: str | None) -> None:
    """Who reads the test's failure and who reads the answer are told the same."""
    event = EVENT | {"code": violation.code.value, "email_status": status, "email_id": email_id}
    email = email_write({"status": status})
    assert from_event(event).detail == explain(violation, email, update=email_id is not None)

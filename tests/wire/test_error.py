import importlib
import pkgutil
from collections.abc import Iterator

import orjson
import pytest

import gateway
from gateway.answer import OwnAnswer
from gateway.errors import GatewayError
from gateway.policy import EmailWrite, Status, Violation, ViolationCode
from gateway.policy.attachments import ATTACHMENT_URL_INVALID
from gateway.policy.date_scheduled import DATE_REQUIRED
from gateway.policy.lead import LEAD_ID_REQUIRED
from gateway.policy.send_in import SEND_IN_MISPLACED, SEND_IN_NO_NUMBER, SEND_IN_TOO_LONG
from gateway.policy.sender import SENDER_NO_ADDRESS, SENDER_NOT_A_STRING, SENDER_REQUIRED
from gateway.policy.status import STATUS_REQUIRED, STATUS_UNKNOWN
from gateway.wire.error import bad_request, explain, gateway_error

ADD = 'add "sender", such as "Jane Roe <jane@example.com>"'
CREATE_DETAIL = f'An email with status "outbox" needs a sender: {ADD}, or save it as "draft" for now.'
UPDATE_DETAIL = f'An email cannot be changed to status "outbox" without a sender, and the stored one has none: {ADD}.'
MALFORMED_DETAIL = (
    'The sender of an email with status "outbox" has to be a string with an address: '
    'give "sender" as "jane@example.com" or "Jane Roe <jane@example.com>".'
)
LOG, CREATE = (
    "https://developer.close.com/api/overview/changelog/2025/12/17",
    "https://developer.close.com/api/resources/activities/emails/create",
)
STATUSES = '"inbox", "draft", "scheduled", "outbox", "sent" or "error"'
LATER = 'to send the email later, give status "scheduled" with "date_scheduled".'
OTHERS = [  # what was found, the message of the field, the sentence; the same on a creation and on an update
    (STATUS_REQUIRED, "This field is required.", f'A new email needs a status: add "status": {STATUSES}.'),
    (
        STATUS_UNKNOWN,
        "Not a valid choice.",
        f'The status of a new email has to be one that Close knows: give "status" as {STATUSES}.',
    ),
    (
        LEAD_ID_REQUIRED,
        "This field is required.",
        'A new email belongs to a lead: add "lead_id", the id of the lead whose email it is.',
    ),
    (
        DATE_REQUIRED,
        "This field is required.",
        (
            'An email with status "scheduled" needs the date to send it at: give "date_scheduled", such as '
            '"2030-01-31T09:00:00+00:00", or status "outbox" to send it now.'
        ),
    ),
    *(
        (
            violation,
            message,
            (
                'The delay "send_in" has to be a whole number of seconds below 60: give it as a number such as 30, '
                f"or leave it out; {LATER}"
            ),
        )
        for violation, message in (
            (SEND_IN_NO_NUMBER, "Value must be of int type."),
            (SEND_IN_TOO_LONG, "The value must not be larger than 59."),
        )
    ),
    (
        SEND_IN_MISPLACED,
        'This field is only for status "outbox".',
        (
            'Only an email with status "outbox" can be sent in so many seconds, not one with status "draft": '
            f'leave "send_in" out; {LATER}'
        ),
    ),
    (
        ATTACHMENT_URL_INVALID,
        "Invalid URL.",
        (
            'The "url" of each attachment has to begin with "https://app.close.com/go/file/": upload the file to Close '
            'first, and give the "download.url" that the Files API answers with.'
        ),
    ),
]
REFUSALS = [  # what was found, on an update, the code, the message of the field, the sentence
    (SENDER_REQUIRED, False, "sender_required", "This field is required.", CREATE_DETAIL),
    (SENDER_REQUIRED, True, "sender_required", "This field is required.", UPDATE_DETAIL),
    (SENDER_NOT_A_STRING, False, "sender_malformed", "Value must be of str type.", MALFORMED_DETAIL),
    (SENDER_NOT_A_STRING, True, "sender_malformed", "Value must be of str type.", MALFORMED_DETAIL),
    (SENDER_NO_ADDRESS, False, "sender_malformed", "Invalid email address.", MALFORMED_DETAIL),
    (SENDER_NO_ADDRESS, True, "sender_malformed", "Invalid email address.", MALFORMED_DETAIL),
]


def test_the_tables_are_complete() -> None:
    """A code added to the enum has to be given rows, on a creation and on an update."""
    assert {(row[2], row[1]) for row in REFUSALS} | {
        (row[0].code.value, update) for row in OTHERS for update in (False, True)
    } == {(code.value, update) for code in ViolationCode for update in (False, True)}


@pytest.mark.parametrize(("violation", "update", "code", "message", "detail"), REFUSALS)
def test_a_refusal_reads_as_closes_own(
    violation: Violation, code: str, message: str, detail: str, *, update: bool
) -> None:
    """Status 400, both keys that Close's client reads, and what is ours under a key of its own."""
    answer = bad_request((violation,), EmailWrite(status=Status.OUTBOX), "r-1", update=update)
    assert answer == OwnAnswer(
        status=400,
        body={
            "errors": [],
            "field-errors": {"sender": message},
            "gateway": {
                "code": code,
                "detail": detail,
                "docs": LOG,
                "request_id": "r-1",
            },
        },
    )
    assert orjson.loads(orjson.dumps(answer.body)) == answer.body


@pytest.mark.parametrize("update", [False, True])
@pytest.mark.parametrize(("violation", "message", "detail"), OTHERS)
def test_a_refusal_for_anything_else_reads_so_too(
    violation: Violation, message: str, detail: str, *, update: bool
) -> None:
    """In the same shape, with the field that is wrong and the page of Close's that says so."""
    body = bad_request((violation,), EmailWrite(status=Status.DRAFT), "r-1", update=update).body
    assert body == {
        "errors": [],
        "field-errors": {violation.field: message},
        "gateway": {"code": violation.code.value, "detail": detail, "docs": CREATE, "request_id": "r-1"},
    }


def test_of_a_field_the_first_violation_is_told() -> None:
    """As Close would: its library goes on to no second check of a field."""
    body = bad_request((SEND_IN_TOO_LONG, SEND_IN_MISPLACED), EmailWrite(), "r-1", update=False).body
    assert body["field-errors"] == {"send_in": SEND_IN_TOO_LONG.message}


def test_every_violation_names_its_field() -> None:
    """The first gives the code; each field has its message, and what mends it is told of all."""
    first = Violation(ViolationCode.SENDER_MALFORMED, "sender", "Invalid email address.")
    second = Violation(ViolationCode.SENDER_REQUIRED, "other", "This field is required.")
    body = bad_request((first, second), EmailWrite(status=Status.INBOX), "r-1", update=False).body
    assert body == {
        "errors": [],
        "field-errors": {"sender": "Invalid email address.", "other": "This field is required."},
        "gateway": {
            "code": "sender_malformed",
            "detail": " ".join(explain(one, EmailWrite(status=Status.INBOX), update=False) for one in (first, second)),
            "docs": LOG,
            "request_id": "r-1",
        },
    }


@pytest.mark.parametrize("update", [False, True])
@pytest.mark.parametrize("code", ViolationCode)
@pytest.mark.parametrize("status", [*Status, None])
def test_a_sentence_repeats_nothing_that_was_sent(status: Status | None, code: ViolationCode, *, update: bool) -> None:
    """One plain sentence, with nothing in it of what the client sent but a status that Close knows."""
    email = EmailWrite(status, *["s3cr3t"] * 7)
    detail = explain(Violation(code, "sender", ""), email, update=update)
    if code in {ViolationCode.SENDER_REQUIRED, ViolationCode.SENDER_MALFORMED, ViolationCode.SEND_IN_MISPLACED}:
        assert f'status "{status.value if status else "unknown"}"' in detail
    assert detail.endswith(".")
    assert "s3cr3t" not in detail
    assert "\n" not in detail


def _all_errors() -> list[type[GatewayError]]:
    """Every error of the gateway, in whichever module."""
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = {GatewayError} | {kind for kind in _below(GatewayError) if kind.__module__.startswith("gateway.")}
    return sorted(kinds, key=lambda kind: kind.__name__)


def _below(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


ERRORS = [kind for kind in _all_errors() if hasattr(kind, "code")]


def test_every_error_has_a_code_of_its_own() -> None:
    """Logs and clients tell errors apart by it. An error that others are made from need not have one."""
    codes = [kind.code for kind in ERRORS]
    assert len(set(codes)) == len(codes)
    assert all(code.isidentifier() and code.islower() for code in codes)
    assert [kind for kind in _all_errors() if kind not in ERRORS and not kind.__subclasses__()] == []


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_is_answered_in_closes_shape(kind: type[GatewayError]) -> None:
    """JSON with both keys that Close's client reads, whatever has failed."""
    error = kind.__new__(kind, "What happened.")
    answer = gateway_error(error, "r-1")
    assert answer == OwnAnswer(
        status=kind.status,
        body={
            "errors": [str(error)],
            "field-errors": {},
            "gateway": {"code": kind.code, "request_id": "r-1"},
        },
    )
    assert orjson.loads(orjson.dumps(answer.body)) == answer.body


@pytest.mark.parametrize("kind", _all_errors())
def test_no_error_makes_a_client_send_a_post_again(kind: type[GatewayError]) -> None:
    """Close's client repeats any request on 503 and 429: the email would go out twice."""
    assert kind.status not in {429, 503}
    assert 400 <= kind.status < 600

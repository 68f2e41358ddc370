"""Violations as Close's own 400, and the gateway's errors as the answer a client sees.

Source  Close's validation errors: {"errors": [], "field-errors": {field: message}}. Its official client reads both
        keys of any 400 and fails on anything but JSON. What is the gateway's own stands under a key of its own.
"""

from collections.abc import Sequence
from functools import lru_cache

from gateway.answer import OwnAnswer
from gateway.errors import GatewayError
from gateway.policy import EmailWrite, Status, Violation, ViolationCode
from gateway.wire.advice import advice, source


def bad_request(violations: Sequence[Violation], email: EmailWrite, request_id: str, *, update: bool) -> OwnAnswer:
    """Build the answer in which Close's rules are broken. The first violation gives the code, and the first of each
    field that field's message; what to change is told of all.
    """
    first = violations[0]
    messages: dict[str, str] = {}
    for violation in violations:
        messages.setdefault(violation.field, violation.message)
    return OwnAnswer(
        status=400,
        body={
            "errors": [],
            "field-errors": messages,
            "gateway": {
                "code": first.code.value,
                "detail": " ".join(explain(violation, email, update=update) for violation in violations),
                "docs": source(first.code),
                "request_id": request_id,
            },
        },
    )


def gateway_error(error: GatewayError, request_id: str) -> OwnAnswer:
    """Build the answer in which the gateway, or the way to Close, has failed."""
    return OwnAnswer(
        status=error.status,
        body={
            "errors": [str(error)],
            "field-errors": {},
            "gateway": {"code": error.code, "request_id": request_id},
        },
    )


def explain(violation: Violation, email: EmailWrite, *, update: bool) -> str:
    """Say in one sentence what is wrong and what to add."""
    return _sentence(violation.code, email.status, update)


@lru_cache(maxsize=256)  # there are no more of them, and the same few are said again and again
def _sentence(code: ViolationCode, status: Status | None, update: bool) -> str:  # noqa: FBT001 - a key of the cache
    return advice(code, status.value if status else "unknown", update=update).sentence

"""The rules of Close that the gateway knows: pure functions from an email write to findings, and to a verdict.

As a library: read the members of a JSON object (`email_write`), judge them (`judge_create`, `judge_update`), and make
a verdict of what is found (`decide`).

>>> verdict = decide(judge_create(email_write({"lead_id": "lead_1", "status": "outbox", "to": ["lead@example.net"]})))
>>> isinstance(verdict, Reject)
True
>>> [(violation.field, violation.message) for violation in verdict.violations]
[('sender', 'This field is required.')]

A verdict is one of three, which mypy can see to be handled: `Reject`, `FillSender` (Close takes the address of the
user, or of the key's owner) and `Forward`. Each tells in `reported` what is found beside it and does not refuse.

Everything here is immutable, and nothing waits, logs or knows the time. What `__all__` names stays: names, fields and
codes are added, and none is taken away or changes its meaning, before the next major version.
"""

from gateway.policy.create import judge_create
from gateway.policy.email import Absent, EmailWrite, Status, StoredEmail
from gateway.policy.members import email_write, stored_email
from gateway.policy.modes import DEFAULT_MODES, Modes, decide
from gateway.policy.update import judge_update, needs_stored_email
from gateway.policy.verdict import (
    FillSender,
    Findings,
    Forward,
    Reject,
    Verdict,
    Violation,
    ViolationCode,
    Violations,
)

__all__ = [
    "DEFAULT_MODES",
    "Absent",
    "EmailWrite",
    "FillSender",
    "Findings",
    "Forward",
    "Modes",
    "Reject",
    "Status",
    "StoredEmail",
    "Verdict",
    "Violation",
    "ViolationCode",
    "Violations",
    "decide",
    "email_write",
    "judge_create",
    "judge_update",
    "needs_stored_email",
    "stored_email",
]

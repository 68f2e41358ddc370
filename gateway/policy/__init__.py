"""The rules of Close that the gateway knows: pure functions from an email write to findings, and to a verdict."""

from gateway.policy.create import judge_create
from gateway.policy.email import Absent, EmailWrite, Status, StoredEmail
from gateway.policy.modes import Modes, decide
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
    "judge_create",
    "judge_update",
    "needs_stored_email",
]

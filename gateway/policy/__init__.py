"""The rules of Close that the gateway enforces: pure functions from an email write to a verdict."""

from gateway.policy.create import judge_create
from gateway.policy.email import EmailWrite, Status, StoredEmail
from gateway.policy.update import judge_update, needs_stored_email
from gateway.policy.verdict import FillSender, Forward, Reject, UpdateVerdict, Verdict, Violation, ViolationCode

__all__ = [
    "EmailWrite",
    "FillSender",
    "Forward",
    "Reject",
    "Status",
    "StoredEmail",
    "UpdateVerdict",
    "Verdict",
    "Violation",
    "ViolationCode",
    "judge_create",
    "judge_update",
    "needs_stored_email",
]

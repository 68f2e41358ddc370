"""What the scripted peers judge by: the rule of 2025-12-17, as short as one writes it in a script.

The gateway has it in `gateway/policy/`; a peer borrows nothing from there, since it is what one would have instead.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

EMAILS: Final = "/api/v1/activity/email/"
NEEDS_SENDER: Final = frozenset({"inbox", "scheduled", "outbox", "error"})
SENDS: Final = frozenset({"scheduled", "outbox"})
REJECTION: Final = json.dumps({"errors": [], "field-errors": {"sender": "This field is required."}}).encode()


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be done about a request: `act` is forward, reject, fill, or look (the stored email up)."""

    act: str
    email: dict[str, Any]


def judges(method: str, path: str) -> bool:
    """Whether this request writes an email activity."""
    return path.startswith(EMAILS) and (method in {"PUT", "PATCH"} or (method == "POST" and path == EMAILS))


def judge(method: str, body: bytes) -> Case:
    """Tell what is to be done about an email write."""
    try:
        email = json.loads(body)
    except ValueError:
        return Case("forward", {})
    if not isinstance(email, dict):
        return Case("forward", {})
    status, sender = email.get("status"), email.get("sender")
    if sender is not None and not (isinstance(sender, str) and not sender.strip()):
        return Case("forward", email)
    if method != "POST":
        return Case("look" if status in SENDS else "forward", email)
    if status == "sent":
        return Case("fill", email)
    return Case("reject" if status in NEEDS_SENDER else "forward", email)


def filled(email: dict[str, Any], address: str) -> bytes:
    """Write the email anew, with a sender."""
    return json.dumps({**email, "sender": address}).encode()

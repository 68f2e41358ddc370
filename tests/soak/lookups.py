"""What the soak's upstream says to the gateway's own questions: it depends on the key and on the email's id alone."""

import json
from typing import Final

from tests.raw import values, with_length

STORED_SENDER: Final = "stored@example.com"
DEAD: Final = "dead"
"""In a key or an email's id: the upstream does not answer this question."""
BARE: Final = "bare"
"""In an email's id: the email has no sender."""


def owner_of(key: str) -> str:
    """Tell the address of whoever stands behind a key."""
    return f"owner-of-{key}@example.com"


def lookup_answer(head: bytes) -> tuple[bytes, bool]:
    """Give the answer, and whether the connection may serve another request."""
    target = head.split(b" ")[1].partition(b"?")[0].decode()
    key = b"".join(values(head, b"authorization")).decode().removeprefix("Bearer ")
    if DEAD in (key if target == "/api/v1/me/" else target):
        return b"", False
    if target == "/api/v1/me/":
        told = {"id": f"user_{key}", "email": owner_of(key)}
    else:
        told = {"id": target.split("/")[-2], "sender": "" if BARE in target else STORED_SENDER}
    return with_length(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", json.dumps(told).encode()), True

"""Email writes for these tests, as they stand on the wire."""

from typing import Final

from tests.raw import with_length

EMAILS: Final = b"/api/v1/activity/email/"
DRAFT: Final = b'{"lead_id": "lead_1", "status": "draft"}'
LOGGED: Final = b'{"lead_id": "lead_1", "status": "sent"}'
"""Lacks the sender that the gateway fills in."""
SENDERLESS: Final = b'{"lead_id": "lead_1", "status": "outbox"}'
"""Lacks the sender that it is rejected for."""
FIELDS: Final = b"Host: api.close.com\r\nAuthorization: Basic a2V5Og==\r\nContent-Type: application/json\r\n"


def write(body: bytes, fields: bytes = b"", *, method: bytes = b"POST", path: bytes = EMAILS) -> bytes:
    """Make a request that creates an email; or, by its method and path, something else."""
    return with_length(b"%b %b HTTP/1.1\r\n" % (method, path) + FIELDS + fields, body)


def change(body: bytes, fields: bytes = b"", *, email_id: bytes = b"acti_1") -> bytes:
    """Make a request that changes an email."""
    return write(body, fields, method=b"PUT", path=EMAILS + email_id + b"/")

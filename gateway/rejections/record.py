"""What is kept of a refusal or a report, and what is left out of it.

Kept     Who (the credential's fingerprint, its owner where known, the client's address and user agent), what (method,
         path, the email's status and ids) and why (the code).
Left out The credential itself, and everything that is the email's own: sender, recipients, subject, body.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.exchange import Exchange, printable
from gateway.policy import Violations

REFUSED: Final = 400


class Rejection(NamedTuple):
    """A request that was refused, or one thing that was reported of a request. Texts are bounded and printable."""

    request_id: str
    code: str
    method: str
    path: str
    email_status: str | None
    lead_id: str | None
    email_id: str | None
    credential: str | None
    owner: str | None
    client: str
    user_agent: str | None
    elapsed_ms: float
    enforced: bool
    """Whether this is what it was refused for. False: it was reported."""
    status: int | None
    """Of the answer; None: Close answered. What was reported may have been refused for something else."""


def make_rejections(
    exchange: Exchange,
    violations: Violations,
    members: dict[str, object],
    *,
    email_id: str | None,
    owner: str | None,
    enforced: bool,
    refused: bool,
) -> Sequence[Rejection]:
    """Pick what is kept, one for each violation. `members` are the email's, as the client sent them."""
    credentials = exchange.credentials
    first = Rejection(
        request_id=exchange.id,
        code=violations[0].code.value,
        method=exchange.method,
        path=exchange.path,
        email_status=_text(members.get("status")),
        lead_id=_text(members.get("lead_id")),
        email_id=None if email_id is None else printable(email_id),
        credential=None if credentials is None else credentials.fingerprint,
        owner=None if owner is None else printable(owner),
        client=exchange.client,
        user_agent=exchange.user_agent,
        elapsed_ms=exchange.elapsed_ms(),
        enforced=enforced,
        status=REFUSED if refused else None,
    )
    others = (first._replace(code=violation.code.value) for violation in violations[1:])
    return [first, *others]


def _text(value: object) -> str | None:
    return printable(value) if isinstance(value, str) else None

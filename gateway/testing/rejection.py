"""What a test gets to see of a request that was refused, or of which something was reported."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from gateway.policy import Status, Violation, ViolationCode
from gateway.policy.attachments import ATTACHMENT_URL_INVALID
from gateway.policy.date_scheduled import DATE_REQUIRED
from gateway.policy.lead import LEAD_ID_REQUIRED
from gateway.policy.send_in import SEND_IN_MISPLACED, SEND_IN_NO_NUMBER, SEND_IN_TOO_LONG
from gateway.policy.sender import SENDER_NO_ADDRESS, SENDER_NOT_A_STRING, SENDER_REQUIRED
from gateway.policy.status import STATUS_REQUIRED, STATUS_UNKNOWN
from gateway.wire.advice import advice

FOUND: Final[tuple[Violation, ...]] = (
    SENDER_REQUIRED,
    SENDER_NOT_A_STRING,
    SENDER_NO_ADDRESS,
    STATUS_REQUIRED,
    STATUS_UNKNOWN,
    LEAD_ID_REQUIRED,
    DATE_REQUIRED,
    SEND_IN_NO_NUMBER,
    SEND_IN_TOO_LONG,
    SEND_IN_MISPLACED,
    ATTACHMENT_URL_INVALID,
)
"""All that the rules may find."""
FIELDS: Final = {violation.code.value: violation.field for violation in FOUND}
STATUSES: Final = frozenset(status.value for status in Status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An email write, and the rule that it broke. It has no credential, and nothing of what the email says."""

    code: str
    """Names the rule: "sender_required"."""
    method: str
    """How it came: "POST"."""
    path: str
    """Where to, without the query: "/api/v1/activity/email/"."""
    email_status: str | None
    """The status that the email was to have, where it named one."""
    lead_id: str | None
    """The lead that it named."""
    email_id: str | None
    """The email that was to be changed; None: it was to be created."""
    owner: str | None
    """The address of the credential's owner, where the gateway had to ask for it."""
    user_agent: str | None
    """The client, as it names itself."""
    request_id: str
    """The X-Request-Id of the answer."""

    @property
    def field(self) -> str:
        """The field that the rule is about: "sender"."""
        return FIELDS[self.code]

    @property
    def detail(self) -> str:
        """What is wrong with it and what to change, in one sentence."""
        status = self.email_status if self.email_status in STATUSES else "unknown"
        return advice(ViolationCode(self.code), str(status), update=self.email_id is not None).sentence

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.code}, field {self.field}\n  {self.detail}"


KEPT: Final = tuple(each.name for each in fields(Rejection))


def from_event(event: Mapping[str, Any]) -> Rejection:
    """Make one of the event that the log has of it."""
    kept: dict[str, Any] = {name: event.get(name) for name in KEPT}  # what is not known is not there
    return Rejection(**kept)

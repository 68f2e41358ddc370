"""Pure: what was wrong with a request, and how to send it so that it passes.

Rule    The example is made of what the log has anyway: ids, the status, the owner's address. All that stands in the
        `curl` line is quoted for a shell, and the key is left to the reader's own $CLOSE_API_KEY.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from gateway.policy import Status, ViolationCode
from gateway.rejections.entry import Entry
from gateway.wire.advice import EXAMPLES, advice, source

EMAILS: Final = "/api/v1/activity/email/"
STATUSES: Final = frozenset(status.value for status in Status)
ATTACHMENT: Final = {
    "url": EXAMPLES["url"],
    "filename": "offer.pdf",
    "content_type": "application/pdf",
    "size": 12345,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What to tell whoever sent it."""

    rule: str
    source: str
    fix: str
    example: Mapping[str, object]
    """A body that passes."""
    curl: str
    """Sends it."""


def explain(entry: Entry, url: str, curl: str = "curl") -> Explanation | None:
    """Explain an entry for somebody who reaches the gateway at `url` by the command `curl`.

    None where this version knows no such code.
    """
    try:
        code = ViolationCode(entry.code)
    except ValueError:
        return None
    update = entry.email_id is not None
    # A draft where the entry has no status that could stand: trying the example out then sends nothing.
    status = entry.email_status if entry.email_status in STATUSES else "draft"
    said = advice(code, status, update=update)
    example = (_change(entry, status) if update else _creation(entry, status)) | _of_the_rule(code, status)
    return Explanation(
        rule=f"{said.rule}.",
        source=source(code),
        fix=f"{said.fix[0].upper()}{said.fix[1:]}.",
        example=example,
        curl=_curl(entry, f"{curl} -X", url, example),
    )


def _creation(entry: Entry, status: str) -> dict[str, object]:
    return {
        "lead_id": entry.lead_id or EXAMPLES["lead_id"],
        "status": status,
        "to": ["lead@example.net"],
        "sender": _sender(entry),
    }


def _change(entry: Entry, status: str) -> dict[str, object]:
    return {"status": status, "sender": _sender(entry)}


def _of_the_rule(code: ViolationCode, status: str) -> dict[str, object]:
    """Give what the rule, or the status, is about beside the sender."""
    scheduled: dict[str, object] = {"date_scheduled": EXAMPLES["date_scheduled"]} if status == "scheduled" else {}
    match code:
        case ViolationCode.SEND_IN_INVALID if status == "outbox":
            return scheduled | {"send_in": 30}
        case ViolationCode.ATTACHMENT_URL_INVALID:
            return scheduled | {"attachments": [ATTACHMENT]}
        case _:
            return scheduled


def _sender(entry: Entry) -> str:
    return entry.owner if entry.owner and "@" in entry.owner else EXAMPLES["sender"]


def _curl(entry: Entry, curl: str, url: str, example: Mapping[str, object]) -> str:
    path = EMAILS if entry.email_id is None else f"{EMAILS}{quote(entry.email_id, safe='')}/"
    method = "POST" if entry.email_id is None else "PUT"
    body = shlex.quote(json.dumps(example, ensure_ascii=False))
    return (
        f'{curl} {method} {shlex.quote(url + path)} -u "$CLOSE_API_KEY:" '
        f"-H 'Content-Type: application/json' -d {body}"
    )

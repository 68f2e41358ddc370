"""Pure: what a body looked like, without what it said.

Kept     Which of the fields that Close documents were there, of what type each was and how large; the values of the
         status and of ids alone, and only where they look like one; whether a sender was given.
Left out Every other value, and the names of fields that Close does not document: they are counted.
Source   developer.close.com: Emails. The names are those of the published API description.
"""

import re
from collections.abc import Mapping
from typing import Final

IDS: Final = (
    "account_id",
    "contact_id",
    "created_by_id",
    "email_account_id",
    "followup_sequence_id",
    "in_reply_to_id",
    "lead_id",
    "organization_id",
    "template_id",
    "user_id",
)
FIELDS: Final = (
    *IDS,
    "activity_at",
    "attachments",
    "bcc",
    "body_html",
    "body_text",
    "cc",
    "date_created",
    "date_scheduled",
    "followup_date",
    "followup_sequence_add_cc_bcc",
    "followup_sequence_delay",
    "opens",
    "send_in",
    "sender",
    "status",
    "subject",
    "to",
)
"""Their number bounds the shape."""
ID: Final = re.compile(r"[A-Za-z]{1,16}_[A-Za-z0-9]{1,64}")
STATUS: Final = re.compile(r"[a-z_-]{1,24}")
SHOWN: Final = dict.fromkeys(IDS, ID) | {"status": STATUS}


def shape_of(members: Mapping[str, object], size: int) -> dict[str, object]:
    """Describe a body of `size` bytes that says `members`."""
    fields = {name: _described(name, members[name]) for name in FIELDS if name in members}
    return {
        "bytes": size,
        "sender": _sender(members),
        "fields": fields,
        "others": len(members) - len(fields),
    }


def _described(name: str, value: object) -> str:
    match value:
        case None:
            return "null"
        case str():
            looks = SHOWN.get(name)
            return value if looks is not None and looks.fullmatch(value) else f"text of {len(value)}"
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case list():
            return f"list of {len(value)}"
        case _:
            return "object"


def _sender(members: Mapping[str, object]) -> str:
    match members.get("sender", members):
        case None:
            return "null"
        case str() as text:
            return "given" if text.strip() else "blank"
        case other:
            return "absent" if other is members else "no text"

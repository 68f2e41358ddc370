"""How does Close say no?

Rule    An invalid request is a 400: `errors` lists what is wrong with the whole, `field-errors` names each field.
        Every other refusal has one `error`.
Source  The public validation library that Close's answers follow (cleancat: Schema) for 400 and its wording;
        what users of the API report seeing for 401 and 404.
"""

from collections.abc import Mapping
from typing import Any, Final

NOT_AN_OBJECT: Final = "Invalid request: JSON dictionary expected."
NOT_JSON: Final = "The request contains invalid JSON."
ONLY_DRAFTS: Final = "Only drafts can be modified."

REQUIRED: Final = "This field is required."
NOT_A_STRING: Final = "Value must be of str type."
NOT_AN_ADDRESS: Final = "Invalid email address."
NOT_A_CHOICE: Final = "Not a valid choice."
NO_SUCH_OBJECT: Final = "Object does not exist."


class Refusal(Exception):
    """What was asked is not done, and this is the answer."""

    def __init__(self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def invalid(*errors: str, fields: Mapping[str, str] | None = None) -> Refusal:
    """A 400: what is wrong with the whole request, and with which fields."""
    return Refusal(400, {"errors": list(errors), "field-errors": dict(fields or {})})


def refused(status: int, error: str, headers: Mapping[str, str] | None = None) -> Refusal:
    """Any other refusal."""
    return Refusal(status, {"error": error}, headers)

"""Is there a value at all?

Rule    Null, absent, empty and blank count as missing, and are answered "This field is required."
Source  The public validation library that Close's answers follow (cleancat: TrimmedString).
Needs   The value alone.
"""

from typing import Final

from gateway.policy.email import Absent

REQUIRED: Final = "This field is required."


def is_missing(value: object) -> bool:
    """Whether a field that holds this value says nothing."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or value is Absent.ABSENT

"""What does the body say?

Rule    JSON, read as Python's json module reads bytes: UTF-8, -16 or -32 by its looks, with or without a byte order
        mark; the last of duplicate keys wins; NaN is a number; half a surrogate pair is a character.
        A type that cannot be JSON is a 415. A body that is coded (gzip, br) is not decoded, and so is not JSON.
Source  Close's backend is Python; developer.close.com: HTTP response codes, for 415.
Needs   The body and its Content-Type. None given counts as JSON.
"""

import json
from typing import Any, Final

from gateway.sandbox.refusal import NOT_JSON, invalid, refused

DEEPEST: Final = 100
"""Levels of lists and objects in each other. Python would run out of stack when it writes them back."""


def read_json(body: bytes, content_type: str | None) -> Any:
    """Read a body that should be JSON."""
    if content_type and "json" not in content_type.partition(";")[0].lower():
        raise refused(415, "Unsupported Media Type")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):  # ValueError: not JSON, not Unicode, or a number of thousands of digits
        raise invalid(NOT_JSON) from None
    if _is_deep(value):
        raise invalid(NOT_JSON)
    return value


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []

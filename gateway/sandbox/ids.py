"""Ids as Close makes them: `acti_` and 43 letters and digits."""

import secrets
import string
from typing import Final

LETTERS: Final = string.ascii_letters + string.digits
LENGTH: Final = 43


def new_id(kind: str) -> str:
    """Make up an id of a kind, such as `acti`."""
    return f"{kind}_{''.join(secrets.choice(LETTERS) for _ in range(LENGTH))}"

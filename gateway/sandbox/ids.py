"""Ids as Close makes them: `acti_` and 43 letters and digits."""

import secrets
import string
from typing import Final

LETTERS: Final = string.ascii_letters + string.digits
LENGTH: Final = 43


def new_id(kind: str) -> str:
    """Make up an id of a kind, such as `acti`."""
    number, letters = secrets.randbelow(len(LETTERS) ** LENGTH), []  # once: a question to the system for each is slow
    for _ in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return f"{kind}_{''.join(letters)}"

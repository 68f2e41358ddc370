"""Pure: texts from outside, made safe for a terminal and for a spreadsheet."""

import re
from typing import Final

HOLE: Final = "\N{REPLACEMENT CHARACTER}"
# OWASP, "CSV Injection": what begins so is taken for a formula.
FORMULA: Final = re.compile(r"[=+\-@\t\r]")


def clean(text: str, *, lines: bool = False) -> str:
    """Take out what a terminal would act on, but for the ends of lines where it has several."""
    return "".join(letter if letter.isprintable() or (lines and letter == "\n") else HOLE for letter in text)


def cell(text: str) -> str:
    """Write a text for a cell of a spreadsheet, which is to show it and no more."""
    return f"'{text}" if FORMULA.match(text) else text

"""Is this value a sender?

Rule    Null, absent, empty and blank count as missing. Anything but a string is of the wrong type.
        A string is an address, or a name and an address.
Source  The public validation library that Close's answers follow (cleancat: String, TrimmedString, Email).
Needs   The value alone. Close's own idea of an address is not published in full, so a string passes here unless
        no reader of addresses could find one in it.
"""

import enum
import re
from typing import Final

from gateway.policy.missing import REQUIRED
from gateway.policy.verdict import Violation, ViolationCode

SENDER_REQUIRED: Final = Violation(ViolationCode.SENDER_REQUIRED, "sender", REQUIRED)
SENDER_NOT_A_STRING: Final = Violation(ViolationCode.SENDER_MALFORMED, "sender", "Value must be of str type.")
SENDER_NO_ADDRESS: Final = Violation(ViolationCode.SENDER_MALFORMED, "sender", "Invalid email address.")

# Something on both sides of an "@", which may stand apart from it (RFC 5322, 4.4). email.utils.parseaddr is not
# lenient enough: of `Roe, Jane <jane@example.com>` it sees "Roe", and what it sees changed within Python 3.11.
ADDRESS = re.compile(r"""[^\s@<>,;:]\s*@\s*[^\s@<>,;:."]""")
# And what the validation library would take for one: its pattern knows no punctuation but the dot.
BARE_ADDRESS = re.compile(r"\s*[^\s@]*[^\s@.]@[^\s@.][^\s@]*\.[A-Za-z]{2,63}\s*")


class SenderState(enum.Enum):
    """What can be said of a sender without asking anyone."""

    MISSING = enum.auto()
    NOT_A_STRING = enum.auto()
    NO_ADDRESS = enum.auto()
    USABLE = enum.auto()


def sender_state(value: object) -> SenderState:
    """Tell what a request's `sender`, as read from its JSON, amounts to."""
    if value is None:
        return SenderState.MISSING
    if not isinstance(value, str):
        return SenderState.NOT_A_STRING
    if not value or value.isspace():
        return SenderState.MISSING
    readable = ADDRESS.search(value) or BARE_ADDRESS.fullmatch(value)
    return SenderState.USABLE if readable else SenderState.NO_ADDRESS

"""What a body of an email write says, whatever coding it came in."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.wire import coding, email


class Reading(NamedTuple):
    """A body that reads as a JSON object."""

    plain: bytes
    """Without the codings that it came in."""
    members: dict[str, object]
    """What it says, read as Close reads it."""


def read(body: bytes, encodings: Sequence[bytes], limit: int) -> Reading | None:
    """Read a body. `encodings` are the values of its Content-Encoding fields, `limit` is in bytes of the plain body.

    None: it is no JSON object, or its coding cannot be taken off. Raises coding.TooLarge.
    """
    try:
        plain = coding.decode(body, coding.codings(encodings), limit) if encodings else body
    except coding.Undecodable:
        return None
    members = email.read_object(plain)
    return None if members is None else Reading(plain, members)

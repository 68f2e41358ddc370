"""An entry of the log of rejections: what the store keeps, and what is given to those who ask.

Rule    An entry stands for one request and one code, or, where many were folded into one, for `count` requests. A
        refusal has one entry, whose code is the first that was enforced; each code that was reported has its own.
        So summing `count` over the entries of a code gives the number of its requests to the row.
Rule    An id is made at the gateway, so that an entry that is sent twice is still one. Ids sort by time and are unique
        over gateways (RFC 9562 has UUIDv7 for the same end; this one counts microseconds).
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from pydantic import TypeAdapter

Shape: TypeAlias = Mapping[str, object]
"""JSON, as gateway.rejections.shape makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A rejection as it is kept. Times are microseconds since 1970, UTC. Texts are bounded and printable."""

    id: str
    at: int
    """When it was refused; of many, when the first of them was."""
    last_at: int
    """When the last of them was."""
    count: int = 1
    """How many requests it stands for. The other fields are those of the first."""
    instance: str
    """The gateway that refused it."""
    enforced: bool
    """Whether it was refused for this. False: it was reported."""
    status: int | None
    """Of the answer; None: Close answered. What is reported may have been refused for something else."""
    request_id: str
    code: str
    method: str
    path: str
    email_status: str | None
    lead_id: str | None
    email_id: str | None
    credential: str | None
    owner: str | None
    client: str
    user_agent: str | None
    elapsed_ms: float
    shape: Shape | None = None
    """What the body looked like; None for folded entries."""
    captured: str | None = None
    """The body as far as `rejections.capture` lets it be kept."""
    seq: int = 0
    """Its place in the store, in the order in which entries got there; 0: it is not there yet."""


LINES: Final = TypeAdapter(Entry)


def new_id(at: int) -> str:
    """Make the id of an entry of that time: 14 digits tell the microsecond, 18 are random."""
    return f"{at:014x}{random.getrandbits(72):018x}"  # unique is enough: an id opens nothing


def to_line(entry: Entry) -> bytes:
    """Write an entry as a line of JSON."""
    return LINES.dump_json(entry) + b"\n"


def from_line(line: bytes) -> Entry | None:
    """Read it back; None where it is none, such as one that a crash cut short."""
    try:
        return LINES.validate_json(line, strict=True)
    except ValueError:
        return None

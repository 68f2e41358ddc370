"""What the upstream does to a request, as the request itself asks for in X-Fault, and what its client may see of it."""

import enum
from dataclasses import dataclass
from typing import Final


class Fate(enum.Enum):
    """What became of a request, as its client saw it."""

    ANSWERED = "answered"
    """In full, with its own token."""
    REJECTED = "rejected"
    """By the gateway, with 400."""
    REFUSED = "refused"
    """By the gateway, with 502: the upstream failed before its answer began."""
    BROKEN_OFF = "broken off"
    """Visibly: its answer began and did not end."""
    LEFT = "left"
    """The client went away by itself."""
    UNSERVED = "unserved"
    """Sent behind a request whose connection ended with it."""


FINE: Final = frozenset({Fate.ANSWERED})
FAILS: Final = frozenset({Fate.REFUSED})
CUT: Final = frozenset({Fate.REFUSED, Fate.BROKEN_OFF})


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to answer."""

    name: str
    fates: frozenset[Fate]
    """What a client that stays may see."""
    bodiless: bool = True
    """Whether it makes sense as an answer to HEAD."""


FAULTS: Final = {
    fault.name: fault
    for fault in (
        Fault("none", FINE),
        Fault("chunked", FINE, bodiless=False),
        Fault("until-close", FINE, bodiless=False),
        Fault("slow", FINE, bodiless=False),  # in pieces, with pauses
        Fault("hang", FINE),  # shorter than the gateway waits
        Fault("interim", FINE),  # 103 before the answer
        Fault("unauthorized", FINE),  # 401
        Fault("early", FINE, bodiless=False),  # before the request was read
        Fault("close", FINE),  # and says so
        Fault("stale", FINE),  # closes a moment after its answer, and says nothing
        Fault("surplus", FINE, bodiless=False),  # bytes beyond the answer's end
        Fault("reset", FAILS),  # instead of an answer
        Fault("garbage", FAILS),
        Fault("end", FAILS),  # closes instead of an answer
        Fault("truncated", CUT, bodiless=False),  # ends before Content-Length says
        Fault("truncated-chunks", CUT, bodiless=False),
        Fault("garbage-in-chunks", CUT, bodiless=False),
        Fault("reset-in-body", CUT, bodiless=False),
    )
}

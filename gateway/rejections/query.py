"""What may be asked of the log of rejections, and what comes back.

Rule    A page is never longer in coming than its reader is willing to wait: what no index finds is looked for among so
        many entries and no more, and a page may then have fewer rows than asked for, or none, and still a `next`.
        Only a page without `next` is the last one.
"""

import enum
import re
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from gateway.errors import GatewayError
from gateway.rejections.entry import Entry
from gateway.router import usual

CURSOR: Final = re.compile(r"([0-9a-f]{1,15})-([0-9a-f]{1,15})")
MOST: Final = 1000
"""Rows of a page at most."""
LONGEST: Final = 256
"""Characters of a text: an entry has none that is longer, but for what is captured."""
SEARCHED: Final = (
    "path",
    "user_agent",
    "owner",
    "credential",
    "client",
    "lead_id",
    "email_id",
    "request_id",
    "captured",
)
"""The fields of an entry that a text is looked for in."""
END_OF_TIME: Final = 7_258_118_400_000_000
"""The year 2200, in microseconds."""


class CursorMalformed(GatewayError):
    """The cursor is none that the gateway gave out."""

    code: ClassVar[str] = "cursor_malformed"
    status: ClassVar[int] = 400


class FilterInvalid(GatewayError):
    """A filter has a value that no entry could have. `field` names it."""

    code: ClassVar[str] = "filter_invalid"
    status: ClassVar[int] = 400

    def __init__(self, field: str, wanted: str) -> None:
        super().__init__(f"The filter {field} takes {wanted}.")
        self.field = field


class StoreUnavailable(GatewayError):
    """The store of rejections does not answer. What is refused meanwhile is kept, and found there later."""

    code: ClassVar[str] = "store_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which entries are meant; None leaves a field open. All but `text` and the times are compared whole, and `path` in
    its usual spelling, which entries have.

    Making them raises FilterInvalid.
    """

    code: str | None = None
    credential: str | None = None
    owner: str | None = None
    email_status: str | None = None
    path: str | None = None
    client: str | None = None
    request_id: str | None = None
    lead_id: str | None = None
    since: int | None = None
    """Microseconds since 1970, UTC: from then on."""
    until: int | None = None
    """Before then."""
    text: str | None = None
    """Stands anywhere in a text of the entry, in large or small letters."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            match getattr(self, name):
                case str() as text if not text or len(text) > LONGEST or not text.isprintable():
                    raise FilterInvalid(name, f"a text of 1 to {LONGEST} characters, all printable")
                case int() as time if not 0 <= time < END_OF_TIME:
                    raise FilterInvalid(name, "a time from 1970 to 2199")
        if self.path is not None:
            object.__setattr__(self, "path", usual(self.path))

    def meet(self, entry: Entry) -> bool:
        """Whether this entry is meant, as the store would find it."""
        wanted = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}
        since, until = wanted.pop("since", 0), wanted.pop("until", END_OF_TIME)
        text = wanted.pop("text", "").lower()
        return (
            since <= entry.at < until
            and all(getattr(entry, name) == value for name, value in wanted.items())
            and any(text in (getattr(entry, name) or "").lower() for name in SEARCHED)
        )


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the list: the entry that was looked at last. Clients get it as a text, and hand that back."""

    at: int
    seq: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text. Raises CursorMalformed."""
        found = CURSOR.fullmatch(text)
        if found is None:
            raise CursorMalformed("The cursor is none that the gateway gave out.")
        return cls(int(found[1], 16), int(found[2], 16))

    def __str__(self) -> str:
        return f"{self.at:x}-{self.seq:x}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first."""

    rows: tuple[Entry, ...]
    next: str | None
    """The cursor of what follows; None: nothing does."""


class Bucket(enum.Enum):
    """How long the steps of a series are. Days and weeks begin as UTC has it, weeks on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Step:
    """The requests of one step of a series that have one code."""

    at: int
    """When the step begins."""
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Total:
    """How many requests have this value."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Stats:
    """How many requests were refused or reported: over time, and by whom. Folded ones count with their number.

    A request counts once for each of its entries: for its refusal, and for each code that was reported of it.
    """

    series: tuple[Step, ...]
    """Oldest first; steps without a request are left out."""
    rejected: int
    reported: int
    codes: tuple[Total, ...]
    """All of them, the most frequent first."""
    credentials: tuple[Total, ...]
    """The most frequent, and so with the next two."""
    owners: tuple[Total, ...]
    user_agents: tuple[Total, ...]
    counted_from: int | None = None
    """None: all that was asked for is counted. Else `credentials`, `owners` and `user_agents` count what is as new as
    this or newer, since no index helps and there is more than can be looked at while somebody waits."""
    series_from: int | None = None
    """The same of the rest."""

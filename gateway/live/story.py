"""What is known of one exchange once it is over, for showing and recording it."""

import time
from dataclasses import dataclass, field

from structlog.typing import EventDict

from gateway.exchange import Exchange
from gateway.live.judged import Judged


class Tape:
    """Keeps the first bytes of what it hears, `most` of them, and counts all."""

    __slots__ = ("_most", "_pieces", "kept", "last", "size")

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self.kept = 0
        self.size = 0
        self.last = 0.0
        """When something was heard last."""

    def hear(self, piece: bytes) -> None:
        self.size += len(piece)
        self.last = time.perf_counter()
        if (room := self._most - self.kept) > 0:
            self._pieces.append(piece[:room])
            self.kept += len(self._pieces[-1])

    @property
    def cut(self) -> bool:
        """Whether it did not keep all."""
        return self.kept < self.size

    @property
    def heard(self) -> bytes:
        """What it kept."""
        return b"".join(self._pieces)


@dataclass(frozen=True, slots=True)
class Filled:
    """A sender that was put in."""

    address: str
    user_id: str | None
    """Whose it is; None: the credential's owner's."""
    asked: bool
    """Whether Close was asked for it just now."""


@dataclass(slots=True, eq=False)
class Story:
    """One exchange. It is told while it goes on, and handed on once it is over: then nothing changes any more."""

    exchange: Exchange
    came: Tape
    """The request's body."""
    went: Tape
    """The answer, head and body."""
    at: float = field(default_factory=time.time)
    judged: Judged | None = None
    filled: Filled | None = None
    unknown: list[tuple[str, str]] = field(default_factory=list)
    """Look-ups that failed, each with its reason."""
    notes: list[EventDict] = field(default_factory=list)
    """Events of the log about it."""
    total: float = 0.0
    """Seconds, as those below."""
    own: float = 0.0
    """The gateway's own share."""
    by_client: float = 0.0
    """What its body was waited for."""

    @property
    def by_close(self) -> float:
        """What Close took, connections and look-ups included."""
        return max(0.0, self.total - self.own - self.by_client)

    @property
    def weight(self) -> int:
        """Bytes that it holds, more or less."""
        return self.came.kept + self.went.kept + (0 if self.judged is None else len(self.judged.plain))

    def end(self, *, whole: bool) -> None:
        """Take in that it is over. `whole`: its body had come before it began."""
        exchange = self.exchange
        self.total = time.perf_counter() - exchange.started
        self.own = self.total - exchange.waited
        self.by_client = 0.0 if whole or not self.came.size else max(0.0, self.came.last - exchange.started)

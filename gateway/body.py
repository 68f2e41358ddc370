"""A request's body as it comes in: its pieces wait here until whoever deals with the request takes them.

Rule    What waits is bounded by `high_water`; beyond it the client is made to wait. Framing is taken off already:
        pieces are content. A body ends in one of two ways, complete or with an error, and never in both.
"""

from collections.abc import Callable
from typing import ClassVar, Final

from gateway.errors import GatewayError

HIGH_WATER: Final = 256 * 1024
"""Bytes that wait for a slow upstream before the client is made to wait."""


class RequestBroken(GatewayError):
    """The client's request ends early or is framed wrongly."""

    code = "request_broken"
    status: ClassVar[int] = 400

    def __init__(self) -> None:
        super().__init__("The request's body ends early or is framed wrongly.")


class RequestBody:
    """`received` bytes of it have come, `held` of them wait; `complete`: no more will come; `error`: it broke, and no
    more will come either.

    `on_taken` is called when what waited was taken, so that a client that was made to wait can go on. `heard` is told
    each piece, where somebody listens.
    """

    __slots__ = ("_on_taken", "_pieces", "complete", "error", "heard", "held", "high_water", "received")

    def __init__(self, on_taken: Callable[[], None] | None = None, *, complete: bool = False) -> None:
        self._on_taken = on_taken
        self._pieces: list[bytes] = []
        self.held = 0
        self.received = 0
        self.high_water = HIGH_WATER
        self.heard: Callable[[bytes], None] | None = None
        self.complete = complete
        self.error: GatewayError | None = None

    @property
    def full(self) -> bool:
        """Whether no more should come until some of it is taken."""
        return self.held > self.high_water

    @property
    def over(self) -> bool:
        """Whether no more will come, for one reason or the other."""
        return self.complete or self.error is not None

    def feed(self, piece: bytes) -> None:
        self._pieces.append(piece)
        if self.heard is not None:
            self.heard(piece)
        self.held += len(piece)
        self.received += len(piece)

    def overhear(self, heard: Callable[[bytes], None]) -> None:
        """Tell somebody each piece: those that wait now, and those to come."""
        for piece in self._pieces:
            heard(piece)
        if not self.complete:
            self.heard = heard

    def end(self) -> None:
        self.complete = True

    def fail(self, error: GatewayError) -> None:
        """Let whoever waits for the rest know that it does not come."""
        if not self.over:
            self.error = error

    def take(self) -> bytes:
        """Give what has come and was not taken yet. Where the body broke, that is for the caller to look at."""
        pieces = self._pieces
        if not pieces:
            return b""
        self._pieces = []
        self.held = 0
        if self._on_taken is not None and not self.complete:
            self._on_taken()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


NO_BODY: Final = RequestBody(complete=True)
"""Of all requests that have none."""

"""Follows the exchanges of a gateway and hands on the story of each once it is over.

Rule    It only listens: no request waits for it, and none fails by it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from structlog.typing import EventDict

from gateway.body import NO_BODY
from gateway.exchange import Exchange
from gateway.live.judged import Judged
from gateway.live.story import Filled, Story, Tape
from gateway.policy import EmailWrite, Verdict
from gateway.witness import Handle

OF_AN_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are kept for showing what Close says."""


class Watch:
    """A gateway.witness.Witness. `tell` are given each story; `most` is how many bytes of a body they want to see."""

    def __init__(self, tell: Sequence[Callable[[Story], None]], most: int = 0) -> None:
        self._tell = tell
        self._most = most
        self._open: dict[Exchange, tuple[Story, bool]] = {}
        self._by_id: dict[str, Story] = {}

    def watching(self, handle: Handle) -> Handle:
        def handled(exchange: Exchange) -> None:
            self._begin(exchange)
            handle(exchange)

        return handled

    def _begin(self, exchange: Exchange) -> None:
        story = Story(exchange, Tape(self._most), Tape(self._most + OF_AN_ANSWER))
        self._open[exchange] = (story, exchange.body.over)
        self._by_id[exchange.id] = story
        exchange.heard = story.went.hear
        if exchange.body is not NO_BODY:  # which all requests without one share
            exchange.body.overhear(story.came.hear)

    def judged(self, exchange: Exchange, plain: bytes, email: EmailWrite, verdict: Verdict, *, update: bool) -> None:
        if (found := self._open.get(exchange)) is not None:
            found[0].judged = Judged(plain, email, verdict, update)

    def filled(self, exchange: Exchange, address: str, user_id: str | None, *, asked: bool) -> None:
        if (found := self._open.get(exchange)) is not None:
            found[0].filled = Filled(address, user_id, asked)

    def lookup_failed(self, exchange: Exchange, kind: str, reason: str) -> None:
        if (found := self._open.get(exchange)) is not None:
            found[0].unknown.append((kind, reason))

    def noted(self, event: EventDict) -> bool:
        """Take an event of the log to the story that it belongs to; tell whether there is one."""
        story = self._by_id.get(str(event.get("request_id")))
        if story is None:
            return False
        story.notes.append(event)
        return True

    def ended(self, exchange: Exchange) -> None:
        found = self._open.pop(exchange, None)
        if found is None:
            return  # it was refused before it began
        story, whole = found
        if self._by_id.get(exchange.id) is story:  # another may have come under the same id
            del self._by_id[exchange.id]
        story.end(whole=whole)
        for tell in self._tell:
            tell(story)

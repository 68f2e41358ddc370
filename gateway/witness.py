"""Who may see what is in an email write and what is done with it: a developer's live view, and else nobody.

Rule    Bodies are shown to a witness alone, and only `close-gateway dev` has one. Without it nothing of this happens.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from gateway.exchange import Exchange
from gateway.policy import EmailWrite, Verdict

Handle: TypeAlias = Callable[[Exchange], None]
"""Deals with an exchange, now or later."""


class Witness(Protocol):
    """Is told of each exchange that begins, of what is found and done on its way, and of its end."""

    def watching(self, handle: Handle) -> Handle:
        """Make what sees an exchange before it is dealt with."""

    def judged(self, exchange: Exchange, plain: bytes, email: EmailWrite, verdict: Verdict, *, update: bool) -> None:
        """See an email write, its body without its codings, and the verdict on it."""

    def filled(self, exchange: Exchange, address: str, user_id: str | None, *, asked: bool) -> None:
        """See the sender that is put in: the user's address, or for None the one of the credential's owner.

        `asked`: it was not known here already.
        """

    def lookup_failed(self, exchange: Exchange, kind: str, reason: str) -> None:
        """See that something could not be known."""

    def ended(self, exchange: Exchange) -> None:
        """See that it is over, however it ended."""

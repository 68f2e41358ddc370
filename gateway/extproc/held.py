"""A request that Envoy holds, until it is told what becomes of it."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

from gateway.answer import OwnAnswer
from gateway.body import NO_BODY, RequestBody
from gateway.exchange import Client, Downstream, Exchange, Fields

LONGEST_LENGTH = 19
"""Digits of a Content-Length that are read: no body is longer than they tell."""


@dataclass(frozen=True, slots=True)
class Released:
    """It goes on, and nobody looks at its answer."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """It goes on, perhaps changed, and its answer is marked."""

    body: bytes | None
    """What goes up; None: what Envoy has of it."""
    without: Collection[bytes]
    """Fields to leave out, in small letters."""
    lines: bytes
    """Fields to set, as header lines."""
    stamp: bytes
    """Fields to set of the answer, as header lines."""
    unauthorized: Callable[[], None]
    """To be called where the answer is 401."""


@dataclass(frozen=True, slots=True)
class Answered:
    """It goes no further."""

    answer: OwnAnswer
    lines: bytes
    """Fields of the answer beside its own, as header lines."""


Outcome: TypeAlias = Released | Forwarded | Answered


class Held(Exchange):
    """An exchange of which the gateway decides, and no more. `outcome` is what becomes of it.

    No interim answer can be sent (`http11` is false for that): Envoy asks for the body by itself.
    """

    __slots__ = ("outcome",)

    def __init__(
        self, client: Client, downstream: Downstream, method: str, target: str, fields: Fields, *, has_body: bool
    ) -> None:
        super().__init__(client, downstream, method, target, fields, http11=False)
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.body = RequestBody() if has_body else NO_BODY
        length = (self.value(b"content-length") or "") if has_body else ""
        self.chunked = has_body and not length
        if length.isascii() and length.isdecimal() and len(length) <= LONGEST_LENGTH:
            self.length = int(length)

    def settle(self, outcome: Outcome) -> None:
        """Tell what becomes of it; what is told first holds."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

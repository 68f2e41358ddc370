"""The two ends of the road: by which requests come in, and by which they go on and answers go back.

Rule    What lies between (router, policy, look-ups, records) knows neither. A front is exchanged whole: the gateway as
        a proxy has one, and as a service that another proxy asks it has another.
"""

import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from gateway.answer import OwnAnswer, Stamp
from gateway.config.settings import Address, ListenerSettings, UnixSocket
from gateway.exchange import Downstream, Exchange
from gateway.outgoing import Rounds
from gateway.shares import Share
from gateway.upstream.pool import Pool


class Outlet(Protocol):
    """Where exchanges go on."""

    def forward(
        self,
        exchange: Exchange,
        /,
        *,
        body: bytes | None = None,
        without: Collection[bytes] = (),
        stamp: Stamp | None = None,
    ) -> None:
        """Have the request go up. What each of these means, gateway.forwarder tells."""

    def answer(self, exchange: Exchange, answer: OwnAnswer, lines: bytes, /, *, keep_alive: bool) -> None:
        """Answer in the upstream's place. `lines` are further header lines, each with its CRLF."""


class Inlet(Protocol):
    """Where requests come in. gateway.listener tells what each of these does."""

    @property
    def active(self) -> int: ...

    @property
    def accepts(self) -> bool: ...

    @property
    def connections(self) -> int: ...

    async def open(
        self, sockets: Sequence[socket.socket] | None = None, share: Share | None = None
    ) -> Address | UnixSocket: ...

    def renew(
        self, handle: Callable[[Exchange], None], settings: ListenerSettings, log: FilteringBoundLogger, /
    ) -> None: ...

    def close_port(self) -> None: ...

    async def drain(self, grace: float) -> int: ...


class MakesOutlet(Protocol):
    """Makes the outlet of a road."""

    def __call__(
        self,
        pool: Pool,
        log: FilteringBoundLogger,
        /,
        *,
        forwarded: bool,
        on_unauthorized: Callable[[Exchange], None],
    ) -> Outlet: ...


class MakesInlet(Protocol):
    """Makes the inlet of a process."""

    def __call__(
        self,
        handle: Callable[[Exchange], None],
        settings: ListenerSettings,
        downstream: Downstream,
        rounds: Rounds,
        log: FilteringBoundLogger,
        /,
    ) -> Inlet: ...


@dataclass(slots=True)
class Beside:
    """Where clients may come by TLS as well, beside the address of the settings; and the flag that has set it."""

    listen: Sequence[Address]
    pair: Path
    """A PEM file with key and certificate."""
    flag: str
    address: Address | None = None
    """The first one in force, once it is open."""


@dataclass(frozen=True, slots=True)
class Front:
    """Both of them. `direct`: clients connect to the inlet; else to somebody who asks it, and call Close by name."""

    inlet: MakesInlet
    outlet: MakesOutlet
    direct: bool = True
    beside: Beside | None = None
    """Where the inlet listens as well."""

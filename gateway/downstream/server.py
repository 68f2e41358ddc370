"""All connections of clients: what they have in common, and how many there are."""

import asyncio
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from gateway.config.settings import ListenerSettings
from gateway.downstream.connection import ClientConnection
from gateway.exchange import Downstream, Exchange
from gateway.outgoing import Rounds
from gateway.shares import Share


class ClientServer:
    """Makes a connection's protocol for each client, and knows those that are open.

    `share` is told how many they are, where other processes have to know.
    """

    def __init__(
        self,
        handle: Callable[[Exchange], None],
        downstream: Downstream,
        limits: ListenerSettings,
        rounds: Rounds,
        log: FilteringBoundLogger,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.rounds = rounds
        self.handle = handle
        self.downstream = downstream
        self.limits = limits
        self.log = log
        self.connections: set[ClientConnection] = set()
        self.share: Share | None = None
        self.handshakes: set[asyncio.Task[None]] = set()
        """Of connections that are not encrypted yet."""

    def came(self, connection: ClientConnection) -> None:
        """Take in that a connection is open."""
        self.connections.add(connection)
        if self.share is not None:
            self.share.tell(len(self.connections))

    def went(self, connection: ClientConnection) -> None:
        """Take in that it is not any more."""
        self.connections.discard(connection)
        if self.share is not None:
            self.share.tell(len(self.connections))

    def renew(self, handle: Callable[[Exchange], None], limits: ListenerSettings, log: FilteringBoundLogger) -> None:
        """Have this in force from the next request on, on open connections too."""
        self.handle = handle
        self.limits = limits
        self.log = log
        for connection in self.connections:
            connection.limit(limits)

    def __call__(self) -> ClientConnection:
        return ClientConnection(self)

    @property
    def full(self) -> bool:
        """Whether there are as many connections as may be, those counted that are not encrypted yet."""
        return len(self.connections) + len(self.handshakes) >= self.limits.max_connections

    def watch(self, now: float) -> None:
        """Keep the limits in time on every connection."""
        for connection in list(self.connections):
            connection.watch(now)

"""Open connections to Close: the pool lends one, takes it back, retires it.

The connection used last is lent first, so that the ones a quiet hour does not need grow old and are closed.
"""

import asyncio
import contextlib
import os
import ssl
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from gateway.outgoing import Rounds
from gateway.upstream.connection import UpstreamConnection
from gateway.upstream.errors import UpstreamBusy, UpstreamUnreachable

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the upstream is: scheme, host and port of its URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Read a checked URL, such as https://api.close.com."""
        parts = urlsplit(url)
        return cls(parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])

    @property
    def authority(self) -> bytes:
        """What Host says: the port only where it is not the scheme's own (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}").encode("idna")


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the system's authorities, and those in `ca_file` beside them. Raises OSError where it cannot be read."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


class Pool:
    """Connections to one origin, at most `max_connections`, each unused for at most `idle_timeout` seconds.

    `timeout` is how long a connection may be silent while an answer is due, `connect_timeout` how long one may take
    to open or to become free. All in seconds.
    """

    def __init__(
        self,
        origin: Origin,
        tls: ssl.SSLContext | None,
        rounds: Rounds,
        *,
        timeout: float,
        connect_timeout: float,
        max_connections: int,
        idle_timeout: float,
    ) -> None:
        self.origin = origin
        self._tls = tls
        self._rounds = rounds
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._max_connections = max_connections
        self._idle_timeout = idle_timeout
        self._loop = asyncio.get_running_loop()  # kept: to ask for it is a system call on Python 3.11
        self._idle: deque[UpstreamConnection] = deque()
        self._open: set[UpstreamConnection] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[UpstreamConnection | None]] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._retired = False

    @property
    def idle(self) -> int:
        return len(self._idle)

    @property
    def open(self) -> int:
        return len(self._open)

    @property
    def opening(self) -> int:
        return self._opening

    @property
    def waiting(self) -> int:
        """How many wait for a connection."""
        return len(self._waiting)

    def take(self) -> UpstreamConnection | None:
        """Lend an open connection that is free now, if there is one. While anyone waits, there is none."""
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
            connection.abort()  # it is on its way out; the loop has only not come round to it yet
        return None

    async def connect(self, *, fresh: bool = False) -> UpstreamConnection:
        """Lend a connection opened for this exchange; where all are taken, the next one that becomes free.

        `fresh`: one that has served before will not do, as it may be as old as the one that just failed.
        Raises UpstreamUnreachable, and UpstreamBusy where none becomes free within `connect_timeout`.
        """
        if not self._waiting and self._has_room():
            self._opening += 1
            return await self._dial()
        try:
            async with asyncio.timeout(self._connect_timeout):
                connection = await self._turn()
        except TimeoutError:
            message = f"All {self._max_connections} connections to the upstream are taken."
            raise UpstreamBusy(message) from None
        if connection is None:
            return await self._dial()
        if fresh:
            self._open.discard(connection)
            self._opening += 1  # a new one takes its place
            connection.abort()
            return await self._dial()
        # It may have been lost on its way from the one who gave it back to the one who waits.
        return connection if connection.reusable else await self.connect()

    def _has_room(self) -> bool:
        return len(self._open) + self._opening < self._max_connections

    async def _turn(self) -> UpstreamConnection | None:
        """Wait, first come first served, for a connection that becomes free; None: for a place to open one."""
        turn: asyncio.Future[UpstreamConnection | None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on(turn.result())  # the turn was ours, and we leave
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(turn)

    def _pass_on(self, connection: UpstreamConnection | None) -> None:
        if connection is not None:
            self.give_back(connection)
        else:
            self._opening -= 1
            self._call_next()

    def _call_next(self) -> None:
        """Give the place that has become free to the first who waits."""
        while self._waiting and self._has_room():
            turn = self._waiting.popleft()
            if not turn.done():
                self._opening += 1
                turn.set_result(None)

    async def _dial(self) -> UpstreamConnection:
        """Open a connection in a place that is counted already.

        Whoever fails to, or leaves meanwhile, makes room for the next who waits.
        """
        connection: UpstreamConnection | None = None
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await self._loop.create_connection(
                    lambda: UpstreamConnection(self._loop, self, self._rounds, self._timeout),
                    self.origin.host,
                    self.origin.port,
                    ssl=self._tls,
                    server_hostname=self.origin.host if self._tls else None,
                )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            message = f"No connection to {self.origin.host}:{self.origin.port}: {_reason(error)}."
            raise UpstreamUnreachable(message) from None
        finally:
            self._opening -= 1
            if connection is None or not connection.connected:
                self._call_next()
        if not connection.connected:  # opened and gone again before we came to look
            raise UpstreamUnreachable("The upstream closes connections as soon as they are open.")
        self._open.add(connection)
        return connection

    def give_back(self, connection: UpstreamConnection) -> None:
        """Take a connection back after an exchange: it is kept where another may follow, else closed."""
        if not connection.reusable:
            connection.abort()
            return
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)  # handed over, so that no newcomer takes it first
                return
        if self._retired:
            connection.close()
            return
        connection.idle_since = self._loop.time()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._idle_timeout, self._retire_old)

    def lost(self, connection: UpstreamConnection) -> None:
        """Forget a connection that is gone."""
        self._open.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)
        self._call_next()

    def _retire_old(self) -> None:
        oldest = self._loop.time() - self._idle_timeout
        while self._idle and self._idle[0].idle_since <= oldest:
            self._idle.popleft().close()
        self._sweep = None
        if self._idle:
            self._sweep = self._loop.call_at(self._idle[0].idle_since + self._idle_timeout, self._retire_old)

    def retire(self) -> None:
        """Keep no connection any more: what is under way is finished, and each is closed after it."""
        self._retired = True
        while self._idle:
            self._idle.popleft().close()

    async def close(self) -> None:
        """Close every connection, whatever is under way."""
        if self._sweep is not None:
            self._sweep.cancel()
        self._idle.clear()
        for connection in list(self._open):
            connection.abort()
        await asyncio.sleep(0)  # aborted transports say so in the loop's next round


def _reason(error: Exception) -> str:
    """Say in a few words why a connection did not come about; nothing of a request is in it."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno).lower()  # asyncio's own text names the address once more
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).lower() or type(error).__name__  # such as the several reasons of several addresses

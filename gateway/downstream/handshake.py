"""A client's connection before it is encrypted: the TLS handshake, and what of it may go on at a time.

Limits  A handshake has as long as the head of a request, and counts as a connection. Where there are as many as may
        be, a few handshakes more are made all the same: only behind one can a client be told 502.
Source  RFC 8446. What is decrypted before the transport is handed over is kept: asyncio gives it to whoever shakes
        hands.
"""

import asyncio
import ssl
from typing import Final, cast

from gateway.downstream.certificate import Certificate
from gateway.downstream.connection import ClientConnection, ClientServer, peer_of

MORE: Final = 64
"""Handshakes that are made though all connections are taken."""
FAREWELL: Final = 86_400.0
"""Seconds that TLS may take to close in good order. `ClientConnection.watch` ends it long before."""


class Handshake(asyncio.Protocol):
    """Shakes hands, then leaves the connection to a ClientConnection."""

    def __init__(self, server: ClientServer, certificate: Certificate) -> None:
        self._server = server
        self._certificate = certificate
        self._task: asyncio.Task[None] | None = None
        self._wire: asyncio.Transport | None = None
        self._connection: ClientConnection | None = None
        self._early: list[bytes] = []
        self._ended = False

    # -- asyncio.Protocol: called by the socket's transport at first, then by that of TLS --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        server = self._server
        self._wire = cast(asyncio.Transport, transport)
        if len(server.handshakes) >= MORE and server.full:
            self._wire.abort()
            return
        server.handshakes.add(self)
        # Its first step comes before anything is read: bytes that come go to TLS.
        self._task = server.loop.create_task(self._shake(self._wire))

    def data_received(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.data_received(data)
        else:
            self._early.append(data)

    def eof_received(self) -> bool:
        self._ended = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        if self._connection is not None:
            self._connection.connection_lost(exc)

    # -- the handshake --

    async def _shake(self, wire: asyncio.Transport) -> None:
        server = self._server
        try:
            transport = await server.loop.start_tls(
                wire,
                self,
                self._certificate.context,
                server_side=True,
                ssl_handshake_timeout=server.limits.head_timeout,
                ssl_shutdown_timeout=FAREWELL,
            )
        except OSError as error:
            self._tell(wire, error)
            wire.abort()
            return
        finally:
            server.handshakes.discard(self)
        if transport is None or self._ended:
            wire.abort()
            return
        self._connection = connection = server()
        transport.set_protocol(connection)
        connection.encrypted(transport, wire)
        for data in self._early:
            connection.data_received(data)

    def _tell(self, wire: asyncio.Transport, error: OSError) -> None:
        """Log what a client and the gateway could not agree on. Who only knocks, as probes do, is not worth a line."""
        match error:
            case ssl.SSLError():
                reason = (error.reason or "no reason is given").lower().replace("_", " ")
            case ConnectionAbortedError():
                reason = "it did not come to its end in time"
            case _:
                return
        self._server.log.info("tls_handshake_failed", client=peer_of(wire), reason=reason)

    def shut(self) -> None:
        """End it with the gateway."""
        if self._task is not None:
            self._task.cancel()
        if self._wire is not None:
            self._wire.abort()

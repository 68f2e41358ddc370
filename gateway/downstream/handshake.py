"""TLS with clients: a handshake over each connection that was accepted, which is a ClientConnection from then on.

Limits  A handshake has as long as the head of a request, and counts as a connection. Where there are as many as may
        be, a few handshakes more are made all the same: only behind one can a client be told 502.
Source  RFC 8446. asyncio's own servers shake hands too, and tell neither how many are under way nor which failed.
"""

import asyncio
import socket
import ssl
from typing import Final

from gateway.downstream.certificate import Certificate
from gateway.downstream.server import ClientServer
from gateway.proxies import BY_SOCKET

MORE: Final = 64
"""Handshakes that are made though all connections are taken."""
FAREWELL: Final = 86_400.0
"""Seconds that TLS may take to close in good order. `ClientConnection.watch` ends it long before."""


class Handshakes:
    """Shakes hands with clients on behalf of a server."""

    def __init__(self, server: ClientServer, certificate: Certificate) -> None:
        self._server = server
        self._certificate = certificate

    async def begin(self, client: socket.socket, address: object) -> None:
        """Shake hands over a connection that was accepted; `address` is where it comes from."""
        server, task = self._server, asyncio.current_task()
        if task is None or (len(server.handshakes) >= MORE and server.full):
            client.close()
            return
        server.handshakes.add(task)
        task.add_done_callback(server.handshakes.discard)
        await self._shake(client, str(address[0]) if isinstance(address, tuple) else BY_SOCKET)

    async def _shake(self, client: socket.socket, peer: str) -> None:
        server = self._server
        try:
            await server.loop.connect_accepted_socket(
                server,
                client,
                ssl=self._certificate.context,
                ssl_handshake_timeout=server.limits.head_timeout,
                ssl_shutdown_timeout=FAREWELL,
            )
        except ssl.SSLError as error:
            self._tell(peer, (error.reason or "no reason is given").lower().replace("_", " "))
        except ConnectionAbortedError:
            self._tell(peer, "it did not come to its end in time")
        except OSError:
            pass  # it left: balancers and probes only knock, and that is not worth a line

    def _tell(self, peer: str, reason: str) -> None:
        """Log what a client and the gateway could not agree on."""
        self._server.log.info("tls_handshake_failed", client=peer, reason=reason)

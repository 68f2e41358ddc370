"""A port that speaks TLS: accepts connections, shakes hands, and leaves each to a ClientConnection.

Limits  A handshake has as long as the head of a request, and counts as a connection. Where there are as many as may
        be, a few handshakes more are made all the same: only behind one can a client be told 502.
Source  RFC 8446. asyncio's own servers shake hands too, and tell neither how many are under way nor which failed.
"""

import asyncio
import errno
import socket
import ssl
from typing import Final

from gateway.downstream.certificate import Certificate
from gateway.downstream.connection import ClientServer
from gateway.proxies import BY_SOCKET

MORE: Final = 64
"""Handshakes that are made though all connections are taken."""
FAREWELL: Final = 86_400.0
"""Seconds that TLS may take to close in good order. `ClientConnection.watch` ends it long before."""
OUT_OF: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What the system has too little of for one more connection."""
PAUSE: Final = 0.5
"""Seconds until it is asked again then."""


class TlsPort:
    """Accepts on a socket that listens, from now on until it is closed."""

    def __init__(self, server: ClientServer, certificate: Certificate, listening: socket.socket) -> None:
        self._server = server
        self._certificate = certificate
        self._listening = listening
        self._accepting = server.loop.create_task(self._accept())

    async def close(self) -> None:
        """Accept no more. Handshakes under way go on."""
        self._accepting.cancel()
        await asyncio.gather(self._accepting, return_exceptions=True)

    async def _accept(self) -> None:
        server = self._server
        while True:
            try:
                client, address = await server.loop.sock_accept(self._listening)
            except OSError as error:  # nothing but a client that has left already, unless the system has had enough
                await asyncio.sleep(PAUSE if error.errno in OUT_OF else 0)
                continue
            if len(server.handshakes) >= MORE and server.full:
                client.close()
                continue
            peer = str(address[0]) if isinstance(address, tuple) else BY_SOCKET
            shaking = server.loop.create_task(self._shake(client, peer))
            server.handshakes.add(shaking)
            shaking.add_done_callback(server.handshakes.discard)

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

"""The port by which Envoy asks: gRPC, with its health told, and drained on stop.

Rule    Envoy learns that the service is about to stop before it does: health checks say so, and each connection is told
        that no stream may be opened on it any more. Those that are open end as they would have.
Limits  So many streams at a time, so many of one connection, and so many connections; a message is no larger than the
        largest body that is looked into, with its head. One too many fails, and Envoy does as its failure_mode_allow
        says.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc
from envoy.service.ext_proc.v3 import external_processor_pb2_grpc as service
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from structlog.typing import FilteringBoundLogger

from gateway.config.settings import Address, ListenerSettings, UnixSocket
from gateway.config.tls import server_context
from gateway.errors import PortTaken, places
from gateway.exchange import Downstream, Exchange
from gateway.extproc.conversation import Conversation
from gateway.extproc.messages import NotFromEnvoy, peer
from gateway.extproc.outlet import Outlet
from gateway.front import Front
from gateway.outgoing import Rounds
from gateway.shares import Share
from gateway.sockets import bind, make_way
from gateway.systemd import HandedAmiss

NAME: Final = "envoy.service.ext_proc.v3.ExternalProcessor"
"""By which its health is asked for; "" stands for all of the process."""
HEADS: Final = 1024 * 1024
"""Bytes of a message beside a body: Envoy lets no head through that is as long."""
OF_ONE_CONNECTION: Final = 1000
"""Streams at a time. Envoy opens another connection for the next one."""
MORE: Final = 64
"""Connections beside those that streams can be on at most: by some, health is asked for alone."""
NAMED: Final = ("listener.listen", "--listen")
"""The setting and the flag that say where to listen."""
FOR_EVER: Final = 86_400.0
"""Seconds that gRPC gives what is under way, for as long as no less is said."""
LATE_COMERS: Final = 0.5
"""Seconds in which streams that were on their way when draining began are still served."""


def front(max_body: int) -> Front:
    """Make the front for Envoy; no larger bodies than these come in."""
    return Front(partial(ExtProcServer, max_body), Outlet, direct=False)


class ExtProcServer:
    """A gateway.front.Inlet: each stream is an exchange, and `handle` is given each."""

    def __init__(
        self,
        max_body: int,
        handle: Callable[[Exchange], None],
        settings: ListenerSettings,
        downstream: Downstream,
        rounds: Rounds,
        log: FilteringBoundLogger,
    ) -> None:
        self._handle = handle
        self._settings = settings
        self._downstream = downstream
        self._log = log
        self._health = health.HealthServicer()
        self._server = self._made(max_body)
        self._streams: set[Conversation] = set()
        self._stopping: asyncio.Task[None] | None = None
        self.accepts = False

    def _made(self, max_body: int) -> Any:
        most = self._settings.max_connections
        options = (
            ("grpc.so_reuseport", 0),  # else a second service would take a part of the requests, and none be told
            ("grpc.max_receive_message_length", max_body + HEADS),
            ("grpc.max_concurrent_streams", OF_ONE_CONNECTION),
            ("grpc.max_allowed_incoming_connections", most + MORE),
        )
        server = grpc.aio.server(options=options, maximum_concurrent_rpcs=most)
        service.add_ExternalProcessorServicer_to_server(self, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        return server

    # -- gateway.front.Inlet --

    @property
    def active(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    @property
    def connections(self) -> int:
        """The same: gRPC tells nothing of connections."""
        return len(self._streams)

    async def open(
        self, sockets: Sequence[socket.socket] | None = None, share: Share | None = None
    ) -> Address | UnixSocket:
        """Start to answer; give the address in force. Raises PortTaken, CertificateUnusable and HandedAmiss."""
        if sockets:
            raise HandedAmiss("A socket was handed over for clients, and gRPC opens its own: set listener.listen.")
        settings = self._settings
        credentials = None
        if settings.tls_certificate is not None and settings.tls_key is not None:
            credentials = await asyncio.to_thread(_credentials, settings.tls_certificate, settings.tls_key)
        if isinstance(settings.listen, Address):
            # gRPC tells that it cannot bind, and not why. What stands in its way, stands in ours.
            (await asyncio.to_thread(bind, settings.listen, *NAMED)).close()
        try:
            address = self._bound(settings.listen, credentials)
        except OSError as error:
            raise PortTaken(*NAMED, str(settings.listen), error) from None
        await self._server.start()
        await self._health.set(NAME, health_pb2.HealthCheckResponse.SERVING)
        self.accepts = True
        return address

    def _bound(self, listen: Address | UnixSocket, credentials: Any) -> Address | UnixSocket:
        if isinstance(listen, UnixSocket):
            with make_way(Path(listen.path), int(self._settings.socket_mode, 8)):
                self._add(str(listen), credentials)
            return listen
        return Address(listen.host, self._add(str(listen), credentials))

    def _add(self, address: str, credentials: Any) -> int:
        """Bind. Raises OSError, of which gRPC tells no more than that it failed."""
        add = self._server.add_insecure_port if credentials is None else self._server.add_secure_port
        given = (address,) if credentials is None else (address, credentials)
        try:
            port: int = add(*given)
        except RuntimeError as error:
            raise OSError(errno.EADDRINUSE, "it cannot be bound") from error
        return port

    def renew(self, handle: Callable[[Exchange], None], settings: ListenerSettings, log: FilteringBoundLogger) -> None:
        """Have requests that come from now on handled so."""
        self._handle = handle
        self._log = log

    def close_port(self) -> None:
        """Take no more streams: whoever checks the health hears it, and so does each connection."""
        if self.accepts:
            self.accepts = False
            self._stopping = asyncio.get_running_loop().create_task(self._stop())

    async def _stop(self) -> None:
        await self._health.enter_graceful_shutdown()
        await self._server.stop(FOR_EVER)

    async def drain(self, grace: float) -> int:
        """Finish what is in flight within `grace` seconds; tell how many streams were cut off.

        Streams that were on their way when Envoy was told are finished, too.
        """
        self.close_port()
        if self._stopping is None:
            return 0
        loop = asyncio.get_running_loop()
        now = quiet_since = loop.time()
        end = now + grace
        while now < end and not self._stopping.done() and (self._streams or now < quiet_since + LATE_COMERS):
            await asyncio.sleep(0.02)
            now = loop.time()
            if self._streams:
                quiet_since = now
        cut_off = len(self._streams)
        await self._server.stop(0)  # who watches its health would keep it from ending
        await self._stopping
        return cut_off

    # -- envoy.service.ext_proc.v3.ExternalProcessor --

    async def Process(self, requests: Any, context: Any) -> None:  # noqa: N802 - its name there
        """Answer what Envoy asks of one request."""
        conversation = Conversation(context, self._handle, self._downstream, self._log)
        self._streams.add(conversation)
        try:
            await conversation.hold()
        except grpc.aio.AbortError:
            raise  # it has been told
        except NotFromEnvoy as error:
            self._downstream.meters.refused[error.code] += 1
            self._log.warning("request_refused", code=error.code, reason=str(error), client=peer({}, context.peer()))
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Exception as fault:  # noqa: BLE001 - gRPC would write its text, which may quote a request
            if not context.done():  # else Envoy has left in the middle of a word
                self._log.error("internal_error", error=type(fault).__name__, at=places(fault))
                await context.abort(grpc.StatusCode.INTERNAL, "the gateway has failed")
        finally:
            conversation.end()
            self._streams.discard(conversation)
            self._downstream.meters.streams[conversation.went] += 1


def _credentials(certificate: Path, key: Path) -> Any:
    """Read the pair. Raises CertificateUnusable."""
    server_context(certificate, key)
    return grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])

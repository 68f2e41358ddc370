"""The admin listener, for those who run the gateway."""

import asyncio
import socket
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from gateway.admin.access import Access
from gateway.admin.answers import Handler, errors_as_json
from gateway.admin.guard import only_for, only_from_here, only_with_token, protect
from gateway.admin.login import Login
from gateway.config.settings import Address
from gateway.sockets import address_of, bind
from gateway.systemd import HandedAmiss

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
ANYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, never bound to
LARGEST: Final = 65_536
"""Bytes of a body: nothing longer than a token is ever sent here."""
LAST_WORDS: Final = 1.0
"""Seconds that an answer has to come to its end when the listener closes."""
EVERYBODY: Final = Access(None)


class AdminServer:
    """Serves the admin routes, by path: what answers a GET, and in `changing` what answers a POST."""

    def __init__(
        self,
        routes: Mapping[str, Handler],
        listen: Address,
        hosts: Collection[str],
        access: Access = EVERYBODY,
        log: FilteringBoundLogger | None = None,
        *,
        changing: Mapping[str, Handler] | None = None,
    ) -> None:
        self._listen = listen
        self._access = access
        self._handed: frozenset[str] = frozenset()
        self._names: set[str] = set()
        self.renew(hosts)
        guards = [errors_as_json(log), only_for(self._names), only_from_here, only_with_token(access)]
        app = web.Application(middlewares=guards, client_max_size=LARGEST)
        app.on_response_prepare.append(protect)
        login = Login(access)
        for path, handler in {**routes, **login.shown()}.items():
            app.router.add_get(path, handler)
        for path, handler in {**(changing or {}), **login.posted()}.items():
            app.router.add_post(path, handler)
        # handler_cancellation: who listens to the stream and leaves makes room at once.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=LAST_WORDS, handler_cancellation=True)

    def renew(self, hosts: Collection[str]) -> None:
        """Answer to these names from now on, beside its own."""
        names = {*LOOPBACK, *hosts, self._listen.host, *self._handed} - ANYWHERE
        self._names.clear()
        self._names.update(name.lower() for name in names)

    async def open(self, sockets: Sequence[socket.socket] | None = None) -> Address:
        """Start to accept; give the address in force.

        `sockets` listen already; None: binds by the settings. Raises PortTaken and HandedAmiss.
        """
        if sockets:
            address = self._checked(sockets)
        else:
            bound = await asyncio.to_thread(bind, self._listen, "admin.listen", "--admin")
            sockets = bound.sockets
            address = Address(self._listen.host, sockets[0].getsockname()[1])
        await self._runner.setup()
        for each in sockets:
            await web.SockSite(self._runner, each).start()
        return address

    def _checked(self, sockets: Sequence[socket.socket]) -> Address:
        """Hold sockets that were handed over against what a setting would have to meet: see gateway.config.check."""
        addresses = [address for each in sockets if isinstance(address := address_of(each), Address)]
        if len(addresses) < len(sockets):
            raise HandedAmiss('A socket named "admin" was handed over that is no TCP socket; the admin listener is.')
        if not self._access.required and not all(address.is_loopback for address in addresses):
            raise HandedAmiss(
                f'The socket named "admin" listens on {addresses[0]}, which other machines may reach, and there is no '
                "token to keep them out. Set CLOSE_GATEWAY_ADMIN__TOKEN to a secret of at least 16 characters."
            )
        self._handed = frozenset(address.host for address in addresses)
        self._names |= {host.lower() for host in self._handed - ANYWHERE}
        return addresses[0]

    async def close(self) -> None:
        await self._runner.cleanup()

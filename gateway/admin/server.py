"""The admin listener, for those who run the gateway."""

from collections.abc import Collection, Mapping
from typing import Final

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from gateway.admin.access import Access
from gateway.admin.answers import Handler, errors_as_json
from gateway.admin.guard import only_for, only_from_here, only_with_token, protect
from gateway.admin.login import Login
from gateway.config.settings import Address
from gateway.errors import PortTaken

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
        self._names.clear()
        self._names.update(name.lower() for name in {*LOOPBACK, *hosts, self._listen.host} - ANYWHERE)

    async def open(self) -> Address:
        """Start to accept; give the address in force. Raises PortTaken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._listen.host, self._listen.port, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortTaken("admin.listen", "--admin", str(self._listen), error) from None
        return Address(self._listen.host, self._runner.addresses[0][1])

    async def close(self) -> None:
        await self._runner.cleanup()

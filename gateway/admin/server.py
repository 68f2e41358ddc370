"""The admin listener, for those who run the gateway.

Rule    It answers only to names that are its own. A web page elsewhere can point its own name at this address
        (DNS rebinding) and read what a browser then shows it; the Host header gives it away.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeAlias

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.config.settings import Address
from gateway.errors import PortTaken

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, never bound to


class AdminServer:
    """Serves the admin routes."""

    def __init__(self, routes: Mapping[str, Handler], listen: Address, hosts: Collection[str]) -> None:
        own = {*LOOPBACK, *hosts, listen.host} - ANYWHERE
        app = web.Application(middlewares=[_only_for({name.lower() for name in own})])
        for path, handler in routes.items():
            app.router.add_get(path, handler)
        self._runner = web.AppRunner(app, access_log=None)
        self._listen = listen

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


def _only_for(names: Collection[str]) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _name(request.headers.get("Host", "")) in names:
            return await handler(request)
        return web.json_response(
            {"errors": ["The admin listener does not answer to this Host. Add the name to admin.hosts to allow it."]},
            status=421,
        )

    return check


def _name(host: str) -> str:
    """Take the port off a Host header: `localhost:8081`, `[::1]:8081`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()

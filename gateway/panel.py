"""The admin listener with all that it serves: health, the log of rejections, the console, reloading."""

import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence

from structlog.typing import FilteringBoundLogger

from gateway.admin.access import Access
from gateway.admin.answers import Handler
from gateway.admin.health import health, readiness
from gateway.admin.metrics import metrics
from gateway.admin.news import News
from gateway.admin.rejections import RejectionsApi, switched_off
from gateway.admin.reload import RELOAD, reload
from gateway.admin.server import AdminServer
from gateway.config.change import Change
from gateway.config.reach import Reach
from gateway.config.settings import Address, AdminSettings, Settings
from gateway.config.token import admin_token
from gateway.console.routes import routes as console
from gateway.rejections.reader import AsyncReader, Reader
from gateway.rejections.store import Store
from gateway.secret import Secret
from gateway.snapshot import Look
from gateway.systemd import Handed, HandedAmiss
from gateway.upstream.pool import Origin
from gateway.upstream.resolving import Resolving


class Panel:
    """`look` tells how those do that serve requests, `reach` where, and `upstream` is the URL that these go to; `act`
    has the configuration read anew.

    `address` is where it listens, once it is open.
    """

    def __init__(
        self,
        admin: AdminSettings,
        address: Address,
        store: Store | None,
        look: Look,
        reach: Callable[[], Reach],
        upstream: Callable[[], str],
        act: Callable[[], Awaitable[Change]],
        log: FilteringBoundLogger,
    ) -> None:
        self.address = address
        self._look = look
        self._reach = reach
        self._upstream = upstream
        self._resolving = Resolving()
        self._access = Access(admin_token(admin), admin.open)
        self._reader = None if store is None else AsyncReader(Reader(store))
        self.news = None if self._reader is None else News(self._reader)
        self._server = AdminServer(
            self._routes(), address, admin.hosts, self._access, log, changing={RELOAD: reload(act)}
        )

    def _routes(self) -> Mapping[str, Handler]:
        routes = {
            "/healthz": health(self._look),
            "/readyz": readiness(self._look, self._resolves),
            "/metrics": metrics(self._look),
            **console(self._reach, login=lambda: self._access.required),
        }
        if self._reader is None or self.news is None:
            return {**routes, **switched_off()}
        api = RejectionsApi(self._reader, self.news, self._look, self._reach)
        return {**routes, **api.routes()}

    async def _resolves(self) -> bool:
        return await self._resolving.resolves(Origin.of(self._upstream()).host)

    async def open(self, sockets: Sequence[socket.socket] | None = None) -> None:
        """Start to answer, on these sockets where they are given. Raises PortTaken and HandedAmiss."""
        self.address = await self._server.open(sockets)

    def renew(self, admin: AdminSettings, token: Secret | None) -> None:
        """Have this in force for what is asked from now on."""
        self._access.renew(token, admin.open)
        self._server.renew(admin.hosts)

    async def close(self) -> None:
        if self.news is not None:
            self.news.close()
        await self._server.close()
        if self._reader is not None:
            self._reader.close()


def panel_of(
    settings: Settings,
    store: Store | None,
    look: Look,
    reach: Callable[[], Reach],
    upstream: Callable[[], str],
    act: Callable[[], Awaitable[Change]],
    log: FilteringBoundLogger,
) -> Panel | None:
    """Make the one that the settings ask for, if they do."""
    address = settings.admin.listen
    return None if address is None else Panel(settings.admin, address, store, look, reach, upstream, act, log)


async def open_panel(panel: Panel | None, handed: Handed) -> None:
    """Open it, on the sockets handed over for it. Raises PortTaken and HandedAmiss."""
    if panel is not None:
        await panel.open(handed.admin)
    elif handed.admin:
        raise HandedAmiss('A socket named "admin" was handed over, and the admin listener is off (admin.listen).')

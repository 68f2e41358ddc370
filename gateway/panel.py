"""The admin listener with all that it serves: health, the log of rejections, the console, reloading."""

from collections.abc import Awaitable, Callable, Mapping

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
from gateway.config.settings import Address, AdminSettings
from gateway.config.token import admin_token
from gateway.console.routes import routes as console
from gateway.rejections.reader import AsyncReader, Reader
from gateway.rejections.store import Store
from gateway.secret import Secret
from gateway.snapshot import Look


class Panel:
    """`look` tells how those do that serve requests, `listen` where; `act` has the configuration read anew.

    `address` is where it listens, once it is open.
    """

    def __init__(
        self,
        admin: AdminSettings,
        address: Address,
        store: Store | None,
        look: Look,
        listen: Callable[[], Address],
        act: Callable[[], Awaitable[Change]],
        log: FilteringBoundLogger,
    ) -> None:
        self.address = address
        self._look = look
        self._listen = listen
        self._access = Access(admin_token(admin), admin.open)
        self._reader = None if store is None else AsyncReader(Reader(store))
        self.news = None if self._reader is None else News(self._reader)
        self._server = AdminServer(
            self._routes(), address, admin.hosts, self._access, log, changing={RELOAD: reload(act)}
        )

    def _routes(self) -> Mapping[str, Handler]:
        routes = {
            "/healthz": health(self._look),
            "/readyz": readiness(self._look),
            "/metrics": metrics(self._look),
            **console(self._listen, login=lambda: self._access.required),
        }
        if self._reader is None or self.news is None:
            return {**routes, **switched_off()}
        api = RejectionsApi(self._reader, self.news, self._look, lambda: f"http://{self._listen().from_here}")
        return {**routes, **api.routes()}

    async def open(self) -> None:
        """Raises PortTaken."""
        self.address = await self._server.open()

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

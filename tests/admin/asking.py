"""An admin listener over a store with entries, and questions to it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from gateway.config.settings import Address, AdminSettings, RejectionsSettings
from gateway.config.store import StoreLocation
from gateway.rejections.entry import Entry
from gateway.rejections.store import Store
from tests.gateways import FREE, Running, running
from tests.rejections.stores import filled, migrated

NOBODY: Final = "http://127.0.0.1:9"
"""A Close that is not asked."""


@dataclass
class Admin:
    """An admin listener, and a client of it."""

    gateway: Running
    store: Store
    client: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://{self.gateway.gateway.admin}"

    async def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """Ask; give the JSON of the answer."""
        async with self.client.get(self.url + path, **options) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()


@asynccontextmanager
async def admin(
    folder: Path, entries: Sequence[Entry] = (), listen: Address = FREE, **given: Any
) -> AsyncIterator[Admin]:
    """Run a gateway over a store with these entries; what is given are settings of [admin]."""
    location = StoreLocation.parse(str(folder / "rejections.sqlite3"))
    store = filled(migrated(location), entries)
    try:
        async with (
            running(
                NOBODY,
                admin=AdminSettings(listen=listen, **given),
                rejections=RejectionsSettings(store=location, keep_days=36_500),
            ) as gateway,
            aiohttp.ClientSession() as client,
        ):
            yield Admin(gateway, store, client)
    finally:
        store.close()

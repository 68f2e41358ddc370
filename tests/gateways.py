"""A gateway for a test: in this process, on a free port, its log in memory."""

import asyncio
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from gateway.app import Gateway
from gateway.config.settings import (
    Address,
    AdminSettings,
    ListenerSettings,
    RejectionsSettings,
    Settings,
    ShutdownSettings,
    UpstreamSettings,
)
from gateway.front import Front
from gateway.listener import Listener
from gateway.log import make_log
from gateway.serving import PROXY
from gateway.witness import Witness
from tests.raw import LIMIT

FREE: Final = Address("127.0.0.1", 0)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that nobody tells of."""
    async with asyncio.timeout(LIMIT):
        while not holds():  # noqa: ASYNC110 - as it says
            await asyncio.sleep(0.02)


class Running:
    """A gateway that runs."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Settings] | None = None,
        witness: Witness | None = None,
        front: Front = PROXY,
    ) -> None:
        self._lines = io.BytesIO()
        self._stopped = False
        self.entrance: int | None = None
        """The port of a proxy in front, where clients go by one."""
        self.gateway = Gateway(settings, make_log("debug", console=False, stream=self._lines), load, witness, front)

    @property
    def port(self) -> int:
        if self.entrance is not None:
            return self.entrance
        assert isinstance(self.gateway.listen, Address)
        return self.gateway.listen.port

    @property
    def listener(self) -> Listener:
        """What takes the connections of clients, where it is a proxy."""
        listener = self.gateway.serving.listener
        assert isinstance(listener, Listener)
        return listener

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def counts(self) -> Counter[str]:
        return self.gateway.counts

    @property
    def written(self) -> bytes:
        """The log as it was written."""
        return self._lines.getvalue()

    @property
    def log(self) -> list[dict[str, Any]]:
        """The events of the log, read back."""
        return [json.loads(line) for line in self.written.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Tell the events of this name."""
        return [event for event in self.log if event["event"] == name]

    async def stop(self) -> None:
        """Stop it; once is enough."""
        if not self._stopped:
            self._stopped = True
            await self.gateway.stop()


@asynccontextmanager
async def running(
    upstream_url: str,
    *,
    upstream: UpstreamSettings | None = None,
    listener: ListenerSettings | None = None,
    witness: Witness | None = None,
    front: Front = PROXY,
    **sections: Any,
) -> AsyncIterator[Running]:
    """Run a gateway in front of `upstream_url`.

    Sections of the settings are given by their names: `inspect=InspectSettings(mode=Mode.REPORT)`. Unless they are,
    the admin listener and the store of rejections are off, and a stop waits no more than a second for what is in
    flight.
    """
    given: dict[str, Any] = {
        "admin": AdminSettings(listen=None),
        "rejections": RejectionsSettings(store=None),
        "shutdown": ShutdownSettings(grace=1.0),
    } | sections
    settings = Settings(
        listener=replace(listener or ListenerSettings(), listen=FREE),
        upstream=replace(upstream or UpstreamSettings(), url=upstream_url),
        **given,
    )
    gateway = Running(settings, witness=witness, front=front)
    await gateway.gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()

"""close-gateway ext-proc as a user starts it: a process of its own, that can be killed."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from gateway.config.settings import UnixSocket
from tests.following import Following

ROOT: Final = Path(__file__).parents[2]
START: Final = 20.0
"""Seconds that it may take to start; on a busy machine Python alone takes some."""


class Service:
    """Listens at a UNIX socket in `folder`, where it also logs."""

    def __init__(self, upstream_url: str, folder: Path) -> None:
        self.listen = UnixSocket(str(folder / "ext-proc.sock"))
        self._arguments = ["ext-proc", "--upstream", upstream_url, "--listen", str(self.listen), "--admin", "off"]
        self._folder = folder
        self._log = Following(folder / "service.log")
        self._process: asyncio.subprocess.Process | None = None
        self.events: list[dict[str, Any]] = []

    async def start(self) -> None:
        """Start it, and wait until it says that it listens."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("CLOSE_GATEWAY_")}
        environment = {**own, "PYTHONPATH": str(ROOT), "CLOSE_GATEWAY_REJECTIONS__STORE": "off"}
        with (self._folder / "service.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", *self._arguments), stdout=log, stderr=log, env=environment
            )
        await self.logged("gateway_started")

    async def logged(self, name: str) -> dict[str, Any]:
        """Wait for the next event of this name."""
        async with asyncio.timeout(START):
            while True:
                for event in self._log.new():
                    self.events.append(event)
                    if event["event"] == name:
                        return event
                await asyncio.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; give the exit code."""
        assert self._process is not None
        async with asyncio.timeout(START):
            return await self._process.wait()


@asynccontextmanager
async def service(upstream_url: str, folder: Path) -> AsyncIterator[Service]:
    """Run one, and see that it is gone afterwards."""
    made = Service(upstream_url, folder)
    try:
        await made.start()
        yield made
    finally:
        if made._process is not None and made._process.returncode is None:
            made.send(signal.SIGKILL)
            await made.ended()

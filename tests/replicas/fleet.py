"""Gateways as a user starts them: processes, configured by the environment, each known by its ports and its log."""

import asyncio
import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from tests.following import Following
from tests.replicas.balancer import Backend, Balancer

ROOT: Final = Path(__file__).parents[2]
SIZE: Final = 3
START_LIMIT: Final = 20.0
STOP_LIMIT: Final = 20.0
SETTINGS: Final = {
    "LISTENER__LISTEN": "127.0.0.1:0",
    "ADMIN__LISTEN": "127.0.0.1:0",
    "IDENTITY__FINGERPRINT_KEY": "shared by all of the fleet",
    "LOOKUPS__TIMEOUT": "4",
    "LOOKUPS__BREAKER_PAUSE": "0.5",  # as long a cache that failed is left alone, too
    # Each rejection is to be found by itself, and what waits for the store is to reach the file as well.
    "REJECTIONS__MAX_PER_SECOND": "100000",
    "REJECTIONS__BACKLOG": "100",
}


class Died(Exception):
    """A gateway ended by itself, or does not start."""


class Replica:
    """A gateway's process, from its start to its end. `backend` is how the balancer knows it, once it is ready."""

    def __init__(self, number: int, folder: Path, settings: Mapping[str, str]) -> None:
        self._out = folder / f"gateway-{number}.out"
        self._err = folder / f"gateway-{number}.err"
        self._log = Following(self._out)
        self._events: list[dict[str, Any]] = []
        self.backend: Backend
        variables = {name: value for name, value in os.environ.items() if not name.startswith("CLOSE_GATEWAY_")}
        variables |= {f"CLOSE_GATEWAY_{name}": value for name, value in settings.items()}
        variables |= {"PYTHONPATH": str(ROOT), "HOME": str(folder)}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve"], stdout=out, stderr=err, cwd=folder, env=variables
            )

    async def ready(self) -> None:
        """Wait until it says where it listens, and has found the cache. Raises Died.

        Before it has, it asks Close by itself, as it would without a cache.
        """
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end and self.alive:
            started = next((event for event in self.events() if event["event"] == "gateway_started"), None)
            if started is not None:
                port, admin = (int(started[name].rpartition(":")[2]) for name in ("listen", "admin"))
                self.backend = Backend(f"{platform.node()}:{port}", port, admin)
                if (await self.ask("/readyz"))["cache"]["status"] == "ok":
                    return
            await asyncio.sleep(0.02)
        raise Died(f"It did not start: {self.errors()}")

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def events(self) -> list[dict[str, Any]]:
        """Give what the log has got so far."""
        self._events += self._log.new()
        return self._events

    def errors(self) -> str:
        """What it wrote to standard error: nothing, if all is well."""
        return self._err.read_text(encoding="utf-8", errors="replace")

    def terminate(self) -> None:
        self._popen.send_signal(signal.SIGTERM)

    async def exit_code(self) -> int:
        """Wait for its end. Raises TimeoutExpired."""
        return await asyncio.to_thread(self._popen.wait, STOP_LIMIT)

    def kill(self) -> None:
        """End it as a crash would. It is gone, and its port closed, when this returns."""
        if self.alive:
            self._popen.kill()
        self._popen.wait()

    async def ask(self, target: str) -> Any:
        """Ask its admin listener for JSON."""
        url = f"http://127.0.0.1:{self.backend.admin_port}{target}"
        async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(url) as answer:
            return await answer.json()


class Fleet:
    """All gateways that are to run, and the balancer in front of them."""

    def __init__(self, balancer: Balancer, folder: Path, settings: Mapping[str, str]) -> None:
        self._balancer = balancer
        self._folder = folder
        self._settings = {**SETTINGS, **settings}
        self._started: list[Replica] = []
        self.replicas: list[Replica] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, balancer: Balancer, folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Self]:
        fleet = cls(balancer, folder, settings)
        try:
            await fleet.fill_up()
            yield fleet
        finally:
            for replica in fleet._started:
                replica.kill()

    async def fill_up(self) -> None:
        """Start as many as are missing, and give them to the balancer."""
        self.replicas = [replica for replica in self.replicas if replica.alive]
        new = [self._start() for _ in range(SIZE - len(self.replicas))]
        await asyncio.gather(*(replica.ready() for replica in new))
        self.replicas += new
        self._balancer.backends = [replica.backend for replica in self.replicas]

    def _start(self) -> Replica:
        replica = Replica(len(self._started) + 1, self._folder, self._settings)
        self._started.append(replica)
        return replica

    def names(self) -> set[str]:
        return {replica.backend.name for replica in self.replicas}

    def told(self, name: str) -> int:
        """Count the events of this name, of all gateways so far."""
        return sum(event["event"] == name for replica in self._started for event in replica.events())

    def rejected(self) -> set[str]:
        """Tell which requests the log says were rejected."""
        events = [event for replica in self._started for event in replica.events()]
        return {event["request_id"] for event in events if event["event"] == "request_rejected"}

    def problems(self) -> list[str]:
        """Find what the gateways tell of faults of their own."""
        found = [f"standard error: {errors}" for replica in self._started if (errors := replica.errors())]
        faults = self.told("internal_error")
        return [*found, *([f"the gateways tell of {faults} faults"] if faults else [])]

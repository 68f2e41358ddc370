"""Envoy for a test: the real one, with config/envoy/envoy.yaml, but for where things are."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import yaml

from gateway.config.settings import Address, UnixSocket
from tests.bench.peers.envoy import binary
from tests.raw import LIMIT

CONFIGURED: Final = Path(__file__).parents[1] / "config" / "envoy" / "envoy.yaml"
STATS: Final = "http.integrations.ext_proc.close_gateway."
"""Begins what Envoy counts of the filter."""
HEALTHY: Final = "cluster.close_gateway.membership_healthy"
"""How many of the services are well, as far as Envoy knows."""
STATE: Final = "server.state"
COUNTED: Final = "|".join(map(re.escape, (STATS, HEALTHY, STATE)))
"""What is asked for, of a thousand things."""

Configuration = dict[str, Any]


def configuration(upstream_url: str, *services: Address | UnixSocket) -> Configuration:
    """Give the configuration with these in the places of Close and of the gateway, and free ports for Envoy's own.

    On a busy machine an answer may take long, and it is not to be taken for none.
    """
    configured: Configuration = yaml.safe_load(CONFIGURED.read_text(encoding="utf-8"))
    configured["admin"]["address"]["socket_address"]["port_value"] = 0
    configured["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = 0
    close, gateway = configured["static_resources"]["clusters"]
    upstream = urlsplit(upstream_url)
    if upstream.scheme == "http":
        del close["transport_socket"]
    _route_to(close, [Address(upstream.hostname or "", upstream.port or 0)])
    _route_to(gateway, services)
    gateway["health_checks"][0]["timeout"] = "5s"
    the_filter(configured)["message_timeout"] = "9s"
    return configured


def _route_to(cluster: Configuration, addresses: Any) -> None:
    if any(isinstance(address, UnixSocket) for address in addresses):
        cluster["type"] = "STATIC"  # paths are no names to be looked up
    (locality,) = cluster["load_assignment"]["endpoints"]
    locality["lb_endpoints"] = [{"endpoint": {"address": _address(address)}} for address in addresses]


def _address(address: Address | UnixSocket) -> Configuration:
    if isinstance(address, UnixSocket):
        return {"pipe": {"path": address.path}}
    return {"socket_address": {"address": address.host, "port_value": address.port}}


def the_filter(configured: Configuration) -> Configuration:
    """Give what is configured of the filter, to be changed."""
    manager = the_manager(configured)
    found: Configuration = manager["http_filters"][0]["typed_config"]
    return found


def the_manager(configured: Configuration) -> Configuration:
    """Give what is configured of HTTP, to be changed."""
    (listener,) = configured["static_resources"]["listeners"]
    found: Configuration = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return found


class Envoy:
    """An Envoy that runs. What it logs of requests is kept."""

    def __init__(self, configured: Configuration, folder: Path) -> None:
        self._configured = configured
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._admin = ""
        self.port = 0

    async def start(self) -> None:
        """Start it, and wait until it serves."""
        configured, told = self._folder / "envoy.json", self._folder / "admin"
        configured.write_text(json.dumps(self._configured), encoding="utf-8")
        with self.log_file.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(binary(), "-c", str(configured), "--admin-address-path", str(told)),
                *("--concurrency", "1", "--disable-hot-restart", "-l", "error", "--file-flush-interval-msec", "50"),
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(LIMIT):
            while not (told.exists() and told.read_text()):
                assert self._process.returncode is None, self.log_file.read_text()
                await asyncio.sleep(0.02)
        self._admin = f"http://{told.read_text()}"
        await self.until(lambda stats: stats.get(STATE) == 0)
        listeners = json.loads(await self._asked("/listeners?format=json"))["listener_statuses"]
        self.port = listeners[0]["local_address"]["socket_address"]["port_value"]

    @property
    def log_file(self) -> Path:
        return self._folder / "log"

    @property
    def log(self) -> list[dict[str, Any]]:
        """What it has told of requests."""
        lines = self.log_file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    async def stats(self) -> Counter[str]:
        """Tell what it counts."""
        told = json.loads(await self._asked(f"/stats?format=json&filter={COUNTED}"))["stats"]
        return Counter({stat["name"]: stat["value"] for stat in told if "name" in stat})

    async def until(self, holds: Callable[[Counter[str]], bool]) -> None:
        """Wait until something holds of what it counts."""
        async with asyncio.timeout(LIMIT):
            while not holds(await self.stats()):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.02)

    async def _asked(self, path: str) -> str:
        async with aiohttp.ClientSession() as client, client.get(self._admin + path) as answer:
            return await answer.text()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


@asynccontextmanager
async def envoy(configured: Configuration, *, asks: bool = True) -> AsyncIterator[Envoy]:
    """Run an Envoy. `asks`: wait until it has seen that the service is well."""
    with TemporaryDirectory() as folder:
        started = Envoy(configured, Path(folder))
        try:
            await started.start()
            if asks:
                await started.until(lambda stats: stats[HEALTHY] > 0)
            yield started
        finally:
            await started.stop()

"""The fronts that a gateway can have: a proxy itself, or a service that Envoy asks."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeAlias

from gateway.config.settings import InspectSettings
from gateway.extproc.server import front
from tests.envoys import configuration, envoy
from tests.gateways import Running, running

Runs: TypeAlias = Callable[..., AbstractAsyncContextManager[Running]]


@asynccontextmanager
async def behind_envoy(upstream_url: str, **sections: Any) -> AsyncIterator[Running]:
    """Run a gateway that Envoy asks; clients go to Envoy. What can be given, tests.gateways.running tells."""
    inspect: InspectSettings = sections.get("inspect", InspectSettings())
    async with (
        running(upstream_url, front=front(inspect.max_body), **sections) as gateway,
        envoy(configuration(upstream_url, gateway.gateway.listen)) as proxy,
    ):
        gateway.entrance = proxy.port
        yield gateway


FRONTS: Final[dict[str, Runs]] = {"proxy": running, "envoy": behind_envoy}

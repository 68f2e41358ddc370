"""close-gateway ext-proc: the gateway as a service that Envoy asks."""

import importlib.util
from collections.abc import Mapping
from typing import Final

from gateway.commands.failures import Failed

NEEDED: Final = ("grpc", "grpc_health", "envoy.service.ext_proc")
DEFAULTS: Final[Mapping[str, object]] = {"listener.listen": "127.0.0.1:8082"}
"""Beside a gateway with its own defaults there is room for one."""


def need_packages() -> None:
    """Raise Failed where the extra is not installed."""
    if not all(map(_installed, NEEDED)):
        raise Failed("What speaks to Envoy is not installed. Install close-gateway[envoy].")


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor is what it is a part of
        return False

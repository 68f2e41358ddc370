"""close-gateway ext-proc: the gateway as a service that Envoy asks."""

import importlib.util
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import click

from gateway.commands.configured import configured, reloaded
from gateway.commands.failures import Failed
from gateway.commands.running import named, run_server, settings_flags
from gateway.hangups import Hangups

NEEDED: Final = ("grpc", "grpc_health", "envoy.service.ext_proc")
DEFAULTS: Final[Mapping[str, object]] = {"listener.listen": "127.0.0.1:8082"}
"""Not where clients would look for a proxy."""


@click.command("ext-proc")
@partial(settings_flags, listen="Where Envoy asks, in gRPC. [127.0.0.1:8082]")
def ext_proc(
    upstream: str | None, listen: str | None, admin: str | None, mode: str | None, config: Path | None
) -> None:
    """Run the gateway as a service that Envoy asks about email writes (external processing).

    The same verdicts, settings, log, store and console as serve; the requests stay in Envoy. It is one process,
    whatever process.workers says: run several, and name each in Envoy's cluster. config/envoy has Envoy's side of it.
    Needs the extra: close-gateway[envoy].
    """
    hangups = Hangups()
    _need_packages()
    flags = {**named(upstream, listen, admin, mode), "process.workers": 1}
    loaded = configured(config, flags, DEFAULTS)
    from gateway import app

    run_server(app.ext_proc, loaded.settings, partial(reloaded, config, flags, DEFAULTS), hangups)


def _need_packages() -> None:
    """Raise Failed where the extra is not installed."""
    if not all(map(_installed, NEEDED)):
        raise Failed("What speaks to Envoy is not installed. Install close-gateway[envoy].")


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor is what it is a part of
        return False

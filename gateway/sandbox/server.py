"""The sandbox as a server: HTTP on the outside, a world inside.

Rule    Every answer is JSON and says how far its caller is from the limit; a 429 also says when to try again.
Source  developer.close.com: Rate limits.
"""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from gateway.sandbox.api import answer
from gateway.sandbox.call import Call
from gateway.sandbox.refusal import Refusal, refused
from gateway.sandbox.seed import seeded_world
from gateway.sandbox.world import World

LARGEST_BODY: Final = 32 * 1024 * 1024
MOST_REQUESTS: Final = 10_000
"""Requests that are remembered. One more, and the oldest is forgotten."""

WITHIN_LIMIT: Final = {"RateLimit": "limit=100, remaining=50, reset=5"}
OVER_LIMIT: Final = {"RateLimit": "limit=100, remaining=0, reset=1", "Retry-After": "1"}


class Sandbox:
    """A small Close on a port of this machine. `world` is a seeded one unless another is given."""

    def __init__(self, world: World | None = None) -> None:
        self.world = seeded_world() if world is None else world
        self.requests: deque[tuple[str, str]] = deque(maxlen=MOST_REQUESTS)
        """Method and target of each request since the start, as they came."""
        self._to_limit = 0
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Open the port; 0 takes a free one. Raises OSError where it is taken."""
        if self._runner is not None:
            raise RuntimeError("The sandbox has been started already.")
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        # Close is not known to decode a coded body; aiohttp would, unless told.
        runner = web.AppRunner(app, auto_decompress=False, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self.requests.clear()
        self._runner = runner

    async def stop(self) -> None:
        """Close the port and every connection. The world stays."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        if self._runner is None:
            raise RuntimeError("The sandbox has not been started.")
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def limit_next(self, count: int) -> None:
        """Answer the next `count` requests with 429, whatever they ask."""
        self._to_limit = count

    async def _handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.raw_path))
        try:
            if self._to_limit > 0:
                self._to_limit -= 1
                raise refused(429, "Too Many Requests", OVER_LIMIT)
            reply = answer(self.world, await _call(request))
            return _response(reply.status, reply.body, {})
        except Refusal as refusal:
            return _response(refusal.status, refusal.body, refusal.headers)


async def _call(request: web.Request) -> Call:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise refused(413, "Request Entity Too Large") from None
    # Of a parameter that comes twice the last counts.
    query = dict(request.query.items())
    return Call(method=request.method, path=request.path, query=query, headers=request.headers, body=body)


def _response(status: int, body: dict[str, Any] | None, headers: Mapping[str, str]) -> web.Response:
    if body is None:
        return web.Response(status=status, headers={**WITHIN_LIMIT, **headers})
    # Written as ASCII: half a surrogate pair has no place in UTF-8, but JSON has a way to write it.
    text = json.dumps(body)
    return web.Response(status=status, text=text, content_type="application/json", headers={**WITHIN_LIMIT, **headers})

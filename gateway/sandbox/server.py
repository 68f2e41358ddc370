"""The sandbox as a server: HTTP on the outside, a world inside.

Rule    Every answer of the API is JSON and says how far its caller is from the limit; a 429 also says when to try
        again. Beside the API, at / and under /sandbox/, the sandbox shows itself.
Source  developer.close.com: Rate limits.
"""

import asyncio
from collections import deque
from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from aiohttp import web

from gateway.sandbox.api import answer, group_of
from gateway.sandbox.credentials import user_of
from gateway.sandbox.faults import FIELD, break_off, fault_of, lasts
from gateway.sandbox.front import front, is_front
from gateway.sandbox.limits import DEFAULT_RATE, Rate
from gateway.sandbox.messages import call_of, json_response
from gateway.sandbox.refusal import Refusal, refused
from gateway.sandbox.seed import seeded_world
from gateway.sandbox.state import State
from gateway.sandbox.world import World

LARGEST_BODY: Final = 32 * 1024 * 1024


class Sandbox:
    """A small Close on a port of this machine.

    `world` is a seeded one unless another is given, `rate` how often a key may ask, and `hosts` are further names under
    which it shows itself.
    """

    def __init__(self, world: World | None = None, *, rate: Rate = DEFAULT_RATE, hosts: Collection[str] = ()) -> None:
        self._state = State(seeded_world() if world is None else world, rate)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Open the port; 0 takes a free one. Raises OSError where it is taken."""
        if self._runner is not None:
            raise RuntimeError("The sandbox has been started already.")
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        # Close is not known to decode a coded body; aiohttp would, unless told. Who leaves ends the wait of a fault.
        runner = web.AppRunner(
            app, auto_decompress=False, access_log=None, shutdown_timeout=1, handler_cancellation=True
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._state.begin()
        self._runner = runner

    async def stop(self) -> None:
        """Close the port and every connection. The world stays."""
        self._stopping.set()
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

    @property
    def world(self) -> World:
        """What it holds. A reset puts another in its place."""
        return self._state.world

    @property
    def requests(self) -> deque[tuple[str, str]]:
        """Method and target of each request to the API since the start, as they came."""
        return self._state.requests

    @property
    def rate(self) -> Rate:
        """How often a key may ask."""
        return self._state.limits.rate

    @rate.setter
    def rate(self, rate: Rate) -> None:
        self._state.limits.rate = rate

    def limit_next(self, count: int) -> None:
        """Answer the next `count` requests with 429, whatever they ask."""
        self._state.to_limit = count

    def reset(self) -> None:
        """Go back to how it was when it started."""
        self._state.reset()

    async def _handle(self, request: web.Request) -> web.Response:
        if is_front(request.path):
            return await front(self._state, request, self._hosts)
        self._state.requests.append((request.method, request.raw_path))
        headers: dict[str, str] = {}
        try:
            await self._suffer(request)
            call = await call_of(request)
            user = user_of(call.headers.get("Authorization"), self.world.users)
            standing = self._state.limits.count(user, group_of(call.method, call.path))
            if standing.over:
                raise standing.refusal()
            headers = standing.headers
            reply = answer(self.world, user, call)
            return json_response(reply.status, reply.body, headers)
        except Refusal as refusal:
            return json_response(refusal.status, refusal.body, {**headers, **refusal.headers})

    async def _suffer(self, request: web.Request) -> None:
        """Let go wrong what is to go wrong with this request."""
        fault = fault_of(request.headers.get(FIELD))
        if not await lasts(fault.pause, self._stopping) or fault.breaks:
            break_off(request)
            raise refused(503, "Service Unavailable")  # which nobody reads
        if fault.status == HTTPStatus.TOO_MANY_REQUESTS or self._state.is_limited_now():
            raise self._state.limits.exceeded(group_of(request.method, request.path)).refusal()
        if fault.status is not None:
            raise refused(fault.status, HTTPStatus(fault.status).phrase)

"""Exchanges for a test: a request's bytes go in, and what a test wants to know of the exchange comes out."""

from collections.abc import Callable
from typing import Final, TypeVar

from aiohttp import web

from gateway.exchange import Downstream, Exchange
from tests.raw import connected

KEY: Final = b"a key of the test's own"
T = TypeVar("T")


async def within(request: bytes, look: Callable[[Exchange], T], *, key: bytes = KEY) -> T:
    """Send a request to a server like the listener's, and give what `look` makes of its exchange."""
    seen: list[T] = []

    async def handle(received: web.BaseRequest) -> web.Response:
        seen.append(look(Exchange(received, Downstream(key))))
        return web.Response()

    server = web.Server(handle, access_log=None, auto_decompress=False)
    runner = web.ServerRunner(server)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with connected(runner.addresses[0][1]) as client:
            answer = await client.ask(request)
            assert answer.status == 200, answer
    finally:
        await runner.cleanup()
    return seen[0]

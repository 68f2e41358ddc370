"""Is it alive, and what has it done so far?"""

from collections import Counter
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from gateway import __version__


def health(counts: Counter[str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make the handler of `GET /healthz`: 200 while the process serves, with its version and what it has counted."""

    async def handle(_: web.Request) -> web.Response:
        body = {"status": "ok", "version": __version__, "counts": dict(counts)}
        return web.Response(body=orjson.dumps(body), content_type="application/json")

    return handle

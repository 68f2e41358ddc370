"""Is it alive, and what has it done so far? Is it ready for requests?"""

from collections import Counter
from collections.abc import Callable

from aiohttp import web

from gateway import __version__
from gateway.admin.answers import Handler, answer
from gateway.lookups.link import CacheState
from gateway.rejections.recorder import StoreState


def health(counts: Counter[str]) -> Handler:
    """Make the handler of `GET /healthz`: 200 while the process serves, with its version and what it has counted."""

    async def handle(_: web.Request) -> web.Response:
        return answer({"status": "ok", "version": __version__, "counts": dict(counts)})

    return handle


def readiness(
    draining: Callable[[], bool],
    store: Callable[[], StoreState] | None,
    cache: Callable[[], CacheState] | None,
) -> Handler:
    """Make the handler of `GET /readyz`: 200 while new requests are welcome, 503 once the gateway is about to stop.

    A store or a shared cache that is down is told, and no reason to send requests elsewhere: they are served as well
    without it.
    """

    async def handle(_: web.Request) -> web.Response:
        stopping = draining()
        status = "draining" if stopping else "ready"
        body = {"status": status, "store": store_json(store), "cache": cache_json(cache)}
        return answer(body, 503 if stopping else 200)

    return handle


def store_json(store: Callable[[], StoreState] | None) -> dict[str, object]:
    """Tell how the store does; without one, that it is off."""
    if store is None:
        return {"status": "off", "reason": None, "waiting": 0}
    state = store()
    return {"status": state.status.value, "reason": state.reason, "waiting": state.waiting}


def cache_json(cache: Callable[[], CacheState] | None) -> dict[str, object]:
    """Tell how the shared cache of identities does; without one, that it is off."""
    if cache is None:
        return {"status": "off", "reason": None}
    state = cache()
    return {"status": "ok" if state.up else "down", "reason": state.reason}

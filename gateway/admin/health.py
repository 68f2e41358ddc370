"""Is it alive, and what has it done so far? Is it ready for requests?"""

from collections import Counter
from collections.abc import Callable

from aiohttp import web

from gateway import __version__
from gateway.admin.answers import Handler, answer
from gateway.rejections.recorder import StoreState


def health(counts: Counter[str]) -> Handler:
    """Make the handler of `GET /healthz`: 200 while the process serves, with its version and what it has counted."""

    async def handle(_: web.Request) -> web.Response:
        return answer({"status": "ok", "version": __version__, "counts": dict(counts)})

    return handle


def readiness(draining: Callable[[], bool], store: Callable[[], StoreState] | None) -> Handler:
    """Make the handler of `GET /readyz`: 200 while new requests are welcome, 503 once the gateway is about to stop.

    A store that is down is told, and no reason to send requests elsewhere: they are served as well without it.
    """

    async def handle(_: web.Request) -> web.Response:
        stopping = draining()
        body = {"status": "draining" if stopping else "ready", "store": store_json(store)}
        return answer(body, 503 if stopping else 200)

    return handle


def store_json(store: Callable[[], StoreState] | None) -> dict[str, object]:
    """Tell how the store does; without one, that it is off."""
    if store is None:
        return {"status": "off", "reason": None, "waiting": 0}
    state = store()
    return {"status": state.status.value, "reason": state.reason, "waiting": state.waiting}

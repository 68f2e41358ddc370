"""Is it alive, and what has it done so far? Is it ready for requests?"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway import __version__
from gateway.admin.answers import Handler, answer
from gateway.lookups.link import CacheState
from gateway.rejections.recorder import StoreState
from gateway.snapshot import Look, Snapshot


def health(look: Look) -> Handler:
    """Make the handler of `GET /healthz`: 200 while the process serves, with its version and what it has counted."""

    async def handle(_: web.Request) -> web.Response:
        return answer({"status": "ok", "version": __version__, "counts": dict((await look()).counts)})

    return handle


def readiness(look: Look, resolves: Callable[[], Awaitable[bool]]) -> Handler:
    """Make the handler of `GET /readyz`: 200 while new requests are welcome, 503 once the gateway is about to stop.

    So too while of several workers none has started (starting), or is left (no_worker), and where the upstream's name
    does not resolve.

    A store or a shared cache that is down is told, and no reason to send requests elsewhere: they are served as well
    without it.
    """

    async def handle(_: web.Request) -> web.Response:
        now, known = await look(), await resolves()
        body = {
            "status": (status := _status(now, known=known)),
            "serving": now.serving,
            "upstream": {"resolves": known},
            "store": store_json(now.store),
            "cache": cache_json(now.cache),
        }
        return answer(body, 200 if status == "ready" else 503)

    return handle


def _status(now: Snapshot, *, known: bool) -> str:
    if now.draining:
        return "draining"
    if not now.serving:
        return "no_worker" if now.started else "starting"
    return "ready" if known else "upstream_unresolved"


def store_json(state: StoreState | None) -> dict[str, object]:
    """Tell how the store does; without one, that it is off."""
    if state is None:
        return {"status": "off", "reason": None, "waiting": 0}
    return {"status": state.status.value, "reason": state.reason, "waiting": state.waiting}


def cache_json(state: CacheState | None) -> dict[str, object]:
    """Tell how the shared cache of identities does; without one, that it is off."""
    if state is None:
        return {"status": "off", "reason": None}
    return {"status": "ok" if state.up else "down", "reason": state.reason}

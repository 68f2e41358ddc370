"""What the admin listener answers with: JSON, and where something is wrong {"errors": […], "field-errors": {…}}."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import orjson
from aiohttp import web
from aiohttp.typedefs import Middleware
from structlog.typing import FilteringBoundLogger

from gateway.errors import places
from gateway.exchange import printable
from gateway.rejections.asked import AskedAmiss
from gateway.rejections.query import StoreUnavailable

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


def refusal(status: int, error: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer that something is wrong."""
    return answer({"errors": [error], "field-errors": {}}, status, headers)


def errors_as_json(log: FilteringBoundLogger | None) -> Middleware:
    """Answer whatever is raised in the shape that all errors have; a fault of the gateway's own goes into the log."""

    @web.middleware
    async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except AskedAmiss as amiss:
            return answer({"errors": list(amiss.fields.values()), "field-errors": amiss.fields}, amiss.status)
        except StoreUnavailable as down:
            return refusal(503, f"{down} What is refused meanwhile is kept, and found here once it is back.")
        except web.HTTPException as error:
            return _http(error)
        except Exception as fault:
            if log is None or isinstance(fault, ConnectionError):  # a client that has left is no fault
                raise
            # No traceback: a fault's text may quote what was asked.
            facts = {"error": type(fault).__name__, "at": places(fault), "path": printable(request.path)}
            log.error("internal_error", **facts)  # noqa: TRY400
            if request.writer.output_size:  # the answer has begun
                raise ConnectionResetError from None
            return refusal(500, "The gateway has failed; its log says where.")

    return answer_errors


def _http(error: web.HTTPException) -> web.Response:
    match error:
        case web.HTTPNotFound():
            return refusal(404, "There is nothing here.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return refusal(405, f"This takes {allowed} alone.", {"Allow": allowed})
        case _:
            return refusal(error.status, f"{error.reason}.")

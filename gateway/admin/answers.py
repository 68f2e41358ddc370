"""What the admin listener answers with: JSON, and where something is wrong {"errors": […], "field-errors": {…}}."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import orjson
from aiohttp import web

from gateway.errors import GatewayError
from gateway.rejections.asked import AskedAmiss
from gateway.rejections.query import StoreUnavailable

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


def refusal(status: int, error: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer that something is wrong."""
    return answer({"errors": [error], "field-errors": {}}, status, headers)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer whatever is raised in the shape that all errors have."""
    try:
        return await handler(request)
    except AskedAmiss as amiss:
        return answer({"errors": list(amiss.fields.values()), "field-errors": amiss.fields}, amiss.status)
    except StoreUnavailable as down:
        return refusal(503, f"{down} What is refused meanwhile is kept, and found here once it is back.")
    except GatewayError as error:
        return refusal(error.status, str(error))
    except web.HTTPNotFound:
        return refusal(404, "There is nothing here.")
    except web.HTTPMethodNotAllowed as wrong:
        allowed = ", ".join(sorted(wrong.allowed_methods))
        return refusal(405, f"This takes {allowed} alone.", {"Allow": allowed})

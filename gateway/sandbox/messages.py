"""A request as a call, and a JSON answer as a response: where aiohttp ends and the sandbox begins."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.sandbox.call import Call
from gateway.sandbox.refusal import refused


async def call_of(request: web.Request) -> Call:
    """Read a request whole."""
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise refused(413, "Request Entity Too Large") from None
    # Of a parameter that comes twice the last counts.
    query = dict(request.query.items())
    return Call(method=request.method, path=request.path, query=query, headers=request.headers, body=body)


def json_response(status: int, body: dict[str, Any] | None, headers: Mapping[str, str]) -> web.Response:
    """Write an answer, or one without content."""
    if body is None:
        return web.Response(status=status, headers=headers)
    # Written as ASCII: half a surrogate pair has no place in UTF-8, but JSON has a way to write it.
    return web.Response(status=status, text=json.dumps(body), content_type="application/json", headers=headers)

"""What the sandbox shows of itself, at / and under /sandbox/: its page for people, its controls for programs.

Rule    A browser loads nothing from elsewhere, runs no script, keeps nothing, and shows the page in no frame.
"""

from collections.abc import Collection
from importlib import resources
from typing import Final

from aiohttp import web

from gateway.sandbox.control import controlled
from gateway.sandbox.guard import objection
from gateway.sandbox.messages import call_of, json_response
from gateway.sandbox.page import page
from gateway.sandbox.refusal import Refusal, refused
from gateway.sandbox.state import State

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FILES: Final = {"/sandbox/page.css": "text/css", "/sandbox/icon.svg": "image/svg+xml"}
CONTENT: Final = {path: resources.files(__package__).joinpath(path.rpartition("/")[2]).read_bytes() for path in FILES}


def is_front(path: str) -> bool:
    """Whether a path is none of Close's API."""
    return path == "/" or path.startswith("/sandbox/")


async def front(state: State, request: web.Request, names: Collection[str]) -> web.Response:
    """Answer a request for what is no part of Close."""
    try:
        if refusal := objection(request.method, request.headers, names):
            raise refusal
        response = await _answered(state, request)
    except Refusal as refusal:
        response = json_response(refusal.status, refusal.body, refusal.headers)
    response.headers.update(HEADERS)
    return response


async def _answered(state: State, request: web.Request) -> web.Response:
    if request.path == "/" or request.path in FILES:
        if request.method not in {"GET", "HEAD"}:
            raise refused(405, "Method Not Allowed", {"Allow": "GET"})
        if request.path == "/":
            text = page(state.dump(), dict(request.query)).encode("utf-8", "replace")  # half a surrogate pair
            return web.Response(body=text, content_type="text/html", charset="utf-8")
        return web.Response(body=CONTENT[request.path], content_type=FILES[request.path], charset="utf-8")
    answer = controlled(state, await call_of(request))
    if request.method == "POST" and "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=303, headers={"Location": "/"})  # a form on the page
    return json_response(200, answer, {})

"""Serves the console: the page at `/`, and what it is made of under `/console/`.

Rule    Only what the package has is served, by the names that are known: a path never gets to a file system.
Rule    A browser asks each time whether a file is still the same (ETag), so that an upgraded gateway is seen at once.
Source  RFC 9110, 8.8.3 and 13.1.2.
"""

import hashlib
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.config.settings import Address

TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
PAGE: Final = "index.html"
GATEWAY: Final = b"{gateway}"
"""Stands in the page for where the gateway listens."""
LOGIN: Final = b"{login}"
"""Stands where a form is hidden that only those need who had to log in."""


@dataclass(frozen=True, slots=True)
class File:
    """What is served under one name."""

    content: bytes
    content_type: str

    def answer(self, request: web.Request) -> web.Response:
        """Send it, or say that what the browser has is still right."""
        tag = hashlib.blake2b(self.content, digest_size=16).hexdigest()
        known = request.if_none_match or ()
        if any(etag.value in {tag, "*"} for etag in known):
            answer = web.Response(status=304)
        else:
            answer = web.Response(body=self.content, content_type=self.content_type, charset="utf-8")
        answer.etag = tag
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def routes(listen: Callable[[], Address], *, login: Callable[[], bool]) -> Mapping[str, Handler]:
    """Make the handlers of the console. `login` tells whether there is one now.

    `listen` tells where the gateway takes requests, for the page to show. It is asked at each request, since a gateway
    that was to choose a free port knows it once it has started.
    """
    files = _files()
    index = files.pop(PAGE)

    async def page(request: web.Request) -> web.Response:
        gateway = html.escape(str(listen())).encode()
        content = index.content.replace(LOGIN, b"" if login() else b" hidden")
        return File(content.replace(GATEWAY, gateway), index.content_type).answer(request)

    async def part(request: web.Request) -> web.Response:
        name = request.match_info["file"]
        if name not in files:
            raise web.HTTPNotFound(text="The console has no such file.")
        return files[name].answer(request)

    return {"/": page, "/console/{file}": part}


def _files() -> dict[str, File]:
    """Read what lies in this package, beside the Python in it."""
    found: dict[str, File] = {}
    for entry in resources.files(__package__).iterdir():
        content_type = TYPES.get("." + entry.name.rpartition(".")[2])
        if content_type is not None:
            found[entry.name] = File(entry.read_bytes(), content_type)
    return found

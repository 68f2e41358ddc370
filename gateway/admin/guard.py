"""What every request to the admin listener has to pass, and what every answer has to carry.

Rule    It answers only to names that are its own. A web page elsewhere can point its own name at this address
        (DNS rebinding) and read what a browser then shows it; the Host header gives it away.
Rule    What changes something comes from a page of its own, or from no page at all (OWASP, "Cross-Site Request
        Forgery Prevention": Fetch Metadata, and Origin where a browser sends none).
Rule    Where there is a token, it is asked for.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.admin.access import Access
from gateway.admin.answers import Handler, refusal

COOKIE: Final = "close_gateway_session"
LOGIN: Final = "/login"
LOGOUT: Final = "/logout"
STATIC: Final = "/console/"
"""Files of the console: the same for everybody, and the login page needs its style."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OF_OUR_OWN: Final = frozenset({"same-origin", "none"})
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Put in what tells browsers to be careful."""
    response.headers.update(HEADERS)
    if not request.path.startswith(STATIC):
        response.headers["Cache-Control"] = "no-store"


def only_for(names: Collection[str]) -> Middleware:
    """Refuse what asks for somebody else."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if name_in(request.headers.get("Host", "")) in names:
            return await handler(request)
        return refusal(421, "The admin listener does not answer to this Host. Add the name to admin.hosts to allow it.")

    return check


@web.middleware
async def only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page wants to change."""
    if request.method in SAFE or _same_origin(request):
        return await handler(request)
    return refusal(403, "This comes from a page of another site.")


def only_with_token(access: Access) -> Middleware:
    """Refuse who does not show the token; send a reader of pages to where it can be shown."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not access.required or _is_open(request.path, access) or access.knows(request.cookies.get(COOKIE, "")):
            return await handler(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if wait := access.wait():
                return refusal(429, f"Too many wrong tokens: try again in {wait} seconds.", {"Retry-After": str(wait)})
            if access.accepts(token.strip()):
                return await handler(request)
        return _who(request)

    return check


def name_in(host: str) -> str:
    """Take the port off a Host header: `localhost:8081`, `[::1]:8081`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_open(path: str, access: Access) -> bool:
    return path in access.open_paths or path in {LOGIN, LOGOUT} or path.startswith(STATIC)


def _who(request: web.Request) -> web.StreamResponse:
    if request.method in SAFE and "text/html" in request.headers.get("Accept", ""):
        back = "" if request.path_qs == "/" else f"?next={quote(request.path_qs, safe='')}"
        return web.Response(status=303, headers={"Location": f"{LOGIN}{back}"})
    error = "The token of the admin listener is needed (setting admin.token), as Authorization: Bearer, or by /login."
    return refusal(401, error, {"WWW-Authenticate": "Bearer"})


def _same_origin(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in OF_OUR_OWN
    origin = request.headers.get("Origin")
    if origin is None:
        return True  # no browser
    if origin == "null":
        # Fetch, "append a request Origin header": so it is for a form on a page with Referrer-Policy: no-referrer, as
        # ours. Another site's form gains nothing here: it does not know the token, and the cookie does not come along.
        return request.path in {LOGIN, LOGOUT}
    return origin.partition("://")[2].lower() == request.headers.get("Host", "").lower()

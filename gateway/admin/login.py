"""The login page, for those who come with a browser: the token is shown once, and a cookie stands for it then."""

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from gateway.admin.access import Access
from gateway.admin.answers import Handler
from gateway.admin.guard import COOKIE, LOGIN, LOGOUT

PAGE: Final = Path(__file__).with_name("login.html")
MESSAGE: Final = "<!--message-->"
FORM: Final = "application/x-www-form-urlencoded"
# What leads nowhere but to a path of this listener: browsers take // and /\ for the beginning of a host, and drop tabs.
PATH: Final = re.compile(r"/(?![/\\])[\x21-\x7e]{0,2000}|/")


class Login:
    """Makes the handlers of /login and /logout."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._page = PAGE.read_text("utf-8")

    def shown(self) -> Mapping[str, Handler]:
        """Give what answers a GET, by path."""
        return {LOGIN: self._show}

    def posted(self) -> Mapping[str, Handler]:
        """Give what answers a POST, by path."""
        return {LOGIN: self._log_in, LOGOUT: self._log_out}

    async def _show(self, request: web.Request) -> web.Response:
        self._needed()
        return self._said("")

    def _needed(self) -> None:
        """Without a token there is no login."""
        if not self._access.required:
            raise web.HTTPNotFound

    async def _log_in(self, request: web.Request) -> web.Response:
        self._needed()
        if wait := self._access.wait():
            message = f"Too many wrong tokens: try again in {wait} seconds."
            return self._said(message, 429, {"Retry-After": str(wait)})
        token = (await request.post()).get("token", "") if request.content_type == FORM else ""
        if not isinstance(token, str) or not token:
            return self._said("Give the token.", 400)
        if not self._access.accepts(token.strip()):
            return self._said("That is not the token.", 401)
        response = web.Response(status=303, headers={"Location": _way_back(request)})
        response.set_cookie(COOKIE, self._access.admit(), path="/", httponly=True, samesite="Strict")
        return response

    async def _log_out(self, request: web.Request) -> web.Response:
        self._needed()
        self._access.dismiss(request.cookies.get(COOKIE, ""))
        response = web.Response(status=303, headers={"Location": LOGIN})
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return response

    def _said(self, message: str, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
        said = f'<p role="alert">{html.escape(message)}</p>' if message else ""
        page = self._page.replace(MESSAGE, said)
        return web.Response(text=page, status=status, headers=headers, content_type="text/html")


def _way_back(request: web.Request) -> str:
    wanted = request.query.get("next", "/")
    return wanted if PATH.fullmatch(wanted) else "/"

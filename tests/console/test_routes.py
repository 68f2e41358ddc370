"""What the console is made of, as it is served."""

from collections.abc import AsyncIterator
from importlib import resources

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.config.settings import Address
from gateway.console.routes import routes


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a server with the routes of the console alone."""
    app = web.Application()
    for path, handler in routes(lambda: Address("127.0.0.1", 8080), login=lambda: False).items():
        app.router.add_get(path, handler)
    async with TestServer(app) as server, aiohttp.ClientSession(server.make_url("/")) as session:
        yield session


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/console/console.css", "text/css; charset=utf-8"),
        ("/console/main.js", "text/javascript; charset=utf-8"),
        ("/console/icon.svg", "image/svg+xml; charset=utf-8"),
    ],
)
async def test_each_file_has_its_type(client: aiohttp.ClientSession, path: str, content_type: str) -> None:
    """With nosniff, a browser takes a module or a style by its right type alone."""
    async with client.get(path) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
        assert answer.headers["Cache-Control"] == "no-cache"


async def test_what_a_browser_has_is_not_sent_again(client: aiohttp.ClientSession) -> None:
    """It asks each time, and is told that nothing changed; with another version it is sent."""
    async with client.get("/console/main.js") as answer:
        tag = answer.headers["ETag"]
    for known, status in ((tag, 304), (f'W/"x", {tag}', 304), ("*", 304), ('"other"', 200)):
        async with client.get("/console/main.js", headers={"If-None-Match": known}) as answer:
            assert (answer.status, answer.headers["ETag"]) == (status, tag)


@pytest.mark.parametrize(
    "name", ["routes.py", "index.html", "none.js", "..%2froutes.py", "%2e%2e%2f__init__.py", "__pycache__"]
)
async def test_no_other_name_is_served(client: aiohttp.ClientSession, name: str) -> None:
    """Neither what the package has for itself, nor anything beyond it."""
    async with client.get(f"/console/{name}") as answer:
        assert answer.status == 404


async def test_the_page_knows_where_the_gateway_listens(client: aiohttp.ClientSession) -> None:
    """It shows a line that sends a request there; and it offers no logout where there is no login."""
    async with client.get("/") as answer:
        page = await answer.text()
    assert 'data-gateway="127.0.0.1:8080"' in page
    assert 'action="/logout" hidden>' in page
    assert "{" not in page


def test_nothing_runs_but_files_of_its_own() -> None:
    """The policy forbids inline script and style, and no file makes markup out of text."""
    folder = resources.files("gateway.console")
    texts = {entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if not entry.name.startswith("__")}
    for name, text in texts.items():
        for forbidden in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            " style=",
            "onclick=",
        ):
            assert forbidden not in text, name
    assert '<script type="module" src="/console/main.js"></script>' in texts["index.html"]
    assert texts["index.html"].count("<script") == 1

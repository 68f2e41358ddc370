import aiohttp
import pytest

from gateway.sandbox import Sandbox
from tests.sandbox.conftest import Client

PATHS = ("/", "/sandbox/page.css", "/sandbox/icon.svg", "/sandbox/state", "/sandbox/nothing")
EVIL = {"Host": "evil.example"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/sandbox/page.css", "text/css"), ("/sandbox/icon.svg", "image/svg+xml")],
)
async def test_what_the_page_is_made_of(sandbox: Sandbox, ask: Client, path: str, kind: str) -> None:
    """Each part is served as what it is, to readers alone, and none of it counts as a request to Close."""
    async with ask.session.get(sandbox.url + path) as answer:
        assert (answer.status, answer.content_type, answer.charset) == (200, kind, "utf-8")
    async with ask.session.head(sandbox.url + path) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
    async with ask.session.post(sandbox.url + path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert not sandbox.requests


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", [{}, EVIL])
async def test_browsers_are_told_to_be_careful(
    sandbox: Sandbox, ask: Client, path: str, headers: dict[str, str]
) -> None:
    """No script, nothing from elsewhere, no frame, nothing kept, refusals included."""
    async with ask.session.get(sandbox.url + path, headers=headers) as answer:
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not any(rule.startswith("script-src") or "unsafe" in rule for rule in policy)
        assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize("path", PATHS)
async def test_a_foreign_name_gets_nothing(sandbox: Sandbox, ask: Client, path: str) -> None:
    """A page elsewhere that points its name here (DNS rebinding) cannot read what the sandbox holds."""
    async with ask.session.get(sandbox.url + path, headers=EVIL) as answer:
        told = "The sandbox shows itself under localhost and addresses. Add this name with --host NAME."
        assert (answer.status, await answer.json()) == (421, {"error": told})


async def test_the_api_is_reachable_by_any_name(ask: Client) -> None:
    """A gateway, or a container beside it, calls the sandbox what it likes; the key is what counts."""
    assert (await ask("GET", "/me/", headers={"Host": "api.close.com"})).status == 200


async def test_a_name_can_be_added() -> None:
    """A test in another container may reset it by the name it has there."""
    sandbox = Sandbox(hosts=["Close.Test"])
    await sandbox.start()
    headers = {"Host": "close.test:8090"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sandbox.url}/sandbox/reset", headers=headers) as answer,
    ):
        assert answer.status == 200
    await sandbox.stop()


async def test_another_sites_page_changes_nothing(sandbox: Sandbox, ask: Client) -> None:
    """A form elsewhere that posts here is refused."""
    sandbox.world.emails.clear()
    async with ask.session.post(f"{sandbox.url}/sandbox/reset", headers={"Origin": "http://evil.example"}) as answer:
        assert (answer.status, await answer.json()) == (403, {"error": "This comes from a page of another site."})
    assert not sandbox.world.emails


async def test_a_form_of_its_own_leads_back_to_the_page(sandbox: Sandbox, ask: Client) -> None:
    """Who presses the button sees the page again; a program gets JSON."""
    sandbox.world.emails.clear()
    headers = {"Origin": sandbox.url, "Accept": "text/html,*/*"}
    async with ask.session.post(f"{sandbox.url}/sandbox/reset", headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert len(sandbox.world.emails) == 3

"""The console where a token is asked for."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from gateway.secret import Secret
from tests.console.conftest import Open
from tests.console.sites import Site, a_site

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = "a-token-of-some-length"


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(tmp_path: Path) -> AsyncIterator[Site]:
    """A gateway whose console asks for the token."""
    async with a_site(tmp_path / "rejections.sqlite3", token=Secret(TOKEN)) as started:
        yield started


async def test_the_token_opens_the_view_that_was_asked_for(guarded: Site, open_page: Open) -> None:
    """Who follows a shared link logs in, and sees what the link is about; after logging out nothing any more."""
    await guarded.send(lead_id="lead_1")
    await guarded.send(lead_id="lead_2")
    await guarded.kept()
    page = await open_page(f"{guarded.url}/?lead_id=lead_2")
    await expect(page).to_have_url(re.compile("/login"))
    await page.get_by_label("Token").fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{guarded.url}/?lead_id=lead_2")
    await expect(page.locator("#rows tbody tr")).to_have_count(1)
    await expect(page.locator("#live")).to_have_text("Live")
    await page.get_by_role("button", name="Log out").click()
    await expect(page).to_have_url(f"{guarded.url}/login")
    await page.goto(guarded.url)
    await expect(page).to_have_url(f"{guarded.url}/login")


async def test_the_login_page_has_style_and_axe_finds_nothing(guarded: Site, open_page: Open) -> None:
    """Its style needs no token."""
    for scheme in ("light", "dark"):
        page = await open_page(f"{guarded.url}/login", color_scheme=scheme, bypass_csp=True)
        radius = await page.locator("form").evaluate("element => getComputedStyle(element).borderRadius")
        assert radius == "10px"
        assert (await Axe().run(page)).response["violations"] == []


async def test_without_a_token_nobody_can_log_out(site: Site, open_page: Open) -> None:
    """Where there is no login, nothing on the page speaks of one."""
    page = await open_page(site.url)
    await expect(page.locator("#live")).to_have_text("Live")
    await expect(page.get_by_role("button", name="Log out")).to_be_hidden()

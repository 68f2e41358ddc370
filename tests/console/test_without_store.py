"""The console where the store of rejections is off, or does not answer."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.console.conftest import Open
from tests.console.sites import a_site

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_where_nothing_is_kept_the_page_says_so(open_page: Open) -> None:
    """It names the setting, and still tells what the gateway has counted."""
    async with a_site(None) as site:
        await site.send()
        page = await open_page(site.url, tolerated=("the server responded with a status of 404",))
        await expect(page.locator("#notice")).to_contain_text("rejections.store")
        await expect(page.locator("#glance dd").first).to_have_text("1email")
        await expect(page.locator("#list")).to_be_hidden()
        await page.close()


async def test_a_store_that_does_not_answer_is_told_of(open_page: Open, tmp_path: Path) -> None:
    """Who looks learns that what is rejected meanwhile is not lost; once the store is back, all of it shows up."""
    folder = tmp_path / "folder"
    folder.write_text("no folder yet: no database can be made in it")
    async with a_site(folder / "rejections.sqlite3") as site:
        await site.send()
        page = await open_page(site.url, tolerated=("the server responded with a status of 503",))
        await expect(page.locator("#notice")).to_contain_text("The store of rejections does not answer")
        await expect(page.locator("#glance dd").first).to_have_text("1email")
        await expect(page.locator(".over-time")).to_be_hidden()
        folder.unlink()
        folder.mkdir()
        await site.kept()
        await expect(page.locator("#rows tbody tr")).to_have_count(1)
        await expect(page.locator(".chart")).to_be_visible()
        await page.close()  # before the gateway is gone, and it complains of that

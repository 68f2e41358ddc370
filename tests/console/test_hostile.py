"""Values that were made to do harm, sent to a real gateway and looked at in a real browser."""

from typing import Final
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.console.conftest import Open
from tests.console.sites import EMAILS, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE: Final = (
    "<img src=x onerror=alert(1)>",
    "\"><script>alert(1)</script><a href='",
    "</title></textarea></style><svg onload=alert(1)>",
    "javascript:alert(1)//{{7*7}}${7*7}",
    "\N{RIGHT-TO-LEFT OVERRIDE}<iframe srcdoc='<script>parent.alert(1)</script>'>",
)
INJECTED: Final = (
    "img:not([alt='']), iframe, script:not([src^='/console/']), svg[onload], [onerror], [onload], [onclick]"
)


async def nothing_was_injected(page: Page) -> None:
    """See that no element came of a value. Dialogs, errors and requests elsewhere are seen by `open_page`."""
    await expect(page.locator(INJECTED)).to_have_count(0)
    await expect(page.locator("a[href^='javascript']")).to_have_count(0)


@pytest.mark.parametrize("value", HOSTILE)
async def test_what_clients_send_is_shown_as_text(site: Site, open_page: Open, value: str) -> None:
    """In the list, the counts, the detail and the filters, a user agent or an id is what it says, and does nothing."""
    sent = value.encode("ascii", "ignore").decode()
    await site.send(user_agent=sent, path=f"{EMAILS}?{quote(value)}", lead_id=value, status="outbox", subject=value)
    await site.kept()
    page = await open_page(site.url)
    await expect(page.locator("#rows")).to_contain_text(sent)
    await expect(page.locator("#tops")).to_contain_text(sent)
    await nothing_was_injected(page)
    await page.locator("#rows .open").click()
    await expect(page.get_by_role("dialog")).to_contain_text(sent)
    await nothing_was_injected(page)
    await page.keyboard.press("Escape")
    await page.locator("#tops").get_by_role("link", name=sent).click()
    await expect(page.locator("#chips")).to_contain_text(sent)
    await expect(page.locator("#rows tbody tr")).to_have_count(1)
    await nothing_was_injected(page)


@pytest.mark.parametrize("name", ["text", "code", "owner", "path", "since", "bucket", "rejection"])
async def test_a_link_that_was_made_to_do_harm_does_none(site: Site, open_page: Open, name: str) -> None:
    """What the address bar says is a value as well: whoever sends a link gets nothing run."""
    allowed = {"since", "bucket"}
    value = HOSTILE[0] if name not in allowed else "7d"
    page = await open_page(f"{site.url}/?{name}={quote(value)}")
    if name == "rejection":
        await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(page.locator("#chart svg")).to_be_visible()
    await nothing_was_injected(page)

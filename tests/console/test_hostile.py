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
    "<iframe srcdoc='<script>parent.alert(1)</script>'>",
)
FILTERS: Final = ("text", "code", "owner", "path", "lead_id")
INJECTED: Final = (
    "img:not([alt='']), iframe, script:not([src^='/console/']), svg[onload], [onerror], [onload], [onclick]"
)


async def nothing_was_injected(page: Page) -> None:
    """See that no element came of a value. Dialogs, errors and requests elsewhere are seen by `open_page`."""
    await expect(page.locator(INJECTED)).to_have_count(0)
    await expect(page.locator("a[href^='javascript']")).to_have_count(0)


async def test_what_clients_send_is_shown_as_text(site: Site, open_page: Open) -> None:
    """In the list, the counts, the detail and the filters, a user agent or an id is what it says, and does nothing."""
    for value in HOSTILE:
        await site.send(user_agent=value, path=f"{EMAILS}?{quote(value)}", lead_id=value, subject=value)
    await site.kept()
    page = await open_page(site.url)
    for value in HOSTILE:
        await expect(page.locator("#rows")).to_contain_text(value)
        await expect(page.locator("#tops")).to_contain_text(value)
    await nothing_was_injected(page)
    for value in HOSTILE:
        await page.locator("#rows tbody tr").filter(has_text=value).locator(".open").click()
        await expect(page.get_by_role("dialog")).to_contain_text(value)
        await nothing_was_injected(page)
        await page.keyboard.press("Escape")
    for value in HOSTILE:
        await page.locator("#tops").get_by_role("link", name=value).click()
        await expect(page.locator("#chips")).to_contain_text(value)
        await expect(page.locator("#rows tbody tr")).to_have_count(1)
        await nothing_was_injected(page)
        await page.go_back()


async def test_a_link_that_was_made_to_do_harm_does_none(site: Site, open_page: Open) -> None:
    """What the address bar says is a value as well: whoever sends a link gets nothing run."""
    query = "&".join(f"{name}={quote(value)}" for name, value in zip(FILTERS, HOSTILE, strict=True))
    page = await open_page(f"{site.url}/?{query}")
    await expect(page.locator("#chips li")).to_have_count(len(FILTERS))
    await expect(page.locator("#more")).to_contain_text("No rejection is like that")
    await nothing_was_injected(page)


@pytest.mark.parametrize(
    ("name", "said"),
    [("since", "since"), ("until", "until"), ("rejection", "This rejection is not kept")],
)
async def test_what_the_gateway_refuses_is_told(site: Site, open_page: Open, name: str, said: str) -> None:
    """A link that was cut short, or made up, leads to a page that says what is wrong with it."""
    url = f"{site.url}/?{name}={quote(HOSTILE[0])}"
    page = await open_page(url, tolerated=("the server responded with a status of 40",))
    shown = page.get_by_role("dialog") if name == "rejection" else page.locator("#notice")
    await expect(shown).to_contain_text(said)
    await nothing_was_injected(page)

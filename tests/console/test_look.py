"""What the console looks like, to everybody: axe, colours, a phone."""

from typing import Any, Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.console.conftest import Open
from tests.console.sites import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE: Final[dict[str, Any]] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


async def violations(page: Page) -> list[str]:
    """Ask axe, and say what it found where."""
    results = await Axe().run(page)
    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


@pytest.fixture
def calm() -> dict[str, Any]:
    """A context in which axe may look: its script comes in past the policy, and nothing fades while it measures."""
    return {"bypass_csp": True, "reduced_motion": "reduce"}


@pytest.mark.parametrize(("scheme", "size"), [("light", {}), ("dark", PHONE)], ids=["light-desk", "dark-phone"])
async def test_axe_finds_nothing(
    site: Site, open_page: Open, calm: dict[str, Any], scheme: str, size: dict[str, Any]
) -> None:
    """Empty, full, filtered and with a rejection open; in either scheme, on either size."""
    look = calm | {"color_scheme": scheme} | size
    page = await open_page(site.url, **look)
    await expect(page.locator(".empty")).to_be_visible()
    assert await violations(page) == []
    await site.send()
    await site.send(sender=[])
    await site.kept()
    page = await open_page(f"{site.url}/?text=tests&lead_id=lead_SandboxBluth", **look)
    await expect(page.locator("#rows tbody tr")).to_have_count(2)
    await page.get_by_text("As a table").click()
    assert await violations(page) == []
    await page.locator("#rows .open").first.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await violations(page) == []


async def test_a_dark_system_gets_a_dark_page(site: Site, open_page: Open) -> None:
    """Light text on dark ground, and the other way round."""
    ground = {}
    for scheme in ("light", "dark"):
        page = await open_page(site.url, color_scheme=scheme)
        ground[scheme] = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 245, 247)", "dark": "rgb(18, 21, 26)"}


async def test_a_phone_scrolls_down_only(site: Site, open_page: Open) -> None:
    """At 360 pixels nothing stands out at the side, however long a value is."""
    long = "x" * 200
    await site.send(user_agent=long, lead_id=f"lead_{long}", status="outbox")
    await site.kept()
    page = await open_page(f"{site.url}/?text={long}", **PHONE)
    await expect(page.locator("#rows tbody tr")).to_have_count(1)
    width = "[document.documentElement.scrollWidth, document.querySelector('dialog').scrollWidth]"
    assert await page.evaluate(width) == [360, 0]
    await page.locator("#rows .open").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert max(await page.evaluate(width)) == 360


async def test_who_wants_no_motion_gets_none(site: Site, open_page: Open) -> None:
    """A new row is marked, and does not fade."""
    page = await open_page(site.url, reduced_motion="reduce")
    await expect(page.locator("#live")).to_have_text("Live")
    await site.send()
    row = page.locator("#rows tr.fresh")
    await expect(row).to_be_visible()
    assert await row.evaluate("element => getComputedStyle(element).animationName") == "none"

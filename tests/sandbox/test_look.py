"""What the page looks like, to everybody: axe, colours, a phone, no script."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import expect

from gateway.sandbox import Sandbox, seeded_world
from gateway.sandbox.seed import JANE, LEAD_ID
from tests.console.conftest import Open, browser, open_page
from tests.console.test_look import PHONE, violations

__all__ = ["browser", "open_page"]  # fixtures

pytestmark = pytest.mark.asyncio(loop_scope="session")

DESK: Final[dict[str, Any]] = {"viewport": {"width": 1200, "height": 800}}
CANARY: Final = "<img src=http://evil.example/ onerror=alert(1)><script>alert(2)</script>"


@pytest_asyncio.fixture(loop_scope="session")
async def full() -> AsyncIterator[Sandbox]:
    """A sandbox with an email of each status, hostile and endless ones among them."""
    world = seeded_world()
    fields = {
        "lead_id": LEAD_ID,
        "sender": "Jane Roe <jane@example.com>",
        "to": [f"{'long' * 40}@example.net"],
        "date_scheduled": "2999-01-01T00:00:00Z",
    }
    for status in ("draft", "scheduled", "outbox", "sent", "inbox", "error"):
        subject = CANARY if status == "sent" else "W" * 200
        world.create_email(JANE, fields | {"status": status, "subject": subject})
    sandbox = Sandbox(world)
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)], ids=["light-desk", "dark-phone"])
async def test_everybody_can_read_it(full: Sandbox, open_page: Open, scheme: str, size: dict[str, Any]) -> None:
    """Axe finds nothing, nothing sticks out to the side, and nothing comes from or goes anywhere else."""
    look = {"bypass_csp": True, "color_scheme": scheme} | size
    page = await open_page(f"{full.url}/?id=acti_SandboxDraft", **look)
    await expect(page.locator("table.emails tbody tr")).to_have_count(9)
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 245, 247)", "dark": "rgb(18, 21, 26)"}[scheme]


async def test_it_works_without_script(full: Sandbox, open_page: Open) -> None:
    """A record opens and closes, and the button takes the sandbox back to its start, with no script at all."""
    full.world.emails.clear()
    full.world.create_email(JANE, {"lead_id": LEAD_ID, "status": "draft", "subject": CANARY})
    page = await open_page(full.url, java_script_enabled=False)
    await page.get_by_role("link", name="<img src=").first.click()
    await expect(page.locator("pre")).to_contain_text("<script>alert(2)</script>")
    await page.get_by_role("link", name="Hide").click()
    await expect(page.locator("pre")).to_have_count(0)
    await page.get_by_role("button", name="Reset").click()
    await expect(page.locator("table.emails tbody tr")).to_have_count(9)

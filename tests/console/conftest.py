"""A browser for all tests, and for each a site and a page of its own, which is watched.

Without a Chromium the tests skip; where CI is set they fail instead, so that nobody takes a skip for a pass.
"""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests.console.sites import Site, a_site

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Containers have little shared memory.
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage")
PATIENCE: Final = 15_000
"""Milliseconds until a test gives up on what a page was to show."""

expect.set_options(timeout=PATIENCE)

Open: TypeAlias = Callable[..., Any]


class Watch:
    """Notes what no page of the console may do. `tolerated` are parts of what the browser itself may say."""

    def __init__(self, host: str, tolerated: Collection[str]) -> None:
        self._host = host
        self._tolerated = tolerated
        self.seen: list[str] = []

    def over(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.seen.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self._asked(request.url))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(text in message.text for text in self._tolerated):
            self.seen.append(f"{message.type}: {message.text}")

    def _asked(self, url: str) -> None:
        if urlsplit(url).netloc != self._host:
            self.seen.append(f"request elsewhere: {url}")


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium of the system's."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("There is no Chromium, and CI is set: the console would go untested.")
        pytest.skip("There is no Chromium.")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A gateway with a console that asks for no token."""
    async with a_site(tmp_path / "rejections.sqlite3") as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[Open]:
    """Open pages in contexts of their own; at the end nothing may have been amiss with any of them."""
    watches: list[Watch] = []
    async with AsyncExitStack() as stack:

        async def open_page(url: str, *, tolerated: Collection[str] = (), **context: Any) -> Page:
            given: dict[str, Any] = {"locale": "en-GB", "timezone_id": "America/New_York"} | context
            made: BrowserContext = await browser.new_context(**given)
            stack.push_async_callback(made.close)
            made.set_default_timeout(PATIENCE)
            page = await made.new_page()
            watch = Watch(urlsplit(url).netloc, tolerated)
            watch.over(page)
            watches.append(watch)
            await page.goto(url)
            return page

        yield open_page
    assert [seen for watch in watches for seen in watch.seen] == []

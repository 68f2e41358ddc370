"""The console, in a real browser, in front of a real gateway."""

import asyncio
import contextlib
import re
from typing import Final

import pytest
from playwright.async_api import Route, expect

from gateway.sandbox.seed import JANE, JOHN, LEAD_ID, MARY
from tests.console.conftest import Open
from tests.console.sites import EMAILS, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROWS: Final = "#rows tbody tr"


async def test_the_first_load_tells_what_happened(site: Site, open_page: Open) -> None:
    """What was inspected, rejected and filled, by whom, over time, and the list: without a click."""
    await site.send(user_agent="Zapier")
    await site.send(user_agent="Zapier", sender=7)
    await site.send(status="sent")
    await site.kept()
    page = await open_page(site.url)
    await expect(page.locator("#glance dd")).to_have_text(["3emails", "266.7 %", "133.3 %", "00 %"])
    await expect(page.locator("#sum")).to_have_text("2 rejected")
    await expect(page.locator("#legend li")).to_have_text(["sender_malformed1", "sender_required1"])
    await expect(page.locator(".chart rect[class^=code]")).to_have_count(2)
    await expect(page.get_by_role("img", name="Rejections by day and code")).to_be_visible()
    await expect(page.locator("#tops li").filter(has_text="Zapier")).to_have_text("Zapier2")
    await expect(page.locator(ROWS)).to_have_count(2)
    await expect(page.locator(ROWS).first).to_contain_text("sender_malformed")
    await expect(page.locator(ROWS).last).to_contain_text("POST …/activity/email/")


async def test_the_numbers_of_the_chart_stand_in_a_table(site: Site, open_page: Open) -> None:
    """Who cannot see the bars reads them; each line leads to its time alone."""
    await site.send()
    await site.kept()
    page = await open_page(f"{site.url}/?bucket=hour")
    await page.get_by_text("As a table").click()
    table = page.locator("#chart-table table")
    await expect(table.locator("th[scope=col]")).to_have_text(["Hour", "sender_required", "All"])
    await expect(table.locator("td")).to_have_text(["1", "1"])
    await table.get_by_role("link").click()
    await expect(page).to_have_url(re.compile(r"since=\d{4}-.*until=\d{4}-"))
    await expect(page.locator(ROWS)).to_have_count(1)
    by_table = page.url
    await page.go_back()
    for _ in range(5):  # a chart that is drawn anew beneath the pointer takes no click
        await page.locator(".chart .step").click()
        with contextlib.suppress(AssertionError):
            await expect(page).to_have_url(by_table, timeout=2000)
            break
    await expect(page).to_have_url(by_table)


async def test_a_row_arrives_while_one_looks(site: Site, open_page: Open) -> None:
    """What is rejected from now on stands on top, without a reload, and the counts follow."""
    await site.send(user_agent="before")
    await site.kept()
    page = await open_page(site.url)
    await expect(page.locator("#live")).to_have_text("Live")
    await expect(page.locator(ROWS)).to_have_count(1)
    await site.send(user_agent="afterwards")
    await expect(page.locator(ROWS)).to_have_count(2)
    await expect(page.locator(ROWS).first).to_contain_text("afterwards")
    await expect(page.locator("#sum")).to_have_text("2 rejected")
    await expect(page.locator("#said")).to_have_text("1 new rejection")


async def test_paused_rows_wait_and_are_counted(site: Site, open_page: Open) -> None:
    """Who reads is not disturbed, sees how many wait, and gets them on request."""
    await site.send()
    await site.kept()
    page = await open_page(site.url)
    await expect(page.locator("#live")).to_have_text("Live")
    await expect(page.locator(ROWS)).to_have_count(1)
    await page.get_by_role("button", name="Pause").click()
    await site.send()
    await site.send()
    resume = page.get_by_role("button", name="Resume (2 new)")
    await expect(resume).to_be_visible()
    await expect(page.locator(ROWS)).to_have_count(1)
    await resume.click()
    await expect(page.locator(ROWS)).to_have_count(3)
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()


async def test_a_filter_narrows_all_of_the_page(site: Site, open_page: Open) -> None:
    """List, chart and counts speak of the same rejections, and the address bar says of which."""
    await site.send(user_agent="one")
    await site.send(user_agent="two", sender="nobody")
    await site.kept()
    page = await open_page(site.url)
    await expect(page.locator(ROWS)).to_have_count(2)
    await page.get_by_role("combobox", name="Code").select_option("sender_malformed")
    await expect(page.locator(ROWS)).to_have_count(1)
    await expect(page.locator("#sum")).to_have_text("1 rejected")
    await expect(page).to_have_url(f"{site.url}/?code=sender_malformed")
    await page.get_by_role("link", name="code: sender_malformed").click()
    await expect(page.locator(ROWS)).to_have_count(2)
    await page.locator("#tops").get_by_role("link", name="one").click()
    await expect(page.locator(ROWS)).to_have_count(1)
    await expect(page.get_by_label("Text")).to_have_value("one")
    await page.go_back()
    await expect(page.locator(ROWS)).to_have_count(2)


async def test_what_arrives_passes_the_filter(site: Site, open_page: Open) -> None:
    """A view of one sender stays one of that sender."""
    page = await open_page(f"{site.url}/?text=wanted")
    await expect(page.locator("#live")).to_have_text("Live")
    await site.send(user_agent="another")
    await site.send(user_agent="wanted")
    await expect(page.locator(ROWS)).to_have_count(1)
    await expect(page.locator(ROWS)).to_contain_text("wanted")


async def test_a_shared_link_shows_the_same_view(site: Site, open_page: Open) -> None:
    """Somebody else, in another browser, sees the filters, the steps of the chart and the rejection that was open."""
    await site.send(key=JANE.api_key, lead_id="lead_1")
    await site.send(key=JOHN.api_key, lead_id="lead_2")
    await site.kept()
    page = await open_page(f"{site.url}/?lead_id=lead_2&since=24h")
    await page.locator(ROWS).get_by_role("link").click()
    await expect(page.get_by_role("dialog")).to_contain_text("lead_2")
    other = await open_page(page.url, timezone_id="Asia/Tokyo")
    await expect(other.get_by_role("dialog")).to_contain_text("lead_2")
    await other.keyboard.press("Escape")
    await expect(other).to_have_url(f"{site.url}/?lead_id=lead_2&since=24h")
    await expect(other.locator(ROWS)).to_have_count(1)
    await expect(other.get_by_role("textbox", name="Lead")).to_have_value("lead_2")
    await expect(other.get_by_label("Period")).to_have_value("24h")


async def test_times_are_the_viewers(site: Site, open_page: Open) -> None:
    """New York and Tokyo read one moment each in its own time, and its UTC beside it."""
    await site.send()
    await site.kept()
    told = set()
    titles = set()
    for zone in ("America/New_York", "Asia/Tokyo"):
        page = await open_page(site.url, timezone_id=zone)
        time = page.locator(f"{ROWS} .open time")
        told.add(await time.inner_text())
        titles.add(await time.get_attribute("title"))
    assert len(told) == 2
    [title] = titles
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", str(title))


async def test_what_is_reported_stands_beside_the_refusal(site: Site, open_page: Open) -> None:
    """As an entry of its own, which says that it is not what the request was refused for."""
    await site.send(lead_id=None)
    await site.kept()
    page = await open_page(f"{site.url}?code=lead_id_required")
    await expect(page.locator(ROWS)).to_have_count(1)
    await expect(page.locator(ROWS)).to_contain_text("reported")
    await page.locator(ROWS).get_by_role("link").click()
    detail = page.get_by_role("dialog", name="lead_id_required")
    await expect(detail).to_contain_text("A new email belongs to a lead.")
    await expect(detail).to_contain_text(re.compile("400, after .* ms, for something else"))
    await expect(detail.get_by_role("link", name="https://developer.close.com")).to_be_visible()


async def test_a_rejection_tells_what_to_change(site: Site, open_page: Open) -> None:
    """The rule with its source, a body that passes, a line to paste, what was sent, and what else came from there."""
    await site.send(status="inbox", subject="canary")
    await site.send(lead_id="lead_other")
    await site.send(key=MARY.api_key, lead_id="lead_of_mary")
    await site.kept()
    page = await open_page(site.url, permissions=["clipboard-read", "clipboard-write"])
    await page.locator(ROWS).last.get_by_role("link").click()
    detail = page.get_by_role("dialog", name="sender_required")
    await expect(detail.get_by_role("heading", name="sender_required")).to_be_focused()
    await expect(detail).to_contain_text("needs a sender")
    await expect(detail.get_by_role("link", name="https://developer.close.com")).to_be_visible()
    await expect(detail.get_by_label("JSON that passes", exact=True)).to_contain_text('"sender": ')
    await expect(detail.locator(".shape tr").filter(has_text="subject")).to_have_text("subjecttext of 6")
    await expect(detail.locator(".shape tr").filter(has_text="sender")).to_have_text("senderabsent")
    await expect(detail.locator(".others li")).to_have_count(1)
    await detail.get_by_role("button", name="Copy: The same as a curl line").click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl ")
    assert f"{site.running.url}{EMAILS}" in copied
    await detail.locator(".others").get_by_role("link").click()
    await expect(detail).to_contain_text("lead_other")
    await detail.get_by_role("link", name="Show them all in the list").click()
    await expect(detail).to_be_hidden()
    await expect(page.locator(ROWS)).to_have_count(2)


async def test_the_proposed_line_passes(site: Site, open_page: Open) -> None:
    """Who sends what the console proposes is not rejected again."""
    await site.send()
    await site.kept()
    page = await open_page(site.url)
    await page.locator(ROWS).get_by_role("link").click()
    proposed = await page.get_by_label("JSON that passes", exact=True).inner_text()
    assert await site.send(**(await page.evaluate("JSON.parse", proposed))) == 200


async def test_more_is_a_page_further(site: Site, open_page: Open) -> None:
    """The list goes on where it ended, and the keyboard stays there."""
    for number in range(55):  # of several leads, credentials and codes: of one, a second keeps ten one by one
        await site.send(key=f"api_{number % 11}", lead_id=f"lead_{number}")
    await site.kept()
    page = await open_page(site.url)
    await expect(page.locator(ROWS)).to_have_count(50)
    await page.get_by_role("button", name="Show more").click()
    await expect(page.locator(ROWS)).to_have_count(55)
    await expect(page.locator(ROWS).nth(50).get_by_role("link")).to_be_focused()
    await expect(page.locator("#more")).to_have_text("That is all: 55 entries.")


async def test_an_empty_list_explains_how_to_see_the_first(site: Site, open_page: Open) -> None:
    """The line that it shows is rejected by this gateway, and shows up."""
    page = await open_page(site.url)
    await expect(page.get_by_role("heading", name="Nothing was rejected in the last 7 days")).to_be_visible()
    await expect(page.get_by_label("The request that is rejected", exact=True)).to_contain_text(
        f"-X POST {site.running.url}{EMAILS}"
    )
    await expect(page.locator("#live")).to_have_text("Live")
    assert await site.send(key="any_key_will_do", lead_id=LEAD_ID) == 400
    await expect(page.locator(ROWS)).to_have_count(1)
    await expect(page.locator(".empty")).to_have_count(0)


async def test_a_filter_that_finds_nothing_leads_out(site: Site, open_page: Open) -> None:
    """Nobody is left before an empty page without knowing why."""
    await site.send()
    await site.kept()
    page = await open_page(f"{site.url}/?owner=nobody@example.com")
    await expect(page.locator("#more")).to_contain_text("No rejection is like that in the last 7 days.")
    await page.get_by_role("link", name="take the filters away").click()
    await expect(page.locator(ROWS)).to_have_count(1)


async def test_the_keyboard_is_enough(site: Site, open_page: Open) -> None:
    """From the top to a rejection and back, without a mouse, and the focus returns to where it was."""
    await site.send()
    await site.kept()
    page = await open_page(site.url)
    await expect(page.locator(ROWS)).to_have_count(1)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the list")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Pause")).to_be_focused()
    await page.keyboard.press("Tab")
    opener = page.locator(ROWS).get_by_role("link")
    await expect(opener).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(opener).to_be_focused()
    await expect(page).to_have_url(f"{site.url}/")


async def test_who_has_to_wait_is_told(site: Site, open_page: Open) -> None:
    """While a slow store is asked the page says so, not nothing, and rows that are about to go look like it."""
    await site.send()
    await site.kept()
    page = await open_page(site.url)
    await expect(page.locator(ROWS)).to_have_count(1)
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await page.route(re.compile("/api/(rejections|stats)"), late)
    await page.reload()
    loading = page.get_by_text("Loading…")
    for part in ("#chart", "#tops", "#more"):
        await expect(page.locator(part).get_by_text("Loading…")).to_be_visible()
    answered.set()
    await expect(page.locator(ROWS)).to_have_count(1)
    await expect(loading).to_have_count(0)

    answered.clear()
    await page.locator("#legend a").click()
    await expect(page.locator("#more").get_by_text("Loading…")).to_be_visible()
    await expect(page.locator("#rows")).to_have_css("opacity", "0.5")
    answered.set()
    await expect(loading).to_have_count(0)
    await expect(page.locator("#rows")).to_have_css("opacity", "1")

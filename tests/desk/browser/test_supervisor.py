"""The supervisor in a browser: a board that moves by itself, a search that finds, chats given on, a report."""

import os
from pathlib import Path

from playwright.async_api import Page, expect

from tests.kit.browser import IN_BROWSER, Floor
from tests.kit.processes import until

pytestmark = IN_BROWSER

SHOTS = os.environ.get("SMSDESK_SHOTS")


async def shot(page: Page, name: str) -> None:
    """Keeps a picture, where somebody wants to look."""
    if not SHOTS:
        return
    for scheme, width in (("light", 1440), ("dark", 1440), ("light", 320)):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.set_viewport_size({"width": width, "height": 900})
        await page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}-{width}.png", full_page=True)
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1280, "height": 800})


async def test_the_board_moves_by_itself(floor: Floor) -> None:
    page = await floor.sit_down("supervisor")
    await page.get_by_role("link", name="Live board").click()
    await expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    first = page.get_by_role("row", name="Orders")
    await expect(first.get_by_role("cell").first).to_have_text("0")
    await page.locator("#chart-texts summary").click()
    chat = await floor.consumer_writes(floor.phone(), "Where is my <b>order</b>?")
    await expect(first.get_by_role("cell").first).to_have_text("1")
    await expect(first.locator("time")).to_contain_text("0:0")
    await expect(page.locator("#table-texts")).to_have_attribute("open", "")
    assert await page.evaluate("getComputedStyle(document.querySelector('.cares')).display") == "grid", (
        "it has its sheet"
    )
    await shot(page, "board")
    await first.get_by_role("link", name="1", exact=True).click()
    await expect(page.locator(f"#found-{chat}")).to_contain_text("Where is my <b>order</b>?")
    await expect(page.locator("#board-now")).to_have_count(0)
    await page.go_back()
    await expect(page.get_by_role("heading", name="Queues")).to_be_visible()


async def test_a_status_a_search_and_chats_given_on(floor: Floor) -> None:
    chat = await floor.consumer_writes(floor.phone(), "A parcel full of plums")
    page = await floor.sit_down("supervisor")
    await page.goto(f"{floor.base_url}/desk/board")
    await page.get_by_text("agents are offline").click()
    await page.get_by_role("link", name="Second Agent").click()
    await page.get_by_label("From now on").select_option("break")
    await page.get_by_role("button", name="Set the status").click()
    await expect(page.locator(".badge").get_by_text("on a break")).to_be_visible()
    await shot(page, "agent")
    await page.get_by_role("link", name="Search", exact=True).click()
    await page.get_by_label("What to look for").fill("plums")
    row = page.locator(f"#found-{chat}")

    async def searched() -> bool:
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        await page.get_by_label("What to look for").focus()
        return await row.count() > 0

    await until(searched, 30, "the words, which a job writes down some seconds after they were said,")
    await expect(row).to_contain_text("A parcel full of plums")
    await page.get_by_label("What to look for").fill(str(chat))
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(f"with the id {chat}")).to_be_visible()
    await page.get_by_text("Filters", exact=True).click()
    await shot(page, "search")
    await row.get_by_role("checkbox").check()
    await page.get_by_label("Agent or queue").select_option(label="Second Agent")
    await page.get_by_role("button", name="Give them").click()
    await expect(page.get_by_role("alert")).to_contain_text("1 chat stayed where it was")
    await page.get_by_role("link", name="Back to the search").click()
    await row.get_by_role("checkbox").check()
    await page.get_by_label("Agent or queue").select_option(label="Second Agent")
    await page.get_by_label("also to an agent who is away").check()
    await page.get_by_role("button", name="Give them").click()
    await expect(page.get_by_role("heading", name="1 chat was given on")).to_be_visible()
    assert await floor.value("select agent_id is not null from chats where chat_id = $1", chat)


async def test_reports_and_doubtful_texts(floor: Floor) -> None:
    await floor.consumer_writes(floor.phone(), "One more for the report")
    page = await floor.sit_down("supervisor")
    await page.get_by_role("link", name="Reports").click()
    await expect(page.get_by_role("row", name="All")).to_be_visible()
    await shot(page, "reports")
    figures = page.get_by_role("link", name="Texts and cost")
    await figures.click()
    await expect(figures).to_have_attribute("aria-current", "true")
    await page.locator("#r-by").select_option("queue")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.get_by_role("row", name="Support / Orders")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download as CSV").click()
    assert (await download.value).suggested_filename.startswith("smsdesk-queue-")
    await page.get_by_role("link", name="Doubtful texts").click()
    await expect(page.get_by_text("There is no doubtful text")).to_be_visible()
    await shot(page, "doubtful")

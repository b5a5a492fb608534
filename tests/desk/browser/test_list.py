"""The agent's screen as he has it: asked, heard, answered, by mouse and by key, at any width."""

import re
from typing import Any

from playwright.async_api import Page, expect

from tests.kit.browser import IN_BROWSER, Floor
from tests.kit.processes import until

pytestmark = IN_BROWSER

COUNTS_NOTES = """
window.notes = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) { window.notes += 1; return start.apply(this, at); };
null;
"""


async def available(page: Page) -> None:
    await page.get_by_role("button", name="Become available").click()
    await expect(page.locator("#me .status")).to_have_text("Available")


async def width_is_kept(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_an_offer_is_seen_heard_and_accepted_by_key(floor: Floor) -> None:
    page = await floor.sit_down("john.doe")
    await page.evaluate(COUNTS_NOTES)
    await available(page)
    phone = floor.phone()
    chat_id = await floor.consumer_writes(phone, "Where is <b>my order</b>?")
    offer = page.locator(".offer")
    await expect(offer).to_contain_text("Where is <b>my order</b>?")
    await until(lambda: page.evaluate("window.notes >= 2"), 5, "two notes")
    await until(lambda: page.evaluate("document.title.startsWith('●')"), 5, "a title that flashes")
    await expect(page.locator("#me .places")).to_have_text("1 of 3")
    await page.keyboard.press("a")
    await page.wait_for_url(f"**/desk/chats/{chat_id}")
    await expect(offer).to_have_count(0)
    await expect(page.locator(f"#line-{chat_id} a")).to_have_attribute("aria-current", "true")
    assert await page.evaluate("document.body.dataset.chat") == str(chat_id)
    # The second is declined, and goes to nobody else: it waits, and can be taken from the list.
    other = await floor.consumer_writes(floor.phone(), "Anybody there?")
    await expect(offer).to_have_count(1)
    await page.locator("#pane-list").focus()
    await page.keyboard.press("x")
    await expect(offer).to_have_count(0)
    await expect(page.locator("#tab-waiting .tab-count")).to_have_text("1")
    await page.locator("#pane-list").focus()
    await page.keyboard.press("3")
    await expect(page.locator("#tab-waiting")).to_have_attribute("aria-current", "true")
    await expect(page.locator(f"#line-{other}")).to_contain_text("Anybody there?")
    await page.keyboard.press("1")
    await expect(page.locator("#tab-mine")).to_have_attribute("aria-current", "true")


async def test_the_status_menu_and_its_words(floor: Floor) -> None:
    page = await floor.sit_down("second")
    await expect(page.locator("#me .status")).to_have_text("Offline")
    await page.keyboard.press("m")
    await page.get_by_label("Reason, if you like").fill("tea")
    await page.get_by_role("button", name="Break").click()
    await expect(page.locator("#me .status")).to_have_text("Break")
    await expect(page.locator("#me-why")).to_contain_text("you are asked for no chats")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page.locator("#me-menu")).not_to_have_attribute("open", "")
    # Going elsewhere and back keeps what was loaded: nothing is asked for again, nothing flickers.
    await page.locator("a.brand").click()
    await expect(page.locator("#me .status")).to_have_text("Break")
    await expect(page.locator("#me [data-later], #me[data-later]")).to_have_count(0)


async def test_each_key_of_the_list_does_what_it_says(floor: Floor) -> None:
    page = await floor.sit_down("john.doe")
    ids = [await floor.consumer_writes(floor.phone(), f"Question {n}") for n in (1, 2)]
    for chat_id in ids:
        await floor.give(chat_id, "john.doe")
    # One that he is given opens by itself, for nothing is open.
    await page.wait_for_url(re.compile(rf"/desk/chats/({ids[0]}|{ids[1]})$"))
    lines = page.locator("#chat-list .line a")
    for chat_id in ids:
        await expect(page.locator(f"#line-{chat_id}")).to_be_visible()
    await page.locator("a.brand").click()
    await page.wait_for_url(f"{floor.base_url}/desk")
    await page.keyboard.press("j")
    first = page.locator("#chat-list .line").nth(0).locator("a")
    await expect(first).to_have_attribute("aria-current", "true")
    await page.keyboard.press("j")
    await expect(lines.nth(1)).to_have_attribute("aria-current", "true")
    await page.keyboard.press("k")
    await expect(first).to_have_attribute("aria-current", "true")
    for key, tab in (("2", "sent"), ("3", "waiting"), ("4", "aside"), ("1", "mine")):
        await page.keyboard.press(key)
        await expect(page.locator(f"#tab-{tab}")).to_have_attribute("aria-current", "true")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await page.keyboard.press("2")  # Not while the list of keys is open.
    await page.get_by_label("Single keys work").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("2")
    await expect(page.locator("#tab-mine")).to_have_attribute("aria-current", "true")
    await page.keyboard.press("?")
    await page.get_by_label("Single keys work").check()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("c")
    await page.wait_for_url(f"{floor.base_url}/desk")
    # A key that somebody types is a letter.
    await page.keyboard.press("j")
    await expect(first).to_have_attribute("aria-current", "true")
    await page.keyboard.press("r")
    field = page.locator("textarea:focus")
    await expect(field).to_have_count(1)
    await page.keyboard.type("2jx")
    await expect(field).to_have_value("2jx")
    await expect(page.locator("#tab-mine")).to_have_attribute("aria-current", "true")


async def test_it_fits_any_width(floor: Floor) -> None:
    # What he was given in another test, and has not looked at, would open by itself.
    await floor.value("update chats set answer_type = 'manual' where ends_at is null")
    page = await floor.sit_down("john.doe", viewport={"width": 320, "height": 640})
    chat_id = await floor.consumer_writes(floor.phone(), "\u202eleft\u2066 " + "w" * 900)
    await floor.give(chat_id, "john.doe")
    line = page.locator(f"#line-{chat_id} a")
    await page.wait_for_url(f"{floor.base_url}/desk/chats/{chat_id}")
    await page.get_by_role("link", name="← Chats").click()
    await expect(line).to_be_visible()
    await width_is_kept(page)
    await line.click()
    await expect(page.locator("#pane-thread")).to_be_visible()
    await expect(page.locator("#pane-list")).to_be_hidden()
    await width_is_kept(page)
    await page.get_by_role("button", name="The consumer").click()
    await expect(page.locator("#pane-person")).to_be_visible()
    await width_is_kept(page)
    await page.get_by_role("link", name="← Chats").click()
    await expect(line).to_be_visible()
    await page.set_viewport_size({"width": 1440, "height": 900})
    await line.click()
    panes: list[Any] = [page.locator(f"#pane-{name}") for name in ("list", "thread", "person")]
    for pane in panes:
        await expect(pane).to_be_visible()

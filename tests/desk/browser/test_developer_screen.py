"""The whole story on one screen, in Chromium: from the form to the handset and back, watched in the log."""

import json

from playwright.async_api import Route, expect

from tests.kit.browser import IN_BROWSER, Floor
from tests.kit.processes import until

pytestmark = IN_BROWSER


async def test_a_newcomer_sends_reads_replies_and_sees_it_land(floor: Floor) -> None:
    page = await floor.sit_down("administrator", viewport={"width": 1440, "height": 900})
    await page.goto(f"{floor.base_url}/desk/developer")
    phone = floor.phone()
    # Without a token nothing leaves, and it is said.
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#try-status")).to_have_text("!")
    await page.get_by_role("button", name="Make one").click()
    await expect(page.locator("#try-status")).to_have_text("✓")
    body = json.loads(await page.locator("#try-body").input_value())
    body |= {"end_user_number": phone, "message": "Is it <b>you</b>?"}
    await page.locator("#try-body").fill(json.dumps(body))
    # A dry run first: nothing is sent.
    await page.get_by_label("Dry run").check()
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#try-json")).to_contain_text('"would_send": true')
    await expect(page.locator("#try-curl")).to_contain_text("?dry_run=true")
    await page.get_by_label("Dry run").uncheck()
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#try-status")).to_have_text("200")
    screen = page.get_by_role("log")
    await expect(screen).to_contain_text("Is it <b>you</b>?")
    log = page.locator("#events")
    await expect(log).to_contain_text("Accepted from the API")
    await expect(log).to_contain_text("Delivered, part 1")
    # What is typed stays while the page is renewed by what happens elsewhere.
    reply = page.get_by_label("Type as the consumer")
    await reply.fill("Yes 👍")
    await floor.handsets.reply(floor.phone(), "somebody else")
    await expect(log).to_contain_text("somebody else")
    await expect(reply).to_have_value("Yes 👍")
    await reply.press("Enter")
    await expect(screen).to_contain_text("Yes 👍")
    await expect(log).to_contain_text(f"Reply from {phone}")
    await expect(reply).to_have_value("")
    await expect(page.locator("#try-token")).not_to_have_value("")
    kept = await page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )
    assert "sd_" not in kept
    # All examples of the page are there to try, with what they answer.
    await page.locator("#try-preset optgroup option").nth(15).wait_for(state="attached")
    await page.locator("#try-preset").select_option("chat_type_missing")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#try-status")).to_have_text("400")
    # From a line of the log to the trace of its text, and back.
    await log.get_by_role("link", name="text ").first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Text")
    await page.go_back()
    await expect(page.locator("#events")).to_contain_text("Delivered")


async def test_what_lands_while_a_handset_opens_is_on_its_screen(floor: Floor) -> None:
    page = await floor.sit_down("administrator")
    await page.goto(f"{floor.base_url}/desk/developer")
    phone = floor.phone()

    async def read_then_wait(route: Route) -> None:
        before = await route.fetch()
        async with page.expect_response("**/desk/developer/screen?*"):
            await floor.handsets.reply(phone, "landed meanwhile")
        await route.fulfill(response=before)

    await page.route("**/desk/developer/handset?*", read_then_wait)
    await page.get_by_label("Open the handset of this number").fill(phone)
    await page.get_by_role("button", name="Open", exact=True).click()
    await expect(page.get_by_role("log")).to_contain_text("landed meanwhile")


async def test_what_lands_while_nobody_listens_is_on_the_screen(floor: Floor) -> None:
    page = await floor.sit_down("administrator")
    phone = floor.phone()
    looks: list[str] = []
    page.on("response", lambda answer: looks.append(answer.url) if "/developer/screen?" in answer.url else None)

    async def land(route: Route) -> None:
        await until(lambda: _some(looks), 30, "the look that each page takes when its own stream begins")
        await floor.handsets.reply(phone, "landed unheard")
        await route.continue_()

    await page.route("**/desk/live/lab", land, times=1)
    await page.goto(f"{floor.base_url}/desk/developer?number={phone.replace('+', '%2B')}")
    await expect(page.get_by_role("log")).to_contain_text("landed unheard")


async def test_a_test_is_sent_and_its_receipt_comes_by_itself(floor: Floor) -> None:
    page = await floor.sit_down("administrator", viewport={"width": 320, "height": 800}, color_scheme="dark")
    await page.goto(f"{floor.base_url}/desk/admin/test-send")
    await page.get_by_label("To the phone").fill(floor.phone())
    await page.locator("#test-body").fill("A test " + "w" * 300)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#test-steps .badge.good")).to_have_count(4)
    await expect(page.get_by_role("log")).to_contain_text("A test")
    for path in ("/desk/developer", "/desk/admin/tokens", "/desk/admin/audit", "/desk/admin/health", page.url):
        await page.goto(path if path.startswith("http") else floor.base_url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path
    await page.goto(f"{floor.base_url}/desk/admin/health")
    await expect(page.locator("#verdict")).to_be_visible()


async def _some(found: list[str]) -> bool:
    return bool(found)

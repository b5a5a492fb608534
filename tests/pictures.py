"""Takes the pictures of the README and the docs: `make pictures`. A demo is started in a folder of its own, consumers
write at the handsets of its lab, and people at the desk do what the pictures show, in Chromium."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, async_playwright

from tests.kit.browser import ARGUMENTS, chromium

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
START_LIMIT = 120.0
TALK = [
    ("+14155550111", "Hi, my order 5521 has not arrived yet. Can you look?", "2"),
    ("+12125550112", "I was billed twice in May", "1"),
    ("+13055550113", "Is the blue one still there? 💙", "2"),
    ("+16175550114", "Which papers do I need for a refund?", "2"),
]
"""Who writes what, and which line of the menu he chooses."""


class Demo:
    """A running demo, and its handsets."""

    def __init__(self, keys: dict[str, Any], http: aiohttp.ClientSession) -> None:
        self.keys = keys
        self._http = http

    async def reply(self, number: str, body: str) -> None:
        """Somebody types a text at a handset."""
        url = f"{self.keys['lab_url']}/handsets/{number}/reply"
        async with self._http.post(url, json={"body": body, "to": self.keys["outbound_number"]}) as answer:
            assert answer.status < 300, await answer.text()

    async def texts(self, number: str, count: int) -> None:
        """Waits until so many texts are on the handset's screen."""
        for _ in range(300):
            async with self._http.get(f"{self.keys['lab_url']}/handsets/{number}/texts") as answer:
                if len(await answer.json()) >= count:
                    return
            await asyncio.sleep(0.05)
        raise TimeoutError(f"{number} has no {count} texts")

    async def sit_down(self, browser: Browser, who: str, **options: Any) -> Page:
        """A browser of his own in which this person has signed in."""
        context = await browser.new_context(locale="en-US", timezone_id="America/New_York", **options)
        context.set_default_timeout(15_000)
        page = await context.new_page()
        await page.goto(f"{self.keys['base_url']}/desk/sign-in?workspace={self.keys['subdomain']}")
        await page.get_by_label("E-mail address").fill(f"{who}@foo.com")
        await page.get_by_label("Password").fill(self.keys["agents"][0]["password"])
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.wait_for_url("**/desk")
        return page


@asynccontextmanager
async def demo() -> AsyncIterator[Demo]:
    """A demo on a free port, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "smsdesk", "demo", "--port", "0", "--data", folder]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_LIMIT):
                while not (await process.stdout.readline()).startswith(b"curl"):
                    assert process.returncode is None, "the demo ended"
            keys = json.loads((Path(folder) / "demo.json").read_text())
            async with aiohttp.ClientSession() as http:
                yield Demo(keys, http)
        finally:
            process.terminate()
            await process.wait()


async def take(page: Page, name: str, *, dark: bool = False) -> None:
    """A picture, once everything is still."""
    await page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    await page.wait_for_timeout(400)
    await page.screenshot(path=PICTURES / f"{name}.png")
    print(f"docs/pictures/{name}.png")


async def agent_at_work(demo: Demo, browser: Browser) -> None:
    """John takes what is offered, and writes an answer with a costly character."""
    page = await demo.sit_down(browser, "john.doe", viewport=WIDE)
    await page.get_by_role("button", name="Become available").click()
    await page.get_by_role("button", name="Accept").first.wait_for()
    await take(page, "offer")
    await page.get_by_role("button", name="Accept").first.click()
    box = page.get_by_label("Your answer")
    await box.fill("Let me look… one moment please.")
    await page.keyboard.press("Control+Enter")
    await page.get_by_text("delivered at").last.wait_for()
    await box.fill("It left our house this morning – it’s with the courier, and should reach you before 6 pm today.")
    await page.get_by_text("parts").first.wait_for()
    await take(page, "desk")
    await take(page, "desk-dark", dark=True)
    await page.set_viewport_size(PHONE)
    await take(page, "desk-phone")


async def supervisor_looks(demo: Demo, browser: Browser) -> None:
    """The floor as its supervisor sees it."""
    page = await demo.sit_down(browser, "supervisor", viewport={"width": 1280, "height": 900})
    for name, path in (("board", "/desk/board"), ("reports", "/desk/reports")):
        await page.goto(demo.keys["base_url"] + path)
        await take(page, name)


async def administrator_changes(demo: Demo, browser: Browser) -> None:
    """A form, the preview of its change, and the developer's screen."""
    page = await demo.sit_down(browser, "administrator", viewport=WIDE)
    await page.goto(demo.keys["base_url"] + "/desk/admin")
    await take(page, "setup")
    await page.goto(demo.keys["base_url"] + "/desk/developer")
    await take(page, "developer")


async def main() -> None:
    """All pictures, into docs/pictures."""
    program = chromium()
    assert program is not None, "there is no Chromium: `make setup` says more"
    PICTURES.mkdir(exist_ok=True)
    async with demo() as running, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        for number, words, choice in TALK:
            await running.reply(number, words)
            await running.texts(number, 1)
            await running.reply(number, choice)
        await agent_at_work(running, browser)
        await supervisor_looks(running, browser)
        await administrator_changes(running, browser)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())

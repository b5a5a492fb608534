"""One real browser among the desks of a benchmark: when each line is in the page, by the page's own clock."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

# The clock of the page is that of the machine, in ms since 1970.
WATCH = """() => {
    window.seen = {};
    const look = () => {
        for (const body of document.querySelector("main").textContent.match(/reply number \\d+\\./g) ?? [])
            window.seen[body] ??= performance.timeOrigin + performance.now();
    };
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


@dataclass(slots=True)
class Eye:
    """What was typed for the desk that it looks at, and how many seconds later each line was in its page."""

    typed: dict[str, float] = field(default_factory=dict)
    """By body, when it was typed, in seconds since 1970."""
    took: list[float] = field(default_factory=list)
    note: str = ""
    page: Any = None

    async def read(self) -> None:
        """Reads from the page when each line was there."""
        if self.page is None:
            return
        # Polled from here: the page's own policy forbids it what playwright would wait with.
        seen: dict[str, float] = {}
        for _ in range(100):
            seen = await self.page.evaluate("window.seen")
            if len(seen) >= len(self.typed):
                break
            await asyncio.sleep(0.1)
        self.took = [seen[body] / 1000 - at for body, at in self.typed.items() if body in seen]
        lost = len(self.typed) - len(self.took)
        self.note = f"{lost} lines were never in the page" if lost else ""


@asynccontextmanager
async def looking(base: str, cookie: str, chat_id: int) -> AsyncIterator[Eye]:
    """Chromium with this chat open, until the block ends; an eye that sees nothing where there is no Chromium."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        playwright = import_module("playwright.async_api").async_playwright
    except ImportError:
        playwright = None
    if program is None or playwright is None:
        yield Eye(note="no Chromium here")
        return
    async with playwright() as started:
        browser = await started.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context()
        name, _, value = cookie.partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": base}])
        page = await context.new_page()
        await page.goto(f"{base}/desk/chats/{chat_id}")
        await page.locator("html[data-live='up']").wait_for(state="attached")
        await page.evaluate(WATCH)
        yield Eye(page=page)
        await browser.close()

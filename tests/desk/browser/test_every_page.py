"""Every page of every role: nothing that keeps somebody out who reads by ear or by keyboard, nothing wider than a
phone, little on the wire. axe-core looks; what it calls serious or critical fails.

With SMSDESK_SHOTS=folder it keeps a picture of each, in light and wide, in dark and narrow."""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Page

from smsdesk.carriers.registry import CARRIERS
from smsdesk.crm.registry import CRMS
from smsdesk.desk.forms.kinds import KINDS
from smsdesk.desk.forms.settings import GROUPS
from tests.kit.browser import IN_BROWSER, Floor

pytestmark = IN_BROWSER

AXE = (Path(__file__).parents[2] / "vendor" / "axe.min.js").read_text(encoding="utf-8")
LOOK = """async (only) => {
  const found = await axe.run(document, {resultTypes: ["violations"], ...(only ? {runOnly: [only]} : {})});
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}"""
WIDTH = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
STILL = "() => !document.querySelector('[data-later], .htmx-request, .htmx-swapping, .htmx-settling')"
MOST_ON_THE_WIRE = 100_000
SHOTS = os.environ.get("SMSDESK_SHOTS")
REFUSED = "Status Error Code 4"

AGENT = ["/desk", "/desk/chats/CHAT", "/desk/new", "/desk/profile", "/desk/profile/second-factor"]
DIALOGS = ["transfer", "end", "person/edit", "person/opt-out", "person/block"]
SUPERVISOR = [
    "/desk", "/desk/chats/CHAT", "/desk/board", "/desk/board/agents/1", "/desk/search?q=bill",
    "/desk/search?q=nothing+like+it", "/desk/doubtful", "/desk/doubtful/TEXT", "/desk/reports",
    *(f"/desk/reports?view={view}&by={by}" for view, by in (("times", "queue"), ("endings", "agent"),
                                                            ("texts", "number"))),
]  # fmt: skip
EDITED = {"carriers": "upstream", "queues": "Support/Orders", "numbers": "+16285550199", "agents": "second@foo.com"}
ADMINISTRATOR = [
    "/desk/admin", "/desk/admin/tokens", "/desk/admin/audit", "/desk/admin/test-send", "/desk/admin/health",
    "/desk/developer", "/desk/admin/file", "/desk/admin/queues/order",
    *(f"/desk/admin/{each.section}" for each in KINDS.values()),
    *(f"/desk/admin/{each.section}/edit" for each in KINDS.values() if each.kind != "carrier"),
    *(f"/desk/admin/{section}/edit?name={name.replace('+', '%2B')}" for section, name in EDITED.items()),
    *(f"/desk/admin/carriers/edit?kind={kind}" for kind in CARRIERS if kind != "smpp"),
    *(f"/desk/admin/settings/{each.name}" for each in GROUPS),
    *(f"/desk/admin/settings/crm?kind={kind}" for kind in CRMS),
]  # fmt: skip


async def axe(page: Page, only: str = "") -> list[str]:
    """What axe finds in the page as it is, in a world of its own: the page's policy allows no script of others."""
    session = await page.context.new_cdp_session(page)
    tree = await session.send("Page.getFrameTree")
    world = await session.send(
        "Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "axe"}
    )
    where = world["executionContextId"]
    await session.send("Runtime.evaluate", {"expression": f"globalThis.axe || {AXE}", "contextId": where})
    answer: dict[str, Any] = await session.send(
        "Runtime.evaluate",
        {"expression": f"({LOOK})('{only}')", "contextId": where, "awaitPromise": True, "returnByValue": True},
    )
    assert "exceptionDetails" not in answer, answer
    await session.detach()
    found: list[str] = answer["result"]["value"]
    return found


@dataclass
class Look:
    """A person's walk through pages, and what is wrong with them."""

    page: Page
    floor: Floor
    wrong: list[str] = field(default_factory=list)
    wire: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("response", lambda answer: self.wire.append(int(answer.headers.get("content-length", 0))))

    async def go(self, path: str) -> None:
        """Opens a page and looks at it."""
        self.wire.clear()
        answer = await self.page.goto(self.floor.base_url + path)
        if answer is None or answer.status != 200:
            self.wrong.append(f"{path}: {answer and answer.status}")
        await self.at(path)
        if sum(self.wire) > MOST_ON_THE_WIRE:
            self.wrong.append(f"{path}: {sum(self.wire):,} octets on the wire")

    async def at(self, name: str) -> None:
        """Looks at what is open: all of it in light, colours in dark, its width on a small phone."""
        page = self.page
        await page.wait_for_function(STILL)
        found = await axe(page)
        await shot(page, f"{name}-light")
        await page.emulate_media(color_scheme="dark")
        found += [f"in dark: {one}" for one in await axe(page, "color-contrast")]
        await page.set_viewport_size({"width": 320, "height": 640})
        if (wider := await page.evaluate(WIDTH)) > 0:
            found.append(f"{wider} px wider than 320")
        await shot(page, f"{name}-dark", 390)
        await page.set_viewport_size({"width": 1440, "height": 900})
        await page.emulate_media(color_scheme="light")
        self.wrong += [f"{name}: {one}" for one in found]


async def shot(page: Page, name: str, width: int | None = None) -> None:
    """Keeps a picture, where somebody wants to look."""
    if not SHOTS:
        return
    if width:
        await page.set_viewport_size({"width": width, "height": 800})
    await page.screenshot(path=Path(SHOTS) / f"{re.sub('[^a-z0-9]+', '_', name.lower())}.png", full_page=True)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def data(running: Floor) -> AsyncIterator[dict[str, str]]:
    """Something to see on each page: a chat at an agent's desk, and a text in doubt."""
    chat = await running.consumer_writes(running.phone(), "Is my bill ready? <b>Thanks</b>")
    await running.consumer_writes(running.phone(), "Another bill")
    await running.give(chat, "john.doe")
    message = await running.value("select message_id + 1 from messages where chat_id = $1 limit 1", chat)
    await running.value(
        """
        with said as (
            insert into messages (tenant_id, chat_id, message_id, sender, agent_id, body, encoding, parts, created_at)
            select 1, $1, $2, 'agent', agent_id, 'Your bill is ready', 'gsm7', 1, now() from chats where chat_id = $1
        ), sent as (
            insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,
                               valid_until, attempt, state_at, queued_at)
            select 1, $2, $1, (select carrier_id from carriers), 'answer', c.outbound_number, e.number, 'doubtful',
                   now(), now() + interval '1 day', 1, now(), now()
            from chats c join end_users e using (tenant_id, end_user_id) where c.chat_id = $1
        )
        insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, claimed_at, state_at)
        values (1, $2, 1, 1, $1, (select carrier_id from carriers), 'sending', now(), now())
        """,
        chat, message,
    )  # fmt: skip
    yield {"CHAT": str(chat), "TEXT": str(message)}


def filled(path: str, data: dict[str, str]) -> str:
    """An address with the ids of this floor."""
    for name, value in data.items():
        path = path.replace(name, value)
    return path


async def walk(floor: Floor, data: dict[str, str], who: str, paths: list[str]) -> Look:
    """A person's pages, one after the other, in one browser."""
    page = await floor.sit_down(who, viewport={"width": 1440, "height": 900})
    # What the sign-in led to is still on its way, and would count.
    await page.wait_for_load_state("networkidle")
    look = Look(page, floor)
    for path in paths:
        await look.go(filled(path, data))
    return look


async def test_longer_words_are_no_wider_than_a_phone(floor: Floor, data: dict[str, str]) -> None:
    signed_in = await (await floor.sit_down("administrator")).context.storage_state()
    small: Any = {"width": 320, "height": 640}
    page = await floor.open_page("/desk", locale="es", viewport=small, storage_state=signed_in)
    wider = {}
    for path in ["/desk", "/desk/board", "/desk/reports", "/desk/admin/agents", "/desk/admin/settings/sending"]:
        await page.goto(floor.base_url + path)
        await page.wait_for_function(STILL)
        wider[path] = await page.evaluate(WIDTH)
        await shot(page, f"es-{path}", 390)
        await page.set_viewport_size(small)
    assert await page.locator("html").get_attribute("lang") == "es"
    assert set(wider.values()) == {0}, wider


async def test_an_agents_pages_and_dialogs_keep_nobody_out(floor: Floor, data: dict[str, str]) -> None:
    look = await walk(floor, data, "john.doe", AGENT)
    page = look.page
    await page.goto(f"{floor.base_url}/desk/chats/{data['CHAT']}")
    for name in DIALOGS:
        await page.evaluate(f"""document.querySelector('a[data-dialog][href$="/{name}"]').click()""")
        await page.locator("dialog[open]").wait_for()
        await look.at(f"dialog {name}")
        await page.keyboard.press("Escape")
        await page.locator("dialog[open]").wait_for(state="detached")
    await page.keyboard.press("?")
    await page.locator("dialog[open]").wait_for()
    await look.at("dialog keys")
    await page.keyboard.press("Escape")
    await page.locator("#me-menu > summary").click()
    await look.at("menu")
    assert look.wrong == []


async def test_a_supervisors_pages_keep_nobody_out(floor: Floor, data: dict[str, str]) -> None:
    look = await walk(floor, data, "supervisor", SUPERVISOR)
    assert look.wrong == []


async def test_an_administrators_pages_keep_nobody_out(floor: Floor, data: dict[str, str]) -> None:
    look = await walk(floor, data, "administrator", ADMINISTRATOR)
    page, base = look.page, floor.base_url
    floor.complaints[-1].excused += (REFUSED,)
    await page.goto(f"{base}/desk/admin/settings/general")
    await page.locator("#company_name").fill("Foo")
    await page.locator("#setup-form .primary").click()
    await page.locator(".plan").first.wait_for()
    await look.at("plan")
    await page.goto(f"{base}/desk/admin/settings/general")
    await page.locator("#requests_per_second").fill("many")
    await page.locator("#setup-form .primary").click()
    await page.locator("#faults").wait_for()
    await look.at("mistakes in a form")
    await page.goto(f"{base}/desk/admin/agents/edit?name=second@foo.com")
    await page.locator("#invite-form button").click()
    link = page.locator("#invitation")
    await link.wait_for()
    await look.at("invitation")
    stranger = Look(await floor.open_page("/desk/sign-in", viewport={"width": 1440, "height": 900}), floor)
    await stranger.at("sign in")
    await stranger.go((await link.input_value()).removeprefix(base))
    await stranger.go("/desk/sign-in?workspace=%20")
    assert look.wrong + stranger.wrong == []

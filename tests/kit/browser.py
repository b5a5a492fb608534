"""Chromium, driven as a person would, on a real server with a worker and a lab: one Chromium for all tests of a
process, one server for all tests of a module.

Tests of the browser name `pytestmark = IN_BROWSER`. Whatever a page's script complains of fails its test, and so does a
request that leaves the server's own address.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from smsdesk.actions.assign_chat import Assignment, assign_chat
from smsdesk.cli.apply import apply_file, read_file
from smsdesk.steps.begin import Begin
from smsdesk.store.db import Database, Ids
from smsdesk.store.tenants import read_tenant
from smsdesk.wiring import utc_now
from tests.kit.api import OURS
from tests.kit.database import Clones
from tests.kit.lab import Handsets, handsets_of
from tests.kit.processes import Server, serving, until
from tests.lab.process import LabProcess

IN_BROWSER = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser]
PATIENCE = 30_000
"""Milliseconds that a page may take on a busy machine; how quick it is, the benches say."""
expect.set_options(timeout=PATIENCE)
PASSWORD = "sesame, open the desk"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]  # fmt: skip
EXCUSED = ("Failed to load resource", "htmx:sendAbort", "htmx:afterRequest", "Response Status Error Code 4")
"""What Chromium and htmx write down of a refusal, and of a look that a newer one replaced: neither is a mistake."""
SETUP = """\
tenant: acme
settings: {{company_name: Acme, time_zone: America/New_York, default_queue: Orders,
           queue_defaults: {{dispositions: [Ready, Late, Refund]}}}}
carriers: [{{name: upstream, type: smpp, host: 127.0.0.1, port: {port}, system_id: acme,
            password: {{env: UPSTREAM_PASSWORD}}, reconnect_first: 0.05}}]
queues: [{{name: Support, children: [{{name: Billing, keyword: BILL}}, {{name: Orders}}]}}]
numbers: [{{number: "+1 628-555-0199", carrier: upstream, queue: Support/Orders, label: Main}}]
agents:
  - {{email: john.doe@foo.com, first_name: John, last_name: Doe, agent_number: 9, queues: [Orders, Billing],
     password: {{env: DESK_PASSWORD}}}}
  - {{email: second@foo.com, first_name: Second, last_name: Agent, queues: [Orders, Billing],
     password: {{env: DESK_PASSWORD}}}}
  - {{email: supervisor@foo.com, first_name: Floor, last_name: Supervisor, role: supervisor,
     password: {{env: DESK_PASSWORD}}}}
  - {{email: administrator@foo.com, first_name: Desk, last_name: Administrator, role: administrator,
     password: {{env: DESK_PASSWORD}}}}
"""


def chromium() -> str | None:
    """Debian's Chromium, or another one on the PATH."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Complaints:
    """What must not happen in any page of a test."""

    base_url: str
    said: list[str] = field(default_factory=list)
    excused: tuple[str, ...] = ()
    """What a test provokes itself: pieces of complaints that do not count."""

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.said.append(f"script error: {error}"))
        page.on("console", lambda line: self._console(line.type, line.text))
        page.on("request", lambda request: self._request(request.url))

    def _console(self, kind: str, text: str) -> None:
        if kind == "error" and not any(piece in text for piece in self.excused):
            self.said.append(f"console: {text}")

    def _request(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https") and not url.startswith(self.base_url):
            self.said.append(f"a request to another host: {url}")


@dataclass
class Floor:
    """A contact center that runs: its server, its handsets, and browsers in which its people sit."""

    server: Server
    handsets: Handsets
    database: str
    browser: Browser
    folder: Path
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[Complaints] = field(default_factory=list)
    phones: int = 100

    @property
    def base_url(self) -> str:
        return self.server.base_url

    def phone(self) -> str:
        """A consumer's number that no test has used."""
        self.phones += 1
        return f"+1415555{self.phones:04}"

    async def sit_down(self, who: str, **options: Any) -> Page:
        """A browser of his own in which this person (`john.doe`, `second`, `supervisor`, `administrator`) has signed in
        by the form. Options are those of playwright's new_context."""
        page = await self.open_page("/desk/sign-in", **options)
        await page.get_by_label("E-mail address").fill(f"{who}@foo.com")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.wait_for_url(f"{self.base_url}/desk")
        return page

    async def open_page(self, path: str, **options: Any) -> Page:
        """A page in a browser of its own."""
        context = await self.browser.new_context(**{"locale": "en-US", "timezone_id": "America/New_York", **options})
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        complaints = Complaints(self.base_url, excused=EXCUSED)
        self.complaints.append(complaints)
        context.on("page", complaints.watch)
        page = await context.new_page()
        await page.goto(self.base_url + path)
        return page

    async def consumer_writes(self, number: str, body: str) -> int:
        """Somebody types a text at a handset; the id of his chat, once it is there."""
        await self.handsets.reply(number, body)

        async def chat() -> int | None:
            return await self.value(
                """select c.chat_id from chats c join end_users e using (tenant_id, end_user_id)
                   join messages m using (tenant_id, chat_id)
                   where e.number = $1 and m.body = $2 and c.ends_at is null""",
                number, body,
            )  # fmt: skip

        return await until(chat, 10, f"the chat of {number}")

    async def give(self, chat_id: int, who: str) -> None:
        """Gives a chat to a person, as a program does over the API's use case."""
        db = Database(self.database, size=1)
        await db.open()
        try:
            async with db.connection() as conn:
                tenant = await read_tenant(conn, 1)
            agent = tenant.agents_by_email[f"{who}@foo.com"]
            begin = Begin(db, Ids(), utc_now, lambda: 0.5)
            await assign_chat(begin, tenant, Assignment(chat_id, agent.agent_id, None, force=True))
        finally:
            await db.close()

    async def value(self, sql: str, *values: object) -> Any:
        """One value from the database."""
        conn = await asyncpg.connect(self.database)
        try:
            return await conn.fetchval(sql, *values)
        finally:
            await conn.close()

    async def close_browsers(self) -> None:
        """Ends the browsers of a test, and fails it where a page complained."""
        said = [line for each in self.complaints for line in each.said]
        for context in self.contexts:
            await context.close()
        self.contexts.clear()
        self.complaints.clear()
        assert not said, said


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium_browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of this process."""
    program = chromium()
    if program is None:
        pytest.skip("there is no Chromium, and no package manager that has it: `make setup` says more")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def floor_database(database_clones: Clones) -> Iterator[str]:
    """A fresh database for all tests of a module."""
    name = database_clones.create()
    yield database_clones.dsn(name)
    database_clones.drop(name)


@asynccontextmanager
async def running_floor(browser: Browser, database: str, folder: Path, setup: str = SETUP) -> AsyncIterator[Floor]:
    """A floor with this set-up, until the block ends."""
    with LabProcess() as lab:
        async with handsets_of(lab) as handsets:
            file = folder / "setup.yaml"
            file.write_text(setup.format(port=handsets.smpp_port))
            db = Database(database, size=2)
            await db.open()
            os.environ |= {"DESK_PASSWORD": PASSWORD, "UPSTREAM_PASSWORD": "sesame"}
            await apply_file(db, read_file(str(file)), yes=True, json=True)
            await db.close()
            lab_page = f"http://127.0.0.1:{lab.http_port}"
            async with serving(folder, database=database, SMSDESK_LAB_PAGE=lab_page) as server:
                yield Floor(server, handsets, database, browser, folder)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def running(
    chromium_browser: Browser, floor_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Floor]:
    """A floor for all tests of a module."""
    async with running_floor(chromium_browser, floor_database, tmp_path_factory.mktemp("floor")) as floor:
        yield floor


@pytest_asyncio.fixture(loop_scope="session")
async def floor(running: Floor) -> AsyncIterator[Floor]:
    """The floor, with no browser on it yet; what its pages complained of fails the test."""
    assert OURS == "+16285550199", "the number of SETUP"
    yield running
    await running.close_browsers()

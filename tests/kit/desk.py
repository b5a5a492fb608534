"""The desk as a browser's requests meet it: a real server on a real port, people with roles, at a clock that stands."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from bs4 import BeautifulSoup
from litestar.types import Receive, Scope, Send

from smsdesk.api.app import Api
from smsdesk.api.http import Answer, Request
from smsdesk.api.serving import Done
from smsdesk.api.v1.sms import SmsEndpoint
from smsdesk.desk.app import build_desk
from smsdesk.desk.services import Desk
from smsdesk.settings import Settings
from smsdesk.store.db import Database, Ids
from smsdesk.wiring import Site, build_app, build_services, build_services_of_desk, http_server, listen_at
from tests.kit.api import Clock, set_up_two

PEOPLE = {"john": (1, 1), "second": (1, 2), "supervisor": (1, 10), "administrator": (1, 11), "theirs": (2, 4),
          "their_administrator": (2, 12)}  # fmt: skip
"""Who is there: the tenant and the agent's id. John Doe and Second Agent work in queue Support of `acme`."""


@dataclass
class Seen:
    """What a page answered."""

    status: int
    text: str
    headers: Any
    url: str

    @property
    def html(self) -> BeautifulSoup:
        return BeautifulSoup(self.text, "html.parser")


@dataclass
class Person:
    """A browser in which somebody is signed in, without the browser."""

    desk: "DeskKit"
    http: aiohttp.ClientSession
    cookie: str
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Seen:
        return await self._ask("GET", path, headers)

    async def post(self, path: str, data: Any = None, **headers: str) -> Seen:
        """Posts a form, as a page of the desk does."""
        return await self._ask("POST", path, {"Origin": self.desk.base_url, **headers}, data=data or {})

    async def _ask(self, method: str, path: str, headers: dict[str, str], **more: Any) -> Seen:
        sent = {"Cookie": f"smsdesk={self.cookie}", **self.headers, **headers}
        url = self.desk.base_url + path
        async with self.http.request(method, url, headers=sent, allow_redirects=False, **more) as answer:
            return Seen(answer.status, await answer.text(), answer.headers, path)


@dataclass
class DeskKit:
    """A running site with the tenants `acme` and `other`, and people to be."""

    base_url: str
    db: "asyncpg.Connection[asyncpg.Record]"
    clock: Clock
    services: Desk
    http: aiohttp.ClientSession

    async def person(self, who: str, **headers: str) -> Person:
        """One of PEOPLE, signed in."""
        tenant_id, agent_id = PEOPLE[who]
        secret = f"secret of {who}"
        await self.db.execute(
            """
            insert into sessions (tenant_id, session_sha256, agent_id, created_at, seen_at, expires_at)
            values ($1, $2, $3, $4, $4, $4::timestamptz + interval '12 hours') on conflict do nothing
            """,
            tenant_id, hashlib.sha256(secret.encode()).digest(), agent_id, self.clock.now,
        )  # fmt: skip
        return Person(self, self.http, f"{'acme' if tenant_id == 1 else 'other'}.{secret}", headers)

    def nobody(self) -> Person:
        """Somebody who is not signed in."""
        return Person(self, self.http, "")


class _WhenAsked:
    """The API, built for its first request: most tests of the desk ask nothing of it."""

    path = SmsEndpoint.path

    def __init__(self, build: Callable[[], Api]) -> None:
        self._built = cache(build)
        self.quick = self

    def refuse(self, in_line: int) -> Answer | None:
        return self._built().quick.refuse()

    def take(self, request: Request, done: Done) -> None:
        self._built().quick.take(request, done)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._built()(scope, receive, send)


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[DeskKit]:
    """A running site over a fresh database."""
    conn = await asyncpg.connect(database)
    await set_up_two(conn)
    await conn.execute(
        """insert into agents (tenant_id, agent_id, email, first_name, last_name, role) overriding system value
        values (1, 10, 'supervisor@foo.com', 'Floor', 'Supervisor', 'supervisor'),
               (1, 11, 'administrator@foo.com', 'Desk', 'Administrator', 'administrator'),
               (2, 12, 'administrator@foo.com', 'Their', 'Administrator', 'administrator')"""
    )
    await conn.execute(
        """insert into agent_queues (tenant_id, agent_id, queue_id)
        select 1, a, q.queue_id from queues q cross join unnest(array[1, 2]) a where q.tenant_id = 1"""
    )
    db, clock = Database(database, size=4), Clock()
    await db.open()
    settings = Settings(media_folder=str(tmp_path / "media"))
    services = build_services(db, Ids(), settings, lambda _tenant_id: None, clock)
    await services.directory.refresh()
    desk = build_services_of_desk(services)
    listening_for_hints = asyncio.create_task(desk.hub.run())
    server = http_server(Site(_WhenAsked(lambda: build_app(services)), build_desk(desk)))
    listening = listen_at("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve([listening]))
    port = listening.getsockname()[1]
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield DeskKit(f"http://127.0.0.1:{port}", conn, clock, desk, http)
    finally:
        listening_for_hints.cancel()
        server.should_exit = True
        await serving
        await db.close()
        await conn.close()

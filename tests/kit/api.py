"""The API as a client meets it: a real server on a real port, over a real database."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from smsdesk.api.services import Services
from smsdesk.settings import Settings
from smsdesk.store.db import Database, Ids
from smsdesk.wiring import build_app, build_services, http_server, listen_at

CONSUMER, OURS = "+14155550100", "+16285550199"
SEED = {
    "chat_type": "Messaging (SMS)",
    "end_user_number": "+1 415-555-0100",
    "outbound_number": "+1 628-555-0199",
    "message": "lorem ipsum",
    "ticket_id": "5006x00000XXxxxXXX",
}


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 17, 20, 51, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Any
    json: Any = field(default=None)


@dataclass
class Api:
    """A running server with the tenants `acme` and `other`, and a client of it."""

    base_url: str
    db: "asyncpg.Connection[asyncpg.Record]"
    clock: Clock
    services: Services
    http: aiohttp.ClientSession
    auth: tuple[str, str] = ("acme", "secret")

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        auth = more.pop("auth", self.auth)
        url = self.base_url + path
        headers = dict(more.pop("headers", {}))
        if auth:
            headers["Authorization"] = aiohttp.encode_basic_auth(*auth)
        async with self.http.request(method, url, headers=headers, **more) as response:
            body = await response.read()
            json = await response.json() if response.content_type == "application/json" and body else None
            return Answer(response.status, body, response.headers, json)

    async def send(self, *without: str, **fields: Any) -> Answer:
        """The seed's request with other fields, or without some."""
        more = {key: fields.pop(key) for key in ("headers", "auth", "params") if key in fields}
        body = {key: value for key, value in {**SEED, **fields}.items() if key not in without}
        return await self.call("POST", "/apps/api/v1/sms", json=body, **more)

    async def set(self, **settings: Any) -> None:
        """Changes settings of the tenant and waits until the server has seen it."""
        await self.db.execute(
            "update tenants set settings = settings || $1::jsonb, changed_at = changed_at + interval '1 ms' "
            "where tenant_id = 1",
            settings,
        )
        await self.services.directory.refresh()

    async def count(self, table: str) -> int:
        count: int = await self.db.fetchval(f"select count(*) from {table}")
        return count


async def set_up_two(conn: "asyncpg.Connection[asyncpg.Record]") -> None:
    await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    for tenant_id, subdomain in ((1, "acme"), (2, "other")):
        digest = hashlib.sha256(b"secret" if tenant_id == 1 else b"other-secret").digest()
        await conn.execute("insert into tenants values ($1, $2, '{}', now(), now())", tenant_id, subdomain)
        await conn.execute("insert into subdomains values ($1, $2)", subdomain, tenant_id)
        await conn.execute(
            "insert into credentials (tenant_id, name, token_sha256, created_at) values ($1, 'main', $2, now())",
            tenant_id,
            digest,
        )
        carrier_id = await conn.fetchval(
            "insert into carriers (tenant_id, name, type) values ($1, 'lab', 'lab') returning carrier_id", tenant_id
        )
        queue_id = await conn.fetchval(
            "insert into queues (tenant_id, name, position) values ($1, 'Support', 1) returning queue_id", tenant_id
        )
        await conn.execute(
            "insert into numbers (tenant_id, number, carrier_id, queue_id) values ($1, $2, $3, $4)",
            tenant_id, OURS if tenant_id == 1 else "+16285550188", carrier_id, queue_id,
        )  # fmt: skip
    await conn.execute(
        """insert into agents (tenant_id, agent_id, agent_number, email, first_name, last_name, avatar_url, disabled_at)
        values (1, 1, 9, 'john.doe@foo.com', 'John', 'Doe', 'https://foobar.com/johndoe', null),
               (1, 2, null, 'second@foo.com', 'Second', 'Agent', null, null),
               (1, 3, null, 'gone@foo.com', 'Gone', 'Agent', null, now()),
               (2, 4, null, 'theirs@foo.com', 'Their', 'Agent', null, null)"""
    )


@pytest.fixture
async def api(database: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A running API over a fresh database."""
    conn = await asyncpg.connect(database)
    await set_up_two(conn)
    db, clock = Database(database, size=4), Clock()
    await db.open()
    services = build_services(db, Ids(), Settings(media_folder=str(tmp_path / "media")), lambda _tenant_id: None, clock)
    await services.directory.refresh()
    server = http_server(build_app(services))
    listening = listen_at("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve([listening]))
    port = listening.getsockname()[1]
    try:
        async with aiohttp.ClientSession() as http:
            yield Api(f"http://127.0.0.1:{port}", conn, clock, services, http)
    finally:
        server.should_exit = True
        await serving
        await db.close()
        await conn.close()

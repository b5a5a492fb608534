"""A tenant that is set up as a user would: a file, a token, and a client that sends as real clients do."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from smsdesk.actions.create_token import create_token
from smsdesk.cli.apply import apply_file, read_file
from smsdesk.store.db import Database
from tests.kit.api import SEED, Answer
from tests.kit.processes import until

SETUP = """\
tenant: acme
settings: {{sms_enabled: true, outbound_sms_enabled: true, allowed_regions: [US], when_active: {when_active}}}
carriers:
  - name: upstream
    type: smpp
    host: 127.0.0.1
    port: {port}
    system_id: acme
    password: {{env: UPSTREAM_PASSWORD}}
    window: {window}
    response_timeout: {response_timeout}
    reconnect_first: 0.05
    reconnect_longest: 0.5
queues:
  - {{name: Support, children: [{{name: Billing, keyword: BILL}}, {{name: Orders}}]}}
numbers:
  - {{number: "+1 628-555-0199", carrier: upstream, queue: Orders, label: Main}}
agents:
  - {{email: john.doe@foo.com, first_name: John, last_name: Doe, agent_number: 9, queues: [Orders], role: agent}}
"""
RETRIED = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)
"""What a client sees of a server that was killed or is not there."""


async def set_up(dsn: str, folder: Path, smpp_port: int, **more: object) -> str:
    """Applies the file, with a line to an SMSC on this port, and gives a new token."""
    async with _opened(dsn) as database:
        await _apply(database, folder, setup_text(smpp_port, **more))
        return await create_token(database, "acme", "tests", datetime.now(UTC), secrets.token_bytes)


def setup_text(smpp_port: int, **more: object) -> str:
    """The file of the tenant `acme`; `more` may be `when_active`, `window` and `response_timeout`."""
    return SETUP.format(port=smpp_port, **{"when_active": "refuse", "window": 50, "response_timeout": 3, **more})


async def apply(dsn: str, folder: Path, text: str) -> None:
    """Applies a set-up file of this text."""
    async with _opened(dsn) as database:
        await _apply(database, folder, text)


@asynccontextmanager
async def _opened(dsn: str) -> AsyncIterator[Database]:
    database = Database(dsn, size=1)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _apply(database: Database, folder: Path, text: str) -> None:
    file = folder / "setup.yaml"
    file.write_text(text)
    await apply_file(database, read_file(str(file)), yes=True, json=False)


@dataclass
class Client:
    """A client of the API, with one tenant's token."""

    http: aiohttp.ClientSession
    base_url: str
    token: str
    retries: int = field(default=0)
    """How often `send_until_accepted` had to try again."""

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """One request to `/apps/api/v1` and its answer."""
        headers = {"Authorization": aiohttp.encode_basic_auth("acme", self.token), **more.pop("headers", {})}
        async with self.http.request(method, f"{self.base_url}/apps/api/v1{path}", headers=headers, **more) as answer:
            body = await answer.read()
            return Answer(answer.status, body, answer.headers, json.loads(body) if body else None)

    async def send(self, number: str, message: str, key: str | None = None, **fields: Any) -> Answer:
        """The seed's request, to this number with this message."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {**SEED, "end_user_number": number, "message": message, **fields}
        return await self.call("POST", "/sms", json=body, headers=headers)

    async def send_until_accepted(self, number: str, message: str, key: str, seconds: float = 90.0) -> Answer:
        """Sends under one key until it is accepted, again after a connection that broke and after a 503.

        AssertionError for any other answer: no client could go on from there.
        """
        async with asyncio.timeout(seconds):
            while True:
                try:
                    answer = await self.send(number, message, key, ticket_id=None)
                except RETRIED:
                    answer = None
                if answer is not None and answer.status != 503:
                    assert answer.status == 200, f"{answer.status} for {key}: {answer.body!r}"
                    return answer
                assert answer is None or "Retry-After" in answer.headers, "a 503 that does not say when to come back"
                self.retries += 1
                await asyncio.sleep(0.1)

    async def is_known(self) -> bool:
        """Whether the server has seen the token yet."""
        return (await self.call("GET", "/chats", params={"per": "1"})).status == 200

    async def messages(self, chat_id: int) -> list[dict[str, Any]]:
        """What was said in a chat."""
        answer = await self.call("GET", f"/chats/{chat_id}/messages")
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.json
        return found

    async def chat(self, chat_id: int) -> dict[str, Any]:
        """A chat as it is now."""
        answer = await self.call("GET", f"/chats/{chat_id}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    async def chats(self, **filters: str) -> list[dict[str, Any]]:
        """The chats, newest first."""
        answer = await self.call("GET", "/chats", params=filters)
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.json
        return found


@asynccontextmanager
async def client_of(base_url: str, token: str, connections: int = 100) -> AsyncIterator[Client]:
    """A client that opens at most so many connections."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections), timeout=aiohttp.ClientTimeout(total=15)
    ) as http:
        client = Client(http, base_url, token)
        await until(client.is_known, 10.0, "the server knows the token")
        yield client


def consumer(number: int) -> str:
    """The phone of the n-th consumer, from 0 to 19,999."""
    return f"+1{('415', '628')[number // 10_000]}555{number % 10_000:04}"

"""A contact center that is open for business: a server, phones, agents at their desks, and a CRM of its own.

One set-up for all stories. Each uses a queue of its own, so that many can go on at a time; an agent is named by his
queue and a number (`care-1`), and is asked for nothing before he is `ready`.
"""

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from smsdesk.domain.media_link import make_token, read_token
from tests.crm.serving import listening
from tests.kit.api import OURS, SEED, Answer
from tests.kit.demo_setup import Client, apply, client_of, consumer, set_up
from tests.kit.lab import Handsets, handsets_of
from tests.kit.processes import serving, until
from tests.lab.process import LabProcess

from .setup_file import OVER_HTTP, PICTURES, document

LIMIT = 20.0
SECRET = "a secret that the CRM and we share"
TOKEN = "an auth token of thirty-two octets"


@dataclass
class Crm:
    """A CRM that is asked over signed HTTP: it knows the contacts and tickets named here, and keeps what is posted."""

    contacts: dict[str, str] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    posted: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Answers one request; 401 where it is not signed with our secret, or is old."""
        body, said = await request.read(), request.headers
        signed = f"{said['webhook-id']}.{said['webhook-timestamp']}.".encode() + body
        proof = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).decode()
        if said["webhook-signature"] != f"v1,{proof}" or abs(time.time() - int(said["webhook-timestamp"])) > 300:
            return web.Response(status=401)
        asked = json.loads(body)
        kind, data = asked["type"], asked["data"]
        if kind == "transcript.post":
            self.posted.append(data)
            return web.Response()
        if kind == "contact.find":
            contact = self.contacts.get(data["phone"])
            return web.json_response({"contact": {"id": contact} if contact else None})
        ticket = data["ticket_id"]
        found = {"id": ticket, "url": f"https://crm.example.com/{ticket}"} if ticket in self.tickets else None
        return web.json_response({"ticket": found})


@dataclass
class Center:
    """The center and who is in it."""

    client: Client
    handsets: Handsets
    crm: Crm
    folder: Path
    database: str
    opens: datetime
    """On this day the queues open that are closed now."""
    agents: dict[str, int] = field(default_factory=dict)
    queues: dict[str, int] = field(default_factory=dict)
    """Ids by path."""
    phones: Iterator[str] = field(default_factory=lambda: map(consumer, itertools.count()))

    def phone(self) -> str:
        """A consumer of whom nobody has heard."""
        return next(self.phones)

    # What consumers do and see

    async def write(self, phone: str, body: str, to: str = OURS, **more: Any) -> None:
        """Somebody types a text at his phone; `media` go with it."""
        await self.handsets.call("POST", f"/handsets/{phone}/reply", json={"to": to, "body": body, **more})

    async def screen(self, phone: str, count: int) -> list[str]:
        """What is on the phone, once there are so many texts; never more than that."""

        async def shown() -> list[str]:
            texts = [text["body"] for text in await self.handsets.texts(phone)]
            return texts if len(texts) >= count else []

        texts = await until(shown, LIMIT, f"{count} texts on the phone")
        assert len(texts) == count, texts
        return texts

    # What programs and agents do

    async def call(self, method: str, path: str, **more: Any) -> Any:
        """What the API answers to a request that it does not refuse."""
        answer = await self.client.call(method, path, **more)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body!r}"
        return answer.json

    async def send(self, phone: str, body: str, **fields: Any) -> dict[str, Any]:
        """The answer to a send."""
        answer = await self.client.send(phone, body, **{"ticket_id": None, **fields})
        assert answer.status == 200, answer.body
        sent: dict[str, Any] = answer.json
        return sent

    async def ready(self, *agents: str) -> None:
        """These agents are at their desks and free."""
        for agent in agents:
            await self.call("PUT", f"/agents/{self.agents[agent]}/status", json={"status": "available"})

    async def does(self, agent: str, chat_id: int, what: str, **more: Any) -> dict[str, Any]:
        """The chat after an agent did this to it, such as `accept`."""
        answer = await self.tries(agent, chat_id, what, **more)
        assert answer.status < 300, f"{what}: {answer.status} {answer.body!r}"
        chat: dict[str, Any] = answer.json
        return chat

    async def tries(self, agent: str, chat_id: int, what: str, **more: Any) -> Answer:
        """What the API answers to that."""
        body = {"agent_id": self.agents[agent], **more}
        return await self.client.call("POST", f"/chats/{chat_id}/{what}", json=body)

    async def transfers(self, agent: str, chat_id: int, **more: Any) -> dict[str, Any]:
        """The chat after an agent began to give it to somebody else."""
        body = {"from_agent_id": self.agents[agent], **more}
        chat: dict[str, Any] = await self.call("POST", f"/chats/{chat_id}/transfers", json=body)
        return chat

    async def answers(self, agent: str, chat_id: int, body: str, **more: Any) -> Answer:
        """What the API says to an agent's words to the consumer."""
        wanted = {"from_user_id": self.agents[agent], "message": {"type": "text", "content": body, **more}}
        return await self.client.call("POST", f"/chats/{chat_id}/message", json=wanted)

    async def finishes(self, agent: str, chat_id: int) -> dict[str, Any]:
        """The chat after its agent ended it."""
        body = {"chat": {"status": "finished"}, "finished_by_user_id": self.agents[agent]}
        chat: dict[str, Any] = await self.call("PATCH", f"/chats/{chat_id}", json=body)
        return chat

    async def knows_its_numbers(self) -> bool:
        """Whether the server has seen the set-up, as it does within a second."""
        fields = {**SEED, "outbound_number": OVER_HTTP}
        return bool((await self.call("POST", "/sms", json=fields, params={"dry_run": "true"}))["would_send"])

    # What can be seen of chats

    async def chat_of(self, phone: str, **values: Any) -> dict[str, Any]:
        """The latest chat of a phone, once its keys have these values."""

        async def found() -> dict[str, Any] | None:
            chats = await self.client.chats(number=phone, per="1", sort_direction="DESC")
            return chats[0] if chats and values.items() <= {key: chats[0][key] for key in values}.items() else None

        return await until(found, LIMIT, f"a chat of the phone with {values}") or {}

    async def shows(self, chat_id: int, **values: Any) -> dict[str, Any]:
        """The chat, once its keys have these values."""

        async def found() -> dict[str, Any] | None:
            chat = await self.client.chat(chat_id)
            return chat if all(chat[key] == value for key, value in values.items()) else None

        return await until(found, LIMIT, f"chat {chat_id} with {values}") or {}

    async def said(self, chat_id: int) -> list[tuple[str, str]]:
        """Who said what in a chat, notes of the desk too."""
        return [(one["sender"], one["content"]) for one in await self.client.messages(chat_id)]

    async def with_agent(self, phone: str, keyword: str, agent: str) -> dict[str, Any]:
        """A chat that a consumer began in the queue of the keyword and that its agent has taken."""
        await self.ready(agent)
        await self.write(phone, keyword)
        chat = await self.chat_of(phone, status="queued", offer_type="deltacast")
        return await self.does(agent, chat["id"], "accept")

    # Time, and the set-up

    async def a_second(self) -> None:
        """A second goes by: durations count whole ones."""
        began = time.monotonic()

        async def gone() -> bool:
            return time.monotonic() - began > 1.05

        await until(gone, LIMIT, "a second")

    async def as_if_minutes_ago(self, chat_id: int, agent: str, minutes: int) -> None:
        """What was said last in the chat, who has it, and what the agent does: all of it is so much longer ago."""
        earlier = timedelta(minutes=minutes)
        async with self.rows() as conn:
            await conn.execute(
                "update chats set end_user_said_at = end_user_said_at - $2::interval, since = since - $2::interval,"
                " agent_said_at = agent_said_at - $2::interval where chat_id = $1",
                chat_id, earlier,
            )  # fmt: skip
            await conn.execute(
                "update agent_statuses set since = since - $2::interval where agent_id = $1",
                self.agents[agent], earlier,
            )  # fmt: skip

    async def as_eight_days_old(self, link: str) -> str:
        """The link to the same file as it was made eight days ago."""
        token = link.rpartition("/")[2]
        named = read_token(token)
        assert named
        async with self.rows() as conn:
            key = await conn.fetchval("select key from media_keys where tenant_id = $1", named.tenant_id)
        what = (named.tenant_id, named.chat_id, named.media_id)
        return link.replace(token, make_token(key, what, datetime.now(UTC) - timedelta(days=8), days=7))

    @asynccontextmanager
    async def rows(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """The database, for what nobody can wait for."""
        conn = await asyncpg.connect(self.database)
        try:
            yield conn
        finally:
            await conn.close()

    async def apply(self, **changes: Any) -> None:
        """Applies a set-up file with these parts."""
        await apply(self.database, self.folder, json.dumps({"tenant": "acme", **changes}))


@asynccontextmanager
async def open_center(lab: LabProcess, database: str, folder: Path) -> AsyncIterator[Center]:
    """A center in this block, whose server ends well and has logged no error."""
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("CRM_SECRET", SECRET)
        patch.setenv("TWILIO_TOKEN", TOKEN)
        handsets, crm, app = await stack.enter_async_context(handsets_of(lab)), Crm(), web.Application()
        app.router.add_post("/crm", crm.answer)
        url = await stack.enter_async_context(listening(app))
        token = await set_up(database, folder, lab.smpp_port)
        server = await stack.enter_async_context(serving(folder, database=database))
        client = await stack.enter_async_context(client_of(server.base_url, token))
        center = Center(client, handsets, crm, folder, database, datetime.now(UTC) + timedelta(days=2))
        callbacks, twilio = (
            f"{server.base_url}/callbacks/acme/twilio",
            f"http://127.0.0.1:{lab.http_port}/vendors/twilio",
        )
        await center.apply(settings={"public_url": server.base_url})
        await center.apply(**document(f"{url}/crm", twilio, callbacks, center.opens))
        account = {"auth_token": TOKEN, "numbers": [PICTURES, OVER_HTTP], "inbound_url": callbacks}
        await handsets.call("PUT", "/vendors/twilio/account", json=account)
        agents = await center.call("GET", "/agents", params={"per": "1000"})
        center.agents = {agent["email"].partition("@")[0]: agent["id"] for agent in agents}
        center.queues = {queue["path"]: queue["id"] for queue in await center.call("GET", "/queues")}
        await until(handsets.lines, LIMIT, "the line is bound")
        await until(center.knows_its_numbers, LIMIT, "the server has seen the set-up")
        yield center
        assert await server.stop() == 0, server.errors
        assert '"level": "error"' not in server.errors, server.errors

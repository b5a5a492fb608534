"""Consumers who write as they like, and agents who work, give chats away and sometimes walk off."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import aiohttp

from smsdesk.bench.rig import TENANT, BenchError
from smsdesk.prove.clients import phone
from smsdesk.prove.owners import Typed

GONE = (aiohttp.ClientError, TimeoutError, OSError)
"""What a server that was just killed looks like: a person tries again."""
PRESENT = 5
"""Seconds for which a desk says that it is there."""
PAUSE = 0.3
"""Seconds between two looks of an agent."""


def agent_emails(count: int) -> list[str]:
    """The agents of the proof."""
    return [f"agent{n}@example.com" for n in range(count)]


class Consumers:
    """Phones of the lab. What they type tells nothing about what is right: digits, words, nonsense, long texts."""

    PHONES = 40
    _WORDS = ("1", "2", "9", "BILL", "RETURN", "BACK", "EXIT", "hello there", "¿Dónde está mi pedido?", "👍", "1 2",
              "help", "a long question " * 15, "?")  # fmt: skip

    def __init__(self, http: aiohttp.ClientSession, lab: str, chance: Random, numbers: tuple[str, ...]) -> None:
        self._http = http
        self._lab = lab
        self._chance = chance
        self._numbers = numbers
        self._count = 0

    async def type_one(self) -> None:
        """One text of one phone; every other says what no other says, so that a lost one is seen."""
        self._count += 1
        who = phone(self._chance.randrange(self.PHONES))
        body = self._chance.choice(self._WORDS) if self._chance.random() < 0.5 else f"question {self._count}"
        to = self._chance.choices(self._numbers, (6, 2, 1))[0]
        async with self._http.post(f"{self._lab}/handsets/{who}/reply", json={"to": to, "body": body}) as answer:
            if answer.status not in (200, 201):
                raise BenchError(f"the lab refused a reply: {await answer.text()}")
        await asyncio.sleep(0.02)

    async def typed(self) -> list[Typed]:
        """All that was typed so far."""
        found = []
        for number in range(self.PHONES):
            async with self._http.get(f"{self._lab}/handsets/{phone(number)}/replies") as answer:
                replies = await answer.json()
            found += [Typed(phone(number), one["body"], one["state"] == "answered") for one in replies]
        return found


class Desk:
    """Agents at work over the API, wherever it is now."""

    def __init__(self, http: aiohttp.ClientSession, base_url: Callable[[], str], token: str, chance: Random) -> None:
        self._http = http
        self._base_url = base_url
        self._auth = {"Authorization": aiohttp.encode_basic_auth(TENANT, token)}
        self._chance = chance
        self._agents: list[int] = []
        self.answers = 0
        self.vanished = 0

    async def open(self) -> None:
        """Reads who works here."""
        self._agents = [agent["id"] for agent in (await self._call("GET", "/agents"))[1]]

    async def work(self) -> None:
        """All agents work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for agent_id in self._agents:
                group.create_task(self._shift(agent_id))

    async def send_notice(self, number: str, source: str) -> None:
        """The API begins, or goes on with, a conversation."""
        body = {"chat_type": "Messaging (SMS)", "end_user_number": number, "outbound_number": source, "message": "news"}
        await self._try("POST", "/sms", body)

    async def _shift(self, agent_id: int) -> None:
        while True:
            await self._try("PUT", f"/agents/{agent_id}/status", {"status": "available"})
            for _ in range(self._chance.randrange(5, 40)):
                await self._try("POST", f"/agents/{agent_id}/presence", {"seconds": PRESENT})
                await self._look(agent_id)
                await asyncio.sleep(PAUSE)
            # The desk goes away without a word; its chats must not wait for it.
            self.vanished += 1
            await asyncio.sleep(PRESENT + 3)

    async def _look(self, agent_id: int) -> None:
        for offer in await self._list(f"/agents/{agent_id}/offers"):
            if self._chance.random() < 0.8:
                await self._try("POST", f"/chats/{offer['chat_id']}/accept", {"agent_id": agent_id})
        for chat in await self._list(f"/agents/{agent_id}/chats"):
            await self._handle(agent_id, int(chat.get("chat_id") or chat["id"]))

    async def _handle(self, agent_id: int, chat_id: int) -> None:
        what = self._chance.random()
        if what < 0.4:
            answer = {"from_user_id": agent_id, "message": {"type": "text", "content": "We are looking into it."}}
            self.answers += await self._try("POST", f"/chats/{chat_id}/message", answer)
        elif what < 0.5:
            to = self._chance.choice(self._agents)
            transfer = {"from_agent_id": agent_id, "to_agent_id": to, "kind": "cold"}
            await self._try("POST", f"/chats/{chat_id}/transfers", transfer)
        elif what < 0.6:
            await self._try("PATCH", f"/chats/{chat_id}",
                            {"chat": {"status": "finished"}, "finished_by_user_id": agent_id})  # fmt: skip

    async def _list(self, path: str) -> list[dict[str, Any]]:
        try:
            status, found = await self._call("GET", path)
        except GONE:
            return []
        return list(found) if status == 200 else []

    async def _try(self, method: str, path: str, body: dict[str, Any]) -> bool:
        """Whether it was done; that somebody else was quicker, or the server is away, is an agent's daily bread."""
        try:
            status, said = await self._call(method, path, body)
        except GONE:
            return False
        if status >= 500 and status != 503:
            raise BenchError(f"{method} {path} was answered {status}: {said}")
        return status < 300

    async def _call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        url = f"{self._base_url()}/apps/api/v1{path}"
        async with self._http.request(method, url, json=body, headers=self._auth) as answer:
            return answer.status, await answer.json(content_type=None)

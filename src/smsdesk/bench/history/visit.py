"""What people meet of a year of history: a reply on its way to them, their pages, and what they search for."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp

from smsdesk.bench.history.side import Measured, Side, of_times
from smsdesk.bench.rig import OURS, TENANT, BenchError, Rig, run

REPLIES, PAGES = 40, 40
"""How often each is done in a round."""
PATIENCE = 60.0
LOOK = 0.002
"""Seconds between two looks at whether a reply is there."""


def look(sides: Sequence[Side], mark: str) -> list[dict[str, Measured]]:
    """Replies, pages and searches by one client, each on every side in turn. `mark` is a word that nobody has said."""
    return run(_look(sides, mark))


async def _look(sides: Sequence[Side], mark: str) -> list[dict[str, Measured]]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as http:
        visits = [_Visit(side.rig, http, f"http://127.0.0.1:{side.port}", mark) for side in sides]
        times: list[dict[str, list[int]]] = [{"a reply's way": []} for _ in sides]
        for visit in visits:
            await visit.begin()
        for number in range(REPLIES):
            for visit, taken in zip(visits, times, strict=True):
                taken["a reply's way"].append(await visit.reply(number))
        for visit in visits:
            await visit.sit_down()
        for what in visits[0].pages():
            for _ in range(PAGES):
                for visit, taken in zip(visits, times, strict=True):
                    taken.setdefault(what, []).append(await visit.read(visit.pages()[what]))
    return [{what: of_times(each) for what, each in taken.items()} for taken in times]


@dataclass(slots=True)
class _Visit:
    rig: Rig
    http: aiohttp.ClientSession
    base: str
    mark: str
    chats: list[tuple[str, int]] = field(default_factory=list)
    cookie: str = ""
    _auth: dict[str, str] = field(default_factory=dict)

    async def begin(self) -> None:
        """Finds out who may reply."""
        self._auth = {"Authorization": aiohttp.encode_basic_auth(TENANT, self.rig.token)}
        self.chats = [(row[0], row[1]) for row in await self.rig.rows(_UNANSWERED, self.rig.tenant_id, REPLIES)]
        if len(self.chats) < REPLIES:
            raise BenchError(f"{len(self.chats)} open chats are too few: accept for more seconds")

    async def reply(self, number: int) -> int:
        """Nanoseconds from the handset until the line stands in what the API tells of its chat."""
        consumer, chat_id = self.chats[number]
        body = f"I have a question {self.mark}{number}"
        began = time.perf_counter_ns()
        await self._type(consumer, body)
        await self._until(lambda: self._said(chat_id, body), f"the reply of {consumer}")
        return time.perf_counter_ns() - began

    async def _type(self, consumer: str, body: str) -> None:
        url = f"http://127.0.0.1:{self.rig.lab_http_port}/handsets/{consumer}/reply"
        async with self.http.post(url, json={"to": OURS, "body": body}) as answer:
            await answer.read()

    async def _said(self, chat_id: int, body: str) -> bool:
        url = f"{self.base}/apps/api/v1/chats/{chat_id}/messages"
        async with self.http.get(url, headers=self._auth) as answer:
            return body.encode() in await answer.read()

    async def _until(self, true: Callable[[], Awaitable[bool]], what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not await true():
            if time.monotonic() > until:
                raise BenchError(f"{what} was not there after {PATIENCE:.0f} s")
            await asyncio.sleep(LOOK)

    async def sit_down(self) -> None:
        """A supervisor signs in and gets the chats of those who wrote; their words are in the search from now on."""
        ((agent_id,),) = await self.rig.rows("select min(agent_id) from agents where role = 'supervisor'")
        secret, now = secrets.token_hex(16), datetime.now(UTC)
        await self.rig.rows(
            "insert into sessions (tenant_id, session_sha256, agent_id, created_at, seen_at, expires_at)"
            " values ($1, $2, $3, $4, $4, $5)",
            self.rig.tenant_id, hashlib.sha256(secret.encode()).digest(), agent_id, now, now + timedelta(hours=12),
        )  # fmt: skip
        self.cookie = f"smsdesk={TENANT}.{secret}"
        for _, chat_id in self.chats:
            url, body = f"{self.base}/apps/api/v1/chats/{chat_id}/assign", {"agent_id": agent_id, "force": True}
            async with self.http.post(url, json=body, headers=self._auth) as answer:
                if answer.status >= 300:
                    raise BenchError(f"a chat was not assigned: {await answer.text()}")
        rare = self.pages()["search by a rare word"]

        async def found() -> bool:
            return str(self.chats[-1][1]).encode() in await self._page(rare)

        await self._until(found, "the last reply in the search")

    def pages(self) -> dict[str, str]:
        """What is read, and where."""
        consumer, chat_id = self.chats[-1]
        return {
            "an agent's list": "/desk/list",
            "a thread page": f"/desk/chats/{chat_id}",
            "search by a phone": f"/desk/search?q=%2B{consumer[1:]}",
            "search by a rare word": f"/desk/search?words=yes&q={self.mark}{len(self.chats) - 1}",
            "search by frequent words": "/desk/search?words=yes&q=order+ready",
        }

    async def read(self, path: str) -> int:
        """Nanoseconds that a page takes."""
        began = time.perf_counter_ns()
        await self._page(path)
        return time.perf_counter_ns() - began

    async def _page(self, path: str) -> bytes:
        async with self.http.get(self.base + path, headers={"Cookie": self.cookie}) as answer:
            body = await answer.read()
        if answer.status != 200:
            raise BenchError(f"{path} was answered {answer.status}: {body[:200].decode(errors='replace')}")
        return body


_UNANSWERED = """
select e.number, c.chat_id from chats c join end_users e on e.tenant_id = c.tenant_id and e.end_user_id = c.end_user_id
where c.tenant_id = $1 and c.ends_at is null and c.expires_at is not null and c.end_user_said_at is null
order by c.expires_at limit $2
"""

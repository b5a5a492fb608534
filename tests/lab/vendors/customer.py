"""A vendor's customer: an HTTP server that keeps each callback that it gets, and answers as a test says."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec
from aiohttp import web

from tests.kit.processes import until
from tests.lab.rig import PATIENCE, Rig, running

HANDSET, NUMBER = "+14155550100", "+16285550199"
LONG = "Zażółć gęślą jaźń. " * 6
"""Two parts of UCS-2."""


@dataclass(frozen=True, slots=True)
class Received:
    """One callback."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(httpx.URL(self.url).query.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Customer:
    """`answers` are the statuses of the next callbacks, 204 when it is empty; an answer of 0 waits for `release`."""

    def __init__(self) -> None:
        self.answers: deque[int] = deque()
        self.seen: list[Received] = []
        self.release = asyncio.Event()
        self._next: asyncio.Queue[Received] = asyncio.Queue()
        self._base = ""

    def url(self, path: str) -> str:
        return self._base + path

    async def next(self) -> Received:
        return await asyncio.wait_for(self._next.get(), PATIENCE)

    async def take(self, count: int) -> list[Received]:
        return [await self.next() for _ in range(count)]

    async def handle(self, request: web.Request) -> web.Response:
        received = Received(request.method, self._base + request.raw_path, request.headers, await request.read())
        self.seen.append(received)
        self._next.put_nowait(received)
        status = self.answers.popleft() if self.answers else 204
        if not status:
            await self.release.wait()
        return web.Response(status=status or 204)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Customer"]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self.release.set()
            await runner.cleanup()


class Stage:
    """A lab with one vendor's customer before it."""

    def __init__(self, rig: Rig, customer: Customer) -> None:
        self.rig, self.customer = rig, customer
        self.base = f"http://127.0.0.1:{rig.lab.http_port}/vendors"

    async def account(self, vendor: str, **settings: Any) -> None:
        answer = await self.rig.http.put(f"/vendors/{vendor}/account", json=settings)
        assert answer.status_code == 200, answer.text

    async def ask(self, vendor: str, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.rig.http.request(method, f"/vendors/{vendor}/{path}", **more)

    async def text(self, body: str = "hello", **more: Any) -> httpx.Response:
        """One text through the generic vendor; its status comes to /status."""
        data = {"from": NUMBER, "to": HANDSET, "text": body, "callback_url": self.customer.url("/status")} | more
        return await self.ask("generic", "POST", "messages", json=data, headers={"authorization": "Bearer t"})

    async def reply_is(self, state: str) -> None:
        """Waits until the last reply of the handset is in this state."""

        async def is_so() -> bool:
            return bool((await self.rig.get(f"/handsets/{HANDSET}/replies"))[-1]["state"] == state)

        await until(is_so, PATIENCE, f"the reply is {state}")

    async def forge(self, vendor: str, **forgery: Any) -> httpx.Response:
        return await self.rig.http.post(f"/vendors/{vendor}/forge", json=forgery)

    async def counts(self, vendor: str) -> dict[str, Any]:
        vendors = (await self.rig.http.get("/vendors")).json()
        counts: dict[str, Any] = next(one["counts"] for one in vendors if one["name"] == vendor)
        return counts


@asynccontextmanager
async def staged(**settings: Any) -> AsyncIterator[Stage]:
    """A lab whose waits between tries are a hundred-thousandth of the documented ones."""
    async with Customer().listening() as customer, running(**{"callback_pace": 0.00001} | settings) as rig:
        yield Stage(rig, customer)

"""From the consumer's thumb to the agent's eye: how long until a reply is in what the API tells the agent."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from smsdesk.bench.latency import summarize
from smsdesk.bench.report import Report, Row, headline
from smsdesk.bench.rig import OURS, TENANT, BenchError, Rig, run

SETUP = f"""
tenant: {TENANT}
settings: {{chats_per_agent: 100}}
carriers: [{{name: lab, type: lab, window: 50}}]
queues: [{{name: Support, auto_answer: true}}]
numbers: [{{number: "{OURS}", carrier: lab, queue: Support}}]
agents: [{{email: agent@example.com, first_name: Agent, last_name: One, queues: [Support]}}]
"""
PHONES = 50
PATIENCE = 10.0
"""Seconds after which a reply counts as lost."""
LOOK = 0.005


@dataclass(frozen=True, slots=True)
class RepliesPlan:
    """So many replies a second, for so long."""

    rate: int = 50
    seconds: int = 20

    @property
    def steps(self) -> int:
        """How many measurements there are."""
        return 1


@dataclass(slots=True)
class _Desk:
    http: aiohttp.ClientSession
    api: str
    lab: str
    auth: dict[str, str]
    took: list[float] = field(default_factory=list)

    async def call(self, method: str, path: str, body: object = None) -> object:
        async with self.http.request(method, self.api + path, json=body, headers=self.auth) as answer:
            said = await answer.json()
        if answer.status >= 300:
            raise BenchError(f"{method} {path} was answered {answer.status}: {said}")
        return said

    async def type(self, number: str, body: str) -> None:
        async with self.http.post(f"{self.lab}/handsets/{number}/reply", json={"to": OURS, "body": body}) as answer:
            await answer.read()

    async def seen(self, chat_id: int, body: str, began: float) -> None:
        """Notes when the chat's messages, as the API tells them, have this one."""
        while time.perf_counter() - began < PATIENCE:
            said = await self.call("GET", f"/chats/{chat_id}/messages?per=1000")
            if isinstance(said, list) and any(one["content"] == body for one in said):
                self.took.append(time.perf_counter() - began)
                return
            await asyncio.sleep(LOOK)
        raise BenchError(f"a reply was not in the API's answer after {PATIENCE:.0f} s")


def bench_replies(rig: Rig, plan: RepliesPlan, step: Callable[[str], None]) -> Report:
    """Measures on a rig with `SETUP`; `step` hears of each measurement before it begins."""
    rig.lab()
    _, port = rig.api()
    rig.worker()
    step(f"{plan.rate} replies a second for {plan.seconds} s")
    latency = summarize(int(seconds * 1e9) for seconds in run(_measure(rig, plan, port)))
    return Report(
        "Replies: from the handset into the API's answer for the agent",
        (headline(f"p99 of a reply's way at {plan.rate} a second", latency.p99_ms, "ms", most=300.0),),
        (Row("replies", plan.rate, latency),),
        "",
        (),
    )


async def _measure(rig: Rig, plan: RepliesPlan, port: int) -> list[float]:
    async with aiohttp.ClientSession() as http:
        auth = {"Authorization": aiohttp.encode_basic_auth(TENANT, rig.token)}
        desk = _Desk(http, f"http://127.0.0.1:{port}/apps/api/v1", f"http://127.0.0.1:{rig.lab_http_port}", auth)
        ((agent_id,),) = await rig.rows("select agent_id from agents")
        await desk.call("PUT", f"/agents/{agent_id}/status", {"status": "available"})
        numbers = [f"+1212555{n:04}" for n in range(PHONES)]
        for number in numbers:
            await desk.type(number, "hello")
        chats = await _open(rig, len(numbers))
        async with asyncio.TaskGroup() as group:
            start = time.perf_counter()
            for n in range(plan.rate * plan.seconds):
                await asyncio.sleep(max(0.0, start + n / plan.rate - time.perf_counter()))
                number, body = numbers[n % PHONES], f"reply {n}"
                began = time.perf_counter()
                await desk.type(number, body)
                group.create_task(desk.seen(chats[number], body, began))
        return desk.took


async def _open(rig: Rig, count: int) -> dict[str, int]:
    """The chat of each phone, once every one is with the agent."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        rows = await rig.rows(
            "select e.number, c.chat_id from chats c join end_users e using (tenant_id, end_user_id)"
            " where c.agent_id is not null"
        )
        if len(rows) == count:
            return {row[0]: row[1] for row in rows}
        await asyncio.sleep(0.1)
    raise BenchError("not every chat came to the agent")

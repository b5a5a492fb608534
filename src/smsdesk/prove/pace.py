"""The limits: never passed in any window, across workers and their deaths, and used while there is work."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp
import msgspec

from smsdesk.bench.rig import TENANT, BenchError, Child, Rig
from smsdesk.prove.clients import phone
from smsdesk.prove.windows import Arrival, Passed, first_passed, used
from smsdesk.store.groups import AWAY

NUMBERS = ("+16285550199", "+16285550150", "+16285550151")
PER_NUMBER, PER_CAMPAIGN, PER_TENANT, PER_MINUTE = 10, 12, 20, 900
SETUP = f"""
tenant: {TENANT}
settings: {{when_active: append}}
carriers: [{{name: lab, type: lab, window: 50}}]
queues: [{{name: Support}}]
numbers:
  - {{number: "{NUMBERS[0]}", carrier: lab, queue: Support, campaign: alerts}}
  - {{number: "{NUMBERS[1]}", carrier: lab, queue: Support, campaign: alerts}}
  - {{number: "{NUMBERS[2]}", carrier: lab, queue: Support}}
agents: [{{email: john.doe@foo.com, first_name: John, last_name: Doe, queues: [Support]}}]
limits:
  - {{number: "{NUMBERS[0]}", segments: {PER_NUMBER}, per: second}}
  - {{campaign: alerts, segments: {PER_CAMPAIGN}, per: second}}
  - {{tenant: true, segments: {PER_TENANT}, per: second}}
  - {{carrier: lab, segments: {PER_MINUTE}, per: minute}}
"""
"""Four limits, of which now the one and now the other is the narrowest: 20 a second until 900 have left in a minute."""
AT_ONCE = 16
HANDOVER = 2.0
"""Seconds before the first kill in which no answer is begun: a node that died is known to be dead after ten."""
LONGEST_ANSWER = 2.0
"""Seconds that an agent's answer may take while notices wait (p99 in the field's own words)."""
LIMIT = 60.0
"""Seconds beyond what the limits allow for, after which the proof is given up."""


@dataclass(frozen=True, slots=True)
class PacePlan:
    """So many seconds of work at full load, two workers, and so many kills of either."""

    seconds: int
    kills: int
    seed: int


class Held(msgspec.Struct, frozen=True):
    """One limit against the handsets' log."""

    limit: str
    most: int
    """Segments in the fullest window that was looked at, where it was passed; else the limit."""
    passed_at: float | None
    used: float


class PaceVerdict(msgspec.Struct, frozen=True):
    """`kept`: no window of any limit was passed; while nobody was killed the narrowest was used to 95 %, and no answer
    waited for long."""

    kept: bool
    seed: int
    texts: int
    segments: int
    kills: int
    limits: list[Held]
    answers: int
    slowest_answer: float
    """Seconds that an agent's answer took to its handset while notices waited, at most."""


@dataclass(slots=True)
class _Scene:
    rig: Rig
    http: aiohttp.ClientSession
    port: int

    def _auth(self) -> dict[str, str]:
        return {"Authorization": aiohttp.encode_basic_auth(TENANT, self.rig.token)}

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/apps/api/v1{path}"
        async with self.http.post(url, json=body, headers=self._auth()) as answer:
            said: dict[str, Any] = await answer.json()
        if answer.status != 200:
            raise BenchError(f"{path} was answered {answer.status}: {said}")
        return said

    async def send(self, number: int, source: str, words: str) -> dict[str, Any]:
        return await self.post(
            "/sms",
            {"chat_type": "SMS", "end_user_number": phone(number), "outbound_number": source, "message": words},
        )

    async def segments(self) -> list[tuple[str, Arrival]]:
        url = f"http://127.0.0.1:{self.rig.lab_http_port}/segments"
        async with self.http.get(url, headers={"Accept": "application/x-ndjson"}) as answer:
            lines = (await answer.read()).splitlines()
        rows = [msgspec.json.decode(line) for line in lines]
        return sorted(
            ((row["source"], Arrival(row["at"], row["segments"])) for row in rows), key=lambda pair: pair[1].at
        )


async def prove_pace(rig: Rig, plan: PacePlan, step: Callable[[str, int], None]) -> PaceVerdict:
    """Queues more than the limits let through, with two workers of which one and the other dies, and answers of an
    agent in between; then holds the handsets' log against each limit."""
    rig.lab()
    _, port = rig.api()
    workers = [rig.worker(), rig.worker()]
    chance = Random(plan.seed)  # noqa: S311 - to be repeated, not to be secret
    async with aiohttp.ClientSession() as http:
        scene = _Scene(rig, http, port)
        texts = await _queue(scene, plan, chance, step)
        answers = asyncio.create_task(_answer(scene, plan))
        try:
            await _kill(rig, workers, plan, step)
            waits = await answers
        finally:
            answers.cancel()
        log = await _drained(scene, plan, texts, step)
    return _judge(plan, texts, log, waits)


async def _queue(scene: _Scene, plan: PacePlan, chance: Random, step: Callable[[str, int], None]) -> int:
    """Notices of one to three segments from all numbers, a little more than the limits let through in the time."""
    wanted = min(PER_TENANT * plan.seconds, PER_MINUTE * (1 + plan.seconds // 60))
    sizes: list[int] = []
    while sum(sizes) < wanted:
        sizes.append(chance.choice((1, 1, 1, 2, 3)))
    numbers = iter(enumerate(sizes))

    async def client() -> None:
        for number, size in numbers:
            await scene.send(number, NUMBERS[number % 3], f"notice {number} " + "long " * 33 * (size - 1))
            step("queueing notices", number)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(client())
    return len(sizes)


async def _answer(scene: _Scene, plan: PacePlan) -> list[float]:
    """An agent's answers, one after another while the notices wait: how long each took to its handset."""
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    until = loop.time() + min(plan.seconds / 2 - HANDOVER, 30.0)
    first = 900_000
    ((agent_id,),) = await scene.rig.rows("select agent_id from agents")
    while loop.time() < until:
        number = first + len(waits)
        chat = await scene.post(
            "/sms",
            {
                "chat_type": "SMS", "end_user_number": phone(number), "outbound_number": NUMBERS[len(waits) % 3],
                "message": f"hello {number}", "agent_id": agent_id,
            },
        )  # fmt: skip
        began = loop.time()
        await scene.post(
            f"/chats/{chat['id']}/message", {"from_user_id": agent_id, "message": {"content": f"answer {number}"}}
        )
        while not await _arrived(scene, phone(number), f"answer {number}"):
            if loop.time() - began > LIMIT:
                raise BenchError(f"an answer has not arrived after {LIMIT:.0f} s")
            await asyncio.sleep(0.02)
        waits.append(loop.time() - began)
        await asyncio.sleep(0.5)
    return waits


async def _arrived(scene: _Scene, number: str, words: str) -> bool:
    url = f"http://127.0.0.1:{scene.rig.lab_http_port}/handsets/{number}/texts"
    async with scene.http.get(url) as answer:
        return answer.status == 200 and any(text["body"] == words for text in await answer.json())


async def _kill(rig: Rig, workers: list[Child], plan: PacePlan, step: Callable[[str, int], None]) -> None:
    """Kills the worker that keeps the limits, and starts another in its place, after the undisturbed half."""
    await asyncio.sleep(plan.seconds / 2)
    for number in range(plan.kills):
        step(f"kill {number + 1} of {plan.kills}: the worker that keeps the limits", 0)
        workers[number % 2].kill()
        workers[number % 2] = await asyncio.to_thread(rig.worker)
        await asyncio.sleep(plan.seconds / 2 / plan.kills)


async def _drained(
    scene: _Scene, plan: PacePlan, texts: int, step: Callable[[str, int], None]
) -> list[tuple[str, Arrival]]:
    loop = asyncio.get_running_loop()
    until = loop.time() + 2 * plan.seconds + 30 * plan.kills + LIMIT
    while loop.time() < until:
        try:
            ((left,),) = await scene.rig.rows("select count(*) from texts where state in ('queued', 'sending')")
        except AWAY:
            left = 1
        step("waiting for the last", texts - left)
        if not left:
            return await scene.segments()
        await asyncio.sleep(0.2)
    raise BenchError("texts are left in the queue long after the limits should have let them go")


def _judge(plan: PacePlan, texts: int, log: Sequence[tuple[str, Arrival]], waits: list[float]) -> PaceVerdict:
    quiet = log[0][1].at + plan.seconds / 2 if log else 0.0
    held = []
    for name, sources, cap, seconds in (
        (f"number {NUMBERS[0]}: {PER_NUMBER} a second", NUMBERS[:1], PER_NUMBER, 1.0),
        (f"campaign alerts: {PER_CAMPAIGN} a second", NUMBERS[:2], PER_CAMPAIGN, 1.0),
        (f"tenant: {PER_TENANT} a second", NUMBERS, PER_TENANT, 1.0),
        (f"carrier lab: {PER_MINUTE} a minute", NUMBERS, PER_MINUTE, 60.0),
    ):
        arrivals = [arrival for source, arrival in log if source in sources]
        over: Passed | None = first_passed(arrivals, cap, seconds)
        share = used([one for one in arrivals if one.at < min(quiet, log[0][1].at + 40.0)], cap, seconds)
        held.append(Held(name, over.segments if over else cap, over.begins if over else None, round(share, 3)))
    narrowest = max(one.used for one in held)
    slowest = max(waits, default=0.0)
    kept = all(one.passed_at is None for one in held) and narrowest >= 0.95 and slowest <= LONGEST_ANSWER
    segments = sum(arrival.segments for _, arrival in log)
    return PaceVerdict(
        kept, plan.seed, texts, segments, plan.kills, held, len(waits), round(slowest, 3)
    )  # fmt: skip

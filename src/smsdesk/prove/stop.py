"""P3: once a STOP is stored nothing leaves to that number, whatever stage it was in, but one confirmation."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import aiohttp
import msgspec

from smsdesk.bench.rig import TENANT, BenchError, Rig
from smsdesk.prove.clients import phone
from smsdesk.store.groups import AWAY

NUMBERS = tuple(f"+16285550{number}" for number in range(180, 200))
SETTINGS = f"""
tenant: {TENANT}
settings: {{when_active: append}}
carriers: [{{name: lab, type: lab, window: 50}}]
queues: [{{name: Support}}]
numbers:
""" + "".join(f'  - {{number: "{number}", carrier: lab, queue: Support}}\n' for number in NUMBERS)
"""Many texts go to one phone, from numbers that do not wait for each other: some are in every stage when STOP comes."""
SENDERS = 8
SLOW_ANSWERS = 0.3
"""Seconds that the network takes to answer: texts are on the wire when the STOP comes, and others wait behind them."""
LIMIT = 60.0
CONFIRMATION = "opted out"


class StopVerdict(msgspec.Struct, frozen=True):
    """What was counted over all rounds. `kept`: nothing after the STOP but one confirmation for each phone."""

    kept: bool
    seed: int
    rounds: int
    arrived_before: int
    stopped: int
    """Texts that were accepted before the STOP, and ended because of it: without them the proof proves nothing."""
    refused: int
    """Sends that the API refused after it."""
    after_stop: list[str]
    confirmations: list[int]
    seconds_to_quiet: float
    """The longest time from the STOP's arrival until it was known that nothing more leaves."""


@dataclass(frozen=True, slots=True)
class StopPlan:
    """So many phones, one after another; each is sent `texts` and has enough at a moment that the seed says."""

    rounds: int
    texts: int
    seed: int


@dataclass(slots=True)
class _Round:
    number: str
    accepted: int = 0
    refused: int = 0


class _Scene:
    def __init__(self, rig: Rig, http: aiohttp.ClientSession, api_port: int) -> None:
        self.rig = rig
        self._http = http
        self._api = f"http://127.0.0.1:{api_port}/apps/api/v1/sms"
        self._lab = f"http://127.0.0.1:{rig.lab_http_port}"
        self._auth = {"Authorization": aiohttp.encode_basic_auth(TENANT, rig.token)}

    async def send(self, number: str, text: int) -> bool:
        body = {
            "chat_type": "Messaging (SMS)", "end_user_number": number, "outbound_number": NUMBERS[text % len(NUMBERS)],
            "message": f"text {text}",
        }  # fmt: skip
        async with self._http.post(self._api, json=body, headers=self._auth) as answer:
            said = await answer.json()
        if answer.status not in (200, 400):
            raise BenchError(f"a send was answered {answer.status}: {said}")
        return answer.status == 200

    async def lab(self, method: str, path: str, body: object = None) -> Any:
        async with self._http.request(method, self._lab + path, json=body) as answer:
            return await answer.json()

    async def texts(self, number: str) -> list[dict[str, Any]]:
        found = await self.lab("GET", f"/handsets/{number}/texts")
        return found if isinstance(found, list) else []


async def prove_stop(rig: Rig, plan: StopPlan, step: Callable[[str, int], None]) -> StopVerdict:
    """Sends to one phone after another, lets each say STOP in the midst, and counts what came after."""
    rig.lab()
    _, port = rig.api()
    rig.worker()
    chance, rounds = Random(plan.seed), []  # noqa: S311 - to be repeated, not to be secret
    async with aiohttp.ClientSession() as http:
        scene = _Scene(rig, http, port)
        await scene.lab("PUT", "/faults", {"answer_delay": SLOW_ANSWERS})
        for place in range(plan.rounds):
            step("texts to a phone, and STOP in the midst", place)
            rounds.append(await _round(scene, phone(place), plan.texts, chance))
        step("counting", plan.rounds)
        return await _judge(scene, plan, rounds)


async def _round(scene: _Scene, number: str, texts: int, chance: Random) -> _Round:
    one, numbers = _Round(number), iter(range(texts))

    async def sender() -> None:
        for text in numbers:
            if await scene.send(number, text):
                one.accepted += 1
            else:
                one.refused += 1

    async def consumer() -> None:
        enough = chance.randrange(texts // 4, texts * 3 // 4)
        await _until(lambda: _sent(scene, one, enough), f"{enough} texts to {number}")
        await scene.lab("POST", f"/handsets/{number}/reply", {"to": NUMBERS[0], "body": "STOP"})

    async with asyncio.TaskGroup() as group:
        group.create_task(consumer())
        for _ in range(SENDERS):
            group.create_task(sender())
    await _until(lambda: _quiet(scene, number), f"the STOP of {number} to be stored and every text to have ended")
    return one


async def _sent(scene: _Scene, one: _Round, count: int) -> bool:
    """Whether so many were accepted, and the first are there: some are in every stage."""
    return one.accepted >= count and bool(await scene.texts(one.number))


async def _quiet(scene: _Scene, number: str) -> bool:
    rows = await scene.rig.rows(
        "select quiet_at is not null and not exists (select from texts where destination = $1) from opt_outs "
        "where number = $1",
        number,
    )
    return bool(rows and rows[0][0])


async def _judge(scene: _Scene, plan: StopPlan, rounds: list[_Round]) -> StopVerdict:
    before, after, confirmations, longest = 0, [], [], 0.0
    for one in rounds:
        ((at, quiet_at),) = await scene.rig.rows("select at, quiet_at from opt_outs where number = $1", one.number)
        texts = await scene.texts(one.number)
        late = [text["body"] for text in texts if datetime.fromisoformat(text["at"]) >= quiet_at]
        after += [f"{one.number}: {body}" for body in late if CONFIRMATION not in body]
        confirmations.append(sum(CONFIRMATION in text["body"] for text in texts))
        before += len(texts) - len(late)
        longest = max(longest, (quiet_at - at).total_seconds())
    ((stopped,),) = await scene.rig.rows("select count(*) from messages where reason = 'opted_out'")
    refused = sum(one.refused for one in rounds)
    kept = not after and set(confirmations) == {1} and stopped > 0 and refused > 0
    return StopVerdict(
        kept, plan.seed, plan.rounds, before, stopped, refused, after, confirmations, round(longest, 3)
    )  # fmt: skip


async def _until(condition: Callable[[], Any], what: str) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + LIMIT
    while loop.time() < end:
        try:
            if await condition():
                return
        except AWAY:
            pass
        await asyncio.sleep(0.01)
    raise BenchError(f"waited {LIMIT:.0f} s in vain for {what}")

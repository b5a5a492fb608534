"""P2: accepted means durable, and never twice, whatever is killed and whenever."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from random import Random

import aiohttp
import msgspec

from smsdesk.bench.rig import BenchError, Child, Rig
from smsdesk.prove.clients import Clients
from smsdesk.prove.points import POINTS
from smsdesk.store.groups import AWAY

TARGETS = ("API", "worker", "PostgreSQL", "line")
"""What is killed at random moments; the named ones are `POINTS`."""
PROGRESS_LIMIT = 120.0
"""Seconds without an accepted send after which the proof has failed: something did not come back."""
SETTLE_LIMIT = 180.0
"""Seconds after the last send in which every text must have ended, or be doubtful and of no phone."""
LOOK = 0.1

_STATES = """
select m.message_id, m.body, coalesce(t.state, m.state) as state from messages m
left join texts t on t.tenant_id = m.tenant_id and t.message_id = m.message_id
"""


class Verdict(msgspec.Struct, frozen=True):
    """What was counted. `kept` is the promise: nothing lost, nothing doubled, every doubtful text listed."""

    kept: bool
    seed: int
    accepted: int
    tries: int
    kills: dict[str, int]
    arrived: int
    lost: list[str]
    doubled: list[str]
    doubtful: list[int]
    """Message ids of texts whose fate is not known: none is at its handset twice, and none is sent again."""


@dataclass(frozen=True, slots=True)
class ProofPlan:
    """How many texts and kills, and the seed that says what is killed and when."""

    texts: int
    kills: int
    seed: int

    def strikes(self) -> list[tuple[int, str]]:
        """After how many accepted sends what is killed, in order; the same for the same plan. Each named moment
        comes once if there are kills enough, and a third of many kills are at them."""
        chance = Random(self.seed)  # noqa: S311 - to be repeated, not to be secret
        moments = sorted(chance.randrange(1, max(2, self.texts)) for _ in range(self.kills))
        named = [
            name
            for name, _ in zip(cycle(POINTS), range(max(self.kills // 3, min(self.kills, len(POINTS)))), strict=False)
        ]
        targets = named + [chance.choice(TARGETS) for _ in range(self.kills - len(named))]
        chance.shuffle(targets)
        return list(zip(moments, targets, strict=True))


class Stage:
    """The processes of a proof, each of which can be killed and comes back."""

    def __init__(self, rig: Rig, plan: ProofPlan) -> None:
        self.rig = rig
        self.lab = rig.lab()
        self.api, self.port = rig.api()
        self.worker: Child = rig.worker()
        self.clients = Clients(rig.token, Random(plan.seed), f"http://127.0.0.1:{self.port}")  # noqa: S311 - pauses

    async def strike(self, target: str) -> None:
        """Kills it with SIGKILL (or resets the line), and starts it again where that is ours to do; at a named moment
        if it is one of `POINTS`."""
        if target in POINTS:
            await POINTS[target](self)
        elif target == "line":
            async with aiohttp.ClientSession() as http:
                await http.post(f"http://127.0.0.1:{self.rig.lab_http_port}/lines/drop")
        elif target == "PostgreSQL":
            # Whoever serves starts it again; where it is only just starting there is nothing to kill.
            with suppress(OSError, ValueError, IndexError):
                os.kill(self.rig.postmaster_now(), signal.SIGKILL)
        elif target == "worker":
            await self.kill_worker()
        else:
            self.api.kill()
            self.api, self.port = await asyncio.to_thread(self.rig.api)
            self.clients.base_url = f"http://127.0.0.1:{self.port}"

    async def kill_worker(self) -> None:
        """The same for the worker alone, for those who bring about a moment of their own."""
        self.worker.kill()
        self.worker = await asyncio.to_thread(self.rig.worker)


async def read_handsets(rig: Rig) -> list[tuple[str, int]]:
    """Each text that arrived, with how often the most repeated of its parts did."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{rig.lab_http_port}/texts", headers={"Accept": "application/x-ndjson"}) as answer,
    ):
        lines = (await answer.read()).splitlines()
    texts = [msgspec.json.decode(line) for line in lines]
    return [(text["body"], max(text["submits"])) for text in texts]


async def prove_never_twice(rig: Rig, plan: ProofPlan, step: Callable[[str, int], None]) -> Verdict:
    """Sends, kills, waits until all has settled, and counts. Raises BenchError where something does not come back."""
    stage = Stage(rig, plan)
    clients = stage.clients
    sending = asyncio.create_task(clients.send(plan.texts))
    killed: Counter[str] = Counter()
    try:
        for moment, target in plan.strikes():
            await _reach(moment, clients, sending, step)
            killed[target] += 1
            step(f"{sum(killed.values())} kills, the last: {target}", len(clients.accepted))
            await stage.strike(target)
        await _reach(plan.texts, clients, sending, step)
        await sending
    finally:
        sending.cancel()
    step("waiting until every text has ended or is doubtful", plan.texts)
    states, arrived = await settled(rig)
    return judge(plan, clients, dict(killed), states, arrived)


async def _reach(count: int, clients: Clients, sending: "asyncio.Task[None]", step: Callable[[str, int], None]) -> None:
    """Waits until so many sends are accepted."""
    loop = asyncio.get_running_loop()
    seen, since = len(clients.accepted), loop.time()
    while len(clients.accepted) < count and not sending.done():
        await asyncio.sleep(LOOK / 10)
        if len(clients.accepted) != seen:
            seen, since = len(clients.accepted), loop.time()
            step("sending", seen)
        elif loop.time() - since > PROGRESS_LIMIT:
            raise BenchError(f"no send was accepted for {PROGRESS_LIMIT:.0f} s: a process did not come back")
    if sending.done():
        await sending


async def settled(rig: Rig) -> tuple[list[tuple[int, str, str]], list[tuple[str, int]]]:
    """The texts as the database has them and as the handsets have them, once nothing moves any more.

    Raises BenchError where something still moves after SETTLE_LIMIT."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLE_LIMIT
    while True:
        await asyncio.sleep(1)
        try:
            states = [(row[0], row[1], row[2]) for row in await rig.rows(_STATES)]
        except AWAY as error:
            if loop.time() > until:
                raise BenchError(f"the database did not come back: {error}") from error
            continue
        arrived = await read_handsets(rig)
        there = {body for body, _ in arrived}
        open_ = [body for _, body, state in states if state in ("queued", "sending", "sent")]
        known = [body for _, body, state in states if state == "doubtful" and body in there]
        if not open_ and not known:
            return states, arrived
        if loop.time() > until:
            if open_:
                raise BenchError(f"{len(open_)} texts have not ended within {SETTLE_LIMIT:.0f} s, such as {open_[0]!r}")
            return states, arrived


def judge(
    plan: ProofPlan, clients: Clients, kills: dict[str, int], states: list[tuple[int, str, str]],
    arrived: list[tuple[str, int]],
) -> Verdict:  # fmt: skip
    """Holds what was accepted, stored and received against each other. Doubtful is not lost: it is listed."""
    counts = Counter(body for body, _ in arrived)
    doubled = [body for body, count in counts.items() if count > 1] + [body for body, most in arrived if most > 1]
    lost = [body for _, body, state in states if state != "doubtful" and body not in counts]
    stored = Counter(body for _, body, _ in states)
    lost += [f"accepted and not stored: {number}" for number in range(plan.texts - len(stored))]
    doubled += [f"stored twice: {body}" for body, count in stored.items() if count > 1]
    doubtful = [message_id for message_id, _, state in states if state == "doubtful"]
    kept = not lost and not doubled and len(clients.accepted) == plan.texts
    return Verdict(
        kept, plan.seed, len(clients.accepted), clients.tries, kills, len(arrived), lost, doubled, doubtful
    )  # fmt: skip

"""P4: every reply reaches a person, whatever is killed and whoever walks away from his desk."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import aiohttp
import msgspec

from smsdesk.bench.rig import TENANT, BenchError, Rig
from smsdesk.prove.clients import phone
from smsdesk.prove.desk import Consumers, Desk, agent_emails
from smsdesk.prove.never_twice import ProofPlan, Stage
from smsdesk.prove.owners import Findings, Typed, find_faults
from smsdesk.store.groups import AWAY

MAPPED, SPANISH, UNMAPPED = "+16285550199", "+16285550198", "+16285550197"
"""A number with a menu, one with a queue of its own, and one that leads nowhere."""
AGENTS = 6
SETUP = f"""
tenant: {TENANT}
settings: {{when_active: append, chats_per_agent: 20}}
carriers: [{{name: lab, type: lab, window: 50}}]
queues:
  - name: Welcome
    offer_seconds: 5
    orphan_minutes: 0
    children:
      - {{name: Billing, keyword: BILL}}
      - {{name: Orders, routing: multicast}}
      - {{name: Returns, hidden: true, keyword: RETURN, auto_answer: true}}
  - {{name: Ventas, lang: es, offer_seconds: 5, orphan_minutes: 0}}
numbers:
  - {{number: "{MAPPED}", carrier: lab, queue: Welcome}}
  - {{number: "{SPANISH}", carrier: lab, queue: Ventas}}
  - {{number: "{UNMAPPED}", carrier: lab}}
agents:
""" + "".join(
    f"  - {{email: {email}, first_name: Agent, last_name: '{n}', agent_number: {n},"
    f" queues: [Welcome/Billing, Welcome/Orders, Welcome/Returns, Ventas], role: {'agent' if n else 'supervisor'}}}\n"
    for n, email in enumerate(agent_emails(AGENTS))
)
SETTLE_LIMIT = 120.0
"""Seconds after the last reply in which the network must have handed over everything."""


class RepliesVerdict(msgspec.Struct, frozen=True):
    """What was counted. `kept`: each reply once, each open chat with one owner whom somebody can see."""

    kept: bool
    seed: int
    replies: int
    """Texts that the network took from the consumers' phones."""
    lost: list[str]
    doubled: list[str]
    unowned: list[str]
    """Open chats that nobody would see, and why."""
    two_owners: list[str]
    """Chats with two agents at once, or answered by one who did not have them."""
    chats: dict[str, int]
    """How many of each status there were in the end."""
    offers: int
    transfers: int
    vanished: int
    """How often an agent's desk went away without a word."""
    answers: int
    kills: dict[str, int]


@dataclass(frozen=True, slots=True)
class RepliesPlan:
    """So many replies, and so many kills while they come; the seed says what, when and who."""

    replies: int
    kills: int
    seed: int


async def prove_replies(rig: Rig, plan: RepliesPlan, step: Callable[[str, int], None]) -> RepliesVerdict:
    """Lets consumers write and agents work, kills in between, and looks who has what. Raises BenchError where something
    does not come back."""
    stage = Stage(rig, ProofPlan(plan.replies, plan.kills, plan.seed))
    chance = Random(plan.seed)  # noqa: S311 - to be repeated, not to be secret
    moments = sorted(chance.randrange(1, plan.replies) for _ in range(plan.kills))
    targets = ("API", "worker", "PostgreSQL", "line")
    killed: Counter[str] = Counter()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        consumers = Consumers(http, f"http://127.0.0.1:{rig.lab_http_port}", chance, (MAPPED, SPANISH, UNMAPPED))
        desk = Desk(http, lambda: stage.clients.base_url, rig.token, chance)
        await desk.open()
        working = asyncio.create_task(desk.work())
        try:
            for n in range(plan.replies):
                while moments and moments[0] <= n:
                    moments.pop(0)
                    target = targets[sum(killed.values()) % len(targets)]
                    killed[target] += 1
                    step(f"{sum(killed.values())} kills, the last: {target}", n)
                    await stage.strike(target)
                if n % 5 == 0:
                    await desk.send_notice(phone(chance.randrange(consumers.PHONES)), MAPPED)
                await consumers.type_one()
                step("replies", n)
                if working.done():
                    await working
            step("waiting until everything was handed over", plan.replies)
            typed = await _handed_over(rig, consumers)
        finally:
            working.cancel()
    faults = await find_faults(rig, typed)
    return _verdict(plan, dict(killed), desk, faults)


async def _handed_over(rig: Rig, consumers: Consumers) -> list[Typed]:
    """What the consumers typed, once our side has all of it and the sweeps have had time to look."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLE_LIMIT
    while True:
        typed = await consumers.typed()
        waiting = [one for one in typed if not one.taken]
        if not waiting:
            break
        if loop.time() > until:
            raise BenchError(f"{len(waiting)} replies were not taken within {SETTLE_LIMIT:.0f} s")
        await asyncio.sleep(0.5)
    while loop.time() < until:
        try:
            ((late,),) = await rig.rows("select count(*) from offers where state = 'open' and expires_at < now()")
            if not late:
                return typed
        except AWAY:
            pass
        await asyncio.sleep(0.5)
    raise BenchError("offers stay open after their time")


def _verdict(plan: RepliesPlan, kills: dict[str, int], desk: Desk, found: Findings) -> RepliesVerdict:
    kept = not (found.lost or found.doubled or found.unowned or found.two_owners) and desk.answers > 0
    return RepliesVerdict(
        kept, plan.seed, found.replies, found.lost, found.doubled, found.unowned, found.two_owners, found.chats,
        found.offers, found.transfers, desk.vanished, desk.answers, kills,
    )  # fmt: skip

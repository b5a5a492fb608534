"""Several machines: one dies, or its wires are cut, while texts are sent over both; the other goes on."""

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from random import Random
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
import msgspec

from smsdesk.bench.pooler import over_tcp
from smsdesk.bench.rig import BenchError, Child, Rig
from smsdesk.prove.clients import Clients
from smsdesk.prove.networks import RANGE, Machine, machines
from smsdesk.prove.never_twice import ProofPlan, Verdict, judge, settled
from smsdesk.store.groups import AWAY

Blow = Literal["killed", "cut off", "cut off from the database"]
BLOWS: tuple[Blow, ...] = ("killed", "cut off", "cut off from the database")
PAUSE = 0.1
"""Seconds between two sends of one client: some 300 a second in all, which two cores bear with all of the rest."""
PATIENCE = 3.0
"""Seconds that a client waits for an answer before it asks the other node."""
LOOK = 0.1
LONGEST = 90.0
"""Seconds after a blow in which the other node must have taken over, and after its end in which the node is back."""
TAKEN_OVER = 25.0
"""Promised: seconds from a blow until nothing of the node's is left open. A node counts as dead after ten."""
SETTINGS = {"listen_addresses": "*"}
"""Of the database server, beside those that every one of ours has."""


@dataclass(frozen=True, slots=True)
class NodesPlan:
    """So many rounds of all blows, in an order that the seed says."""

    rounds: int
    seed: int


class Struck(msgspec.Struct, frozen=True):
    """One blow, in seconds from it."""

    blow: str
    taken_over: float
    """Until the node counts as dead and no text is on its way in its name."""
    accept_gap: float
    """The longest time without a send accepted by the other node."""
    arrival_gap: float
    """The longest time without a text at a handset."""
    back: float
    """Seconds from the end of the blow until the node accepted again."""


class NodesVerdict(msgspec.Struct, frozen=True):
    """`kept`: nothing lost, nothing doubled, every blow taken over within TAKEN_OVER."""

    kept: bool
    counted: Verdict
    blows: list[Struck]


@dataclass
class _Senders(Clients):
    """Clients who know both nodes and ask one and the other until the time is over."""

    urls: tuple[str, ...] = ()
    times: list[tuple[float, str]] = field(default_factory=list)
    """When which node accepted."""
    over: bool = False

    async def send_until_over(self, clients: int) -> None:
        numbers = count()
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3.0)) as http,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(clients):
                group.create_task(self._send(http, numbers))

    async def _send(self, http: aiohttp.ClientSession, numbers: "count[int]") -> None:
        while not self.over:
            number = next(numbers)
            while not await self._try(http, number):  # noqa: ASYNC110 - a pause between two tries, not a wait
                await asyncio.sleep(PAUSE * self.random.random())
            self.accepted.add(number)
            await asyncio.sleep(PAUSE * 2 * self.random.random())

    async def _try(self, http: aiohttp.ClientSession, number: int) -> bool:
        url = self.base_url = self.urls[self.tries % len(self.urls)]
        accepted = await super()._try(http, number)
        if accepted:
            self.times.append((asyncio.get_running_loop().time(), url))
        return accepted


@dataclass
class _Node:
    """`smsdesk serve` on a machine of its own."""

    machine: Machine
    rig: Rig
    child: Child | None = None
    url: str = ""
    port: int = 0

    def start(self) -> None:
        parts = urlsplit(over_tcp(self.rig.dsn))
        database = f"{self.machine.here('back')}:{parts.port}"
        self.child = self.rig.serve(
            self.machine.name, "--host", "0.0.0.0", "--port", str(self.port),  # noqa: S104
            under=("smsdesk.prove.inside", self.machine.name),
            environ={
                "SMSDESK_DATABASE_URL": parts._replace(netloc=f"{parts.username}:{parts.password}@{database}").geturl(),
                "SMSDESK_LAB": f"{self.machine.here('front')}:{self.rig.lab_smpp_port}",
            },
        )  # fmt: skip
        port = re.search(r":(\d+)$", self.child.first_line())
        if port is None:
            raise BenchError("a node did not say its port")
        self.port = int(port[1])
        self.url = f"http://{self.machine.there('front')}:{self.port}"

    def name(self) -> str:
        """As it calls itself in the table of nodes."""
        assert self.child is not None
        return f"{os.uname().nodename}:{self.child.pid}"


async def prove_nodes(rig: Rig, plan: NodesPlan, step: Callable[[str, int], None]) -> NodesVerdict:
    """Sends over two nodes, strikes one and the other, and counts. Raises BenchError where one does not come back, and
    NetworkError. The rig's server must listen with SETTINGS."""
    _let_in(rig)
    rig.lab("0.0.0.0")  # noqa: S104 - its address on each of the wires
    with machines(2) as made:
        nodes = [_Node(machine, rig) for machine in made]
        try:
            return await _prove(rig, plan, nodes, step)
        finally:
            for node in nodes:
                node.machine.mend("back", "front")
                if node.child is not None:
                    await asyncio.to_thread(node.child.stop)


async def _prove(
    rig: Rig, plan: NodesPlan, nodes: list[_Node], step: Callable[[str, int], None]
) -> NodesVerdict:  # fmt: skip
    await asyncio.gather(*(asyncio.to_thread(node.start) for node in nodes))
    chance = Random(plan.seed)  # noqa: S311 - to be repeated, not to be secret
    senders = _Senders(rig.token, chance, urls=tuple(node.url for node in nodes))
    sending = asyncio.create_task(senders.send_until_over(32))
    blows = [(blow, nodes[n % 2]) for n in range(plan.rounds) for blow in BLOWS]
    chance.shuffle(blows)
    struck = []
    try:
        await asyncio.sleep(1)
        for number, (blow, node) in enumerate(blows, 1):
            step(f"{number} of {len(blows)}: a node is {blow}", number)
            struck.append(await _strike(rig, blow, node, senders, sending))
        senders.over = True
        await asyncio.wait_for(sending, LONGEST)
    finally:
        sending.cancel()
    step("waiting until every text has ended or is doubtful", len(blows))
    states, arrived = await settled(rig)
    counted = judge(ProofPlan(len(senders.accepted), len(blows), plan.seed), senders, _kills(struck), states, arrived)
    kept = counted.kept and all(one.taken_over <= TAKEN_OVER for one in struck)
    return NodesVerdict(kept, counted, struck)


async def _strike(
    rig: Rig, blow: Blow, node: _Node, senders: _Senders, sending: "asyncio.Task[None]"
) -> Struck:  # fmt: skip
    """One blow from its beginning until the node is back."""
    loop = asyncio.get_running_loop()
    assert node.child is not None
    ids = [row[0] for row in await rig.rows("select node_id from nodes where name = $1", node.name())]
    began, began_at = loop.time(), time.time()
    if blow == "killed":
        node.child.kill()
    elif blow == "cut off":
        node.machine.cut("back", "front")
    else:
        node.machine.cut("back")
    taken_over = await _wait(lambda: _is_taken_over(rig, ids), "another node takes over", sending) - began
    ended, ended_at = loop.time(), time.time()
    if blow == "killed":
        await asyncio.to_thread(node.start)
    node.machine.mend("back", "front")

    async def is_back() -> bool:
        # A renewal that was on its way when the wire was cut comes late, and is soon over.
        delivers = await rig.rows(
            "select from nodes where name = $1 and alive_until > now() + interval '5 s'", node.name()
        )
        return bool(delivers) and any(at > ended + LOOK and url == node.url for at, url in senders.times[-500:])

    back = await _wait(is_back, "the node accepts again", sending) - ended
    accepted = [at for at, url in senders.times if url != node.url and began <= at <= ended]
    arrived = [at for at in await _arrivals(rig) if began_at <= at <= ended_at]
    return Struck(
        blow, round(taken_over, 2), _gap([began, *accepted, ended]), _gap([began_at, *arrived, ended_at]),
        round(back, 2),
    )  # fmt: skip


async def _is_taken_over(rig: Rig, ids: list[int]) -> bool:
    ((left,),) = await rig.rows(
        "select (select count(*) from nodes where node_id = any($1) and alive_until > now())"
        " + (select count(*) from texts where node_id = any($1) and state = 'sending')", ids,
    )  # fmt: skip
    return bool(left == 0)


async def _wait(condition: Callable[[], Awaitable[bool]], what: str, sending: "asyncio.Task[None]") -> float:
    """When it came true, by the loop's clock. Raises BenchError where it does not within LONGEST."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST
    while loop.time() < until:
        if sending.done():
            await sending
        with suppress(*AWAY):
            if await condition():
                return loop.time()
        await asyncio.sleep(LOOK)
    raise BenchError(f"not within {LONGEST:.0f} s: {what}")


async def _arrivals(rig: Rig) -> list[float]:
    """When texts came to the handsets, in seconds since 1970 by this machine's clock."""
    url = f"http://127.0.0.1:{rig.lab_http_port}/segments"
    async with aiohttp.ClientSession() as http, http.get(url, headers={"Accept": "application/x-ndjson"}) as answer:
        lines = (await answer.read()).splitlines()
    return sorted(float(msgspec.json.decode(line)["at"]) for line in lines)


def _gap(times: list[float]) -> float:
    """The longest time between two of them."""
    return round(max((after - before for before, after in pairwise(times)), default=0.0), 2)


def _kills(struck: list[Struck]) -> dict[str, int]:
    return {blow: sum(one.blow == blow for one in struck) for blow in BLOWS}


def _let_in(rig: Rig) -> None:
    """Other machines may log in to the embedded server, with its password."""
    access = Path(rig.as_superuser("show hba_file").strip().splitlines()[-1])
    with access.open("a", encoding="utf-8") as file:
        file.write(f"host all all {RANGE} scram-sha-256\n")
    rig.as_superuser("select pg_reload_conf()")

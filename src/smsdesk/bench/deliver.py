"""How many queued texts a second reach the handsets of the lab, beside what our SMPP client alone brings there."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import asyncpg

from smsdesk.bench.alone import FIRST_CONSUMER, MESSAGE, arguments
from smsdesk.bench.bare_line import feed
from smsdesk.bench.handsets import Arrivals, clear, read_arrivals
from smsdesk.bench.processes import Meter, Usage
from smsdesk.bench.report import Report, Row, cost, headline, ratio
from smsdesk.bench.rig import OURS, BenchError, Child, Rig, run
from smsdesk.store.sends import ACCEPT

GROUP = 200
LOOK = 0.1
"""Seconds between two looks at whether all texts have ended."""
LIMIT = 300.0
"""Seconds after which a delivery that does not end is given up."""

TO_HANDSET = "delivered: queue to handsets"
TO_RECEIPT = "delivered: queue to recorded receipts"
BARE = "our SMPP client alone, no database, to handsets"
BARE_RECEIPT = "our SMPP client alone, no database, to receipts"


@dataclass(frozen=True, slots=True)
class DeliverPlan:
    """`texts` for each measurement; each is made `rounds` times, turn by turn."""

    texts: int = 20_000
    rounds: int = 3

    @property
    def steps(self) -> int:
        """How many measurements there are."""
        return 2 * self.rounds


@dataclass(frozen=True, slots=True)
class _Delivered:
    to_handset: float
    to_receipt: float
    used: dict[str, Usage]


@dataclass(slots=True)
class _Bench:
    rig: Rig
    plan: DeliverPlan
    lab: Child
    first: int = 0
    bare: list[tuple[float, float]] = field(default_factory=list)
    ours: list[_Delivered] = field(default_factory=list)

    def consumers(self) -> int:
        """The first of as many consumers as there are texts, none of which was used before."""
        first, self.first = self.first, self.first + self.plan.texts
        return first

    def measure_bare(self) -> None:
        """The lab's limit, and our codec's."""
        first = self.consumers()
        numbers = [f"+1{FIRST_CONSUMER + first + k}" for k in range(self.plan.texts)]
        clear(self.rig.lab_http_port)
        began = time.time()
        run(feed(self.rig.lab_smpp_port, OURS, numbers, MESSAGE))
        ended = time.time()
        arrivals = read_arrivals(self.rig.lab_http_port)
        arrivals.check(self.plan.texts)
        self.bare.append((_rate(arrivals), self.plan.texts / (ended - max(began, arrivals.first))))

    def measure_ours(self, worker: Child) -> None:
        """Queues all texts in one transaction, so that the worker, idle until then, finds them all at once."""
        clear(self.rig.lab_http_port)
        meter = Meter({"worker": worker.pid, "PostgreSQL": self.rig.postmaster, "lab": self.lab.pid})
        last = run(self._deliver(worker))
        used = meter.look()
        arrivals = read_arrivals(self.rig.lab_http_port)
        arrivals.check(self.plan.texts)
        if last is None:
            raise BenchError("no text has an end in the database, though all have arrived")
        self.ours.append(_Delivered(_rate(arrivals), self.plan.texts / (last - arrivals.first), used))

    async def _deliver(self, worker: Child) -> float | None:
        conn = await asyncpg.connect(self.rig.dsn)
        try:
            before = await conn.fetchval(_DELIVERED)
            await self._queue(conn)
            until = time.monotonic() + LIMIT
            while await conn.fetchval("select exists (select from texts)"):
                worker.check()
                if time.monotonic() > until:
                    left = await conn.fetchval("select count(*) from texts")
                    raise BenchError(f"{left} of {self.plan.texts} texts have not ended after {LIMIT:g} s")
                await asyncio.sleep(LOOK)
            delivered = await conn.fetchval(_DELIVERED) - before
            if delivered != self.plan.texts:
                raise BenchError(f"{delivered} of {self.plan.texts} texts are recorded as delivered")
            last: float | None = await conn.fetchval("select extract(epoch from max(ended_at))::float8 from messages")
            return last
        finally:
            await conn.close()

    async def _queue(self, conn: "asyncpg.Connection[asyncpg.Record]") -> None:
        call = partial(arguments, self.rig.tenant_id, OURS, datetime.now(UTC))
        first, texts = self.consumers(), self.plan.texts
        async with conn.transaction():
            for at in range(0, texts, GROUP):
                rows = await conn.fetch(ACCEPT, *call(first + at, min(GROUP, texts - at)))
                if refused := {row["outcome"] for row in rows} - {"accepted"}:
                    raise BenchError(f"texts were not queued: {', '.join(sorted(refused))}")
            await conn.execute("select pg_notify('texts', $1)", str(self.rig.tenant_id))


_DELIVERED = "select count(*) from messages where state = 'delivered'"


def bench_deliver(rig: Rig, plan: DeliverPlan, step: Callable[[str], None]) -> Report:
    """Measures; `step` hears of each measurement before it begins.

    Raises BenchError where a handset got a text twice or not at all, or the database says otherwise than the handsets.
    """
    lab = rig.lab()
    worker = rig.worker()
    bench = _Bench(rig, plan, lab)
    for number in range(1, plan.rounds + 1):
        step(f"round {number} of {plan.rounds}: our SMPP client alone")
        bench.measure_bare()
        step(f"round {number} of {plan.rounds}: the worker")
        bench.measure_ours(worker)
    worker.stop()
    lab.stop()
    return _report(bench)


def _rate(arrivals: Arrivals) -> float:
    """Texts a second from the first to the last that arrived."""
    return (arrivals.count - 1) / (arrivals.last - arrivals.first)


def _report(bench: _Bench) -> Report:
    middle = sorted(bench.ours, key=lambda one: one.to_handset)[(len(bench.ours) - 1) // 2]
    bare = sorted(bench.bare)[(len(bench.bare) - 1) // 2]
    rates = (middle.to_handset, middle.to_receipt, *bare)
    names = (TO_HANDSET, TO_RECEIPT, BARE, BARE_RECEIPT)
    rows = [Row(name, round(rate, 1)) for name, rate in zip(names, rates, strict=True)]
    peak = max(one.used["worker"].peak_rss for one in bench.ours) / 1e6
    return Report(
        f"Delivered texts: {bench.plan.texts:,} each time, one SMPP line, window 50, each with a receipt",
        (
            ratio("the worker / our SMPP client alone, to the handsets", rows[0], rows[2]),
            ratio("the worker / our SMPP client alone, to the last receipt", rows[1], rows[3]),
            headline("peak memory of the worker process", peak, "MB"),
        ),
        tuple(rows),
        "What a text cost, from the queue to its recorded receipt",
        tuple(cost(name, used, bench.plan.texts) for name, used in middle.used.items()),
    )

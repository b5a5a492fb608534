"""How many queued texts a second reach the handsets of the lab, beside what our SMPP client alone brings there, and how
many while sends are being accepted."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from smsdesk.bench.alone import FIRST_CONSUMER, MESSAGE
from smsdesk.bench.bare_line import feed
from smsdesk.bench.handsets import Arrivals, clear, read_arrivals
from smsdesk.bench.processes import Meter, Usage
from smsdesk.bench.queued import connected, count_delivered, last_end, queue_texts, wait_for_ends
from smsdesk.bench.report import Report, Row, cost, headline, ratio
from smsdesk.bench.rig import OURS, BenchError, Child, Rig, run
from smsdesk.bench.sustained import HalfLoad, Sustained, Sustainer

HALF_SECONDS = 5.0
"""Seconds at half load, where there are texts enough to know the whole."""

TO_HANDSET = "delivered: queue to handsets"
TO_RECEIPT = "delivered: queue to recorded receipts"
BARE = "our SMPP client alone, no database, to handsets"
BARE_RECEIPT = "our SMPP client alone, no database, to receipts"
SUSTAINED = "delivered to recorded receipts, while {rate} a second are accepted"
ACCEPTED = "accepted meanwhile, open loop"
HALF = "half load: from accepted to the wire"


@dataclass(frozen=True, slots=True)
class DeliverPlan:
    """`texts` for each measurement; each is made `rounds` times, turn by turn; `rate` sends a second are accepted
    beside the backlog."""

    texts: int = 20_000
    rounds: int = 3
    rate: int = 500

    @property
    def steps(self) -> int:
        """How many measurements there are."""
        return 4 * self.rounds

    @property
    def half_seconds(self) -> float:
        """How long half load is measured."""
        return min(HALF_SECONDS, max(1.0, self.texts / 2000))


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
    sustained: list[Sustained] = field(default_factory=list)
    half: list[HalfLoad] = field(default_factory=list)

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
        first, texts = self.consumers(), self.plan.texts
        async with connected(self.rig) as conn:
            before = await count_delivered(conn)
            await queue_texts(self.rig, conn, first, texts)
            await wait_for_ends(conn, worker.check)
            delivered = await count_delivered(conn) - before
            if delivered != texts:
                raise BenchError(f"{delivered} of {texts} texts are recorded as delivered")
            return await last_end(conn, first)

    def measure_sustained(self, sustainer: Sustainer) -> None:
        """A backlog again, while sends are accepted."""
        texts, alone = self.plan.texts, self.ours[-1].to_receipt
        self.sustained.append(sustainer.sustain(self.consumers(), texts, self.plan.rate, alone))

    def measure_half(self, sustainer: Sustainer) -> None:
        """Half of what was just sustained, with nothing else to deliver."""
        self.half.append(sustainer.half(self.sustained[-1].delivered / 2, self.plan.half_seconds))


def bench_deliver(rig: Rig, plan: DeliverPlan, step: Callable[[str], None]) -> Report:
    """Measures; `step` hears of each measurement before it begins.

    Raises BenchError where a handset got a text twice or not at all, or the database says otherwise than the handsets.
    """
    lab = rig.lab()
    worker = rig.worker()
    api, port = rig.api()
    sustainer = Sustainer(rig, port, worker)
    bench = _Bench(rig, plan, lab)
    for number in range(1, plan.rounds + 1):
        step(f"round {number} of {plan.rounds}: our SMPP client alone")
        bench.measure_bare()
        step(f"round {number} of {plan.rounds}: the worker")
        bench.measure_ours(worker)
        step(f"round {number} of {plan.rounds}: the worker, while {plan.rate} a second are accepted")
        bench.measure_sustained(sustainer)
        step(f"round {number} of {plan.rounds}: at half load")
        bench.measure_half(sustainer)
    api.stop()
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
    long = sorted(bench.sustained, key=lambda one: one.delivered)[(len(bench.sustained) - 1) // 2]
    half = sorted(bench.half, key=lambda one: one.latency.p99_ms)[(len(bench.half) - 1) // 2]
    rows += [
        Row(SUSTAINED.format(rate=bench.plan.rate), round(long.delivered, 1)),
        Row(ACCEPTED, round(long.accepted, 1), long.latency, long.errors),
        Row(HALF, round(half.per_second, 1), half.latency, half.errors),
    ]
    peak = max(one.used["worker"].peak_rss for one in bench.ours) / 1e6
    return Report(
        f"Delivered texts: {bench.plan.texts:,} each time, one SMPP line, window 50, each with a receipt",
        (
            ratio("the worker / our SMPP client alone, to the handsets", rows[0], rows[2]),
            ratio("the worker / our SMPP client alone, to the last receipt", rows[1], rows[3]),
            ratio(f"while {bench.plan.rate} a second are accepted / without", rows[4], rows[1]),
            headline("p99 from accepted to the wire, at half load", half.latency.p99_ms, "ms", most=250.0),
            headline("peak memory of the worker process", peak, "MB"),
        ),
        tuple(rows),
        "What a text cost, from the queue to its recorded receipt",
        tuple(cost(name, used, bench.plan.texts) for name, used in middle.used.items()),
    )

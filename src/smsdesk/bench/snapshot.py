"""What a transaction that lasts costs, such as a backup: nothing that its snapshot can see is removed meanwhile."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg

from smsdesk.bench.history.side import CONNECTIONS, Sends, Side
from smsdesk.bench.latency import Latency
from smsdesk.bench.report import Report, Row, headline
from smsdesk.bench.rig import BenchError, Rig, run

SLICE = 10
"""Seconds of each measurement."""
MOST = 1.5
"""Promised of PostgreSQL's CPU for each text: under the snapshot / before."""


@dataclass(frozen=True, slots=True)
class SnapshotPlan:
    """So many sends a second, at most, accepted and delivered, for so many slices under a snapshot."""

    rate: int = 1_000
    slices: int = 6

    @property
    def steps(self) -> int:
        """How many times `step` is called."""
        return self.slices + 3


@dataclass(frozen=True, slots=True)
class _Slice:
    name: str
    per_second: float
    latency: Latency
    cpu_us: float
    dead: int


def bench_snapshot(rig: Rig, plan: SnapshotPlan, step: Callable[[str], None]) -> Report:
    """Measures before, under and after an open snapshot; `step` hears of each slice before it begins."""
    side = Side("snapshot", rig, Sends(rig.token, 0, 1))
    side.work()

    def measure(name: str) -> _Slice:
        step(name)
        return _measure(side, plan.rate, name)

    measure("warming up")
    found = [measure("before")]
    with _snapshot(rig):
        found += [measure(f"under the snapshot, until second {n * SLICE}") for n in range(1, plan.slices + 1)]
    found.append(measure("after"))
    side.rest()
    before, last = found[0], found[-2]
    return Report(
        f"A snapshot that lasts {plan.slices * SLICE} s, {plan.rate:,} sends a second, accepted and delivered",
        (
            headline("PostgreSQL's CPU for each text, at the end / before", last.cpu_us / before.cpu_us, most=MOST),
            headline("p99 of a send before", before.latency.p99_ms, "ms"),
            headline("p99 of a send at the end", last.latency.p99_ms, "ms"),
        ),
        tuple(
            Row(
                f"{each.name}, accepted while delivering", each.per_second, each.latency,
                note=f"PostgreSQL {each.cpu_us:,.0f} us for each text, {each.dead:,} dead rows in the queue",
            )
            for each in found
        ),
        "",
        (),
    )  # fmt: skip


@contextmanager
def _snapshot(rig: Rig) -> Iterator[None]:
    """As `pg_dump` holds one; on a loop of its own, for the measurements in the block have theirs."""
    with asyncio.Runner() as runner:
        conn = runner.run(asyncpg.connect(rig.dsn))
        runner.run(conn.execute("begin isolation level repeatable read"))
        runner.run(conn.fetchval("select count(*) from texts"))
        try:
            yield
        finally:
            runner.run(conn.close())


def _measure(side: Side, rate: int, name: str) -> _Slice:
    before = run(side.rig.value(_LEFT))
    result, cpu = side.accept(SLICE - 1, pause=CONNECTIONS / rate)
    left = run(side.rig.value(_LEFT)) - before
    if not left:
        raise BenchError(f"{name}: no text has left")
    return _Slice(name, result.per_second, result.latency, cpu * 1e6 / left, run(side.rig.value(_DEAD)))


_LEFT = "select coalesce(sum(texts), 0)::bigint from usage"
_DEAD = "select n_dead_tup from pg_stat_user_tables where relname = 'texts'"

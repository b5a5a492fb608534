"""Versions of the accept statement beside the one in use: PostgreSQL's CPU for a send, turn by turn in one database.

Rates of two runs differ by a quarter on a rented machine; versions that take turns of a few milliseconds meet the same
minute, and one that stands there twice differs from itself by a hundredth.
"""

import re
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import asyncpg

from smsdesk.bench.history.year import phone
from smsdesk.bench.latency import summarize
from smsdesk.bench.report import Cost, Report, Row, headline
from smsdesk.bench.rig import OURS, BenchError, Rig, run
from smsdesk.domain.segments import segment
from smsdesk.domain.send import Send
from smsdesk.store.sends import IDS_PER_SEND, AcceptRules, AcceptTimes, WantedSend, accept_sends

FUNCTION = re.compile(r"create (?:or replace )?function accept_sends\(.*?^end \$\$;", re.DOTALL | re.MULTILINE)
IN_USE = "in use"
BODY = "Your order is ready to be picked up."
TURN, WARM_UP = 5, 100
"""Groups of one version before it is the next one's turn, and of each before any is counted."""


@dataclass(frozen=True, slots=True)
class VariantsPlan:
    """Files of SQL, in each of which `accept_sends` is made; `group` sends in a call, so many `groups` of each."""

    files: tuple[Path, ...]
    group: int = 32
    groups: int = 1_000

    @property
    def steps(self) -> int:
        """How many times `step` is called at most."""
        return 1 + max(1, self.groups // TURN)


@dataclass(slots=True)
class _Variant:
    name: str
    conn: "asyncpg.Connection[asyncpg.Record]"
    pid: int
    turns: list[float] = field(default_factory=list)
    """Microseconds of its backend for each send, turn by turn."""
    times: list[int] = field(default_factory=list)
    """Nanoseconds of each group."""


def bench_variants(rig: Rig, plan: VariantsPlan, step: Callable[[str], None]) -> Report:
    """Measures all of `plan.files` and the function in use; raises BenchError where a file does not make the function,
    or its function does not accept."""
    statements = [read_function(each) for each in plan.files]
    return run(_measure(rig, plan, statements, step))


def read_function(file: Path) -> str:
    """The statement of a file that makes `accept_sends`: the rest of a migration is left out. Raises BenchError."""
    try:
        found = FUNCTION.search(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"{file} cannot be read: {error}") from error
    if found is None:
        raise BenchError(f"{file} makes no function accept_sends that ends with a line `end $$;`")
    return found[0]


async def _measure(rig: Rig, plan: VariantsPlan, statements: Sequence[str], step: Callable[[str], None]) -> Report:
    async with AsyncExitStack() as ends:
        variants = [await _connect(rig, ends, IN_USE, None)]
        for file, statement in zip(plan.files, statements, strict=True):
            variants.append(await _connect(rig, ends, file.name, statement))
        # Each send is to a new consumer, at any place among those who are known.
        numbers, ids = count(), count(1_000_000_000, IDS_PER_SEND * plan.group)
        step("warming up")
        for variant in variants:
            for _ in range(WARM_UP):
                await _accept(variant, rig.tenant_id, plan.group, next(ids), numbers)
            variant.times.clear()
        for turn in range(max(1, plan.groups // TURN)):
            step(f"turn {turn + 1}")
            for variant in variants if turn % 2 == 0 else variants[::-1]:
                before = _cpu_us(variant.pid)
                for _ in range(TURN):
                    await _accept(variant, rig.tenant_id, plan.group, next(ids), numbers)
                variant.turns.append((_cpu_us(variant.pid) - before) / (TURN * plan.group))
    return _report(plan, variants)


async def _connect(rig: Rig, ends: AsyncExitStack, name: str, statement: str | None) -> _Variant:
    """A session in which this version is found before the one in use, which stays as it is."""
    conn = await asyncpg.connect(rig.dsn)
    ends.push_async_callback(conn.close)
    pid = await conn.fetchval("select pg_backend_pid()")
    if statement is not None:
        schema = f"variant_{pid}"
        try:
            await conn.execute(f"create schema {schema}; set search_path = {schema}, public; {statement}")
        except asyncpg.PostgresError as error:
            raise BenchError(f"{name}: PostgreSQL refuses it: {error}") from error
        if not await conn.fetchval(_CALLED_ALIKE, schema):
            raise BenchError(f"{name}: its accept_sends takes or gives other values than the one in use")
    return _Variant(name, conn, pid)


async def _accept(variant: _Variant, tenant_id: int, group: int, first_id: int, numbers: "count[int]") -> None:
    now = datetime.now(UTC)
    times = AcceptTimes(now, now + timedelta(hours=1), now + timedelta(hours=1))
    segments = segment(BODY)
    sends = [WantedSend(Send(phone(next(numbers), 1), OURS, BODY, segments, None, None), None) for _ in range(group)]
    began = time.perf_counter_ns()
    try:
        decisions = await accept_sends(variant.conn, tenant_id, times, AcceptRules(False), first_id, sends)
    except asyncpg.PostgresError as error:
        raise BenchError(f"{variant.name}: {error}") from error
    variant.times.append(time.perf_counter_ns() - began)
    refused = [each.outcome for each in decisions if each.outcome != "accepted"]
    if refused or len(decisions) != group:
        raise BenchError(f"{variant.name}: of {group} sends {len(decisions)} were decided, such as {refused[:1]}")


def _cpu_us(pid: int) -> float:
    """Of one process, in nanoseconds before the point: the first field of schedstat, proc(5)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1_000


def _report(plan: VariantsPlan, variants: Sequence[_Variant]) -> Report:
    first, *others = variants
    return Report(
        f"Versions of the accept statement, groups of {plan.group}, {plan.groups} of each in turn",
        tuple(
            headline(
                f"PostgreSQL's CPU for a send, {each.name} / {first.name}",
                statistics.median(a / b for a, b in zip(each.turns, first.turns, strict=True)),
            )
            for each in others
        ),
        tuple(
            Row(each.name, round(plan.group * 1e9 / statistics.median(each.times), 1), summarize(each.times))
            for each in variants
        ),
        "CPU of the session for each send, the middle turns",
        tuple(Cost(each.name, 0.0, round(statistics.median(each.turns), 1), 0.0) for each in variants),
    )


_CALLED_ALIKE = """
select exists (
    select from pg_proc mine join pg_proc theirs using (proname, proargtypes, proallargtypes, proargnames)
    where proname = 'accept_sends' and mine.pronamespace = $1::text::regnamespace
      and theirs.pronamespace = 'public'::regnamespace
)
"""
"""Else a call would find the one in use."""

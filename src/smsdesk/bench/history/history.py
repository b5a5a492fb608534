"""Whether a year of history is felt: the same measurements on an empty database and on a full one, in turn."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg

from smsdesk.bench.history.fill import Filled, FillPlan, fill, read_filled, warm
from smsdesk.bench.history.side import Measured, Sends, Side, claimed
from smsdesk.bench.history.steady import steady
from smsdesk.bench.history.visit import look
from smsdesk.bench.report import Cost, Headline, Report, Row, headline
from smsdesk.bench.rig import TENANT, Rig, run, temporary_folder
from smsdesk.postgres import use_cluster
from smsdesk.store.migrate import migrate

LEAST = 0.9
"""Promised of each rate: full / empty."""
EMPTY, FULL = "empty", "full"
ACCEPTED, CLAIMED, DELIVERED = "accepted, 64 connections", "claims of 200", "delivered, with receipts"


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """How many chats the full database has, and from which seed; `seconds` of accepting in each of `rounds`; so many
    `minutes` of steady load at the end. `data` is a folder that was filled, or is to be filled and kept."""

    chats: int = 10_000_000
    seed: int = 1
    rounds: int = 3
    seconds: int = 20
    minutes: int = 0
    data: Path | None = None

    @property
    def steps(self) -> int:
        """How many times `step` is called at most."""
        return FillPlan(self.chats).steps + 2 + 4 * self.rounds + self.minutes


Found = dict[str, dict[str, list[Measured]]]


def bench_history(rig: Rig, plan: HistoryPlan, step: Callable[[str], None]) -> Report:
    """Measures on a rig with `fill.SETUP`, the empty one, and on one that is filled; `step` hears of each measurement
    before it begins. Raises BenchError where the full one cannot be, and where counts are wrong."""
    with ExitStack() as ends:
        folder = plan.data or temporary_folder(ends)
        filled = read_filled(folder) or fill(folder, FillPlan(plan.chats, plan.seed), step)
        full = ends.enter_context(opened(folder, filled))
        step("reading what a day's work meets")
        warm(full)
        step("the sizes of the tables")
        sizes = run(read_sizes(full))
        # A folder that was measured before has the consumers of that time.
        made = run(full.value("select count(*) from chats")) - filled.chats
        sides = [
            Side(name, one, Sends(one.token, filled.chats, filled.seed, made))
            for name, one in ((EMPTY, rig), (FULL, full))
        ]
        found: Found = {EMPTY: defaultdict(list), FULL: defaultdict(list)}
        for number in range(plan.rounds):
            say = partial(_say, step, number + 1)
            _round(sides if number % 2 == 0 else sides[::-1], plan, found, say)
        lasting = steady(sides[1], plan.minutes, _half(found), step) if plan.minutes else None
    headlines, rows = _compared(found)
    if lasting is not None:
        headlines, rows = [*headlines, *lasting.headlines], [*rows, *lasting.rows]
    return Report(
        f"A year of history: {filled.chats:,} chats against none, turn by turn",
        (*headlines, *_sizes(sizes, filled)),
        tuple(rows),
        "PostgreSQL's CPU for each, the middle rounds",
        tuple(_costs(found)),
    )


@contextmanager
def opened(folder: Path, filled: Filled) -> Iterator[Rig]:
    """A rig on a folder that is filled; the folder stays."""
    with ExitStack() as ends:
        dsn = ends.enter_context(use_cluster(folder))
        built = Rig(folder, dsn, ends)
        run(_migrate(dsn))
        # The lab that a former run left them with is gone, and would say no more of them.
        run(built.rows("delete from texts"))
        built.token = filled.token
        built.tenant_id = run(built.value("select tenant_id from subdomains where subdomain = $1", TENANT))
        yield built


async def _migrate(dsn: str) -> None:
    conn = await asyncpg.connect(dsn)
    try:
        await migrate(conn)
    finally:
        await conn.close()


def _round(sides: list[Side], plan: HistoryPlan, found: Found, step: Callable[[str], None]) -> None:
    """Each measurement on the one and at once on the other. No worker works beside what it has no part in."""
    step(ACCEPTED)
    for side in sides:
        found[side.name][ACCEPTED].append(side.accepted(plan.seconds))
    step(CLAIMED)
    for side, measured in zip(sides, claimed(sides), strict=True):
        found[side.name][CLAIMED].append(measured)
    step(DELIVERED)
    for side in sides:
        found[side.name][DELIVERED].append(side.delivered())
        side.rest()
    step("replies, lists and searches")
    for side in sides:
        side.work()
    for side, each in zip(sides, look(sides, f"mark{len(found[FULL][ACCEPTED])}x"), strict=True):
        for what, measured in each.items():
            found[side.name][what].append(measured)
        side.rest()


def _say(step: Callable[[str], None], number: int, what: str) -> None:
    step(f"round {number}: {what}")


def _half(found: Found) -> float:
    """Half of what the full database accepted and delivered, whichever is less."""
    return min(_middle(found[FULL][what]).per_second for what in (ACCEPTED, DELIVERED)) / 2


def _middle(rounds: list[Measured]) -> Measured:
    return sorted(rounds, key=lambda one: one.per_second)[(len(rounds) - 1) // 2]


def _compared(found: Found) -> tuple[list[Headline], list[Row]]:
    headlines, rows = [], []
    for what in found[EMPTY]:
        # Round by round, for the two of a round were measured within the same seconds.
        pairs = zip(found[FULL][what], found[EMPTY][what], strict=True)
        ratio = statistics.median(full.per_second / empty.per_second for full, empty in pairs)
        headlines.append(headline(f"{what}, full / empty", ratio, least=LEAST))
        for name in (EMPTY, FULL):
            middle = _middle(found[name][what])
            rows.append(Row(f"{what}, {name}", round(middle.per_second, 1), middle.latency))
    return headlines, rows


def _costs(found: Found) -> Iterator[Cost]:
    for what in (ACCEPTED, DELIVERED):
        for name in (EMPTY, FULL):
            each = statistics.median(one.cpu_us for one in found[name][what])
            yield Cost(f"{what}, {name}", 0.0, round(each, 1), 0.0)


async def read_sizes(rig: Rig) -> dict[str, int]:
    """Octets of each table with its indexes and partitions, the largest first."""
    return dict(await rig.rows(_SIZES))


def _sizes(sizes: dict[str, int], filled: Filled) -> Iterator[Headline]:
    yield headline("on disk for each chat, with indexes", sum(sizes.values()) / filled.chats, "B")
    for table, size in sizes.items():
        if size >= sum(sizes.values()) / 200:
            yield headline(f"  of it {table}", size / filled.chats, "B")


_SIZES = """
select coalesce(p.relname, c.relname)::text, sum(pg_total_relation_size(c.oid))::bigint
from pg_class c
left join pg_inherits i on i.inhrelid = c.oid left join pg_class p on p.oid = i.inhparent
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'm')
group by 1 order by 2 desc
"""

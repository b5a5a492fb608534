"""Fills a fresh database with a year of chats in minutes, as if they had gone through the product."""

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import asyncpg
import msgspec

from smsdesk.bench.history.rows import ALL, DROP_TABLES, PLAN_TABLES, TURNS, lines, rows_of
from smsdesk.bench.history.year import Year, plan_month, year_before
from smsdesk.bench.rig import OURS, TENANT, BenchError, Rig, remove_folder, rig, run
from smsdesk.domain.periods import began_at
from smsdesk.store.periods import open_period

AGENTS, QUEUES = 60, "Support, Billing, Orders"
SETUP = (
    f"""
tenant: {TENANT}
settings: {{chats_per_agent: 100}}
carriers: [{{name: lab, type: lab, window: 50}}]
queues: [{{name: Support}}, {{name: Billing}}, {{name: Orders}}]
numbers:
  - {{number: "{OURS}", carrier: lab, queue: Support}}
  - {{number: "+16285550198", carrier: lab, queue: Billing}}
  - {{number: "+16285550197", carrier: lab, queue: Orders}}
agents:
"""
    + "".join(
        f"  - {{email: agent{n}@example.com, first_name: Agent, last_name: Number {n}, queues: [{QUEUES}]}}\n"
        for n in range(AGENTS)
    )
    + "  - {email: supervisor@example.com, first_name: John, last_name: Doe, queues: [Support], role: supervisor}\n"
)
LOADING = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off",
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB", "checkpoint_timeout": "1h",
    "maintenance_work_mem": "512MB", "work_mem": "128MB",
}  # fmt: skip
"""Settings of the server while it is filled and at no other time: what a crash would spoil is made anew."""
HANDS = 2
"""Connections that write at once."""
CHAT_BYTES, SPARE = 3_600, 2 * 2**30
"""What a chat takes on disk at most while the database is filled, and what is left free beside it."""
MARK = "history.json"


class Filled(msgspec.Struct, frozen=True):
    """What a filled folder says of itself in MARK. The token is of this database of made-up chats alone."""

    chats: int
    seed: int
    until: datetime
    token: str
    seconds: float

    @property
    def year(self) -> Year:
        """Its chats."""
        return year_before(self.until, self.chats, self.seed)


@dataclass(frozen=True, slots=True)
class FillPlan:
    """How many chats, and from which seed: the same two, begun in the same hour, give the same rows."""

    chats: int
    seed: int = 1

    @property
    def steps(self) -> int:
        """How many times `step` is called."""
        return len(ALL) + 4


def fill(folder: Path, plan: FillPlan, step: Callable[[str], None]) -> Filled:
    """Fills the database of a new or empty folder. Whatever ends it before the end, Ctrl-C included, leaves the folder
    empty.

    Raises BenchError where the folder is in use, or its disk has too little room for so many chats.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BenchError(f"{folder} is not empty: name a new folder for a year of chats")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # root's PostgreSQL runs under another account, which must pass
    need, free = plan.chats * CHAT_BYTES + SPARE, shutil.disk_usage(folder).free
    if free < need:
        raise BenchError(f"{plan.chats:,} chats need {need / 1e9:.0f} GB; {folder} has {free / 1e9:.0f} GB free")
    with ExitStack() as undo:
        undo.callback(remove_folder, folder)
        with rig(folder, SETUP, LOADING) as built:
            filled = run(_fill(built, plan, step))
            warm(built)
        os.sync()  # the server wrote without asking for it
        mark = folder / MARK
        mark.touch(0o600)
        mark.write_bytes(msgspec.json.encode(filled))
        undo.pop_all()
    return filled


def warm(built: Rig) -> None:
    """Reads what a day's work meets: consumers, of whom any may come back, what finds their chats, and the month that
    is being written. The minutes after a fill or a start are no part of a year."""
    if not run(built.value("select count(*) from pg_available_extensions where name = 'pg_prewarm'")):
        return
    built.as_superuser("create extension if not exists pg_prewarm")
    built.as_superuser(
        r"""
        select count(pg_prewarm(c.oid)) from pg_class c left join pg_index i on i.indexrelid = c.oid
        join pg_class t on t.oid = coalesce(i.indrelid, c.oid)
        where t.relkind = 'r' and c.relkind in ('r', 'i') and (
            t.relname = 'end_users' or t.relname = 'chats' and c.relkind = 'i'
            or t.relname like '%\_p' || (select max(period) from periods where began_at is not null))
        """
    )


def read_filled(folder: Path) -> Filled | None:
    """What was filled into this folder; None where it is new or empty. Raises BenchError where it is something else."""
    if not folder.exists() or not any(folder.iterdir()):
        return None
    try:
        return msgspec.json.decode((folder / MARK).read_bytes(), type=Filled)
    except (OSError, msgspec.DecodeError) as error:
        raise BenchError(f"{folder} is no folder that `smsdesk bench fill` has filled: {error}") from error


async def _fill(built: Rig, plan: FillPlan, step: Callable[[str], None]) -> Filled:
    began = asyncio.get_running_loop().time()
    now = datetime.now(UTC)
    year = year_before(now, plan.chats, plan.seed)
    built.as_superuser("grant set on parameter session_replication_role to smsdesk")
    hands = [await asyncpg.connect(built.dsn) for _ in range(HANDS)]
    try:
        for hand in hands:
            # The rows are made so that the foreign keys hold, and nobody else is at work.
            await hand.execute("set session_replication_role = replica")
        step("planning the year")
        await write_year(hands, built.tenant_id, year, step, now)
    finally:
        for hand in hands:
            await hand.close()
        built.as_superuser("revoke set on parameter session_replication_role from smsdesk")
    took = asyncio.get_running_loop().time() - began
    return Filled(plan.chats, plan.seed, now, built.token, round(took, 1))


Hand: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def write_year(
    hands: Sequence[Hand], tenant_id: int, year: Year, step: Callable[[str], None], now: datetime
) -> None:
    """Writes the year by these connections, beside whom nobody works. Indexes beside the keys are made at the end."""
    first = hands[0]
    for month in year.months:
        await open_period(first, month.period, now)
        await first.execute(
            "update periods set began_at = $2 where period = $1 and began_at is null",
            month.period, began_at(month.period),
        )  # fmt: skip
    await _plan_year(first, tenant_id, year)
    indexes = await first.fetch(_INDEXES, list(ALL))
    for row in indexes:
        await first.execute(f"drop index {row['name']}")
    carrier_id = await first.fetchval("select min(carrier_id) from carriers where tenant_id = $1", tenant_id)
    credential_id = await first.fetchval("select min(credential_id) from credentials where tenant_id = $1", tenant_id)
    writes = [(f"writing {table}", rows_of(table, tenant_id, carrier_id, credential_id)) for table in ALL]
    await _share(hands, writes, step)
    step("making the indexes")
    await _share(hands, [("", row["statement"]) for row in indexes], None)
    await first.execute(DROP_TABLES)
    step("gathering statistics")
    await _share(hands, [("", f"vacuum (freeze, analyze) {table}") for table in ALL], None)
    # Words of all of it are written; and the next ids are behind the last ones.
    await first.execute(
        "insert into word_marks (tenant_id, since, front) values ($1, $2, $3)"
        " on conflict (tenant_id) do update set since = $2, front = $3",
        tenant_id, year.until, now,
    )  # fmt: skip
    await first.execute("select setval('id_blocks', greatest($1, nextval('id_blocks')), false)", year.next_id)


# Those of a partitioned table are made on all its partitions.
_INDEXES = """
select i.indexrelid::regclass::text as name, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') as statement
from pg_index i
where i.indrelid = any ($1::text[]::regclass[]) and not i.indisprimary
  and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
order by array_position($1::text[]::regclass[], i.indrelid::regclass)
"""


async def _plan_year(first: Hand, tenant_id: int, year: Year) -> None:
    await first.execute(DROP_TABLES)
    await first.execute(PLAN_TABLES)
    statement, values = lines()
    await first.execute(statement, tenant_id, *values)
    await first.executemany("insert into history_turns values ($1, $2, $3, $4, $5)", TURNS)
    numbers = await first.fetch(
        "select number, queue_id from numbers where tenant_id = $1 and queue_id is not null order by number", tenant_id
    )
    agents = await first.fetchval(
        "select array_agg(agent_id order by agent_id) from agents where tenant_id = $1 and role = 'agent'",
        tenant_id,
    )
    for month in year.months:
        await first.execute(
            plan_month(year, month), [row["number"] for row in numbers], [row["queue_id"] for row in numbers], agents
        )
    for table in ("history_plan", "history_turns", "history_lines"):
        await first.execute(f"analyze {table}")


async def _share(hands: Sequence[Hand], work: Sequence[tuple[str, str]], step: Callable[[str], None] | None) -> None:
    """Has each connection run the next statement as soon as it is free."""
    left = iter(work)

    async def take(hand: Hand) -> None:
        for what, statement in left:
            if step is not None:
                step(what)
            await hand.execute(statement)

    async with asyncio.TaskGroup() as group:
        for hand in hands:
            group.create_task(take(hand))

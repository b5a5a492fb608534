"""What it costs to find the agent for a chat: with few and with many agents, and with much history."""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from smsdesk.bench.report import Report, Row, ratio
from smsdesk.bench.rig import OURS, TENANT, BenchError, Rig, run
from smsdesk.steps.routing import enqueue
from smsdesk.steps.work import Work
from smsdesk.store.chat_rows import NewChat, lock_chat_row, note_said, open_inbound
from smsdesk.store.db import Database, Ids

SMALL, LARGE = "Small", "Large"
SETUP = f"""
tenant: {TENANT}
carriers: [{{name: lab, type: lab}}]
queues: [{{name: {SMALL}}}, {{name: {LARGE}}}]
numbers: [{{number: "{OURS}", carrier: lab, queue: {SMALL}}}]
"""
_FIRST = 10**10

_AGENTS = """
with made as (
    insert into agents (tenant_id, email, max_chats)
    select $1, $2::text || n || '@example.com', 100 from generate_series(1, $3::int) n returning agent_id
), placed as (
    insert into agent_queues (tenant_id, agent_id, queue_id, ready, idle_since)
    select $1, agent_id, (select queue_id from queues where tenant_id = $1 and name = $2), true, now() from made
)
insert into agent_statuses (tenant_id, agent_id, status, since, idle_since, ready)
select $1, agent_id, 'available', now(), now(), true from made
"""
_HISTORY = (
    """
    insert into end_users (tenant_id, end_user_id, number, created_at)
    select $1, n, '+1' || (200000000000 + n), now() from generate_series($2::bigint, $3::bigint) n
    """,
    """
    insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, ends_at,
                       queue_id, agent_id)
    select $1, n, n, '+16285550199', 'inbound', 'finished', now(), now(), q.queue_id, a.agent_id
    from generate_series($2::bigint, $3::bigint) n
    cross join lateral (select queue_id from queues where tenant_id = $1 order by queue_id limit 1 offset n % 2) q
    cross join lateral (select min(agent_id) as agent_id from agents where tenant_id = $1) a
    """,
)


@dataclass(frozen=True, slots=True)
class RoutingPlan:
    """How many agents and ended chats there are, few and many, and how often each is measured."""

    few_agents: int = 10
    many_agents: int = 10_000
    few_chats: int = 100
    many_chats: int = 1_000_000
    times: int = 200

    @property
    def steps(self) -> int:
        """How many measurements there are."""
        return 3


def bench_routing(rig: Rig, plan: RoutingPlan, step: Callable[[str], None]) -> Report:
    """Measures on a rig with `SETUP`; `step` hears of each measurement before it begins."""
    return run(_measure(rig, plan, step))


async def _measure(rig: Rig, plan: RoutingPlan, step: Callable[[str], None]) -> Report:
    conn = await asyncpg.connect(rig.dsn)
    db = Database(rig.dsn, size=2)
    await db.open()
    try:
        for queue, count in ((SMALL, plan.few_agents), (LARGE, plan.many_agents)):
            await conn.execute(_AGENTS, rig.tenant_id, queue, count)
        await _add_history(conn, rig.tenant_id, 0, plan.few_chats)
        step(f"{plan.few_agents:,} and {plan.many_agents:,} agents, {plan.few_chats:,} ended chats")
        small, large = await _turn_by_turn(db, rig.tenant_id, plan.times)
        step(f"writing {plan.many_chats:,} ended chats")
        await _add_history(conn, rig.tenant_id, plan.few_chats, plan.many_chats)
        step(f"{plan.few_agents:,} and {plan.many_agents:,} agents, {plan.many_chats:,} ended chats")
        small_later, large_later = await _turn_by_turn(db, rig.tenant_id, plan.times)
    finally:
        await db.close()
        await conn.close()
    rows = tuple(
        Row(f"chats routed a second: {agents:,} agents, {chats:,} ended chats", round(1 / seconds, 1))
        for agents, chats, seconds in (
            (plan.few_agents, plan.few_chats, small),
            (plan.many_agents, plan.few_chats, large),
            (plan.few_agents, plan.many_chats, small_later),
            (plan.many_agents, plan.many_chats, large_later),
        )
    )
    return Report(
        "Routing: a chat comes into a queue and an agent is asked, in one transaction",
        (
            ratio("with many agents / with few, turn by turn", rows[1], rows[0], least=0.8),
            ratio("with much history / with little", rows[3], rows[1], least=0.8),
        ),
        rows,
        "",
        (),
    )


async def _add_history(conn: "asyncpg.Connection[asyncpg.Record]", tenant_id: int, first: int, count: int) -> None:
    for statement in _HISTORY:
        await conn.execute(statement, tenant_id, _FIRST + first, _FIRST + first + count - 1)
    await conn.execute("vacuum analyze chats, agents, agent_queues, agent_statuses")


async def _turn_by_turn(db: Database, tenant_id: int, times: int) -> tuple[float, float]:
    """The middle of the seconds that routing takes in the small queue and in the large one; each is taken back."""
    took: dict[str, list[float]] = {SMALL: [], LARGE: []}
    ids, now = Ids(), datetime.now(UTC) + timedelta(seconds=1)
    async with db.connection() as conn:
        rows = await conn.fetch("select name, queue_id from queues where tenant_id = $1", tenant_id)
        queue_ids = {row["name"]: row["queue_id"] for row in rows}
        for name in (SMALL, LARGE) * times:
            attempt = conn.transaction()
            await attempt.start()
            work = Work(conn, tenant_id, now, ids, random.random)
            chat_id = await ids.take(conn, 3)
            await conn.execute(
                "insert into end_users (tenant_id, end_user_id, number, created_at) values ($1, $2, $3, $4)",
                tenant_id, chat_id + 2, f"+1999{chat_id:010}", now,
            )  # fmt: skip
            await open_inbound(conn, tenant_id, NewChat(chat_id, chat_id + 2, OURS, "bench"), now)
            await note_said(conn, tenant_id, chat_id, now, by_agent=False)
            chat = await lock_chat_row(conn, tenant_id, chat_id)
            if chat is None:
                raise BenchError("a chat that was just opened is not there")
            began = time.perf_counter()
            await enqueue(work, chat, queue_ids[name])
            took[name].append(time.perf_counter() - began)
            if not await conn.fetchval("select count(*) from offers where chat_id = $1", chat_id):
                raise BenchError("a chat was routed to nobody")
            await attempt.rollback()
    return statistics.median(took[SMALL]), statistics.median(took[LARGE])

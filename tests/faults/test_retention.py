"""Months of history go while texts are sent and received, and the worker that drops them is killed again and again."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from smsdesk.bench.history.fill import write_year
from smsdesk.bench.history.rows import ALL
from smsdesk.bench.history.year import year_before
from smsdesk.domain.periods import IDS, first_id, period_of
from tests.faults.census import ask, assert_whole, in_flight, text_states
from tests.faults.sending import Sending
from tests.kit.demo_setup import client_of, set_up
from tests.kit.lab import running_lab
from tests.kit.processes import Server, serving, until

pytestmark = pytest.mark.slow

CHATS, TEXTS, KILLS = 6_000, 600, 6
KEPT = 90
"""Days."""
LIMIT = 120.0
GOING = "select count(*) from periods where going_at is not null and gone_at is null"
GONE = "select count(*) from periods where gone_at is not null"
LEFT = f"""
    select count(*) from chats where chat_id < (
        select (max(period) + 1) * {IDS}::bigint from periods where gone_at is not null)
"""


async def rows_of_year(dsn: str, began: datetime) -> dict[str, int]:
    """How many rows each table of a chat has in the months since then, beside those of the sends of this test."""
    counts = {}
    for table in ALL:
        if table in ("end_users", "usage"):
            continue
        key = "chat_id" if table != "parts" else "message_id"
        ((counts[table],),) = await ask(
            dsn, f"select count(*) from {table} where {key} < $1 and {key} >= $2",
            first_id(period_of(datetime.now(UTC))), first_id(period_of(began)),
        )  # fmt: skip
    return counts


async def test_months_go_once_under_load_and_kills(database: str, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with running_lab() as handsets:
        token = await set_up(database, tmp_path, handsets.smpp_port)
        conn = await asyncpg.connect(database)
        tenant_id = await conn.fetchval("select tenant_id from tenants")
        await write_year([conn], tenant_id, year_before(now, CHATS, 1), lambda _: None, now)
        await conn.close()
        young = datetime(now.year - (now.month <= 2), (now.month - 3) % 12 + 1, 1, tzinfo=UTC)
        before = await rows_of_year(database, young)
        worker = Server(tmp_path, "worker", database, SMSDESK_HISTORY_DAYS=str(KEPT))
        async with serving(tmp_path, "api", database) as server, client_of(server.base_url, token) as client:
            sending = Sending(client, TEXTS)
            async with asyncio.TaskGroup() as group:
                group.create_task(sending.run())
                kills = await kill_while_dropping(worker, database)

            async def settled() -> bool:
                return await in_flight(database) == 0

            await until(settled, LIMIT, "every text at its end")
            worker.remove()
    assert kills >= 2, "no kill met a month that went: the test proves nothing"
    ((gone,),) = await ask(database, GONE)
    assert gone >= 8
    assert await rows_of_year(database, young) == before
    ((left,),) = await ask(database, LEFT)
    assert left == 0
    await assert_whole(database)
    states = {body: state for body, state in (await text_states(database)).items() if body.startswith("text ")}
    assert len(states) == len(sending.chats) == TEXTS
    assert set(states.values()) <= {"delivered", "doubtful"}  # a killed worker leaves doubt


async def kill_while_dropping(worker: Server, dsn: str) -> int:
    """Starts the worker anew after each kill, until nothing is left to go: how many kills met it at work."""
    met = 0
    for _ in range(KILLS):
        await worker.start()

        async def going() -> bool:
            return bool((await ask(dsn, GOING))[0][0])

        await until(going, LIMIT, "a month that goes")
        worker.kill()
        met += bool((await ask(dsn, GOING))[0][0])
    await worker.start()

    async def over() -> bool:
        (((gone,),), ((left,),)) = await ask(dsn, GONE), await ask(dsn, GOING)
        return gone >= 8 and not left

    await until(over, LIMIT, "all months that are too old have gone")
    return met

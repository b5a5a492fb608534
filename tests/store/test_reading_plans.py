"""What the desk and the API read of the queue is planned while it is empty, and must read no more of it when a wave of
texts has filled it before anybody counts them (docs/adr/0013-plans-that-outlive-empty-tables.md)."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from smsdesk.store.chats import find_chat
from smsdesk.store.db import Connection, Database
from smsdesk.store.desk_lists import Part, list_lines
from smsdesk.store.messages import list_messages
from smsdesk.store.person import find_person
from smsdesk.store.texts import is_queued
from smsdesk.store.thread import read_happened, read_page
from smsdesk.store.trace import find_trace
from tests.store.outbox import TENANT, make_tenant, opened, queue_texts

AGENT, CHAT = 5, 1_000
BEFORE, WAVE = range(2_000, 6_000), range(10_000, 30_000)
GENERIC = 7
"""Uses of a prepared statement after which PostgreSQL may keep one plan for all values."""
MOST = 60
"""Pages: a look-up by a key takes three or four."""

Reading = Callable[[Connection], Awaitable[object]]
READINGS: dict[str, Reading] = {
    "messages of a chat": lambda conn: list_messages(conn, TENANT, CHAT, 100),
    "a page of a thread": lambda conn: read_page(conn, TENANT, CHAT, None, 50, 500),
    "what happened": lambda conn: read_happened(conn, TENANT, CHAT),
    "an agent's list": lambda conn: list_lines(conn, TENANT, AGENT, "sent", Part()),
    "a chat": lambda conn: find_chat(conn, TENANT, CHAT),
    "a text's trace": lambda conn: find_trace(conn, TENANT, CHAT),
    "whether a text waits": lambda conn: is_queued(conn, TENANT, "+14151000"),
    "a person": lambda conn: find_person(conn, TENANT, CHAT),
}


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
        await conn.execute("insert into agents (tenant_id, agent_id, email) values (1, $1, 'a@example.com')", AGENT)
    yield made
    await made.close()


@pytest.mark.parametrize("left", ["the first text", "the last text", "none"])
@pytest.mark.parametrize("what", READINGS)
async def test_a_plan_for_an_empty_queue_reads_little_of_a_full_one(db: Database, what: str, left: str) -> None:
    reading = READINGS[what]
    async with db.connection() as reader, db.connection() as late, db.connection() as writer:
        await writer.execute("alter table texts set (autovacuum_enabled = off)")
        await queue_texts(writer, [CHAT, *BEFORE] if left == "the first text" else [*BEFORE, CHAT])
        await writer.execute(_OURS, CHAT, AGENT)
        await writer.execute("vacuum analyze")
        await writer.execute("delete from texts where message_id <> $1 or $2", CHAT, left == "none")
        await writer.execute("vacuum texts")
        for _ in range(GENERIC):
            await reading(reader)
        await queue_texts(writer, list(WAVE))
        assert await _pages(reader, reading) <= MOST
        # The wave has gone, and nobody has cleaned up after it.
        await writer.execute("delete from texts where message_id <> $1", CHAT)
        for each in (reader, late):
            assert await _pages(each, reading) <= MOST


async def test_what_is_read_by_keys_is_planned_once_for_all_values(db: Database) -> None:
    async with db.connection() as writer:
        await queue_texts(writer, [CHAT])
    for _ in range(3):
        async with db.one_plan() as conn:
            await list_lines(conn, TENANT, AGENT, "sent", Part())
            await read_page(conn, TENANT, CHAT, None, 50, 500)
            planned = await conn.fetch(
                "select custom_plans, generic_plans from pg_prepared_statements"
                " where statement ~ 'score, chat_id|quiet_rule' and statement !~ 'custom_plans'"
            )
    assert [tuple(row) for row in planned] == [(0, 3), (0, 3)]


async def _pages(reader: Connection, reading: Reading) -> int:
    """How many pages of the queue and its indexes are looked at."""
    before = await _looked_at(reader)
    await reading(reader)
    return await _looked_at(reader) - before


async def _looked_at(reader: Connection) -> int:
    await reader.execute("select pg_stat_force_next_flush()")
    found: int = await reader.fetchval(
        "select sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::bigint from pg_statio_user_tables"
        " where relname = 'texts'"
    )
    return found


_OURS = "update chats set ends_at = null, status = 'ongoing', agent_id = $2 where chat_id = $1"

"""The accept statement: what no foreign key holds any more, plans that outlive empty tables, consumers met twice."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from smsdesk.domain.segments import segment
from smsdesk.domain.send import Send
from smsdesk.domain.tenant import Agent
from smsdesk.store.db import TRY_AGAIN, Connection, Database
from smsdesk.store.sends import AcceptRules, AcceptTimes, Decision, WantedSend, accept_sends
from tests.store.outbox import NOW, OURS, TENANT, make_tenant, opened

TIMES = AcceptTimes(NOW, NOW + timedelta(days=1), NOW + timedelta(days=1))
AGENT = Agent(5, "agent@example.com")

ORPHANS = """
select 'chats' from chats c left join end_users e using (tenant_id, end_user_id) where e.end_user_id is null
union all
select 'participants' from participants p left join chats c using (tenant_id, chat_id) where c.chat_id is null
union all
select 'messages' from messages m left join chats c using (tenant_id, chat_id) where c.chat_id is null
union all
select 'texts' from texts t left join messages m using (tenant_id, chat_id, message_id) where m.message_id is null
"""
COUNTED = ["agents", "blocked_numbers", "chats", "consent_holds", "end_users", "messages", "numbers", "opt_outs",
           "participants", "tenants", "texts"]  # fmt: skip


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
        await conn.execute(
            "insert into agents (tenant_id, agent_id, email) values (1, $1, $2)", AGENT.agent_id, AGENT.email
        )
    yield made
    await made.close()


def wanted(number: str, agent: Agent | None = None, key: str | None = None, body: str = "hello") -> WantedSend:
    return WantedSend(Send(number, OURS, body, segment(body), agent, None), None, key, key.encode() if key else None)


async def accept(conn: Connection, first_id: int, sends: Sequence[WantedSend], append: bool = False) -> list[Decision]:
    return await accept_sends(conn, TENANT, TIMES, AcceptRules(append), first_id, sends)


async def test_nothing_is_left_without_what_it_belongs_to(db: Database) -> None:
    """No foreign key holds chats, participants, messages and texts: the statement itself writes none alone."""
    seen: set[str] = set()

    async def send_groups(writer: int) -> None:
        chance = Random(writer)
        for group in range(12):
            sends = [
                wanted(
                    f"+1415555{chance.randrange(40):04}", chance.choice([None, None, AGENT]), f"key {writer} {n % 7}"
                )
                for n in range(chance.choice([1, 3, 9]))
            ]
            first = 10_000 * (writer + 1) + 100 * group
            for _ in range(10):
                try:
                    async with db.transaction() as conn:
                        seen.update(one.outcome for one in await accept(conn, first, sends, chance.random() < 0.5))
                    break
                except TRY_AGAIN:
                    continue

    await asyncio.gather(*(send_groups(writer) for writer in range(4)))
    assert {"accepted", "appended", "active_session", "replayed"} <= seen
    async with db.connection() as conn:
        assert await conn.fetch(ORPHANS) == []


async def test_each_session_has_its_consumer_its_message_and_its_text(db: Database) -> None:
    async with db.connection() as conn:
        await accept(conn, 1000, [wanted("+14155550101"), wanted("+14155550102", AGENT)])
        rows = await conn.fetch(
            """
            select c.chat_id, array(select row(p.participant_id, p.type)::text from participants p
                                    where p.chat_id = c.chat_id order by 1),
                   e.number, m.message_id, m.sender, t.destination
            from chats c join end_users e using (tenant_id, end_user_id) join messages m using (tenant_id, chat_id)
            join texts t using (tenant_id, chat_id, message_id) order by 1
            """
        )
    assert [tuple(row) for row in rows] == [
        (1000, ["(1002,end_user)"], "+14155550101", 1001, "api", "+14155550101"),
        (1005, ["(1007,end_user)", "(1008,agent)"], "+14155550102", 1006, "agent", "+14155550102"),
    ]


async def test_a_session_that_planned_on_empty_tables_reads_a_row_for_each_look_up_in_full_ones(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("vacuum analyze")
        for first in range(1000, 1500, 100):
            await accept(conn, first, [wanted(f"+1628555{first + n:04}") for n in range(5)])
        async with db.connection() as other:
            await _fill(other, 20_000)
        async with conn.transaction():
            sends = [wanted(f"+1415{1_000_000 + n}") for n in range(10)]  # of each, a consumer without an open chat
            decided = await accept(conn, 500_000, sends)
            assert {one.outcome for one in decided} == {"accepted"}
            rows = await conn.fetch(
                """
                select relname, seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables
                where relname = any ($1)
                """,
                COUNTED,
            )
            read = {row[0]: row[1] for row in rows}
    assert read["end_users"] >= 10
    assert max(read.values()) <= 60, read


async def _fill(conn: Connection, many: int) -> None:
    """Consumers +14151000000 and up with an ended chat each, and as many numbers with a hold, an opt-out, a block."""
    for statement in (
        "insert into end_users (tenant_id, end_user_id, number, created_at)"
        " select 1, 10000 + n, '+1415' || 1000000 + n, $2 from generate_series(0, $1::int) n",
        "insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, ends_at)"
        " select 1, 10000 + n, 10000 + n, '+1', 'outbound', 'finished', $2, $2 from generate_series(0, $1::int) n",
        "insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)"
        " select 1, 10000 + n, 10000 + n, 'api', '', 'gsm7', 1, $2 from generate_series(0, $1::int) n",
        "insert into blocked_numbers (tenant_id, number, at)"
        " select 1, '+1212' || 1000000 + n, $2 from generate_series(0, $1::int) n",
        "insert into opt_outs (tenant_id, number, at, source)"
        " select 1, '+1212' || 1000000 + n, $2, 'text' from generate_series(0, $1::int) n",
        "insert into consent_holds (tenant_id, hold_id, number, source, at, chat_id, message_id, words, reason)"
        " select 1, n, '+1212' || 1000000 + n, '+1', $2, 1, 1, '', '' from generate_series(0, $1::int) n",
        "insert into agents (tenant_id, agent_id, email, disabled_at)"
        " select 1, 10 + n, n || '@a.example', $2 from generate_series(1, $1::int) n",
    ):
        await conn.execute(statement, many, NOW)


async def test_two_sends_to_one_new_phone_are_of_one_consumer(db: Database) -> None:
    async with db.connection() as conn:
        decided = await accept(conn, 1000, [wanted("+14155550101"), wanted("+14155550101")], append=True)
        assert [one.outcome for one in decided] == ["accepted", "appended"]
        assert [(one.chat_id, one.end_user_id) for one in decided] == [(1000, 1004), (1000, 1004)]
        assert await conn.fetchval("select count(*) from end_users") == 1


CONSUMER = "+14155550101"
KNOWN = "insert into end_users (tenant_id, end_user_id, number, identifier, created_at) values (1, 9, $1, 'x', $2)"
OPEN = """
insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at)
values (1, 8, 9, $1, 'inbound', 'selecting', $2)
"""


async def test_who_is_second_with_a_new_phone_writes_nothing_and_finds_the_firsts_consumer(db: Database) -> None:
    sends = [wanted("+14155550100"), wanted(CONSUMER)]
    async with db.connection() as second:
        await _meet(db, (KNOWN, CONSUMER, NOW), accept(second, 1000, sends))
        assert await second.fetchval("select count(*) from chats") == 0
        decided = await accept(second, 2000, sends)
    assert [(one.outcome, one.end_user_id, one.identifier) for one in decided] == [
        ("accepted", 2004, None),
        ("accepted", 9, "x"),
    ]


async def test_who_is_second_with_a_chat_writes_nothing_and_finds_the_firsts_chat(db: Database) -> None:
    sends = [wanted("+14155550100"), wanted(CONSUMER)]
    async with db.connection() as second:
        await second.execute(KNOWN, CONSUMER, NOW)
        await _meet(db, (OPEN, OURS, NOW), accept(second, 1000, sends))
        assert await second.fetchval("select count(*) from messages") == 0
        decided = await accept(second, 2000, sends, append=True)
    assert [(one.outcome, one.chat_id) for one in decided] == [("accepted", 2000), ("appended", 8)]


async def _meet(db: Database, written: tuple[Any, ...], deciding: Coroutine[Any, Any, list[Decision]]) -> None:
    """Writes a row in a transaction that commits once `deciding` waits for it, which is then to be run again."""
    async with db.connection() as first, db.connection() as watcher:
        async with first.transaction():
            await first.execute(*written)
            task = asyncio.create_task(deciding)
            while not await watcher.fetchval("select exists (select from pg_locks where not granted)"):
                assert not task.done(), "it did not wait for the first"
        with pytest.raises(TRY_AGAIN):
            await task


async def test_two_sends_to_one_known_consumer_open_one_chat(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute(KNOWN, CONSUMER, NOW)
        decided = await accept(conn, 1000, [wanted(CONSUMER), wanted("+14155550100"), wanted(CONSUMER)])
        assert [(one.outcome, one.chat_id) for one in decided] == [
            ("accepted", 1000), ("accepted", 1005), ("active_session", 1000)
        ]  # fmt: skip
        assert await conn.fetchval("select count(*) from messages") == 2

"""The way back, on a real database: where replies go, and what STOP, START and HELP do."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from smsdesk.actions.expire_chats import expire_chats
from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.actions.settle_opt_out import settle_opt_out
from smsdesk.domain.reply import InboundPart, fingerprint
from smsdesk.store import nodes, replies, texts
from smsdesk.store.db import Database, Ids
from tests.kit.processes import until
from tests.store.outbox import LINE, NODE, NOW, OURS, TENANT, make_tenant, opened, queue_texts, states

PHONE = "+14155550100"
HELLO = InboundPart(LINE, PHONE, OURS, "hello", "gsm7", NOW, "s1")


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    db = await opened(database)
    async with db.connection() as conn:
        await make_tenant(conn)
    yield db
    await db.close()


@pytest.fixture
def receive(db: Database) -> ReceiveReply:
    return ReceiveReply(db, Ids(), lambda: 0.5)


def said(body: str, seconds: float = 0, **changes: object) -> InboundPart:
    return replace(HELLO, body=body, at=NOW + timedelta(seconds=seconds), **changes)  # type: ignore[arg-type]


async def chats(db: Database) -> list[tuple[object, ...]]:
    async with db.connection() as conn:
        rows = await conn.fetch(
            """
            select c.status, c.direction, c.queue_id, c.fail_reason, c.disconnected_by,
                   (select array_agg(m.body order by m.created_at, m.message_id) from messages m
                    where m.chat_id = c.chat_id and m.sender = 'end_user') as said
            from chats c order by c.created_at, c.chat_id
            """
        )
    return [tuple(row) for row in rows]


async def open_chat(db: Database, status: str = "selecting", agent: bool = False) -> None:
    async with db.connection() as conn:
        await conn.execute("insert into agents (tenant_id, agent_id, email) values (1, 9, 'ana@foo.com')")
        await conn.execute("insert into end_users values (1, 50, $1, null, null, $2)", PHONE, NOW)
        await conn.execute(
            """
            insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at,
                               expires_at, agent_id) values (1, 60, 50, $1, 'outbound', $2, $3, $4, $5)
            """,
            OURS, status, NOW - timedelta(hours=1), NOW + timedelta(hours=1), 9 if agent else None,
        )  # fmt: skip
        await conn.execute(
            """
            insert into participants (tenant_id, chat_id, participant_id, type, end_user_id, connected_at)
            values (1, 60, 61, 'end_user', 50, $1)
            """,
            NOW,
        )


async def test_a_reply_brings_the_chat_into_the_queue(db: Database, receive: ReceiveReply) -> None:
    await open_chat(db)
    await receive(TENANT, HELLO)
    assert await chats(db) == [("queued", "outbound", 1, None, "disconnected_by_unknown", ["hello"])]
    async with db.connection() as conn:
        assert await conn.fetchval("select expires_at is null and queued_at = $1 from chats", NOW)


async def test_an_assigned_chat_stays_with_its_agent(db: Database, receive: ReceiveReply) -> None:
    await open_chat(db, "assigned", agent=True)
    await receive(TENANT, HELLO)
    assert [row[:3] for row in await chats(db)] == [("assigned", "outbound", None)]


async def test_without_a_chat_one_is_opened(db: Database, receive: ReceiveReply) -> None:
    await receive(TENANT, HELLO)
    await receive(TENANT, said("again", 1))
    assert [(row[0], row[1], row[5]) for row in await chats(db)] == [("queued", "inbound", ["hello", "again"])]


async def test_parallel_replies_of_a_stranger_meet_in_one_chat(db: Database, receive: ReceiveReply) -> None:
    await asyncio.gather(*(receive(TENANT, said(f"{n}", n)) for n in range(8)))
    ((status, *_, bodies),) = await chats(db)
    assert status == "queued"
    assert sorted(bodies) == [str(n) for n in range(8)]  # type: ignore[call-overload]


async def test_a_reply_walks_the_menu_of_its_number(db: Database, receive: ReceiveReply) -> None:
    async with db.connection() as conn:
        await conn.execute(
            "insert into queues (tenant_id, name, parent_id, position) values (1, 'Billing', 1, 1), (1, 'Orders', 1, 2)"
        )
    await receive(TENANT, HELLO)
    await receive(TENANT, said("2", 1))
    ((status, _, queue_id, *_, bodies),) = await chats(db)
    assert (status, bodies) == ("queued", ["hello", "2"])
    async with db.connection() as conn:
        assert await conn.fetchval("select name from queues where queue_id = $1", queue_id) == "Orders"
        texts = await conn.fetch("select m.body from texts join messages m using (tenant_id, chat_id, message_id)")
        assert [text["body"].splitlines()[-2:] for text in texts] == [["1 Billing", "2 Orders"]]


async def test_a_number_that_is_not_ours_is_told_and_the_supervisors_get_the_chat(
    db: Database, receive: ReceiveReply
) -> None:
    received = await receive(TENANT, said("hi", destination="+16285550000"))
    assert received.unknown_number
    async with db.connection() as conn:
        supervisors = await conn.fetchval("select queue_id from queues where purpose = 'supervisors'")
    assert [(row[0], row[2], row[5]) for row in await chats(db)] == [("queued", supervisors, ["hi"])]


async def test_repetitions(db: Database, receive: ReceiveReply) -> None:
    await receive(TENANT, said("yes"))
    await receive(TENANT, said("yes", 5))
    await receive(TENANT, said("yes", 6, session="s2"))
    await receive(TENANT, said("ref", 7, carrier_reference="x"))
    await receive(TENANT, said("ref", 8, carrier_reference="x", session="s2"))
    assert [row[5] for row in await chats(db)] == [["yes", "yes", "ref"]]


async def test_a_named_reply_is_new_to_one_by_the_key_alone(db: Database) -> None:
    """Without the lock on the consumer: the statement by itself, in two transactions at once."""
    part = said("yes", carrier_reference="x")
    print_ = fingerprint(part)
    async with db.connection() as first, db.connection() as second:
        pid = second.get_server_pid()
        for ends, new_to_second in (("rollback", True), ("commit", False)):
            await first.execute("delete from received")
            await first.execute("begin")
            assert await replies.remember_once(first, TENANT, part, print_)
            waiting = asyncio.create_task(replies.remember_once(second, TENANT, part, print_))
            await until(lambda: is_blocked(db, pid), 5, "the second waits for the first")
            assert not waiting.done()
            await first.execute(ends)
            assert await waiting is new_to_second
            assert not await replies.remember_once(second, TENANT, part, print_)


async def is_blocked(db: Database, pid: int) -> bool:
    async with db.connection() as conn:
        return bool(await conn.fetchval("select cardinality(pg_blocking_pids($1)) > 0", pid))


async def test_a_named_reply_is_one_message_over_any_connections(db: Database, receive: ReceiveReply) -> None:
    copies = (said("yes", n, carrier_reference="x", session=f"s{n}") for n in range(8))
    await asyncio.gather(*(receive(TENANT, copy) for copy in copies))
    await receive(TENANT, said("yes", 9, carrier_reference="y"))
    assert [row[5] for row in await chats(db)] == [["yes", "yes"]]


async def test_a_long_reply_waits_for_its_parts(db: Database, receive: ReceiveReply) -> None:
    await receive(TENANT, said("b", 1, part=(7, 2, 3)))
    await receive(TENANT, said("c", 2, part=(7, 3, 3)))
    assert await chats(db) == []
    await receive(TENANT, said("a", 3, part=(7, 1, 3)))
    assert [row[5] for row in await chats(db)] == [["abc"]]


async def test_a_long_reply_with_a_hole_is_shown_with_the_hole(db: Database, receive: ReceiveReply) -> None:
    await receive(TENANT, said("a", part=(7, 1, 2)))
    async with db.connection() as conn:
        assert await replies.find_incomplete(conn, TENANT, NOW) == []
        (long,) = await replies.find_incomplete(conn, TENANT, NOW + timedelta(seconds=1))
    await receive.incomplete(TENANT, long, NOW + timedelta(seconds=61))
    await receive.incomplete(TENANT, long, NOW + timedelta(seconds=62))
    assert [row[5] for row in await chats(db)] == [["a[part 2 of 2 did not arrive]"]]


async def test_stop_ends_everything_and_confirms_once(db: Database, receive: ReceiveReply) -> None:
    await open_chat(db)
    async with db.connection() as conn:
        await queue_texts(conn, [1, 2], destination=PHONE)
    assert (await receive(TENANT, said("Stop."))).opted_out
    assert (await receive(TENANT, said("STOP", 9))).opted_out
    async with db.connection() as conn:
        seen = await states(conn)
        assert seen[1] == seen[2] == ("failed", "opted_out")
        assert await conn.fetchval("select count(*) from texts where kind = 'confirmation'") == 1
        assert await conn.fetchval("select count(*) from messages where sender = 'system'") == 1
        assert [row["kind"] for row in await conn.fetch("select kind from consent_history")] == ["opted_out"] * 2
        assert await conn.fetchval("select bool_and(status = 'finished' and ended_at is not null) from participants")
    stopped = ("failed", "end_user_opt_out", "disconnected_by_end_user")
    assert {(row[0], row[3], row[4]) for row in await chats(db) if row[5]} == {stopped}


async def test_a_stop_waits_for_what_is_on_the_wire(db: Database, receive: ReceiveReply) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, [1], destination=PHONE)
        await nodes.renew(conn, NODE, "test", NOW, NOW + timedelta(seconds=10))
        assert len(await texts.claim(conn, TENANT, LINE, texts.Wanted(9), NODE, NOW)) == 1
    await receive(TENANT, said("STOP", 1))
    assert not await settle_opt_out(db, TENANT, PHONE, NOW + timedelta(seconds=2))
    async with db.connection() as conn:
        assert await texts.claim(conn, TENANT, LINE, texts.Wanted(9), NODE, NOW + timedelta(seconds=2)) == []
    # The node is dead by then: what it has not sent does not leave any more.
    assert await settle_opt_out(db, TENANT, PHONE, NOW + timedelta(seconds=11))
    async with db.connection() as conn:
        (confirmation,) = await texts.claim(conn, TENANT, LINE, texts.Wanted(9), NODE, NOW + timedelta(seconds=11))
        assert confirmation.destination == PHONE
        assert "START" in confirmation.body
        assert await conn.fetchval("select quiet_at from opt_outs") == NOW + timedelta(seconds=11)


async def test_a_text_accepted_during_the_stop_is_caught_at_the_claim(db: Database, receive: ReceiveReply) -> None:
    await receive(TENANT, said("STOP"))
    async with db.connection() as conn:
        await queue_texts(conn, [1], destination=PHONE)
        claimed = await texts.claim(conn, TENANT, LINE, texts.Wanted(9), NODE, NOW + timedelta(minutes=1))
        assert [text.message_id for text in claimed if text.message_id == 1] == []
        assert (await states(conn))[1] == ("failed", "opted_out")


async def test_start_lets_texts_through_again(db: Database, receive: ReceiveReply) -> None:
    await receive(TENANT, said("STOP"))
    assert (await receive(TENANT, said("yes", 5))).answered
    async with db.connection() as conn:
        assert await conn.fetchval("select count(*) from opt_outs") == 0
        assert [r[0] for r in await conn.fetch("select kind from consent_history order by at")] == [
            "opted_out",
            "opted_in",
        ]
    assert [row[0] for row in await chats(db)] == ["failed", "finished"]
    assert (await receive(TENANT, said("STOP", 6))).answered


async def test_start_of_somebody_who_never_stopped_is_for_a_person(db: Database, receive: ReceiveReply) -> None:
    await receive(TENANT, said("START"))
    assert [row[0] for row in await chats(db)] == ["queued"]
    async with db.connection() as conn:
        assert await conn.fetch("select from consent_history") == []


async def test_help_is_answered_and_needs_nobody_and_nothing_leaves_after_stop(
    db: Database, receive: ReceiveReply
) -> None:
    await receive(TENANT, said("help"))
    async with db.connection() as conn:
        assert [r[0] for r in await conn.fetch("select kind from texts")] == ["answer"]
    await receive(TENANT, said("STOP", 1))
    await receive(TENANT, said("help", 2))
    assert [row[0] for row in await chats(db)] == ["finished", "failed", "queued"]
    async with db.connection() as conn:
        assert [r[0] for r in await conn.fetch("select kind from texts")] == ["confirmation"]


async def test_chats_that_nobody_answers_close(db: Database, receive: ReceiveReply) -> None:
    await open_chat(db)
    assert await expire_chats(db, TENANT, NOW) == 0
    assert await expire_chats(db, TENANT, NOW + timedelta(hours=2)) == 1
    assert [(row[0], row[3]) for row in await chats(db)] == [("failed", "no_response")]
    await receive(TENANT, said("late", 8000))
    assert [(row[0], row[1]) for row in await chats(db)] == [("failed", "outbound"), ("queued", "inbound")]

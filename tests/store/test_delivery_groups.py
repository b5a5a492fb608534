"""Outcomes and receipts in mixed groups: each text ends as it would alone, and no statement
reads more than its group."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from smsdesk.actions.record_facts import record_facts
from smsdesk.domain.text_state import AttemptOutcome, PartReceipt
from smsdesk.store import facts, receipts, texts
from smsdesk.store.db import Connection, Database
from tests.store.outbox import LINE, NODE, NOW, TENANT, make_tenant, opened, queue_texts, states


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    db = await opened(database)
    async with db.connection() as conn:
        await make_tenant(conn)
    yield db
    await db.close()


async def claim(conn: Connection, limit: int) -> list[int]:
    claimed = await texts.claim(conn, TENANT, LINE, texts.Wanted(limit), NODE, NOW)
    return [text.message_id for text in claimed]


def accepted(message_id: int, parts: int = 1, attempt: int = 1) -> AttemptOutcome:
    return AttemptOutcome(message_id, attempt, "accepted", part_ids=tuple(f"{message_id}/{n}" for n in range(parts)))


def report(name: str, state: str = "delivered", code: str = "000") -> PartReceipt:
    return PartReceipt(name, state, None if state == "delivered" else "unknown_number", code)


async def ledger(conn: Connection) -> dict[tuple[int, int], tuple[str, str | None, str | None]]:
    rows = await conn.fetch("select message_id, part, state, carrier_part_id, code from parts")
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}


async def test_a_mixed_group_of_outcomes_ends_each_text_as_alone(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, [1, 2, 4, 5, 6])
        await queue_texts(conn, [3], parts=3)
        assert sorted(await claim(conn, 10)) == [1, 2, 3, 4, 5, 6]
        group = [
            accepted(5),
            AttemptOutcome(4, 1, "refused", "unknown_number", "0x0b", None),
            accepted(3, parts=3),
            accepted(6, attempt=2),  # of an attempt that never was
            AttemptOutcome(2, 1, "doubtful", code="no answer", part_ids=("2/0",)),
            accepted(2),
            accepted(1),
        ]
        assert await texts.record_outcomes(conn, TENANT, LINE, NOW, group) == 5
        sent, sending = ("sent", None), ("sending", None)
        failed = ("failed", "unknown_number")
        assert await states(conn) == {1: sent, 2: sent, 3: sent, 4: failed, 5: sent, 6: sending}
        assert await ledger(conn) == {
            (1, 1): ("sent", "1/0", None),
            (2, 1): ("sent", "2/0", None),
            (3, 1): ("sent", "3/0", None),
            (3, 2): ("sent", "3/1", None),
            (3, 3): ("sent", "3/2", None),
            (4, 1): ("failed", None, "0x0b"),
            (5, 1): ("sent", "5/0", None),
            (6, 1): ("sending", None, None),
        }
        assert await conn.fetchval("select sum(texts)::int from usage") == 4
        assert await conn.fetchval("select sum(segments)::int from usage") == 6


async def test_a_mixed_group_of_receipts_ends_each_text_as_alone(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, [1, 2, 4, 5])
        await queue_texts(conn, [3], parts=2)
        await claim(conn, 10)
        outcomes = [accepted(1), accepted(2), accepted(3, parts=2), accepted(4), accepted(5)]
        await texts.record_outcomes(conn, TENANT, LINE, NOW, outcomes)
        group = [
            report("2/0", "undelivered", "011"),
            report("4/0", "sent"),  # an interim word
            report("3/0"),
            report("1/0", code="001"),
            report("nobody"),
            report("2/0", code="012"),  # a part's first end stays
            report("3/1", "undelivered", "013"),
        ]
        assert await receipts.record(conn, TENANT, LINE, NOW, group) == 1
        assert await states(conn) == {
            1: ("delivered", None),
            2: ("undelivered", "unknown_number"),
            3: ("undelivered", "unknown_number"),
            4: ("sent", None),
            5: ("sent", None),
        }
        ended = await conn.fetch("select message_id, code, ended_at from messages where state is not null")
        assert {row[0]: (row[1], row[2]) for row in ended} == {1: ("001", NOW), 2: ("011", NOW), 3: ("013", NOW)}
        assert await conn.fetchval("select carrier_part_id from orphan_receipts") == "nobody"


async def test_outcomes_and_receipts_in_one_group_end_each_text_as_in_two(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, [1, 2, 3, 4])
        await queue_texts(conn, [5], parts=2)
        await claim(conn, 10)
        await texts.record_outcomes(conn, TENANT, LINE, NOW, [accepted(1)])
        outcomes = [accepted(2), accepted(3), AttemptOutcome(4, 1, "doubtful", code="no answer"), accepted(5, parts=2)]
        reports = [
            report("1/0", code="001"),  # of an earlier group
            report("2/0", "undelivered", "011"),
            report("5/1"),
            report("nobody"),
            report("5/0"),
        ]
        left = await facts.record(conn, TENANT, LINE, NOW, outcomes, reports)
        assert [one.part_id for one in left] == ["nobody"]
        assert await conn.fetchval("select count(*) from orphan_receipts") == 0
        assert await states(conn) == {
            1: ("delivered", None),
            2: ("undelivered", "unknown_number"),
            3: ("sent", None),
            4: ("doubtful", None),
            5: ("delivered", None),
        }
        assert await conn.fetchval("select sum(texts)::int from usage") == 4


async def test_a_receipt_on_a_part_that_nobody_knows_is_kept_beside_outcomes(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, [1])
        await claim(conn, 1)
    early = report("2/0")._replace(number="+14155550102", reference=2)
    await record_facts(db, TENANT, LINE, NOW, [accepted(1)], [report("1/0"), early])
    async with db.connection() as conn:
        assert await states(conn) == {1: ("delivered", None)}
        kept = await conn.fetchrow("select carrier_part_id, state, number, reference, whole from orphan_receipts")
        assert tuple(kept) == ("2/0", "delivered", "+14155550102", 2, False)


async def test_outcomes_and_receipts_are_written_by_one_commit(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, [1, 2])
        await claim(conn, 2)
        await texts.record_outcomes(conn, TENANT, LINE, NOW, [accepted(1)])
    await record_facts(db, TENANT, LINE, NOW, [accepted(2)], [report("1/0")])
    async with db.connection() as conn:
        writers = await conn.fetch("select distinct xmin::text from parts where message_id in (1, 2)")
    assert len(writers) == 1, "the transactions that the outcome and the receipt were written in"


async def test_a_name_that_a_carrier_uses_again_means_the_text_that_was_sent_last(db: Database) -> None:
    async with db.connection() as conn:
        for message_id, later in ((1, 0), (2, 1)):
            now = NOW + timedelta(hours=later)
            await queue_texts(conn, [message_id])
            await texts.claim(conn, TENANT, LINE, texts.Wanted(1), NODE, now)
            await texts.record_outcomes(
                conn, TENANT, LINE, now, [AttemptOutcome(message_id, 1, "accepted", part_ids=("again",))]
            )
        await receipts.record(conn, TENANT, LINE, NOW, [report("again")])
        assert await states(conn) == {1: ("sent", None), 2: ("delivered", None)}


async def test_plans_made_on_empty_tables_read_no_more_than_their_group(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("vacuum")
        await queue_texts(conn, [1])
        await deliver(conn, 1)  # makes every plan, where nearly nothing is there
        await queue_texts(conn, list(range(2, 3_002)))
        await claim(conn, 1_000)
        await texts.record_outcomes(conn, TENANT, LINE, NOW, [accepted(n) for n in range(2, 1_002)])
        async with conn.transaction():
            before = await read(conn)
            await deliver(conn, 20)
            after = await read(conn)
        assert await conn.fetchval("select count(*) from messages where state = 'delivered'") == 21
        # A text is looked at twelve times on its way, its part three times, its message twice.
        assert {name: after[name] - before[name] for name in after if after[name] - before[name] > 20 * 20} == {}


async def deliver(conn: Connection, limit: int) -> None:
    """Texts on their whole way."""
    ids = await claim(conn, limit)
    assert len(ids) == limit
    await texts.record_outcomes(conn, TENANT, LINE, NOW, [accepted(n) for n in ids])
    await receipts.record(conn, TENANT, LINE, NOW, [report(f"{n}/0") for n in ids])


async def read(conn: Connection) -> dict[str, int]:
    """Rows that this transaction read so far, by table."""
    rows = await conn.fetch(
        "select relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables"
        " where relname in ('texts', 'messages', 'parts')"
    )
    return {row[0]: row[1] for row in rows}

"""Claims, outcomes and receipts at the same time, and what a claim does not let through."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from smsdesk.domain.text_state import AttemptOutcome, PartReceipt
from smsdesk.store import receipts, texts
from smsdesk.store.db import Database
from smsdesk.store.groups import Groups
from tests.store.outbox import LINE, NODE, NOW, TENANT, make_tenant, opened, queue_texts, states


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    db = await opened(database)
    async with db.connection() as conn:
        await make_tenant(conn)
    yield db
    await db.close()


async def test_parallel_claims_never_share_a_text(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, list(range(1, 301)))

    async def claim() -> list[int]:
        async with db.connection() as conn:
            return [text.message_id for text in await texts.claim(conn, TENANT, LINE, texts.Wanted(50), NODE, NOW)]

    claimed = [one for group in await asyncio.gather(*(claim() for _ in range(9))) for one in group]
    assert sorted(claimed) == list(range(1, 301))


async def test_outcomes_and_receipts_that_pass_each_other_leave_nothing_unfinished(db: Database) -> None:
    ids = list(range(1, 201))
    async with db.connection() as conn:
        await queue_texts(conn, ids, parts=2)
        await texts.claim(conn, TENANT, LINE, texts.Wanted(200), NODE, NOW)

    async def outcomes(group: Sequence[AttemptOutcome]) -> Sequence[None]:
        async with db.connection() as conn:
            await texts.record_outcomes(conn, TENANT, LINE, NOW, group)
        return [None] * len(group)

    async def reports(group: Sequence[PartReceipt]) -> Sequence[None]:
        async with db.connection() as conn:
            await receipts.record(conn, TENANT, LINE, NOW, group)
        return [None] * len(group)

    told = Groups(outcomes, max_size=7, parallel=2)
    reported = Groups(reports, max_size=11, parallel=4)
    futures = [told.submit(AttemptOutcome(n, 1, "accepted", part_ids=(f"{n}/0", f"{n}/1"))) for n in ids]
    futures += [reported.submit(PartReceipt(f"{n}/{part}", "delivered", None, "")) for part in (0, 1) for n in ids]
    await asyncio.gather(*futures)
    async with db.connection() as conn:
        assert set((await states(conn)).values()) == {("delivered", None)}
        assert await conn.fetchval("select count(*) from orphan_receipts") == 0


async def test_a_text_past_its_time_is_not_sent_and_hides_no_other(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, list(range(1, 31)), valid_until=NOW)
        await queue_texts(conn, [31], due_at=NOW + timedelta(seconds=1))
        assert await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, NOW) == []
        (text,) = await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, NOW + timedelta(seconds=1))
        assert text.message_id == 31
        assert (await states(conn))[30] == ("expired", "expired_here")


async def test_refusals_are_tried_later_and_not_for_ever(db: Database) -> None:
    now, pauses = NOW, []
    async with db.connection() as conn:
        await queue_texts(conn, [1])
        while True:
            (text,) = await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, now)
            refusal = AttemptOutcome(1, text.attempt, "refused", "carrier_error", "0x08", 1.0)
            assert await texts.record_outcomes(conn, TENANT, LINE, now, [refusal]) == 1
            assert await texts.record_outcomes(conn, TENANT, LINE, now, [refusal]) == 0
            due = await conn.fetchval("select due_at from texts")
            if due is None:
                break
            pauses.append((due - now).total_seconds())
            now = due
        assert (await states(conn))[1] == ("failed", "carrier_error")
    assert pauses == [min(2.0**n, 256.0) for n in range(19)]


async def test_a_line_that_is_told_to_slow_down_keeps_its_order_and_gives_nothing_up(db: Database) -> None:
    waits = []
    async with db.connection() as conn:
        await queue_texts(conn, [1])
        await queue_texts(conn, [2], due_at=NOW + timedelta(seconds=1))
        now = NOW
        for _ in range(30):
            text, *_ = await texts.claim(conn, TENANT, LINE, texts.Wanted(1), NODE, now)
            if text.message_id == 2:
                await texts.record_outcomes(conn, TENANT, LINE, now, [AttemptOutcome(2, 1, "accepted")])
                continue
            refusal = AttemptOutcome(1, text.attempt, "refused", "queue_full", "0x58", 1.0)
            await texts.record_outcomes(conn, TENANT, LINE, now, [refusal])
            due = await conn.fetchval("select due_at from texts where message_id = 1")
            waits.append((due - now).total_seconds())
            now = max(due, now)
    # In its place ten times, then 1 second, in which the other passes it, 2, 4 ... and 30 at most.
    assert waits == [0.0] * 10 + [1.0, 2.0, 4.0, 8.0, 16.0] + [30.0] * 14


async def test_a_receipt_after_the_long_wait_still_counts(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, [1])
        await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, NOW)
        await texts.record_outcomes(conn, TENANT, LINE, NOW, [AttemptOutcome(1, 1, "accepted", part_ids=("a",))])
        later = NOW + timedelta(hours=73)
        assert await texts.end_silent(conn, TENANT, later, NOW, 10) == 0
        assert await texts.end_silent(conn, TENANT, later, later - timedelta(hours=72), 10) == 1
        assert (await states(conn))[1] == ("sent", None)
        await receipts.record(conn, TENANT, LINE, later, [PartReceipt("a", "undelivered", "unreachable", "x")])
        await receipts.record(conn, TENANT, LINE, later, [PartReceipt("a", "delivered", None, "x")])
        assert (await states(conn))[1] == ("undelivered", "unreachable")

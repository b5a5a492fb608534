"""Which text leaves next: people's answers before notices, in order between two numbers, within what limits allow."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from smsdesk.domain.segments import segment
from smsdesk.domain.text_state import AttemptOutcome
from smsdesk.store import paces, texts
from smsdesk.store.db import Connection, Database
from smsdesk.store.messages import NewText, add_texts
from smsdesk.store.texts import Wanted
from tests.store.outbox import LINE, NODE, NOW, OURS, TENANT, make_tenant, opened, queue_texts

PHONE = "+14155550100"
LATER = NOW + timedelta(days=1)
OTHER = "+16285550150"


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
        await conn.execute("insert into pacers values ($1, $2)", TENANT, NODE)
    yield made
    await made.close()


async def claim(db: Database, wanted: Wanted, at: timedelta = timedelta()) -> list[int]:
    async with db.connection() as conn:
        return [text.message_id for text in await texts.claim(conn, TENANT, LINE, wanted, NODE, NOW + at)]


async def record(db: Database, message_id: int, kind: str, **more: object) -> None:
    async with db.connection() as conn:
        attempt = await conn.fetchval("select attempt from texts where message_id = $1", message_id)
        outcome = AttemptOutcome(message_id, attempt, kind, **more)  # type: ignore[arg-type]
        await texts.record_outcomes(conn, TENANT, LINE, NOW, [outcome])


async def urge(conn: Connection, *ids: int) -> None:
    await conn.execute("update texts set priority = 1 where message_id = any ($1)", ids)


async def test_answers_leave_before_notices_that_have_waited_longer(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, range(1, 101), due_at=NOW - timedelta(hours=1))
        await queue_texts(conn, range(200, 204))
        await urge(conn, *range(200, 204))
    assert await claim(db, Wanted(10)) == [200, 201, 202, 203, 1, 2, 3, 4, 5, 6]


async def test_answers_without_end_do_not_starve_notices(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, range(1, 101))
        await queue_texts(conn, range(200, 300))
        await urge(conn, *range(200, 300))
    assert await claim(db, Wanted(10, notices=2)) == [*range(200, 208), 1, 2]
    assert await claim(db, Wanted(1, notices=1)) == [3]
    assert await claim(db, Wanted(1)) == [208]


async def test_notices_do_not_wait_for_answers_that_are_not_there(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, range(1, 6))
    assert await claim(db, Wanted(10, notices=2)) == [1, 2, 3, 4, 5]


async def test_a_text_waits_for_the_one_before_it_to_the_same_phone(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (2,), destination=PHONE)
        await queue_texts(conn, (1, 3), destination=PHONE)
        await conn.execute("update texts set queued_at = queued_at - interval '1 s' where message_id = 2")
    assert await claim(db, Wanted(10)) == [2]
    assert await claim(db, Wanted(10)) == [], "2 is on its way"
    await record(db, 2, "refused", reason="queue_full", code="0x58", retry_after=1.0)
    assert await claim(db, Wanted(10)) == [2], "2 is tried again before 1 is tried"
    await record(db, 2, "refused", reason="carrier_error", code="0x08", retry_after=60.0)
    assert await claim(db, Wanted(10)) == [], "2 rests, and 1 waits with it"
    assert await claim(db, Wanted(10), at=timedelta(minutes=5)) == [2]
    await record(db, 2, "accepted", part_ids=("a",))
    assert await claim(db, Wanted(10), at=timedelta(minutes=5)) == [1]
    await record(db, 1, "doubtful")
    assert await claim(db, Wanted(10), at=timedelta(minutes=5)) == [3], "a doubtful text is waited for by nobody"


async def test_other_numbers_and_phones_do_not_wait(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1, 2, 3), destination=PHONE)
        await conn.execute("update texts set source = $1 where message_id = 2", OTHER)
        await queue_texts(conn, (4,))
    assert await claim(db, Wanted(10)) == [1, 2, 4]


async def test_a_confirmation_waits_for_nobody(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1, 2), destination=PHONE)
        await conn.execute("update texts set kind = 'confirmation', priority = 0 where message_id = 2")
    assert await claim(db, Wanted(10)) == [2, 1]


async def test_under_limits_each_number_gives_what_it_may(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, range(1, 21), parts=3)
        await queue_texts(conn, range(101, 121))
        await conn.execute("update texts set source = $1 where message_id > 100", OTHER)
    assert await claim(db, Wanted(50, 0, {OURS: 7, OTHER: 2})) == [1, 2, 3, 101, 102], "the last one may reach over"
    assert await claim(db, Wanted(50, 0, {OTHER: 1})) == [103]
    assert await claim(db, Wanted(2, 0, {OURS: 50, OTHER: 50})) == [4, 5]
    async with db.connection() as conn:
        rows = await conn.fetch("select source, segments::int from paced order by source")
        assert [tuple(row) for row in rows] == [(OTHER, 3), (OURS, 15)]


async def test_under_limits_an_answer_is_not_kept_by_notices_of_its_own_number(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, range(1, 50))
        await queue_texts(conn, (101, 102))
        await conn.execute("update texts set source = $1 where message_id > 40", OTHER)
        await urge(conn, 40, 102)
    assert await claim(db, Wanted(50, 1, {OURS: 1, OTHER: 1})) == [40, 41], "the other number's is the notices' share"
    assert await claim(db, Wanted(50, 0, {OTHER: 1, OURS: 1})) == [102, 1]
    async with db.connection() as conn:
        await urge(conn, *range(2, 30))
    assert await claim(db, Wanted(50, 1, {OURS: 1})) == [30], "answers without end leave notices their share"
    assert await claim(db, Wanted(50, 0, {OURS: 1})) == [2]


async def test_the_numbers_with_something_to_send_now_the_urgent_first(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, range(1, 50))
        await queue_texts(conn, (101, 102))
        await conn.execute("update texts set source = $1 where message_id > 100", "+1999")
        await urge(conn, 102)
        await queue_texts(conn, (201,), due_at=NOW + timedelta(hours=1))
        await conn.execute("update texts set source = $1 where message_id = 201", OTHER)
        assert await texts.find_sources(conn, TENANT, LINE, NOW) == [(1, "+1999"), (2, OURS)]
        later = await texts.find_sources(conn, TENANT, LINE, NOW + timedelta(hours=1))
        assert later == [(1, "+1999"), (2, OTHER), (2, OURS)]


async def test_a_number_whose_texts_wait_behind_others_is_kept_nothing(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1, 2), destination=PHONE)
    assert await claim(db, Wanted(10)) == [1]
    async with db.connection() as conn:
        assert await texts.find_sources(conn, TENANT, LINE, NOW) == []
    await record(db, 1, "refused", reason="carrier_error", code="0x08", retry_after=60.0)
    async with db.connection() as conn:
        assert await texts.find_sources(conn, TENANT, LINE, NOW) == []
        assert await texts.find_sources(conn, TENANT, LINE, NOW + timedelta(minutes=2)) == [(2, OURS)]


async def test_who_does_not_keep_the_limits_claims_nothing_under_them(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1,))
        await conn.execute("update pacers set node_id = node_id + 1")
    assert await claim(db, Wanted(10, 0, {OURS: 10})) == []
    async with db.connection() as conn:
        await conn.execute("update pacers set node_id = $1", NODE)
    assert await claim(db, Wanted(10, 0, {OURS: 10})) == [1]


async def test_a_notice_that_is_tried_before_an_answer_comes_back_as_urgent(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1,), destination=PHONE)
    assert await claim(db, Wanted(10)) == [1]
    async with db.connection() as conn:
        await queue_texts(conn, range(10, 30), due_at=NOW - timedelta(hours=1))
        answer = NewText(2, 1, "agent", None, None, "yes", segment("yes"), "answer", LINE, OURS, PHONE, NOW, LATER)
        await add_texts(conn, TENANT, [answer])
    await record(db, 1, "refused", reason="queue_full", code="0x58", retry_after=1.0)
    assert await claim(db, Wanted(1)) == [1]
    await record(db, 1, "accepted", part_ids=("a",))
    assert await claim(db, Wanted(1)) == [2]


async def mark(db: Database, at: timedelta) -> None:
    async with db.connection() as conn:
        await texts.mark_queue(conn, TENANT, LINE, NOW + at)


async def test_a_claim_does_not_pass_what_an_old_snapshot_keeps(database: str, db: Database) -> None:
    """As a backup does, or a long report: what is gone stays in the tables until they end."""
    old, later = await asyncpg.connect(database), timedelta(seconds=10)
    await old.execute("begin isolation level repeatable read")
    await old.fetchval("select count(*) from texts")
    async with db.connection() as conn:
        await queue_texts(conn, range(1, 2_001))
        await conn.execute("update texts set not_after = $1", NOW + timedelta(hours=1))
    assert len(await claim(db, Wanted(2_000))) == 2_000

    async def read(conn: Connection) -> int:
        entries: int = await conn.fetchval(
            "select sum(pg_stat_get_xact_tuples_returned(name::regclass))::int"
            " from unnest('{texts_queue,texts_queue_by_source,texts_windows}'::text[]) name"
        )
        return entries

    async def passed(conn: Connection, wanted: Wanted) -> int:
        """Entries of both queues, and of texts with a window, that a claim reads; what it takes is given back."""
        change = conn.transaction()
        await change.start()
        before = await read(conn)
        await texts.find_sources(conn, TENANT, LINE, NOW + later)
        taken = await texts.claim(conn, TENANT, LINE, wanted, NODE, NOW + later)
        assert [text.message_id for text in taken] == [3_001, 3_002]
        entries = await read(conn) - before
        await change.rollback()
        return entries

    async with db.connection() as conn:
        await queue_texts(conn, (3_001, 3_002), due_at=NOW + later)
        for wanted in (Wanted(10), Wanted(10, 0, {OURS: 10})):
            assert await passed(conn, wanted) > 2_000
            await texts.mark_queue(conn, TENANT, LINE, NOW + later)
            assert await passed(conn, wanted) < 50
            await conn.execute("delete from queue_marks")
    await old.close()


async def test_what_waits_behind_the_mark_is_late_by_three_seconds_at_most(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1,), due_at=NOW - timedelta(minutes=1))
    assert await claim(db, Wanted(1)) == [1]
    await mark(db, timedelta())
    await record(db, 1, "unsent")  # it is due since a minute again, behind the mark
    assert await claim(db, Wanted(1), at=timedelta(seconds=1)) == []
    assert await claim(db, Wanted(1), at=timedelta(seconds=3.1)) == [1], "a mark is believed for three seconds"
    await record(db, 1, "unsent")
    await mark(db, timedelta(seconds=4))
    assert await claim(db, Wanted(1), at=timedelta(seconds=4)) == [1], "the next mark has seen it"


async def test_a_mark_of_a_clock_that_was_put_back_is_not_believed(db: Database) -> None:
    await mark(db, timedelta(hours=1))
    async with db.connection() as conn:
        await queue_texts(conn, (1,))
    assert await claim(db, Wanted(1)) == [1]


async def test_the_mark_is_before_all_that_waits(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1, 2), destination=PHONE, due_at=NOW - timedelta(hours=1))
        await queue_texts(conn, (3,), due_at=NOW - timedelta(minutes=1))
        await urge(conn, 3)
        assert await claim(db, Wanted(1)) == [3]
        assert await claim(db, Wanted(1)) == [1]
        await texts.mark_queue(conn, TENANT, LINE, NOW)
        await record(db, 1, "accepted", part_ids=("a",))
    assert await claim(db, Wanted(1)) == [2], "it waited behind 1 when the mark was made"
    await mark(db, timedelta(seconds=5))
    async with db.connection() as conn:
        # Due before the mark was made, and committed after it.
        await queue_texts(conn, (4,), due_at=NOW + timedelta(seconds=3.5))
    assert await claim(db, Wanted(1), at=timedelta(seconds=5)) == [4]


async def test_one_node_keeps_the_limits_until_it_is_dead(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("insert into nodes values (1, 'a', $1, $2), (2, 'b', $1, $2)", NOW, NOW + timedelta(hours=1))
        assert await paces.take(conn, TENANT, 1, NOW)
        assert not await paces.take(conn, TENANT, 2, NOW)
        assert await paces.take(conn, TENANT, 1, NOW)
        assert await paces.take(conn, TENANT, 2, NOW + timedelta(hours=2)), "both rows are out of date by then"
        assert not await paces.take(conn, TENANT, 1, NOW)
        await paces.give_back(conn, 2)
        assert await paces.take(conn, TENANT, 1, NOW)


async def test_what_was_let_go_is_known_for_as_long_as_the_longest_window(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("insert into limits values (1, 'brand', 'acme', 2592000, 9), (1, 'tenant', '', 1, 9)")
        for tenant_id, days in ((1, 5), (1, 35), (1, 45), (2, 5), (2, 15)):
            minute = NOW - timedelta(days=days)
            await conn.execute("insert into paced values ($1, 1, $2, $3, 1)", tenant_id, OURS, minute)
        await paces.forget_passed(conn, NOW - timedelta(days=8))
        rows = await conn.fetch("select tenant_id, $1 - minute from paced order by 1, 2", NOW)
    assert [(row[0], row[1].days) for row in rows] == [(1, 5), (1, 35), (2, 5)]

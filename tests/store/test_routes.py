"""Where texts go when a carrier is left, what they never do, and what they cost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from smsdesk.actions.resend_doubtful import resend_doubtful
from smsdesk.actions.settle_text import settle_text
from smsdesk.domain.setup import Change, FieldChange
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.text_state import AttemptOutcome, PartReceipt
from smsdesk.store import receipts, routes, texts
from smsdesk.store.costs import Days, count_costs, list_costs
from smsdesk.store.db import Database
from smsdesk.store.doubtful import Settlement, find_open
from smsdesk.store.setup_changes import write_changes
from smsdesk.store.texts import Wanted
from tests.kit.processes import until
from tests.store.outbox import LINE, NODE, NOW, OURS, TENANT, make_tenant, opened, queue_texts, states

BACKUP, THIRD = 2, 3


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
        await conn.execute(
            "insert into carriers (tenant_id, carrier_id, name, type)"
            " values (1, 2, 'backup', 'lab'), (1, 3, 'third', 'lab')"
        )
        await conn.execute("insert into fallbacks (tenant_id, number, position, carrier_id) values (1, $1, 1, 2)", OURS)
        await conn.execute("insert into nodes values ($1, 'a', $2, $3)", NODE, NOW, NOW + timedelta(days=2))
    yield made
    await made.close()


async def run(db: Database, statement: str, *values: object) -> list[tuple[Any, ...]]:
    async with db.connection() as conn:
        return [tuple(row) for row in await conn.fetch(statement, *values)]


async def sick(db: Database, carrier_id: int, why: str = "down", node_id: int = NODE) -> None:
    async with db.connection() as conn:
        await routes.note_sick(conn, TENANT, carrier_id, node_id, why, NOW)


async def well(db: Database, carrier_id: int) -> None:
    async with db.connection() as conn:
        await routes.note_well(conn, TENANT, carrier_id, NODE)


async def route(db: Database) -> int:
    async with db.connection() as conn:
        return await routes.route(conn, TENANT, NOW, 100)


async def claim(db: Database, carrier_id: int, now: timedelta = timedelta()) -> list[int]:
    async with db.connection() as conn:
        return [t.message_id for t in await texts.claim(conn, TENANT, carrier_id, Wanted(100), NODE, NOW + now)]


async def record(
    db: Database, carrier_id: int, message_id: int, kind: str, now: timedelta = timedelta(), **more: object
) -> None:
    async with db.connection() as conn:
        attempt = await conn.fetchval("select attempt from texts where message_id = $1", message_id)
        outcome = AttemptOutcome(message_id, attempt, kind, **more)  # type: ignore[arg-type]
        await texts.record_outcomes(conn, TENANT, carrier_id, NOW + now, [outcome])


async def queue(db: Database, *ids: int, parts: int = 1) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, ids, parts=parts)


async def test_what_waits_moves_and_says_why_and_what_is_doubtful_stays(db: Database) -> None:
    await queue(db, 1, 2, 3, 4)
    await run(db, "update texts set due_at = due_at + interval '1 h' where message_id in (1, 2)")
    assert await claim(db, LINE) == [3, 4]
    await record(db, LINE, 3, "doubtful")
    await sick(db, LINE, "no answer for 6 s")
    assert await route(db) == 2
    rows = await run(db, "select message_id, carrier_id, state from texts order by 1")
    assert rows == [(1, 2, "queued"), (2, 2, "queued"), (3, 1, "doubtful"), (4, 1, "sending")]
    moves = await run(db, "select message_id, from_carrier_id, to_carrier_id, why from moves order by 1")
    assert moves == [(1, 1, 2, "no answer for 6 s"), (2, 1, 2, "no answer for 6 s")]
    assert await run(db, "select current_carrier_id, current_why from numbers") == [(2, "no answer for 6 s")]
    assert await route(db) == 0


async def test_the_number_goes_back_when_its_carrier_does(db: Database) -> None:
    await sick(db, LINE)
    await route(db)
    await well(db, LINE)
    await route(db)
    assert await run(db, "select current_carrier_id, current_why from numbers") == [(None, None)]


async def test_one_node_that_has_the_line_is_enough(db: Database) -> None:
    await run(db, "insert into nodes values (8, 'b', $1, $2)", NOW, NOW + timedelta(days=1))
    await queue(db, 1)
    await sick(db, LINE)
    assert await route(db) == 0
    await sick(db, LINE, node_id=8)
    assert await route(db) == 1


async def test_a_dead_node_has_no_say(db: Database) -> None:
    await run(db, "insert into nodes values (8, 'b', $1, $2)", NOW, NOW - timedelta(seconds=1))
    await sick(db, LINE, node_id=8)
    await queue(db, 1)
    assert await route(db) == 0


async def test_under_limits_only_the_node_that_sends_has_a_say(db: Database) -> None:
    await run(db, "insert into nodes values (8, 'b', $1, $2)", NOW, NOW + timedelta(days=1))
    await run(db, "insert into pacers values (1, $1)", NODE)
    await queue(db, 1)
    await sick(db, LINE, "no answer for 6 s")
    assert await route(db) == 0, "without limits both send"
    await run(db, "insert into limits values (1, 'tenant', '', 1, 10)")
    assert await route(db) == 1
    await well(db, LINE)
    await sick(db, LINE, node_id=8)
    await route(db)
    assert await run(db, "select current_carrier_id from numbers") == [(None,)]


async def test_what_waits_for_a_fallback_that_dies_goes_to_the_next_one(db: Database) -> None:
    await run(db, "insert into fallbacks (tenant_id, number, position, carrier_id) values (1, $1, 2, 3)", OURS)
    await queue(db, 1)
    await sick(db, LINE)
    await route(db)
    await sick(db, BACKUP)
    assert await route(db) == 1
    assert await run(db, "select carrier_id from texts") == [(THIRD,)]
    await sick(db, THIRD)
    assert await route(db) == 0, "where nothing works it stays"


async def test_what_waits_where_the_number_is_no_more_comes_home(db: Database) -> None:
    await queue(db, 1, 2)
    await sick(db, LINE)
    await route(db)
    assert len(await claim(db, BACKUP)) == 2
    await record(db, BACKUP, 1, "unsent")
    async with db.transaction() as conn:
        field = FieldChange("fallbacks", ("backup",), ())
        await write_changes(conn, TENANT, [Change("update", "number", OURS, (field,))], NOW)
    rows = await run(db, "select message_id, carrier_id, state from texts order by 1")
    assert rows == [(1, LINE, "queued"), (2, BACKUP, "sending")], "what may have left stays"


async def test_a_set_up_is_applied_while_texts_are_routed(db: Database) -> None:
    await sick(db, LINE)
    async with db.transaction() as applying:
        await applying.execute("select from tenants for no key update")
        routing = asyncio.create_task(route(db))

        async def waits() -> bool:
            return bool(await run(db, "select from pg_stat_activity where wait_event_type = 'Lock'"))

        await until(waits, 10, "a route that waits for the set-up")
        await applying.execute("update numbers set label = 'sales'")
    await routing
    assert await run(db, "select label, current_carrier_id from numbers") == [("sales", BACKUP)]


async def test_the_parts_that_a_carrier_took_of_a_text_that_it_refused_cost(db: Database) -> None:
    await run(db, "update carriers set currency = 'USD' where carrier_id = 1")
    await run(db, "insert into rates values (1, 1, '', 0.01)")
    await queue(db, 1, 2, parts=3)
    await claim(db, LINE)
    await record(db, LINE, 1, "refused", reason="blocked", code="0x0B", part_ids=("a", None, "c"))
    await record(db, LINE, 2, "refused", reason="blocked", code="0x0B")
    assert await run(db, "select message_id, state, price from messages order by 1") == [
        (1, "failed", Decimal("0.020000")),
        (2, "failed", None),
    ]
    assert await run(db, "select texts, segments, price from usage") == [(1, 2, Decimal("0.02"))]


async def test_nothing_moves_where_no_fallback_works(db: Database) -> None:
    await queue(db, 1)
    await sick(db, LINE)
    await sick(db, BACKUP)
    assert await route(db) == 0
    assert await run(db, "select carrier_id from texts") == [(LINE,)]


async def test_the_first_fallback_that_works_is_taken(db: Database) -> None:
    await run(db, "insert into fallbacks (tenant_id, number, position, carrier_id) values (1, $1, 2, 3)", OURS)
    await queue(db, 1)
    await sick(db, LINE)
    await sick(db, BACKUP)
    assert await route(db) == 1
    assert await run(db, "select carrier_id from texts") == [(THIRD,)]


async def test_a_fault_of_the_carrier_sends_a_refused_text_to_the_fallback_at_once(db: Database) -> None:
    await queue(db, 1)
    await claim(db, LINE)
    await record(db, LINE, 1, "refused", reason="carrier_error", code="0x08", retry_after=60.0)
    assert await run(db, "select carrier_id, state, hops from texts") == [(BACKUP, "queued", 1)]
    assert await run(db, "select why from moves") == [("0x08",)]
    assert await claim(db, BACKUP) == [1]


async def test_a_fault_of_the_text_stays_its_own(db: Database) -> None:
    await queue(db, 1, 2, 3)
    await claim(db, LINE)
    await record(db, LINE, 1, "refused", reason="unknown_number", code="0x0B")
    await record(db, LINE, 2, "refused", reason="queue_full", code="0x58", retry_after=1.0)
    await record(db, LINE, 3, "refused", reason="carrier_error", code="0x65")  # never again, it says
    assert await run(db, "select message_id, carrier_id, state from texts") == [(2, LINE, "queued")]


async def test_a_fallback_that_does_not_take_the_number_sends_it_back_and_there_it_stays(db: Database) -> None:
    await queue(db, 1, 2)
    await sick(db, LINE)
    await route(db)
    await claim(db, BACKUP)
    await record(db, BACKUP, 1, "refused", reason="bad_sender", code="0x0A")
    assert await run(db, "select carrier_id, state, hops from texts where message_id = 1") == [(LINE, "queued", 1)]
    assert await route(db) == 0, "at most one hop away from its own carrier"
    assert await run(db, "select current_carrier_id from numbers") == [(None,)], "nor does any other text go there"
    moves = await run(db, "select from_carrier_id, to_carrier_id from moves where message_id = 1")
    assert sorted(moves) == [(LINE, BACKUP), (BACKUP, LINE)]
    assert await run(db, "select closed_why, closed_until > $1 from fallbacks", NOW) == [("bad_sender", True)]


async def test_what_waits_for_a_fallback_that_dies_goes_back_to_its_own_carrier(db: Database) -> None:
    await queue(db, 1)
    await sick(db, LINE)
    await route(db)
    await sick(db, BACKUP, "reset")
    await well(db, LINE)
    assert await route(db) == 1
    assert await run(db, "select carrier_id from texts") == [(LINE,)]


async def test_the_price_is_that_of_the_longest_prefix_of_the_carrier_that_took_it(db: Database) -> None:
    await run(db, "update carriers set currency = 'USD' where carrier_id = 1")
    await run(
        db, "insert into rates values (1, 1, '', 0.05), (1, 1, '1', 0.0079), (1, 1, '1415', 0.004), (1, 2, '', 9)"
    )
    await queue(db, 1, parts=3)
    await queue(db, 2)
    await run(db, "update texts set destination = '+491711234567' where message_id = 2")
    await claim(db, LINE)
    for message_id, parts in ((1, 3), (2, 1)):
        await record(db, LINE, message_id, "accepted", part_ids=tuple(f"{message_id}/{n}" for n in range(parts)))
    assert await run(db, "select price, currency from messages order by message_id") == [
        (Decimal("0.012000"), "USD"),
        (Decimal("0.050000"), "USD"),
    ]
    usage = await run(db, "select day, carrier_id, source, currency, texts, segments, price from usage")
    assert usage == [(NOW.date(), LINE, OURS, "USD", 2, 4, Decimal("0.062000"))]


async def test_a_day_is_summed_over_the_rows_that_share_its_writes(db: Database) -> None:
    await queue(db, *range(1, 21))
    await claim(db, LINE)
    for message_id in range(1, 21):
        await record(db, LINE, message_id, "accepted", now=timedelta(minutes=message_id), part_ids=(f"{message_id}",))
    # One row for each quarter of an hour's minutes, whatever the hour: none is written by all groups of a day.
    assert sorted(await run(db, "select texts from usage")) == [(1,)] * 10 + [(2,)] * 5
    async with db.connection() as conn:
        (day,) = await list_costs(conn, TENANT, Days(NOW.date(), NOW.date()), "day")
        assert (day.texts, day.segments, await count_costs(conn, TENANT, Days(NOW.date(), NOW.date()), "day")) == (
            20,
            20,
            1,
        )


async def test_what_was_not_taken_costs_nothing_and_what_has_no_rate_is_counted(db: Database) -> None:
    await queue(db, 1, 2)
    await claim(db, LINE)
    await record(db, LINE, 1, "refused", reason="blocked", code="0x45")
    await record(db, LINE, 2, "accepted", part_ids=("a",))
    assert await run(db, "select texts, segments, price, currency from usage") == [(1, 1, Decimal(0), "")]
    assert await run(db, "select price from messages where message_id = 2") == [(None,)]


async def test_a_doubtful_text_costs_once_a_person_says_that_it_left(db: Database) -> None:
    await queue(db, 1)
    await claim(db, LINE)
    await record(db, LINE, 1, "doubtful")
    assert await run(db, "select count(*) from usage") == [(0,)]
    await settle_text(db, Tenant(TENANT, "acme"), Settlement(1, "sent", "John Doe"), NOW)
    assert await run(db, "select texts from usage") == [(1,)]


async def test_one_receipt_ends_all_parts_that_share_its_name(db: Database) -> None:
    await queue(db, 1, parts=3)
    await claim(db, LINE)
    await record(db, LINE, 1, "accepted", part_ids=("sid", "sid", "sid"))
    async with db.connection() as conn:
        await receipts.record(conn, TENANT, LINE, NOW, [PartReceipt("sid", "delivered", None, "delivered")])
        assert await states(conn) == {1: ("delivered", None)}
    assert await run(db, "select count(*) from parts where state = 'delivered'") == [(3,)]


@pytest.mark.parametrize(("whole", "state"), [(True, "delivered"), (False, "doubtful")])
async def test_a_doubtful_text_of_three_parts_is_known_by_one_receipt_for_the_whole(
    db: Database, whole: bool, state: str
) -> None:
    await queue(db, 1, parts=3)
    await claim(db, LINE)
    await record(db, LINE, 1, "doubtful")
    phone = (await run(db, "select destination from texts"))[0][0]
    async with db.connection() as conn:
        receipt = PartReceipt("sid", "delivered", None, "delivered", phone, 1, whole)
        await receipts.record(conn, TENANT, LINE, NOW, [receipt])
        await receipts.resolve_doubtful(conn, TENANT, LINE, NOW, 10)
        assert (await states(conn))[1][0] == state


async def test_doubt_is_resent_only_where_the_sender_wants_it_and_at_most_three_times(db: Database) -> None:
    await queue(db, 1, 2)
    await run(db, "update texts set on_doubt = 'resend' where message_id = 2")
    await run(db, "update tenants set settings = '{\"doubt_resend_minutes\": 15}'")
    for attempt in range(1, 5):
        later = NOW + timedelta(minutes=15)
        assert (await claim(db, LINE))[-1:] == [2]
        if attempt == 1:
            await record(db, LINE, 1, "doubtful")
        await record(db, LINE, 2, "doubtful")
        assert await resend_doubtful(db, later - timedelta(seconds=1)) == []
        assert await resend_doubtful(db, later) == ([TENANT] if attempt < 4 else [])
        await run(db, "update texts set due_at = $1 where state = 'queued'", NOW)
    assert await run(db, "select message_id, state, attempt from texts order by 1") == [
        (1, "doubtful", 1),
        (2, "doubtful", 4),
    ]


async def test_a_text_past_its_time_is_not_resent(db: Database) -> None:
    await queue(db, 1)
    await run(db, "update texts set on_doubt = 'resend'")
    await claim(db, LINE)
    await record(db, LINE, 1, "doubtful")
    assert await resend_doubtful(db, NOW + timedelta(days=2)) == []


async def test_what_a_carrier_may_be_asked_about(db: Database) -> None:
    await queue(db, 1, 2, 3, parts=2)
    await claim(db, LINE)
    await record(db, LINE, 1, "doubtful", part_ids=("a", None))
    await record(db, LINE, 2, "accepted", part_ids=("b", "c"))
    async with db.connection() as conn:
        early = await find_open(conn, TENANT, LINE, NOW - timedelta(seconds=1), NOW - timedelta(seconds=1), 10)
        found = await find_open(conn, TENANT, LINE, NOW, NOW, 10)
    assert early == []
    assert {(one.message_id, one.doubtful, one.part_ids, one.attempt) for one in found} == {
        (1, True, ("a", None), 1),
        (2, False, ("b", "c"), 1),
    }

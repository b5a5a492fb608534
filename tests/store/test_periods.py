"""Months of history in PostgreSQL: rows lie where their ids say, statements read no other month, a drop keeps nobody
waiting."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import asyncpg
import pytest

from smsdesk.domain.periods import began_at, first_id, month_of, period_of, period_of_id
from smsdesk.domain.text_state import AttemptOutcome, PartReceipt
from smsdesk.store import periods, receipts, texts
from smsdesk.store.db import Database, Ids
from smsdesk.store.migrate import migrate
from tests.store.outbox import LINE, NODE, NOW, TENANT, make_tenant, opened, queue_texts, states

MARCH = period_of(NOW)


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    db = await opened(database)
    async with db.connection() as conn:
        await make_tenant(conn)
    yield db
    await db.close()


async def open_to(db: Database, *wanted: int) -> None:
    """Opens these periods, and hands out the ids of the last."""
    async with db.connection() as conn:
        for period in wanted:
            await periods.open_period(conn, period, NOW)
            assert await periods.move_on(conn, period, NOW)


async def lie(db: Database, table: str) -> dict[str, int]:
    """How many rows each partition of a table has."""
    async with db.connection() as conn:
        rows = await conn.fetch(f"select tableoid::regclass::text, count(*) from {table} group by 1")
        return dict(rows)


def test_months_and_their_ids() -> None:
    assert (month_of(1), month_of(MARCH), month_of(0)) == ("2020-01", "2026-03", "before")
    assert period_of(datetime(2019, 12, 31, 23, tzinfo=UTC)) == 0
    moment = datetime(2026, 2, 28, 23, tzinfo=UTC).astimezone()
    assert period_of(moment) == MARCH - 1
    assert period_of(began_at(MARCH)) == MARCH == period_of(began_at(MARCH + 1) - timedelta(microseconds=1))
    assert (period_of_id(1000), period_of_id(first_id(MARCH)), period_of_id(first_id(MARCH) - 1)) == (
        0,
        MARCH,
        MARCH - 1,
    )
    assert first_id(period_of(datetime(2200, 1, 1, tzinfo=UTC))) < 2**53


async def test_rows_lie_in_the_month_of_their_chat(db: Database) -> None:
    ids = Ids()
    async with db.connection() as conn:
        await queue_texts(conn, [await ids.take(conn, 1)])
    await open_to(db, MARCH)
    async with db.connection() as conn:
        before = await ids.take(conn, 1)
        assert period_of_id(before) == 0, "a block that is held is used"
        of_march = await Ids().take(conn, 1)
        assert of_march == first_id(MARCH)
        await queue_texts(conn, [before, of_march])
        claimed = await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, NOW)
    assert len(claimed) == 3
    assert (
        await lie(db, "messages")
        == {"messages_p0": 2, f"messages_p{MARCH}": 1}
        == {name.replace("parts", "messages"): count for name, count in (await lie(db, "parts")).items()}
    )


async def test_a_block_is_used_for_an_hour(db: Database) -> None:
    seconds = [0.0]
    ids = Ids(lambda: seconds[0])
    async with db.connection() as conn:
        first = await ids.take(conn, 1)
        seconds[0] = 3599.0
        assert await ids.take(conn, 1) == first + 1
        seconds[0] = 3600.0
        assert await ids.take(conn, 1) == first + 1000


async def test_ids_go_on_where_the_month_is_not_open_and_never_back(db: Database) -> None:
    async with db.connection() as conn:
        assert not await periods.move_on(conn, MARCH, NOW)
        assert period_of_id(await Ids().take(conn, 1)) == 0
    await open_to(db, MARCH)
    async with db.connection() as conn:
        assert not await periods.open_period(conn, MARCH, NOW)
        await periods.open_period(conn, MARCH - 1, NOW)
        assert not await periods.move_on(conn, MARCH - 1, NOW)
        taken = [await Ids().take(conn, 1) for _ in range(2)]
        assert taken == [first_id(MARCH), first_id(MARCH) + 1000]
        await conn.execute("select setval('id_blocks', $1)", first_id(MARCH + 1) + 5000)
        await periods.open_period(conn, MARCH + 1, NOW)
        assert not await periods.move_on(conn, MARCH, NOW)
        listed = {one.period: one for one in await periods.list_periods(conn)}
    assert listed[MARCH].left_at == NOW == listed[MARCH + 1].began_at, "a month that runs over is noticed"


async def test_workers_that_open_a_month_at_once_make_it_once(db: Database) -> None:
    async def one() -> bool:
        async with db.connection() as conn:
            return await periods.open_period(conn, MARCH, NOW)

    assert any(await asyncio.gather(*(one() for _ in range(6))))
    async with db.connection() as conn:
        made = await conn.fetchval(
            "select count(*) from pg_class where relkind = 'r' and relname like $1", f"%_p{MARCH}"
        )
        fill = await conn.fetch("select reloptions from pg_class where relname in ('parts_p0', $1)", f"parts_p{MARCH}")
    assert made == len(periods.TABLES)
    assert fill[0] == fill[1], "a partition is kept as the one before it"


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("update messages set state = 'x' where tenant_id = 1 and chat_id = $1 and message_id = $1", "messages"),
        ("select from parts where tenant_id = 1 and message_id = any ($2) and message_id between $1 and $1", "parts"),
        ("select from unnest($2::bigint[]) u (id) cross join lateral (select from participants p where p.tenant_id = 1 "
         "and p.chat_id = u.id offset 0) p where $1 > 0", "participants"),
    ],
)  # fmt: skip
async def test_a_plan_for_all_reads_one_month(db: Database, statement: str, table: str) -> None:
    await open_to(db, *range(MARCH - 5, MARCH + 1))
    async with db.connection() as conn, conn.transaction():
        await conn.execute("set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan")
        await conn.execute(f"prepare one (bigint, bigint[]) as {statement}")
        plan = "\n".join(
            row[0] for row in await conn.fetch(
                f"explain (analyze) execute one ({first_id(MARCH)}, '{{{first_id(MARCH)}}}')"
            ) if "never executed" not in row[0]
        )  # fmt: skip
    assert f"{table}_p{MARCH}" in plan
    assert f"{table}_p{MARCH - 1}" not in plan.replace(f"Update on {table}_p{MARCH - 1}", ""), plan


async def test_a_receipt_finds_a_part_of_long_ago_and_the_latest_of_its_name(db: Database) -> None:
    ids = Ids()
    async with db.connection() as conn:
        old = await ids.take(conn, 1)
        await queue_texts(conn, [old])
    await open_to(db, MARCH - 2, MARCH - 1, MARCH)
    async with db.connection() as conn:
        new = await Ids().take(conn, 1)
        await queue_texts(conn, [new])
        await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, NOW)
        said = [AttemptOutcome(one, 1, "accepted", part_ids=(name,)) for one, name in ((old, "a"), (new, "b"))]
        assert await texts.record_outcomes(conn, TENANT, LINE, NOW, said) == 2
        told = [PartReceipt(name, "delivered", None, "") for name in "ab"]
        assert await receipts.record(conn, TENANT, LINE, NOW, told) == 0
        assert await states(conn) == {old: ("delivered", None), new: ("delivered", None)}
        assert await receipts.record(conn, TENANT, LINE, NOW, [PartReceipt("c", "delivered", None, "")]) == 1


async def test_a_drop_waits_for_nobody_and_nobody_waits_for_it(db: Database) -> None:
    await open_to(db, MARCH - 1, MARCH)
    async with db.connection() as busy, db.connection() as conn:
        async with busy.transaction():
            await busy.fetch("select from messages")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await periods.drop_partition(conn, "messages", MARCH - 1)
        assert await periods.drop_partition(conn, "messages", MARCH - 1)
        assert not await periods.drop_partition(conn, "messages", MARCH - 1)
    async with db.connection() as conn:
        locked = conn.transaction()
        await locked.start()
        await conn.execute(f"drop table participants_p{MARCH}")
        held = await conn.fetch(
            "select relation::regclass::text from pg_locks where pid = pg_backend_pid()"
            " and mode = 'AccessExclusiveLock'"
            " and relation is not null and relation in (select oid from pg_class where relkind in ('r', 'p'))"
        )
        await locked.rollback()
    assert {row[0] for row in held} <= {"participants", f"participants_p{MARCH}"}, "the table of chats is not locked"


async def test_the_migration_takes_tables_with_data_as_they_are(database: str, tmp_path: Path) -> None:
    """Nothing is copied: the table that was is the first partition, with its file, its indexes and its keys."""
    for entry in (resources.files("smsdesk.store") / "migrations").iterdir():
        if entry.name[:4] < "0022":
            (tmp_path / entry.name).write_text(entry.read_text(encoding="utf-8"), encoding="utf-8")
    conn = await asyncpg.connect(database)
    await conn.execute("create schema old; set search_path = old")
    await migrate(conn, tmp_path)
    await make_tenant(conn)
    await queue_texts(conn, [1005, 2005])
    files = (
        "select relname, relfilenode from pg_class where relnamespace = 'old'::regnamespace and relkind in ('r', 'i')"
    )
    before = {row[0]: row[1] for row in await conn.fetch(files)}
    await migrate(conn)
    after = {row[0]: row[1] for row in await conn.fetch(files)}
    for table in periods.TABLES:
        assert after[f"{table}_p0"] == before[table]
        assert after[f"{table}_pkey_p0"] == before[f"{table}_pkey"]
    assert await conn.fetchval("select count(*) from messages") == 2
    indexes = await conn.fetchval(
        "select count(*) from pg_index where indrelid = any (array(select t::regclass from unnest($1::text[]) t))"
        " and not indisvalid", list(periods.TABLES),
    )  # fmt: skip
    assert indexes == 0, "an index of the whole without one of its partition"
    await conn.close()

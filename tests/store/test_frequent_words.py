"""Words that many messages have: the newest chats with them are found without reading all of these, month by month."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from smsdesk.domain.periods import began_at, first_id, period_of
from smsdesk.store import periods
from smsdesk.store.chat_finds import LATEST, RARE, FindFilter, find_listed
from smsdesk.store.chat_search import SELDOM, ChatFilter
from smsdesk.store.db import Connection, Database
from tests.store.outbox import NOW, OURS, TENANT, make_tenant, opened

MARCH = period_of(NOW)
PAGE = 20


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
        await conn.execute(
            "insert into end_users (tenant_id, end_user_id, number, created_at) values (1, 1, '+14155550100', $1)", NOW
        )
        for period in range(MARCH - 4, MARCH + 1):
            await periods.open_period(conn, period, NOW)
            assert await periods.move_on(conn, period, began_at(period))
        # Whoever looks at the latest chats alone finds nothing.
        await say(conn, MARCH, LATEST, "hello", NOW + timedelta(days=2), first=90_000)
    yield made
    await made.close()


async def say(conn: Connection, period: int, count: int, body: str, last: datetime, first: int = 0) -> list[int]:
    """So many chats with ids of a month, a minute between them, the last of them at `last`, and a line in each: their
    ids, the newest first."""
    start = first_id(period) + first
    ids = list(range(start, start + count))
    await conn.execute(
        """
        insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, ends_at)
        select 1, u.id, 1, $2, 'inbound', 'finished',
               $3::timestamptz - (cardinality($1::bigint[]) - u.n) * interval '1 minute', $3
        from unnest($1::bigint[]) with ordinality u (id, n)
        """,
        ids, OURS, last,
    )  # fmt: skip
    await conn.execute(
        """
        with said as (
            insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
            select 1, id, id, 'end_user', $2, 'gsm7', 1, $3 from unnest($1::bigint[]) id returning *
        )
        insert into message_words (tenant_id, chat_id, message_id, words)
        select 1, chat_id, message_id, to_tsvector('simple', body) || array_to_tsvector(array['t:1']) from said
        """,
        ids, body, last,
    )  # fmt: skip
    return ids[::-1]


async def find(conn: Connection, q: str, limit: int = PAGE, **more: object) -> list[int]:
    wanted = FindFilter(ChatFilter(q=q, **more))  # type: ignore[arg-type]
    return [one.chat_id for one in await find_listed(conn, TENANT, wanted, limit)]


async def pages(conn: Connection, month: int) -> int:
    """How many pages of a month's words have been looked at."""
    await conn.execute("select pg_stat_force_next_flush()")
    found: int = await conn.fetchval(
        "select (heap_blks_read + heap_blks_hit)::bigint from pg_statio_user_tables where relname = $1",
        f"message_words_p{month}",
    )
    return found


async def test_the_newest_come_first_wherever_they_lie(db: Database) -> None:
    async with db.connection() as conn:
        old = await say(conn, MARCH - 4, RARE, "order ready", began_at(MARCH - 3) - timedelta(days=1))
        mid = await say(conn, MARCH - 2, 12, "order ready", began_at(MARCH - 1) - timedelta(days=1))
        new = await say(conn, MARCH, 3, "order ready", NOW)
        await say(conn, MARCH, 40, "order late", NOW, first=100)
        assert await find(conn, "order ready") == [*new, *mid, *old[:5]]
        assert await find(conn, "order ready", limit=3) == new
        assert await find(conn, "order ready", after=new[-1]) == [*mid, *old[:8]]
        assert await find(conn, "order ready", created_to=began_at(MARCH - 3)) == old[:PAGE]
        assert await find(conn, "order ready", limit=1000) == [*new, *mid, *old]


async def test_an_id_of_the_month_before_may_be_of_a_newer_chat(db: Database) -> None:
    """A process uses up its block of ids, for an hour at most."""
    turn = began_at(MARCH - 1)
    async with db.connection() as conn:
        await say(conn, MARCH - 4, RARE, "order ready", began_at(MARCH - 3))
        late = await say(conn, MARCH - 2, 2, "order ready", turn + timedelta(minutes=50))
        new = await say(conn, MARCH - 1, 30, "order ready", turn + timedelta(minutes=48))
        assert await find(conn, "order ready", limit=10) == [*late, *new[:8]]


async def test_the_months_before_are_not_read_where_the_latest_have_enough(db: Database) -> None:
    async with db.connection() as conn:
        await say(conn, MARCH - 4, RARE + 100, "order ready", began_at(MARCH - 3))
        await say(conn, MARCH - 3, 3_000, "order ready", began_at(MARCH - 2))
        new = await say(conn, MARCH, 200, "order ready", NOW)
        await conn.execute("vacuum analyze message_words")
        before = await pages(conn, MARCH - 3)
        assert await find(conn, "order ready") == new[:PAGE]
        assert await pages(conn, MARCH - 3) == before


async def test_words_of_very_many_are_met_on_the_way(db: Database) -> None:
    async with db.connection() as conn:
        # Words that always go together: PostgreSQL takes both for rarer than they are.
        new = await say(conn, MARCH, SELDOM + 1_000, "order ready", NOW)
        await say(conn, MARCH, 60_000, "hello", NOW - timedelta(hours=1), first=100_000)
        old = await say(conn, MARCH - 2, 40, "order ready", began_at(MARCH - 1) - timedelta(days=1))
        await conn.execute("vacuum analyze")
        before = await _looked_up(conn)
        assert await find(conn, "order ready") == new[:PAGE]
        assert await _looked_up(conn) - before < 10 * PAGE, "each chat that has the words was looked up"
        assert await find(conn, "order ready", limit=len(new) + PAGE) == [*new, *old[:PAGE]]
        assert await find(conn, "order ready", outbound_number=OURS, created_from=NOW) == new[:1]


async def test_where_the_latest_chats_have_a_page_of_them_no_others_are_looked_at(db: Database) -> None:
    async with db.connection() as conn:
        await say(conn, MARCH - 1, RARE + 1, "order ready", began_at(MARCH) - timedelta(days=1))
        new = await say(conn, MARCH, SELDOM - 1_000, "order ready", NOW + timedelta(days=9))
        await conn.execute("vacuum analyze")
        before = await pages(conn, MARCH)
        assert await find(conn, "order ready") == new[:PAGE]
        assert await pages(conn, MARCH) - before < 3 * PAGE


async def _looked_up(conn: Connection) -> int:
    """How many pages of chats and of their indexes have been looked at."""
    await conn.execute("select pg_stat_force_next_flush()")
    found: int = await conn.fetchval(
        "select (heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::bigint from pg_statio_user_tables"
        " where relname = 'chats'"
    )
    return found

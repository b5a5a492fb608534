"""A client whose machine is gone without a word holds nobody up for long."""

import pytest

from smsdesk.store.db import UNREACHABLE, Database


async def test_each_connection_asks_the_server_to_end_what_is_left_open(database: str) -> None:
    db = Database(database, size=2)
    await db.open()
    try:
        async with db.connection() as conn:
            assert await conn.fetchval("show idle_in_transaction_session_timeout") == "5s"
    finally:
        await db.close()


async def test_a_transaction_that_was_ended_for_it_is_work_to_be_tried_again(database: str) -> None:
    db = Database(database, size=2)
    await db.open()
    try:
        async with db.connection() as conn, db.connection() as other:
            await conn.execute("begin")
            await conn.execute("set local idle_in_transaction_session_timeout = '50ms'")
            pid = await conn.fetchval("select pg_backend_pid()")
            while await other.fetchval("select exists (select from pg_stat_activity where pid = $1)", pid):
                pass
            with pytest.raises(UNREACHABLE):
                await conn.execute("select 1")
        async with db.connection() as conn:
            assert await conn.fetchval("select 1") == 1
    finally:
        await db.close()


async def test_over_a_pooler_of_transactions_nothing_outlives_one(database: str) -> None:
    db = Database(database, size=1, direct_dsn=database)
    await db.open()
    try:
        async with db.connection() as conn:
            assert await conn.fetchval("show idle_in_transaction_session_timeout") == "0"
            await conn.fetchval("select 1 + $1::int", 1)
            assert await conn.fetchval("select count(*) from pg_prepared_statements where name <> ''") == 0
        assert db.session_dsn == database
    finally:
        await db.close()

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from smsdesk.store.migrate import MigrationError, check, migrate, pending, read_migrations

FIRST = "0001_pre_things.sql"
SECOND = "0002_post_names.sql"


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    # An empty schema of its own: the database is migrated already.
    await connection.execute("create schema bare; set search_path = bare")
    yield connection
    await connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FIRST).write_text("create table things (id int primary key);\ninsert into things values (1);\n")
    (tmp_path / SECOND).write_text("alter table things add name text;\n")
    return tmp_path


async def test_applies_what_is_missing_once_and_in_order(conn, folder):
    assert await pending(conn, folder) == [FIRST, SECOND]
    assert await migrate(conn, folder) == [FIRST, SECOND]
    assert await migrate(conn, folder) == []
    assert [tuple(row) for row in await conn.fetch("select id, name from things")] == [(1, None)]
    assert [row["name"] for row in await conn.fetch("select name from schema_migrations order by 1")] == [FIRST, SECOND]


async def test_a_new_file_is_pending_until_applied(conn, folder):
    await migrate(conn, folder)
    await check(conn, folder)
    (folder / "0003_pre_more.sql").write_text("create table more ()")
    with pytest.raises(
        MigrationError, match=r"lacks 1 migration\(s\), from 0003_pre_more.sql on. Run: smsdesk migrate"
    ):
        await check(conn, folder)
    assert await migrate(conn, folder) == ["0003_pre_more.sql"]
    await check(conn, folder)


async def test_looking_changes_nothing(conn, folder):
    assert await pending(conn, folder) == [FIRST, SECOND]
    assert await conn.fetchval("select to_regclass('schema_migrations')") is None


async def test_a_file_that_fails_is_undone_whole_and_named_with_its_line(conn, folder):
    (folder / SECOND).write_text("create table half ();\nselect 1;\nalter table nowhere add x int;\nbroken words;")
    with pytest.raises(MigrationError, match=rf"{SECOND}, line 4, failed and was undone: syntax error"):
        await migrate(conn, folder)
    assert await conn.fetchval("select to_regclass('half')") is None
    assert await pending(conn, folder) == [SECOND]
    (folder / SECOND).write_text("create table half ();\nalter table nowhere add x int;")
    with pytest.raises(MigrationError, match=rf"{SECOND} failed and was undone: relation \"nowhere\" does not exist"):
        await migrate(conn, folder)
    assert await conn.fetchval("select to_regclass('half')") is None


async def test_an_applied_file_may_not_change(conn, folder):
    await migrate(conn, folder)
    with (folder / FIRST).open("a") as file:
        file.write("-- an afterthought\n")
    for call in (migrate, pending, check):
        with pytest.raises(MigrationError, match=f"{FIRST} was changed after it was applied. Restore the file"):
            await call(conn, folder)


async def test_line_ends_of_a_checkout_are_no_change(conn, folder):
    await migrate(conn, folder)
    (folder / FIRST).write_bytes((folder / FIRST).read_bytes().replace(b"\n", b"\r\n"))
    await check(conn, folder)


async def test_refuses_a_newer_schema(conn, folder):
    await migrate(conn, folder)
    (folder / SECOND).unlink()
    for call in (migrate, pending, check):
        with pytest.raises(
            MigrationError, match=f"newer schema than this version of smsdesk: it does not know {SECOND}"
        ):
            await call(conn, folder)


async def test_refuses_a_file_that_is_missing_below_an_applied_one(conn, folder):
    await migrate(conn, folder)
    await conn.execute("delete from schema_migrations where name = $1", FIRST)
    with pytest.raises(MigrationError, match=f"has {SECOND} but not {FIRST} before it"):
        await migrate(conn, folder)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("0004_pre_far.sql", "0004_pre_far.sql stands where 0003 belongs"),
        ("0002_pre_twice.sql", "0002_pre_twice.sql stands where 0003 belongs"),
        ("3_pre_short.sql", "3_pre_short.sql is not named NNNN_pre_what.sql"),
        ("0003_later_what.sql", "0003_later_what.sql is not named NNNN_pre_what.sql"),
    ],
)
async def test_refuses_gaps_and_odd_names_before_it_touches_anything(conn, folder, name, sentence):
    (folder / name).write_text("create table odd ()")
    with pytest.raises(MigrationError, match=sentence):
        await migrate(conn, folder)
    assert await conn.fetchval("select to_regclass('things')") is None


async def test_refuses_a_file_that_ends_its_transaction(conn, folder):
    (folder / SECOND).write_text("create table early ();\ncommit;")
    with pytest.raises(MigrationError, match=f"{SECOND} ends its own transaction"):
        await migrate(conn, folder)


async def test_nodes_that_start_together_apply_each_file_once(conn, folder, database):
    (folder / FIRST).write_text("create table things (id int);\nselect pg_sleep(0.2);\ninsert into things values (1);")
    other = await asyncpg.connect(database, server_settings={"search_path": "bare"})
    try:
        done = await asyncio.gather(migrate(conn, folder), migrate(other, folder))
    finally:
        await other.close()
    assert sorted([*done[0], *done[1]]) == [FIRST, SECOND]
    assert await conn.fetchval("select count(*) from things") == 1


async def test_gives_up_on_a_table_that_somebody_holds(conn, folder, database):
    await migrate(conn, folder)
    (folder / "0003_pre_more.sql").write_text("alter table things add more int")
    other = await asyncpg.connect(database, server_settings={"search_path": "bare"})
    try:
        async with other.transaction():
            await other.execute("select * from things")
            with pytest.raises(MigrationError, match=r"waited 0\.2 s for a table that another transaction holds"):
                await asyncio.wait_for(migrate(conn, folder, lock_timeout=0.2), 20)
        assert await migrate(conn, folder) == ["0003_pre_more.sql"]
    finally:
        await other.close()


async def test_our_own_migrations_are_what_a_fresh_database_has(database):
    connection = await asyncpg.connect(database)
    try:
        await check(connection)
        names = [row["name"] for row in await connection.fetch("select name from schema_migrations order by name")]
    finally:
        await connection.close()
    assert names == [migration.name for migration in read_migrations()]
    assert names, "the package carries its migrations"

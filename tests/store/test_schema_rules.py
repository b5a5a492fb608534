"""The schema can be distributed by tenant: the catalog of a migrated database is held against the rules.

Each message says what to do instead.
"""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from smsdesk.store import bygones, periods

Catalog = Any

# Small tables that are the same everywhere, and those of one server alone. No foreign key names them.
NOT_OF_A_TENANT = {"subdomains", "nodes", "schema_migrations", "periods"}


@pytest.fixture
async def catalog(database: str) -> AsyncIterator[Catalog]:
    conn = await asyncpg.connect(database)
    yield conn
    await conn.close()


async def tables(catalog: Catalog) -> set[str]:
    rows = await catalog.fetch(
        "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
    )
    return {row[0] for row in rows} - NOT_OF_A_TENANT


async def test_there_are_tables_to_check(catalog: Catalog) -> None:
    assert {"tenants", "chats", "messages", "texts", "parts", "idempotency_keys"} <= await tables(catalog)


async def test_every_key_begins_with_the_tenant(catalog: Catalog) -> None:
    rows = await catalog.fetch(
        """select c.relname as table, i.relname as index, a.attname as first, x.indisprimary as is_primary
           from pg_index x join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
           left join pg_attribute a on a.attrelid = c.oid and a.attnum = x.indkey[0]
           where c.relnamespace = 'public'::regnamespace and x.indisunique"""
    )
    ours = [row for row in rows if row["table"] not in NOT_OF_A_TENANT]
    wrong = [row["index"] for row in ours if row["first"] != "tenant_id"]
    assert not wrong, f"{wrong}: put tenant_id first, or another tenant's row can stand in the way"
    assert {row["table"] for row in ours if row["is_primary"]} == await tables(catalog), "a table has no primary key"


async def test_tenant_id_is_a_bigint_and_never_null(catalog: Catalog) -> None:
    rows = await catalog.fetch(
        """select table_name, data_type, is_nullable from information_schema.columns
           where table_schema = 'public' and column_name = 'tenant_id'"""
    )
    found = {row["table_name"]: (row["data_type"], row["is_nullable"]) for row in rows}
    for table in await tables(catalog):
        assert found.get(table) == ("bigint", "NO"), f"{table}: tenant_id bigint not null"


async def test_every_foreign_key_carries_the_tenant(catalog: Catalog) -> None:
    rows = await catalog.fetch(
        """select k.conname as name, k.confdeltype as on_delete, f.relname as target,
                  (select attname from pg_attribute where attrelid = k.conrelid and attnum = k.conkey[1]) as own,
                  (select attname from pg_attribute where attrelid = k.confrelid and attnum = k.confkey[1]) as theirs
           from pg_constraint k join pg_class f on f.oid = k.confrelid where k.contype = 'f'"""
    )
    assert len(rows) > 10
    for row in rows:
        assert (row["own"], row["theirs"]) == ("tenant_id", "tenant_id"), f"{row['name']}: begin it with tenant_id"
        assert row["on_delete"] not in (b"n", b"d"), f"{row['name']}: SET NULL and SET DEFAULT cannot be distributed"
        assert row["target"] not in NOT_OF_A_TENANT, f"{row['name']}: points to a table that is not everywhere"


async def test_ids_are_bigints(catalog: Catalog) -> None:
    rows = await catalog.fetch(
        """select table_name || '.' || column_name from information_schema.columns
           where table_schema = 'public' and column_name like '%\\_id' and data_type in ('integer', 'smallint')"""
    )
    assert not [row[0] for row in rows], "ids are bigint: smaller ones cannot be given out by another node"


async def test_there_are_no_triggers(catalog: Catalog) -> None:
    rows = await catalog.fetch("select tgname from pg_trigger where not tgisinternal")
    assert not rows, "write what a trigger would do into the function that changes the row"


async def functions(catalog: Catalog) -> dict[str, tuple[list[str], str]]:
    rows = await catalog.fetch(
        """select proname, proargnames, prosrc from pg_proc
           where pronamespace = 'public'::regnamespace and prokind = 'f'"""
    )
    return {row["proname"]: (row["proargnames"], row["prosrc"]) for row in rows}


async def test_every_function_is_for_one_tenant(catalog: Catalog) -> None:
    found = await functions(catalog)
    assert {"accept_sends", "claim_texts"} <= set(found)
    wrong = [name for name, (arguments, _) in found.items() if arguments[0] != "p_tenant"]
    assert not wrong, f"{wrong}: the first argument is the tenant, so that the call can go where he is"


@pytest.mark.parametrize(
    ("forbidden", "instead"),
    [
        ("merge into", "insert .. on conflict"),
        ("clock_timestamp(", "a parameter: a volatile function in an UPDATE cannot be distributed"),
        ("random(", "a parameter"),
        ("advisory", "a row"),
        ("pg_notify", "tell it after the commit, from outside: a worker's NOTIFY reaches nobody"),
    ],
)
async def test_functions_keep_from(catalog: Catalog, forbidden: str, instead: str) -> None:
    wrong = [name for name, (_, source) in (await functions(catalog)).items() if forbidden in source.lower()]
    assert not wrong, f"{wrong} use {forbidden}: use {instead}"


async def test_no_id_tells_an_order_in_time(catalog: Catalog) -> None:
    """Ids come in blocks: a list is ordered by a time first, and by an id only to break a tie."""
    wrong = [
        name
        for name, (_, source) in (await functions(catalog)).items()
        if "order by message_id limit" in " ".join(source.lower().split())
    ]
    assert not wrong, f"{wrong}: order by (due_at, message_id)"


async def test_foreign_keys_are_checked_by_the_whole_key_even_on_empty_tables(catalog: Catalog) -> None:
    """The plan of a check is made once, on whatever the table held then, and is used when it holds millions."""
    rows = await catalog.fetch(
        """select k.conname as name, k.confrelid::regclass::text as target, i.relname as index,
                  array(select attname from unnest(k.confkey) with ordinality u (n, o)
                        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by o) as columns
           from pg_constraint k join pg_class i on i.oid = k.conindid where k.contype = 'f'"""
    )
    wrong = {}
    await catalog.execute("set enable_seqscan = off")
    for row in rows:
        where = " and ".join(f"{column} = '1'" for column in row["columns"])
        plan = "\n".join(line[0] for line in await catalog.fetch(f"explain select from {row['target']} where {where}"))
        if row["index"] not in plan:
            wrong[row["name"]] = plan
    assert not wrong, f"{wrong}: another index has these columns in it; make it narrower"


# What names a chat or a message and is not taken away with its month: texts in flight are never of a month that goes,
# files and chats are taken one by one, keys by their pages; the others are proof.
OUTLIVES = {"texts", "media", "chats", "idempotency_keys", "consent_holds", "carrier_opt_outs"}


async def test_what_belongs_to_a_chat_goes_with_its_month(catalog: Catalog) -> None:
    rows = await catalog.fetch(
        """select distinct c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
           where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
             and a.attname in ('chat_id', 'message_id')"""
    )
    known = {*periods.TABLES, *bygones.BY_CHAT, *bygones.BY_MESSAGE, *OUTLIVES}
    unknown = {row[0] for row in rows} ^ known
    assert not unknown, f"{unknown}: add it to periods.TABLES or to bygones, or say in OUTLIVES why it stays"


async def test_partitions_are_by_an_id_and_no_foreign_key_names_them(catalog: Catalog) -> None:
    rows = await catalog.fetch(
        """select c.relname, pg_get_partkeydef(c.oid) as key from pg_class c
           where c.relkind = 'p' and c.relnamespace = 'public'::regnamespace"""
    )
    assert {row["relname"]: row["key"] for row in rows} == {t: f"RANGE ({key})" for t, key in periods.TABLES.items()}
    named = await catalog.fetch(
        """select k.conname from pg_constraint k join pg_class c on c.oid = k.confrelid
           where k.contype = 'f' and (c.relkind = 'p' or c.relispartition)"""
    )
    assert not named, "each drop of a partition would read the table that the key is of: leave the key out"


async def test_the_queue_is_cleaned_at_full_speed_on_any_server(catalog: Catalog) -> None:
    options = await catalog.fetchval("select reloptions from pg_class where oid = 'texts'::regclass")
    assert "autovacuum_vacuum_cost_delay=0" in options, "its dead entries are passed by every claim (ADR 0039)"

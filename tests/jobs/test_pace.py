"""Limits at work: kept over the wire by one node at a time, whatever else waits."""

import time
from collections.abc import AsyncIterator

import pytest

from smsdesk.prove.windows import Arrival, first_passed, used
from smsdesk.store.db import Database
from tests.jobs.test_failover import line
from tests.jobs.test_worker import eventually, now, queue, working
from tests.kit.lab import Handsets, running_lab
from tests.store.outbox import OURS, make_tenant, opened, states

OTHER = "+16285550150"


@pytest.fixture
async def lab() -> AsyncIterator[Handsets]:
    async with running_lab() as lab:
        yield lab


@pytest.fixture
async def db(database: str, lab: Handsets) -> AsyncIterator[Database]:
    db = await opened(database)
    async with db.connection() as conn:
        await make_tenant(conn)
        await conn.execute("update carriers set type = 'smpp', config = $1", line(lab))
        await conn.execute("insert into numbers (tenant_id, number, carrier_id) values (1, $1, 1)", OTHER)
    yield db
    await db.close()


async def limit(db: Database, scope: str, name: str, segments: int, seconds: int = 1) -> None:
    async with db.connection() as conn:
        await conn.execute(
            "insert into limits (tenant_id, scope, name, segments, seconds) values (1, $1, $2, $3, $4)",
            scope, name, segments, seconds,
        )  # fmt: skip


async def ended(db: Database, *ids: int) -> bool:
    async with db.connection() as conn:
        found = await states(conn)
    return all(found[one][0] == "delivered" for one in ids)


async def arrivals(lab: Handsets, source: str = OURS) -> list[Arrival]:
    rows = await lab.segments()
    return sorted((Arrival(row["at"]) for row in rows if row["source"] == source), key=lambda one: one.at)


@pytest.mark.parametrize("parts", [1, 3])
async def test_a_number_sends_no_more_than_it_may_and_no_less(db: Database, lab: Handsets, parts: int) -> None:
    await limit(db, "number", OURS, 20)
    ids = list(range(1, 60 // parts + 1))
    await queue(db, ids, parts=parts)
    async with db.connection() as conn:
        await conn.execute("update messages set body = body || repeat(' long', 60) where parts = 3")
    async with working(db):
        await eventually(lambda: ended(db, *ids), "the texts at their end")
    found = await arrivals(lab)
    assert len(found) == 60
    assert first_passed(found, 20, 1.0) is None
    assert used(found, 20, 1.0) > 0.8  # of three windows, and a busy machine; `smsdesk prove pace` measures


async def test_what_has_no_limit_does_not_wait_behind_what_has(db: Database, lab: Handsets) -> None:
    await limit(db, "number", OURS, 1, 60)
    await queue(db, list(range(1, 200)))
    await queue(db, list(range(500, 520)))
    async with db.connection() as conn:
        await conn.execute("update texts set source = $1 where message_id >= 500", OTHER)
    async with working(db):
        await eventually(lambda: ended(db, *range(500, 520)), "the texts of the other number")
    assert len(await arrivals(lab)) == 1


async def test_two_nodes_keep_one_limit(db: Database, lab: Handsets) -> None:
    await limit(db, "tenant", "", 20)
    await queue(db, list(range(1, 61)))
    async with working(db, "first"), working(db, "second"):
        await eventually(lambda: ended(db, *range(1, 61)), "the texts at their end")
    assert first_passed(await arrivals(lab), 20, 1.0) is None


async def test_who_takes_over_knows_what_was_let_go(db: Database, lab: Handsets) -> None:
    await limit(db, "brand", "acme", 5, 3600)
    async with db.connection() as conn:
        await conn.execute("update numbers set brand = 'acme'")
    await queue(db, [1, 2, 3])
    async with working(db, "first"):
        await eventually(lambda: ended(db, 1, 2, 3), "three texts")
    await queue(db, [4, 5, 6, 7])
    async with working(db, "second"):
        await eventually(lambda: ended(db, 4, 5), "two more")
        async with db.connection() as conn:
            began = time.monotonic()
            while time.monotonic() - began < 1.5:
                assert await conn.fetchval("select count(*) from texts where state = 'queued'") == 2
    assert len(await arrivals(lab)) == 5


async def test_an_answer_does_not_wait_for_the_notices_before_it(db: Database, lab: Handsets) -> None:
    await limit(db, "number", OURS, 10)
    await queue(db, list(range(1, 300)))
    async with working(db):

        async def flowing() -> bool:
            return len(await arrivals(lab)) > 5

        await eventually(flowing, "notices")
        await queue(db, [1000])
        async with db.connection() as conn:
            await conn.execute("update texts set priority = 1 where message_id = 1000")
        began = now()
        await eventually(lambda: ended(db, 1000), "the answer")
        assert (now() - began).total_seconds() < 5
        async with db.connection() as conn:
            assert await conn.fetchval("select count(*) from texts where state = 'queued'") > 200

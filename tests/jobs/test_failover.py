"""A carrier that fails is left for texts that surely have not left, tried, and taken back (R25, R26)."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from smsdesk.domain import health
from smsdesk.jobs import routes
from smsdesk.store.db import Database
from tests.jobs.test_worker import eventually, queue, working
from tests.kit.lab import Handsets, running_lab
from tests.store.outbox import OURS, make_tenant, opened, states


@dataclass
class Two:
    """A tenant whose number has two carriers, each a lab of its own."""

    db: Database
    main: Handsets
    backup: Handsets

    async def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        async with self.db.connection() as conn:
            return [tuple(row) for row in await conn.fetch(statement, *values)]

    async def delivered(self, *ids: int) -> bool:
        async with self.db.connection() as conn:
            found = await states(conn)
        return all(found[one][0] == "delivered" for one in ids)

    async def goes_to(self, carrier_id: int | None) -> bool:
        return await self.run("select current_carrier_id from numbers") == [(carrier_id,)]

    async def arrived(self) -> list[str]:
        """The bodies at the handsets of both."""
        return [text["body"] for lab in (self.main, self.backup) for text in await lab.all_texts()]


@pytest.fixture
async def two(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    """With patience of a tenth, so that the suite need not wait; one test below has all of it."""
    for name, seconds in (("DOWN_AFTER", 0.5), ("OVERDUE", 0.6), ("FIRST_REST", 0.5), ("LONGEST_REST", 1.0)):
        monkeypatch.setattr(health, name, seconds)
    monkeypatch.setattr("smsdesk.jobs.worker.LOOK", 0.1)
    async with both(database) as found:
        yield found


@asynccontextmanager
async def both(database: str) -> AsyncIterator[Two]:
    db = await opened(database)
    async with running_lab() as main, running_lab() as backup:
        async with db.connection() as conn:
            await make_tenant(conn)
            await conn.execute("update carriers set type = 'smpp', config = $1", line(main))
            await conn.execute(
                "insert into carriers (tenant_id, carrier_id, name, type, config) values (1, 2, 'backup', 'smpp', $1)",
                line(backup),
            )
            await conn.execute(
                "insert into fallbacks (tenant_id, number, position, carrier_id) values (1, $1, 1, 2)", OURS
            )
        yield Two(db, main, backup)
    await db.close()


def line(lab: Handsets) -> dict[str, object]:
    return {
        "host": "127.0.0.1", "port": lab.smpp_port, "system_id": "acme", "password": "x", "window": 10,
        "response_timeout": 1.5, "enquire_link": 0.5, "reconnect_first": 0.05, "reconnect_longest": 0.1,
    }  # fmt: skip


FAULTS: dict[str, dict[str, object]] = {
    "hangs": {"hang": True},
    "refuses": {"refuse": 1.0, "refuse_status": 8},
    "slows": {"answer_delay": 5.0},
    "answers garbage": {"garbage": 1.0},
    "resets": {"reset_connect": 1.0},
    "refuses to be bound": {"refuse_bind": 1.0},
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_it_is_left_and_taken_back_and_nothing_is_doubled(two: Two, fault: str) -> None:
    async with working(two.db):
        await queue(two.db, [1])
        await eventually(lambda: two.delivered(1), "the first text over its own carrier")
        await two.main.faults(**FAULTS[fault])
        if "reset" in fault or "bound" in fault:
            await two.main.drop_lines()
        await queue(two.db, list(range(100, 140)))
        await eventually(lambda: two.goes_to(2), "the number at its fallback")
        await queue(two.db, list(range(200, 220)))
        await eventually(lambda: two.delivered(*range(200, 220)), "new texts over the fallback")
        await two.main.faults()
        await queue(two.db, list(range(300, 320)))
        await eventually(lambda: two.goes_to(None), "the number at its own carrier again")
        await eventually(lambda: two.delivered(*range(300, 320)), "texts of meanwhile")
        await queue(two.db, [400])
        await eventually(lambda: two.delivered(400), "a text over its own carrier again")
    bodies = await two.arrived()
    assert len(bodies) == len(set(bodies)), "nothing is there twice"
    found = dict(
        await two.run("select body, coalesce(m.state, t.state) from messages m left join texts t using (message_id)")
    )
    missing = {body for body, state in found.items() if body not in bodies}
    assert all(found[body] == "doubtful" for body in missing)
    moves = await two.run("select count(*), min(why) <> '' from moves where to_carrier_id = 2")
    assert moves[0][0] >= 20
    assert moves[0][1]
    assert "hello 400" in [text["body"] for text in await two.main.all_texts()]


async def test_what_may_have_left_does_not_move(two: Two) -> None:
    async with working(two.db):
        await two.main.faults(lose_answer=1.0)
        await queue(two.db, list(range(1, 30)))
        await eventually(lambda: two.goes_to(2), "the number at its fallback")

        async def known() -> bool:
            return await two.run("select 1 from texts where state in ('queued', 'sending')") == []

        await eventually(known, "every text doubtful or over the fallback")
    doubtful = await two.run("select message_id, carrier_id from texts where state = 'doubtful'")
    assert doubtful
    assert {carrier for _, carrier in doubtful} == {1}
    there = {text["body"] for text in await two.backup.all_texts()}
    assert there.isdisjoint(f"hello {message_id}" for message_id, _ in doubtful)


async def test_a_carrier_that_cannot_be_used_as_it_is_set_up_is_left(two: Two) -> None:
    await two.run("update carriers set config = config || $1 where carrier_id = 1", {"password": {"env": "NOT_THERE"}})
    async with working(two.db):
        await queue(two.db, [1])
        await eventually(lambda: two.delivered(1), "the text over the fallback")
        assert await two.goes_to(2)
        await two.run("update carriers set config = config || $1 where carrier_id = 1", {"password": "x"})
        await two.run("update tenants set changed_at = now()")
        await eventually(lambda: two.goes_to(None), "the number at its own carrier")


async def test_a_fallback_that_refuses_the_number_is_no_way_round(two: Two) -> None:
    async with working(two.db):
        await two.backup.faults(refuse=1.0, refuse_status=0x0A)
        await two.main.faults(refuse=1.0, refuse_status=8)
        await queue(two.db, list(range(1, 11)))

        async def tried() -> bool:
            return (await two.run("select count(*) from moves where to_carrier_id = 1"))[0][0] > 0

        await eventually(tried, "a text that came back")
        await two.main.faults()
        await eventually(lambda: two.delivered(*range(1, 11)), "all over their own carrier")
    hops = await two.run("select message_id, count(*) from moves where to_carrier_id = 2 group by 1")
    assert all(count == 1 for _, count in hops), "at most one hop away for each text"
    assert await two.backup.all_texts() == []


@pytest.mark.slow
async def test_a_carrier_that_hangs_is_left_within_ten_seconds(database: str) -> None:
    async with both(database) as two, working(two.db):
        await queue(two.db, [1])
        await eventually(lambda: two.delivered(1), "the first text over its own carrier")
        await two.main.faults(hang=True)
        began = time.monotonic()
        await queue(two.db, [2])
        await eventually(lambda: two.goes_to(2), "the number at its fallback")
        assert time.monotonic() - began < 10
        await queue(two.db, [3])
        await eventually(lambda: two.delivered(3), "a new text over the fallback")
        assert routes.LOOK == 1.0
        assert health.OVERDUE == 5.0

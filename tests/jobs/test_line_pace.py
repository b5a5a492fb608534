"""Limits in one process: what is kept for whom, while limits change, nodes change places, and processes stand still."""

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from smsdesk.carriers.contract import OutboundText
from smsdesk.domain.health import Health
from smsdesk.domain.pace import Limit, Pacer
from smsdesk.domain.segments import segment
from smsdesk.jobs.pace import AHEAD, YIELD, LinePace, Paces, TenantPace
from smsdesk.store.db import Database
from smsdesk.store.paces import Limits
from tests.store.outbox import NOW, TENANT, make_tenant, opened

OURS, OTHER = "+16285550199", "+16285550150"
ANSWERS, NOTICES = 1, 2


class Bench:
    """One line of a tenant, and a clock that stands until moved."""

    def __init__(self, *limits: Limit) -> None:
        self.now = 1000.0
        self.dead = False
        self.tenant = TenantPace()
        self.tenant.known, self.tenant.limits = True, Limits(limits, {})
        self.tenant.keep(Pacer(limits, {}))
        self.health = Health(self.now)
        self.line = self.another("upstream")

    def another(self, carrier: str) -> LinePace:
        return LinePace(self.tenant, carrier, lambda: self.now, self.health, lambda _: not self.dead)

    def served(self, sources: list[tuple[int, str]], *, by_turn: bool = False) -> list[str]:
        """Who gets something of what is free."""
        allotted = self.line.allot(sources, 50, by_turn=by_turn)
        self.line.claimed(allotted, [], self.now)
        return list(allotted.segments) if allotted else []

    def claim(self, text_id: int, parts: int = 1) -> OutboundText:
        """A text of OURS that was claimed under the limits."""
        body = "a" * (160 if parts == 1 else 153 * parts)
        text = OutboundText(1, text_id, 1, OURS, "+14155550100", segment(body), datetime(2030, 1, 1, tzinfo=UTC))
        assert len(text.segments.parts) == parts
        allotted = self.line.allot([(NOTICES, OURS)], 50)
        assert allotted is not None
        self.line.claimed(allotted, [text], self.now)
        return text


def tenant(segments: int, seconds: float = 1.0) -> Limit:
    return Limit("tenant", "", segments, seconds)


def test_numbers_take_turns_at_what_they_share() -> None:
    bench = Bench(tenant(1))
    both = [(NOTICES, OTHER), (NOTICES, OURS)]
    assert [bench.served(both) for _ in range(4)] == [[OTHER], [OURS], [OTHER], [OURS]]


def test_the_urgent_go_first_and_every_so_often_it_is_the_turn_of_the_others() -> None:
    bench = Bench(tenant(1))
    both = [(ANSWERS, OTHER), (NOTICES, OURS)]
    assert [bench.served(both) for _ in range(3)] == [[OTHER]] * 3
    assert bench.served(both, by_turn=True) == [OURS]


def test_what_other_lines_hold_is_not_asked_for_without_a_pause() -> None:
    bench = Bench(tenant(2))
    bench.claim(1, parts=2)
    assert bench.another("backup").allot([(NOTICES, OURS)], 50) is None
    assert bench.another("backup").wait([(NOTICES, OURS)]) == AHEAD / 2


def test_a_text_that_is_under_way_counts_under_limits_that_change() -> None:
    bench = Bench(tenant(10))
    text = bench.claim(1, parts=5)
    assert bench.line.take(text, 1) == 0.0
    bench.tenant.keep(Pacer([tenant(2, 60.0)], {}))
    assert bench.line.take(text, 1) == 0.0
    assert bench.line.take(text, 1) > 0, "two in a minute, also of those that were claimed before"
    bench.line.ended((1, 1))
    bench.now += 61
    assert bench.served([(NOTICES, OURS)]) == [OURS], "what never left is free again"
    assert bench.tenant.held == {}


@pytest.mark.parametrize("successor", [None, Pacer([tenant(3)], {})])
def test_limits_that_change_during_a_claim_hold_for_it(successor: Pacer | None) -> None:
    bench = Bench(tenant(3))
    text = OutboundText(1, 1, 1, OURS, "+1", segment("a" * 153 * 5), datetime(2030, 1, 1, tzinfo=UTC))
    allotted = bench.line.allot([(NOTICES, OURS)], 50)
    bench.tenant.pacer = successor
    bench.line.claimed(allotted, [text], bench.now)
    assert [bench.line.take(text, 1) > 0 for _ in range(5)] == [False, False, False, True, True]
    bench.line.ended((1, 1))
    bench.now += 2.0
    if successor is not None:
        assert successor.coming(OURS, "upstream", bench.now, 0.0) == 3


@pytest.mark.parametrize("limited", [True, False])
def test_what_was_claimed_before_the_node_counted_as_dead_never_leaves(limited: bool) -> None:
    bench = Bench(tenant(3))
    text = bench.claim(1)
    if not limited:
        bench.line.ended((1, 1))
        bench.line.claimed(None, [text], bench.now)
    bench.dead = True
    assert bench.line.take(text, 1) == math.inf


def test_the_rest_of_a_text_that_waits_for_its_limit_is_no_silence_of_the_carrier() -> None:
    bench = Bench(tenant(1, 60.0))
    text = bench.claim(1, parts=2)
    bench.health.handed((1, 1), bench.now)
    assert bench.line.take(text, 1) == 0.0
    bench.line.answered(text, 1)
    bench.now += 30
    assert not bench.health.look(True, "bound", bench.now)


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
        await conn.execute("insert into limits values (1, 'tenant', '', 60, 10)")
        await conn.execute("insert into nodes values (1, 'a', $1, $2), (2, 'b', $1, $2)", NOW, NOW + timedelta(hours=1))
    yield made
    await made.close()


async def test_a_node_whose_lines_are_down_leaves_the_limits_to_one_whose_lines_work(db: Database) -> None:
    seconds = 1000.0
    first, second = (Paces(db, lambda: NOW, lambda: seconds) for _ in range(2))
    for paces in (first, second):
        paces.of(TENANT)
    assert await first.refresh(1, set()) == [TENANT], "its lines have had no time to come up"
    assert await second.refresh(2, {TENANT}) == []
    line = LinePace(first.of(TENANT), "lab", lambda: seconds, Health(seconds), lambda _: True)
    allotted = line.allot([(NOTICES, OURS)], 1)
    text = OutboundText(1, 1, 1, OURS, "+14155550100", segment("hello"), NOW)
    line.claimed(allotted, [text], seconds)
    seconds += YIELD + 1
    await first.refresh(1, set())
    assert await second.refresh(2, {TENANT}) == [], "a text of the first is still to end"
    line.ended((1, 1))
    await first.refresh(1, set())
    assert not first.of(TENANT).may_send()
    assert await second.refresh(2, {TENANT}) == [TENANT]
    assert await first.refresh(1, {TENANT}) == [], "one at a time"


async def test_the_only_node_keeps_the_limits_through_an_outage_of_its_lines(db: Database) -> None:
    seconds = 1000.0
    paces = Paces(db, lambda: NOW, lambda: seconds)
    paces.of(TENANT)
    async with db.connection() as conn:
        await conn.execute("delete from nodes where node_id = 2")
    await paces.refresh(1, {TENANT})
    before = paces.of(TENANT).pacer
    seconds += 60
    await paces.refresh(1, set())
    assert paces.of(TENANT).pacer is before, "it need not count again what it has counted"


async def test_what_was_let_go_in_a_minute_counts_a_while_longer_for_who_takes_over(db: Database) -> None:
    paces = Paces(db, lambda: NOW, lambda: 1000.0)
    paces.of(TENANT)
    async with db.connection() as conn:
        values = [(OURS, 99, NOW - timedelta(seconds=n), count) for n, count in ((120, 1), (180, 2), (60, 4))]
        for source, carrier, minute, count in values:
            await conn.execute("insert into paced values (1, $1, $2, $3, $4)", carrier, source, minute, count)
    await paces.refresh(1, {TENANT})
    pacer = paces.of(TENANT).pacer
    assert pacer is not None
    assert pacer.coming(OURS, "lab", 1000.0, 0.0) == 5, "also of a carrier that is deleted; of 180 s ago no more"

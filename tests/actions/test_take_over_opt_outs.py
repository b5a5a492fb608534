"""Opt-outs that only a carrier knew of: taken over, until it is too much to be believed."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from smsdesk.actions.take_over_opt_outs import release_opt_outs, take_over_opt_outs
from smsdesk.domain.text_state import AttemptOutcome
from smsdesk.steps.begin import Begin
from smsdesk.store import carrier_opt_outs, consent, receipts, texts
from smsdesk.store.db import Database, Ids
from smsdesk.store.texts import Wanted
from tests.store.outbox import LINE, NODE, NOW, OURS, TENANT, make_tenant, opened, queue_texts


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
    yield made
    await made.close()


def begin(db: Database, at: datetime = NOW) -> Begin:
    return Begin(db, Ids(), lambda: at, lambda: 0.5)


async def refuse(db: Database, *ids: int, reason: str = "opted_out", code: str | None = "21610") -> None:
    """Texts that the carrier does not take."""
    async with db.connection() as conn:
        await queue_texts(conn, ids)
        claimed = await texts.claim(conn, TENANT, LINE, Wanted(len(ids)), NODE, NOW)
        outcomes = [AttemptOutcome(one.message_id, one.attempt, "refused", reason, code) for one in claimed]
        await texts.record_outcomes(conn, TENANT, LINE, NOW, outcomes)


async def opted_out(db: Database, *ids: int) -> list[bool]:
    async with db.connection() as conn:
        return [await consent.is_opted_out(conn, TENANT, f"+1415{one}", OURS) for one in ids]


async def test_a_refusal_as_opted_out_is_taken_over(db: Database) -> None:
    await refuse(db, 1)
    await refuse(db, 2, reason="unreachable", code="30003")
    async with db.connection() as conn:
        assert await carrier_opt_outs.tenants_with_new(conn) == [TENANT]
    assert await take_over_opt_outs(begin(db), TENANT) == 1
    assert await opted_out(db, 1, 2) == [True, False]
    async with db.connection() as conn:
        (event,) = await consent.read_history(conn, TENANT, "+14151")
        assert await carrier_opt_outs.tenants_with_new(conn) == []
    assert (event.source, event.actor, event.reason) == ("carrier", "lab", "the carrier's code 21610")
    assert event.scope.kind == "all", "the number has no brand"


async def test_a_receipt_that_says_so_is_taken_over_too(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1,))
        (claimed,) = await texts.claim(conn, TENANT, LINE, Wanted(1), NODE, NOW)
        outcome = AttemptOutcome(1, claimed.attempt, "accepted", part_ids=("a",))
        await texts.record_outcomes(conn, TENANT, LINE, NOW, [outcome])
        receipt = receipts.PartReceipt("a", "failed", "opted_out", "4775")
        await receipts.record(conn, TENANT, LINE, NOW, [receipt])
    assert await take_over_opt_outs(begin(db), TENANT) == 1
    assert await opted_out(db, 1) == [True]


async def test_what_we_ended_ourselves_is_no_news(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1,))
        await consent.opt_out(conn, TENANT, "+14151", consent.Scope(), "text", NOW)
        await texts.end_opted_out(conn, TENANT, "+14151", NOW)
        assert await carrier_opt_outs.tenants_with_new(conn) == []


async def test_too_many_in_an_hour_wait_for_a_person(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("""update tenants set settings = settings || '{"carrier_opt_outs_most": 3}'""")
    await refuse(db, *range(1, 6))
    assert await take_over_opt_outs(begin(db), TENANT) == 3
    assert await opted_out(db, *range(1, 6)) == [True, True, True, False, False]
    await refuse(db, 6)
    later = begin(db, NOW + timedelta(hours=3))
    assert await take_over_opt_outs(later, TENANT) == 0, "a pause does not clear it"
    async with db.connection() as conn:
        assert await carrier_opt_outs.count_waiting(conn, TENANT) == 3
        assert {one.number for one in await carrier_opt_outs.list_waiting(conn, TENANT, 10)} == {
            "+14154", "+14155", "+14156",
        }  # fmt: skip
    assert await release_opt_outs(later, TENANT, "other", "taken", "Doe") == 0
    assert await release_opt_outs(later, TENANT, "lab", "taken", "Doe") == 3
    assert await opted_out(db, 4, 5, 6) == [True, True, True]
    await refuse(db, 7)
    assert await take_over_opt_outs(later, TENANT) == 1, "it is believed again"


async def test_what_is_dropped_changes_nothing(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("""update tenants set settings = settings || '{"carrier_opt_outs_most": 0}'""")
    await refuse(db, 1)
    assert await take_over_opt_outs(begin(db), TENANT) == 0
    assert await release_opt_outs(begin(db), TENANT, "lab", "dropped", "Doe") == 1
    assert await opted_out(db, 1) == [False]


async def test_a_number_that_is_known_does_not_count(db: Database) -> None:
    await refuse(db, 1, 2)
    async with db.connection() as conn:
        await conn.execute("""update tenants set settings = settings || '{"carrier_opt_outs_most": 1}'""")
        await consent.opt_out(conn, TENANT, "+14151", consent.Scope(), "text", NOW)
    assert await take_over_opt_outs(begin(db), TENANT) == 1
    assert await opted_out(db, 2) == [True]

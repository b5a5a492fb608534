"""Consent in the queue: what an opt-out covers, and what a reply in doubt holds."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

import pytest

from smsdesk.domain.consent import Scope
from smsdesk.domain.text_state import AttemptOutcome
from smsdesk.steps.begin import Begin
from smsdesk.steps.consent import Said, restore, revoke
from smsdesk.store import consent, consent_holds, texts
from smsdesk.store.consent_holds import Decision, Hold
from smsdesk.store.db import Connection, Database, Ids
from smsdesk.store.texts import Wanted
from tests.store.outbox import LINE, NODE, NOW, OURS, TENANT, make_tenant, opened, queue_texts, states

PHONE = "+14155550100"
SISTER, STRANGER, PLAIN = "+16285550150", "+16285550151", "+16285550152"
"""A number of OURS' brand, one of another brand, one without."""


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
        await conn.execute("update numbers set brand = 'care'")
        for number, brand in ((SISTER, "care"), (STRANGER, "sales"), (PLAIN, None)):
            await conn.execute(
                "insert into numbers (tenant_id, number, carrier_id, brand) values (1, $1, 1, $2)", number, brand
            )
    yield made
    await made.close()


def begin(db: Database, at: datetime = NOW) -> Begin:
    return Begin(db, Ids(), lambda: at, lambda: 0.5)


async def queue_one_each(conn: Connection) -> None:
    """Texts 1 to 4 to PHONE from the four numbers, in this order."""
    await queue_texts(conn, range(1, 5), destination=PHONE)
    for message_id, number in enumerate((OURS, SISTER, STRANGER, PLAIN), 1):
        await conn.execute("update texts set source = $2 where message_id = $1", message_id, number)


async def claim(db: Database, at: timedelta = timedelta()) -> list[int]:
    async with db.connection() as conn:
        found = await texts.claim(conn, TENANT, LINE, Wanted(10), NODE, NOW + at)
        return sorted(text.message_id for text in found)


@pytest.mark.parametrize(
    ("scope", "ended"),
    [(Scope("number", OURS), {1}), (Scope("brand", "care"), {1, 2}), (Scope(), {1, 2, 3, 4})],
    ids=["number", "brand", "all"],
)
async def test_a_revocation_ends_what_is_queued_in_its_scope_and_nothing_else(
    db: Database, scope: Scope, ended: set[int]
) -> None:
    async with db.connection() as conn:
        await queue_one_each(conn)
    async with begin(db)(TENANT) as work:
        assert await revoke(work, Said(PHONE, "STOP"), scope)
    async with db.connection() as conn:
        found = await states(conn)
    assert {one for one, state in found.items() if state == ("failed", "opted_out")} == ended
    assert await claim(db) == sorted({1, 2, 3, 4} - ended)


@pytest.mark.parametrize("scope", [Scope("number", OURS), Scope("brand", "care"), Scope()], ids=lambda one: one.kind)
async def test_a_claim_sees_an_opt_out_that_ended_nothing(db: Database, scope: Scope) -> None:
    async with db.connection() as conn:
        await queue_one_each(conn)
        await consent.opt_out(conn, TENANT, PHONE, scope, "text", NOW)
        covered = [
            one for one in (OURS, SISTER, STRANGER, PLAIN) if await consent.is_opted_out(conn, TENANT, PHONE, one)
        ]
    claimed = await claim(db)
    assert len(claimed) == 4 - len(covered)
    async with db.connection() as conn:
        assert sum(state == ("failed", "opted_out") for state in (await states(conn)).values()) == len(covered)


@pytest.mark.parametrize(
    ("number", "at", "settings", "wanted"),
    [
        (OURS, "2026-03-01", {}, Scope("brand", "care", "brand from 2025-04-11")),
        (OURS, "2027-01-30", {}, Scope("brand", "care", "brand from 2025-04-11")),
        (OURS, "2027-01-31", {}, Scope("all", "", "all from 2027-01-31")),
        (PLAIN, "2026-03-01", {}, Scope("all", "", "brand from 2025-04-11; the number has no brand")),
        (OURS, "2020-01-01", {}, Scope("all", "", "all, before the first rule")),
        (OURS, "2026-03-01", {"consent_scope": [{"from": "2026-01-01", "scope": "number"}]},
         Scope("number", OURS, "number from 2026-01-01")),
        (OURS, "2026-03-01", {"consent_scope": None}, Scope("brand", "care", "brand from 2025-04-11")),
    ],
)  # fmt: skip
async def test_the_rule_of_the_day_says_what_a_stop_covers(
    db: Database, number: str, at: str, settings: dict[str, object], wanted: Scope
) -> None:
    async with db.connection() as conn:
        await conn.execute("update tenants set settings = settings || $1", settings)
        assert await consent.read_scope(conn, TENANT, number, datetime.fromisoformat(at).replace(tzinfo=UTC)) == wanted


async def test_random_histories_equal_the_model(db: Database) -> None:
    """R23, with the plain model below: a set of (phone, scope, of), and which of them cover a number of ours."""
    random, numbers = Random(23), (OURS, SISTER, STRANGER, PLAIN)
    brands = {OURS: "care", SISTER: "care", STRANGER: "sales", PLAIN: None}
    phones = [f"+1415555{n:04}" for n in range(40)]
    scopes = [*(Scope("number", one) for one in numbers), Scope("brand", "care"), Scope("brand", "sales"), Scope()]
    model: set[tuple[str, str, str]] = set()

    def covers(kind: str, of: str, number: str) -> bool:
        return kind == "all" or of == (number if kind == "number" else brands[number])

    for step in count(1):
        phone, scope, number = random.choice(phones), random.choice(scopes), random.choice(numbers)
        what = random.choice(("revoke", "revoke", "start", "restore"))
        async with begin(db, NOW + timedelta(seconds=step))(TENANT) as work:
            if what == "revoke":
                new = await revoke(work, Said(phone, "x", random.choice(("text", "api", "agent"))), scope)
                assert new == ((phone, scope.kind, scope.of) not in model)
                model.add((phone, scope.kind, scope.of))
            elif what == "start":
                await restore(work, Said(phone, "START"), our_number=number)
                model = {one for one in model if one[0] != phone or not covers(one[1], one[2], number)}
            else:
                await restore(work, Said(phone, "signed", "api"), scope)
                model.discard((phone, scope.kind, scope.of))
        if step % 60 == 0:
            async with db.connection() as conn:
                for each in phones:
                    for ours in numbers:
                        wanted = any(one[0] == each and covers(one[1], one[2], ours) for one in model)
                        assert await consent.is_opted_out(conn, TENANT, each, ours) == wanted, (each, ours, step)
        if step == 360:
            return


async def hold(conn: Connection, hold_id: int = 900) -> bool:
    return await consent_holds.add_hold(
        conn, TENANT, Hold(hold_id, PHONE, OURS, NOW, 1, 1, "wrong number", "a wrong number")
    )


async def test_a_notice_in_doubt_stands_aside_and_answers_go_on(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, (1, 2), destination=PHONE)
        await conn.execute("update texts set kind = 'answer', priority = 1, queued_at = queued_at + interval '1 s' "
                           "where message_id = 2")  # fmt: skip
        await queue_texts(conn, (3,))
        assert await hold(conn)
        assert not await hold(conn, 901), "one for each pair"
    assert await claim(db) == [3], "the notice was found to be in doubt"
    assert await claim(db) == [2], "and nothing waits behind it"
    assert await claim(db, timedelta(hours=5)) == []
    async with db.connection() as conn:
        await consent_holds.decide(conn, TENANT, PHONE, OURS, Decision("allowed", "agent 1", NOW))
    await record_sent(db, 2)
    assert await claim(db) == [1]


async def test_other_numbers_of_ours_are_not_in_doubt(db: Database) -> None:
    async with db.connection() as conn:
        await queue_one_each(conn)
        await hold(conn)
    assert await claim(db) == [2, 3, 4]


async def test_many_held_notices_do_not_hide_the_others(db: Database) -> None:
    async with db.connection() as conn:
        await queue_texts(conn, range(1, 61), due_at=NOW - timedelta(hours=1))
        await queue_texts(conn, (100,))
        for message_id in range(1, 61):
            one = Hold(1000 + message_id, f"+1415{message_id}", OURS, NOW, message_id, message_id, "spam", "spam")
            await consent_holds.add_hold(conn, TENANT, one)
    assert await claim(db) == [100]


async def record_sent(db: Database, message_id: int) -> None:
    async with db.connection() as conn:
        attempt = await conn.fetchval("select attempt from texts where message_id = $1", message_id)
        await texts.record_outcomes(
            conn, TENANT, LINE, NOW, [AttemptOutcome(message_id, attempt, "accepted", part_ids=("a",))]
        )

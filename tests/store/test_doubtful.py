"""A doubtful text is settled by the receipts that can only be its own, and by no others."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from smsdesk.actions.resolve_doubtful import resolve_doubtful
from smsdesk.domain.text_state import AttemptOutcome, PartReceipt
from smsdesk.store import receipts, texts
from smsdesk.store.db import Database
from smsdesk.store.doubtful import Settlement, settle
from tests.store.outbox import LINE, NODE, NOW, TENANT, make_tenant, opened, queue_texts, states

PHONE = "+14155550100"
LATER = NOW + timedelta(seconds=5)


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
    yield made
    await made.close()


async def doubtful(db: Database, *ids: int, parts: int = 1, named: tuple[str | None, ...] = ()) -> None:
    """Texts to PHONE that were claimed, and of which no answer came but for the parts that are named."""
    async with db.connection() as conn:
        await queue_texts(conn, ids, destination=PHONE, parts=parts)
        for _ in ids:  # one after another: the order between two numbers is kept
            (text,) = await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, NOW)
            outcome = AttemptOutcome(text.message_id, 1, "doubtful", part_ids=named)
            await texts.record_outcomes(conn, TENANT, LINE, NOW, [outcome])


async def receive(db: Database, part_id: str, state: str = "delivered", **more: object) -> None:
    values = {"reason": None, "code": f"stat:{state}", "number": PHONE, "reference": None, "at": LATER, **more}
    at = values.pop("at")
    async with db.connection() as conn:
        receipt = PartReceipt(part_id, state, **values)  # type: ignore[arg-type]
        await receipts.record(conn, TENANT, LINE, at, [receipt])  # type: ignore[arg-type]


async def settled(db: Database) -> dict[int, tuple[str, str | None]]:
    await resolve_doubtful(db, LATER)
    async with db.connection() as conn:
        return await states(conn)


async def orphans(db: Database) -> int:
    async with db.connection() as conn:
        count: int = await conn.fetchval("select count(*) from orphan_receipts")
        return count


async def test_by_the_reference_that_it_was_sent_with(db: Database) -> None:
    await doubtful(db, 70_001, 70_002)
    await receive(db, "abc", reference=70_002 % 65_536)
    assert await settled(db) == {70_001: ("doubtful", None), 70_002: ("delivered", None)}
    assert await orphans(db) == 0
    await receive(db, "def", "undelivered", reference=70_001 % 65_536, reason="unreachable")
    assert (await settled(db))[70_001] == ("undelivered", "unreachable")


async def test_by_the_phone_where_no_other_text_can_be_meant(db: Database) -> None:
    await doubtful(db, 1)
    await receive(db, "abc")
    assert await settled(db) == {1: ("delivered", None)}


async def test_not_where_two_can_be_meant(db: Database) -> None:
    await doubtful(db, 1, 2)
    await receive(db, "abc")
    assert set((await settled(db)).values()) == {("doubtful", None)}
    assert await orphans(db) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"reference": 9}, {"number": "+14155550199"}, {"number": None}, {"at": NOW - timedelta(seconds=1)}],
    ids=["reference", "phone", "no phone", "before it was sent"],
)
async def test_not_by_a_receipt_of_another(db: Database, wrong: dict[str, object]) -> None:
    await doubtful(db, 1)
    await receive(db, "abc", **wrong)
    assert await settled(db) == {1: ("doubtful", None)}
    assert await orphans(db) == 1


async def test_all_parts_must_be_told_of(db: Database) -> None:
    await doubtful(db, 1, parts=3, named=("first", None, None))
    await receive(db, "first", reference=1)
    await receive(db, "second", reference=1)
    assert await settled(db) == {1: ("doubtful", None)}
    await receive(db, "third", "failed", reference=1, reason="filtered")
    assert await settled(db) == {1: ("failed", "filtered")}


async def test_those_that_nobody_hears_of_do_not_hide_the_others(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsdesk.actions.resolve_doubtful._GROUP", 2)
    await doubtful(db, 1, 2, 3)
    await receive(db, "abc", reference=3)
    assert (await settled(db))[3] == ("delivered", None)


async def test_an_interim_word_says_that_it_was_sent(db: Database) -> None:
    await doubtful(db, 1)
    await receive(db, "abc", "sent", reference=1)
    assert await settled(db) == {1: ("sent", None)}
    await receive(db, "abc", reference=1)
    assert await settled(db) == {1: ("delivered", None)}


async def test_a_text_that_is_known_part_by_part_is_charged_once(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("update carriers set currency = 'USD'")
        await conn.execute("insert into rates values (1, 1, '', 0.01)")
    await doubtful(db, 1, parts=3, named=("a", None, None))
    for part_id in ("b", "c"):
        await receive(db, part_id, reference=1)
        await settled(db)
    async with db.connection() as conn:
        assert await conn.fetchval("select price from messages") == Decimal("0.03")
        assert tuple(await conn.fetchrow("select texts, segments, price from usage")) == (1, 3, Decimal("0.03"))


async def send_again(db: Database, message_id: int = 1) -> None:
    """A person has it sent again, and no answer comes to that either."""
    async with db.connection() as conn:
        await settle(conn, TENANT, Settlement(message_id, "send_again", "john"), NOW, NOW + timedelta(days=1))
        (text,) = await texts.claim(conn, TENANT, LINE, texts.Wanted(10), NODE, NOW)
        await texts.record_outcomes(conn, TENANT, LINE, NOW, [AttemptOutcome(message_id, text.attempt, "doubtful")])


@pytest.mark.parametrize("reference", [1, None])
async def test_what_the_first_attempt_failed_of_is_not_said_of_the_second(db: Database, reference: int | None) -> None:
    await doubtful(db, 1)
    await send_again(db)
    await receive(db, "abc", "failed", reference=reference, reason="unreachable")
    assert await settled(db) == {1: ("doubtful", None)}
    await receive(db, "def", reference=reference)
    assert await settled(db) == {1: ("delivered", None)}, "whichever of the two it was: the phone has it"


async def test_a_text_that_went_elsewhere_may_be_the_one_that_is_meant(db: Database) -> None:
    await doubtful(db, 1)
    async with db.connection() as conn:
        await settle(conn, TENANT, Settlement(1, "send_again", "john"), NOW, NOW + timedelta(days=1))
        await conn.execute("update texts set carrier_id = 2 where message_id = 1")  # as a move does
        await conn.execute("update texts set state = 'sent' where message_id = 1")
    await doubtful(db, 2)
    await receive(db, "abc")
    assert (await settled(db))[2] == ("doubtful", None)


async def test_more_receipts_than_parts_change_nothing_more(db: Database) -> None:
    await doubtful(db, 1)
    await receive(db, "abc", reference=1)
    await receive(db, "def", "failed", reference=1, reason="blocked")
    assert await settled(db) == {1: ("delivered", None)}
    assert await resolve_doubtful(db, LATER) == 0
    assert await orphans(db) == 1


async def test_an_answer_that_comes_after_all_is_too_late_to_matter(db: Database) -> None:
    await doubtful(db, 1)
    await receive(db, "abc", reference=1)
    assert await settled(db) == {1: ("delivered", None)}
    async with db.connection() as conn:
        await texts.record_outcomes(conn, TENANT, LINE, LATER, [AttemptOutcome(1, 1, "accepted", part_ids=("abc",))])
        assert await states(conn) == {1: ("delivered", None)}

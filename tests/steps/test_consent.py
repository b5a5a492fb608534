"""What a reply says about consent: commands, words that mean them, and words that may."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from smsdesk.domain.consent import Scope
from smsdesk.steps.begin import Begin
from smsdesk.steps.consent import Consented, Reply, Said, read_reply, revoke
from smsdesk.store import blocklist, consent, consent_holds
from smsdesk.store.blocklist import BlockedNumber
from smsdesk.store.db import Database, Ids
from tests.store.outbox import NOW, OURS, TENANT, make_tenant, opened, queue_texts, states

PHONE = "+14155550100"


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    """A consumer whose last chat was a text of ours, `hello 1`."""
    made = await opened(database)
    async with made.connection() as conn:
        await make_tenant(conn)
        await queue_texts(conn, (1,), destination=PHONE)
    yield made
    await made.close()


async def read(db: Database, body: str, seconds: float = 0) -> Consented:
    begin = Begin(db, Ids(), lambda: NOW + timedelta(seconds=seconds), lambda: 0.5)
    async with begin(TENANT) as work:
        return await read_reply(work, Reply(PHONE, OURS, body, 1, 1, 1, 1))


async def say(db: Database, body: str) -> None:
    """The last text of ours says this."""
    async with db.connection() as conn:
        await conn.execute("update messages set body = $1 where message_id = 1", body)


async def is_opted_out(db: Database) -> bool:
    async with db.connection() as conn:
        return await consent.is_opted_out(conn, TENANT, PHONE, OURS)


@pytest.mark.parametrize("body", ["STOP", "please stop texting me", "ya no me manden mensajes"])
async def test_a_stop_in_any_words_is_obeyed_and_confirmed_once(db: Database, body: str) -> None:
    done = await read(db, body)
    assert (done.command, done.new, done.held) == ("stop", True, False)
    assert done.answer is not None
    assert done.answer[0] == "confirmation"
    assert "Acme" in done.answer[1]
    async with db.connection() as conn:
        (event,) = await consent.read_history(conn, TENANT, PHONE)
        assert await states(conn) == {1: ("failed", "opted_out")}
    assert (event.kind, event.source, event.words) == ("opted_out", "text", body)
    assert event.reason == done.reason
    assert event.reason
    assert event.scope.rule is not None
    again = await read(db, body, 5)
    assert (again.command, again.new, again.answer) == ("stop", False, None)


async def test_start_undoes_it_and_is_confirmed(db: Database) -> None:
    assert (await read(db, "START")).command is None, "who is not opted out says it to a person"
    await read(db, "STOP")
    done = await read(db, "start", 5)
    assert (done.command, done.answer and done.answer[0]) == ("start", "answer")
    assert not await is_opted_out(db)
    async with db.connection() as conn:
        assert [one.kind for one in await consent.read_history(conn, TENANT, PHONE)] == ["opted_out", "opted_in"]


@pytest.mark.parametrize(
    ("asked", "starts"),
    [
        ("You are opted out. Reply START to opt back in.", True), ("Your order has left.", True),
        ("Can you come at 5?", False), ("Reply YES to keep your appointment.", False),
        ("Please confirm your appointment.", False), ("Responda SI para confirmar.", False),
    ],
)  # fmt: skip
async def test_yes_starts_only_where_nothing_was_asked(db: Database, asked: str, starts: bool) -> None:
    await say(db, asked)
    await revoke_by_call(db)
    done = await read(db, "yes", 5)
    assert (done.command == "start") is starts
    assert await is_opted_out(db) is not starts
    assert (await read(db, "UNSTOP", 9)).command == (None if starts else "start"), "START words always do"


async def revoke_by_call(db: Database) -> None:
    async with Begin(db, Ids(), lambda: NOW, lambda: 0.5)(TENANT) as work:
        await revoke(work, Said(PHONE, "called", "api", "main"), Scope())


async def test_help_is_not_answered_to_who_opted_out(db: Database) -> None:
    first = await read(db, "HELP")
    assert (first.command, first.answer and first.answer[0]) == ("help", "answer")
    await read(db, "STOP", 1)
    assert await read(db, "HELP", 2) == Consented()


async def test_words_in_doubt_are_held_for_a_person_with_a_line_in_the_chat(db: Database) -> None:
    done = await read(db, "wrong number")
    assert (done.command, done.held, done.new, done.answer) == (None, True, True, None)
    async with db.connection() as conn:
        (hold,) = await consent_holds.list_holds(conn, TENANT, is_open=True, limit=10)
        assert (hold.number, hold.our_number, hold.words, hold.reason) == (PHONE, OURS, "wrong number", done.reason)
        (note,) = [row[0] for row in await conn.fetch("select body from messages where sender = 'note'")]
    assert done.reason in note
    assert not (await read(db, "not interested", 3)).new, "one hold for each pair"
    async with db.connection() as conn:
        assert await conn.fetchval("select count(*) from messages where sender = 'note'") == 1


@pytest.mark.parametrize(("body", "decision"), [("STOP", "revoked")])
async def test_the_consumer_himself_may_settle_a_hold(db: Database, body: str, decision: str) -> None:
    await read(db, "wrong number")
    await read(db, body, 3)
    async with db.connection() as conn:
        (hold,) = await consent_holds.list_holds(conn, TENANT, is_open=False, limit=10)
    assert (hold.decision, hold.decided_by) == (decision, "consumer")


async def test_a_blocked_number_is_obeyed_and_never_answered(db: Database) -> None:
    async with db.connection() as conn:
        await blocklist.block(conn, TENANT, BlockedNumber(PHONE, NOW, "", "Doe"))
    assert await read(db, "hello") == Consented(blocked=True)
    done = await read(db, "STOP", 1)
    assert (done.command, done.blocked, done.answer) == ("stop", True, None)
    assert await is_opted_out(db)
    assert (await read(db, "START", 2)).answer is None
    assert (await read(db, "HELP", 3)).answer is None


async def test_an_ordinary_text_is_nothing_here(db: Database) -> None:
    assert await read(db, "I will stop by tomorrow") == Consented()
    assert not await is_opted_out(db)

"""Where two features meet: each of these was a fault once, a lost reply or a chat that nobody could end."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import structlog

from smsdesk.actions.expire_chats import expire_chats
from smsdesk.actions.receive_reply import ReceiveReply
from smsdesk.domain.reply import InboundPart
from smsdesk.domain.verification import VALID, digest
from smsdesk.jobs.conversations import Conversations
from smsdesk.steps import routing, transfers
from smsdesk.steps.ending import BY_AGENT, end
from smsdesk.steps.speaking import agent_spoke, set_aside
from smsdesk.steps.transfers import Wanted
from smsdesk.store.blocklist import BlockedNumber, block
from smsdesk.store.verifications import NewCode, put_verification
from tests.steps.desk import OTHER, SUPPORT, Desk
from tests.store.outbox import LINE, OURS, TENANT, opened


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    db = await opened(database)
    made = Desk(db)
    await made.begin()
    yield made
    await db.close()


async def receive(desk: Desk, body: str, to: str = OURS) -> None:
    """The consumer writes, and all of what a reply goes through is gone through."""
    desk.later(1)
    part = InboundPart(LINE, desk.phone, to, body, "gsm7", desk.now, "s1")
    await ReceiveReply(desk.db, desk.ids, desk.chance)(TENANT, replace(part, carrier_reference=str(desk.now)))


async def answers(desk: Desk, chat_id: int) -> None:
    """The chat's agent writes."""
    desk.later(1)
    async with desk.work() as work:
        await agent_spoke(work, await desk.row(work, chat_id))


async def give(desk: Desk, chat_id: int, agent_id: int) -> None:
    """A cold transfer to an agent."""
    async with desk.work() as work:
        chat = await desk.row(work, chat_id)
        await transfers.start(work, chat, Wanted(False, chat.agent_id, agent_id, None))


# Who is asked


async def test_a_cascade_whose_first_group_is_away_begins_with_the_next(desk: Desk) -> None:
    groups = [{"name": "Experts", "seconds": 15}, {"name": "All", "seconds": 30}]
    queue = await desk.queue("Q", routing="cascade", groups=groups)
    await desk.agent("a", (queue, 1), status="break")
    there = await desk.agent("b", (queue, 2))
    chat = await desk.chat(queue)
    assert await desk.asked(chat) == [there]
    assert await desk.rows("select group_name from casts") == [("All",)]


async def test_an_agent_of_two_queues_gets_what_waits_longest_in_either(desk: Desk) -> None:
    first, second = await desk.queue("A"), await desk.queue("B")
    agent = await desk.agent("a", first, second, status="break", max_chats=1)
    longest, other = await desk.chat(second), await desk.chat(first)
    await desk.status(agent, "available")
    assert (await desk.asked(longest), await desk.asked(other)) == ([agent], [])


async def test_the_sweep_too_asks_for_what_waits_longest(desk: Desk) -> None:
    first, second = await desk.queue("A"), await desk.queue("B")
    agent = await desk.agent("a", first, second, max_chats=1, status="break")
    longest, other = await desk.chat(second), await desk.chat(first)
    await desk.rows("update agent_statuses set status = 'available'")
    async with desk.work() as work:
        await work.conn.execute("select refresh_agent(1, $1, $2)", agent, desk.now)
    await desk.sweep()
    assert (await desk.asked(longest), await desk.asked(other)) == ([agent], [])


async def test_a_queue_whose_hours_are_changed_asks_without_waiting_for_the_old_ones(desk: Desk) -> None:
    queue = await desk.queue("Q", hours={"time_zone": "UTC", "week": {}})
    agent = await desk.agent("a", queue)
    chat = await desk.chat(queue)
    assert await desk.value("select ask_at from chats") is not None, "a queue that never opens is not looked at all day"
    await desk.set_queue(queue)
    desk.later(600)
    await desk.sweep()
    assert await desk.asked(chat) == [agent]


async def test_a_chat_is_asked_for_however_often_nobody_takes_it(desk: Desk) -> None:
    queue = await desk.queue("Q", routing="multicast", offer_seconds=5)
    agent = await desk.agent("a", queue)
    chat = await desk.chat(queue)
    await desk.rows("update casts set number = 32767")
    desk.later(6)
    await desk.sweep()
    assert await desk.asked(chat) == [agent]


# Transfers


async def test_a_chat_without_a_queue_can_be_transferred(desk: Desk) -> None:
    giver, taker = await desk.agent("a"), await desk.agent("b")
    await desk.notice(giver)
    await desk.says("hello")
    chat = (await desk.last())["chat_id"]
    await give(desk, chat, taker)
    assert (await desk.sweep()).unowned == 0
    assert await desk.asked(chat) == [taker]


async def test_a_transfer_ends_when_its_chat_is_put_into_another_queue(desk: Desk) -> None:
    queue, other = await desk.queue("A"), await desk.queue("B")
    giver, taker = await desk.agent("a", queue), await desk.agent("b")
    third = await desk.agent("c", other)
    chat = await desk.chat(queue)
    await desk.take(chat, giver)
    await give(desk, chat, taker)
    async with desk.work() as work:
        await routing.enqueue(work, await desk.row(work, chat), other)
    assert await desk.asked(chat) == [third]
    assert await desk.rows("select status from transfers") == [("cancelled",)]


async def test_a_transfer_whose_offer_was_missed_when_the_node_died_is_settled_by_the_next(desk: Desk) -> None:
    queue = await desk.queue("A")
    giver, taker = await desk.agent("a", queue), await desk.agent("b")
    chat = await desk.chat(queue)
    await desk.take(chat, giver)
    await give(desk, chat, taker)
    await desk.rows("update offers set state = 'missed', ended_at = expires_at where agent_id = $1", taker)
    await desk.sweep()
    row = await desk.read(chat)
    assert (row.status, row.agent_id) == ("assigned", giver)


async def test_who_was_given_a_chat_and_is_not_there_does_not_keep_it(desk: Desk) -> None:
    """Though the agent before him had the last word."""
    queue = await desk.queue("A")
    giver, taker = await desk.agent("a", queue), await desk.agent("b", status="offline")
    chat = await desk.chat(queue)
    await desk.take(chat, giver)
    await answers(desk, chat)
    await desk.take(chat, taker)
    desk.later(301)
    assert (await desk.sweep()).rescued == 1
    assert await desk.asked(chat) == [giver]


async def test_who_is_given_a_chat_while_he_is_away_has_as_long_as_anybody(desk: Desk) -> None:
    queue = await desk.queue("A")
    away = await desk.agent("a", queue, status="offline")
    chat = await desk.chat(queue)
    desk.later(3600)
    await desk.take(chat, away)
    desk.later(299)
    assert (await desk.sweep()).rescued == 0
    desk.later(2)
    assert (await desk.sweep()).rescued == 1


# Clocks


async def test_the_clock_of_one_queue_does_not_run_in_another(desk: Desk) -> None:
    first = await desk.queue("A", queue_expiry_minutes=10, texts={"hold": "Wait."})
    second = await desk.queue("B", texts={"hold": ""})
    chat = await desk.chat(first)
    async with desk.work() as work:
        await routing.enqueue(work, await desk.row(work, chat), second)
    desk.later(3600)
    assert await desk.fire() == 0
    assert (await desk.read(chat)).status == "queued"


async def test_the_clock_of_a_menu_does_not_end_what_an_agent_has_taken(desk: Desk) -> None:
    await desk.menu()
    await desk.set_queue(SUPPORT, consumer_silence_minutes=10)
    agent = await desk.agent("a")
    await desk.says("my order is broken")
    chat = (await desk.last())["chat_id"]
    await desk.take(chat, agent)
    desk.later(3600)
    assert await desk.fire() == 0
    assert (await desk.read(chat)).status == "assigned"


async def test_an_unanswered_notice_that_was_transferred_still_closes(desk: Desk) -> None:
    queue = await desk.queue("A")
    giver, taker = await desk.agent("a", queue), await desk.agent("b", queue)
    await desk.notice(giver)
    chat = (await desk.last())["chat_id"]
    await give(desk, chat, taker)
    await desk.take(chat, taker)
    desk.later(24 * 3600)
    assert await expire_chats(desk.db, TENANT, desk.now) == 1
    assert (await desk.last())["fail_reason"] == "no_response"


async def test_what_was_set_aside_while_the_consumer_waited_does_not_stay_open_for_ever(desk: Desk) -> None:
    queue = await desk.queue("A")
    agent = await desk.agent("a", queue)
    chat = await desk.chat(queue)
    await desk.take(chat, agent)
    await answers(desk, chat)
    desk.later(1)
    async with desk.work() as work:
        await work.conn.execute("update chats set end_user_said_at = $1", desk.now)
        await work.conn.execute("delete from timers")
        await set_aside(work, await desk.row(work, chat), "Set aside.")
    desk.later(24 * 3600)
    assert await desk.fire() == 1
    assert (await desk.read(chat)).status == "finished"


# What a reply is about


async def surveyed(desk: Desk) -> int:
    """A chat has ended, and its consumer is asked how it was."""
    await desk.set_queue(SUPPORT, survey=True)
    agent = await desk.agent("a", SUPPORT)
    await receive(desk, "hi")
    chat = int((await desk.last())["chat_id"])
    await desk.take(chat, agent)
    await answers(desk, chat)
    async with desk.work() as work:
        await end(work, await desk.row(work, chat), BY_AGENT)
    return chat


@pytest.mark.parametrize("body", ["5 - please stop texting me", "1, unsubscribe"])
async def test_a_rating_does_not_hide_that_the_consumer_wants_no_more_texts(desk: Desk, body: str) -> None:
    await surveyed(desk)
    await receive(desk, body)
    assert await desk.value("select count(*) from opt_outs") == 1


async def test_a_rating_that_asks_something_is_for_a_person(desk: Desk) -> None:
    chat = await surveyed(desk)
    await receive(desk, "4 - but where is my refund?")
    last = await desk.last()
    assert last["chat_id"] != chat
    assert last["status"] == "queued"


async def test_a_survey_is_answered_at_the_number_that_asked(desk: Desk) -> None:
    chat = await surveyed(desk)
    await desk.add_number(OTHER, queue_id=SUPPORT)
    await receive(desk, "2", to=OTHER)
    assert (await desk.last())["chat_id"] != chat
    assert await desk.value("select rating from chats where chat_id = $1", chat) is None


async def dismissed(desk: Desk) -> int:
    agent = await desk.agent("a", SUPPORT)
    await receive(desk, "hi")
    chat = int((await desk.last())["chat_id"])
    await desk.take(chat, agent)
    await answers(desk, chat)
    async with desk.work() as work:
        await set_aside(work, await desk.row(work, chat), "Set aside.")
    return chat


async def send_code(desk: Desk, chat_id: int) -> None:
    async with desk.work() as work:
        until = desk.now + VALID
        kept = NewCode(chat_id, await work.take_id(), digest(TENANT, chat_id, "123456"), until)
        await put_verification(work.conn, TENANT, kept, desk.now)


@pytest.mark.parametrize("body", ["HELP", "123456", "654321"])
async def test_whatever_is_written_brings_back_what_was_set_aside(desk: Desk, body: str) -> None:
    chat = await dismissed(desk)
    await send_code(desk, chat)
    await receive(desk, body)
    assert (await desk.read(chat)).status == "resumed"
    assert (await desk.sweep()).unowned == 0


async def test_a_blocked_consumer_brings_nothing_back(desk: Desk) -> None:
    chat = await dismissed(desk)
    async with desk.work() as work:
        await block(work.conn, TENANT, BlockedNumber(desk.phone, desk.now, "", None))
    await receive(desk, "hello?")
    assert (await desk.read(chat)).status == "failed"
    assert (await desk.sweep()).unowned == 0


async def test_a_code_that_comes_back_to_a_notice_needs_nobody(desk: Desk) -> None:
    await desk.notice()
    chat = (await desk.last())["chat_id"]
    await send_code(desk, chat)
    await receive(desk, "123456")
    row = await desk.read(chat)
    assert (row.status, row.verified) == ("finished", True)
    assert (await desk.sweep()).unowned == 0


async def test_a_wrong_code_to_a_notice_is_read_by_a_person(desk: Desk) -> None:
    await desk.notice()
    chat = (await desk.last())["chat_id"]
    await send_code(desk, chat)
    await receive(desk, "order 654321 is late")
    assert await desk.where() == ("queued", SUPPORT, None)
    assert not (await desk.read(chat)).verified


# However many there are


async def test_what_an_agent_has_is_read_past_the_campaigns_in_his_name(desk: Desk) -> None:
    agent = await desk.agent("a", SUPPORT)
    await desk.rows(
        """
        with people as (
            insert into end_users (tenant_id, end_user_id, number, created_at)
            select 1, 10000000 + n, '+1999' || n, $2 from generate_series(1, 5000) n returning end_user_id
        )
        insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, agent_id,
                           assigned_at, expires_at)
        select 1, end_user_id, end_user_id, $3, 'outbound', 'assigned', $2, $1, $2, $2 from people
        """,
        agent, desk.now, OURS,
    )  # fmt: skip
    async with desk.db.connection() as conn:
        await conn.execute("analyze chats")
        plan = await conn.fetch(
            """
            explain select count(*) from chats c
            where c.tenant_id = 1 and c.agent_id = 7 and c.agent_id is not null and c.ends_at is null
              and c.status in ('assigned', 'ongoing') and c.end_user_said_at is not null
            """
        )
    assert "chats_answered" in "\n".join(row[0] for row in plan)


async def test_a_tenant_whose_timers_fail_does_not_keep_the_others_waiting(desk: Desk) -> None:
    queue = await desk.queue("Q", queue_expiry_minutes=1)
    await desk.chat(queue)
    await desk.set_queue(queue, routing="of a later release")
    await desk.rows(
        "insert into tenants (tenant_id, subdomain, settings, created_at, changed_at)"
        " values (2, 'other', '{}', $1, $1)", desk.now,
    )  # fmt: skip
    await desk.rows(
        "insert into end_users (tenant_id, end_user_id, number, created_at) values (2, 1, '+1', $1)", desk.now
    )
    await desk.rows(
        """
        insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at)
        values (2, 1, 1, '+2', 'inbound', 'selecting', $1)
        """,
        desk.now,
    )
    await desk.rows("insert into timers (tenant_id, chat_id, kind, due_at) values (2, 1, 'survey', $1)", desk.now)
    desk.later(61)
    woken: list[int] = []
    jobs = Conversations(desk.db, desk.ids, lambda: desk.now, desk.chance, structlog.get_logger())
    await jobs.fire_timers(woken.append)
    assert woken == [2]

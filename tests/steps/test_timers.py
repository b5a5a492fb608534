"""What time does to a chat: each thing once, whoever looks, however many, and whatever the clock did in between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from smsdesk.actions.fire_timers import FireTimers
from smsdesk.actions.resume_chat import resume_chat
from smsdesk.actions.send_message import SendMessage
from smsdesk.domain.segments import segment
from smsdesk.domain.send import Send
from smsdesk.jobs.conversations import Conversations
from smsdesk.steps.begin import Begin
from smsdesk.steps.speaking import agent_spoke, consumer_spoke
from smsdesk.steps.work import Work
from smsdesk.store.db import Ids
from smsdesk.store.moves import set_timer
from smsdesk.store.sends import WantedSend
from smsdesk.store.tenants import read_tenant
from smsdesk.store.timers import take_due
from tests.kit.center import Center
from tests.store.outbox import OURS, TENANT, opened


@pytest.fixture
async def center(database: str) -> AsyncIterator[Center]:
    db = await opened(database)
    yield await Center(db).begin()
    await db.close()


async def speaks(center: Center, chat: int, agent: bool) -> None:
    async with center.work() as work:
        row = await center.row(work, chat)
        await (agent_spoke if agent else consumer_spoke)(work, row)


async def test_many_timers_fire_once_each_on_two_nodes_that_look_all_the_time(center: Center, database: str) -> None:
    queue = await center.queue("Q", queue_expiry_minutes=1)
    chats = [await center.chat(queue) for _ in range(60)]
    center.later(61)
    other = await opened(database)

    async def node(db: object) -> int:
        fire, fired = FireTimers(db, Ids(), center.chance), 0  # type: ignore[arg-type]
        for _ in range(80):
            fired += await fire(TENANT, center.now)
        return fired

    fired = await asyncio.gather(node(center.db), node(other), node(center.db))
    await other.close()
    assert sum(fired) == len(chats)
    assert await center.rows("select status, fail_reason, count(*) from chats group by 1, 2") == [
        ("failed", "expired", 60)
    ]
    assert await center.value("select count(*) from spans where status = 'queued'") == 60
    assert await center.value("select count(*) from messages where sender = 'system'") == 60, "each was told once"


async def test_a_transaction_that_dies_leaves_its_timer(center: Center) -> None:
    queue = await center.queue("Q", queue_expiry_minutes=1)
    chat = await center.chat(queue)
    center.later(61)
    async with center.db.connection() as conn:
        attempt = conn.transaction()
        await attempt.start()
        assert await take_due(conn, TENANT, center.now) is not None
        assert await center.fire() == 0, "somebody is at it"
        await attempt.rollback()
    assert await center.fire() == 1
    assert (await center.read(chat)).status == "failed"


async def test_clocks_that_jump_neither_fire_early_nor_twice(center: Center) -> None:
    queue = await center.queue("Q", queue_expiry_minutes=60, texts={"hold": ""})
    chat = await center.chat(queue)
    center.later(3_000)
    assert await center.fire() == 0
    center.later(-7_200)
    assert await center.fire() == 0
    center.later(7_900)
    assert await center.fire() == 1
    center.later(-7_200)
    assert await center.fire() == 0
    row = await center.read(chat)
    assert row.status == "failed"
    assert row.ends_at is not None
    assert row.ends_at >= row.created_at


async def test_an_agent_who_does_not_answer_loses_the_chat(center: Center) -> None:
    queue = await center.queue("Q", agent_silence_minutes=5)
    agent, other = await center.agent("a", queue), await center.agent("b", queue, status="break")
    chat = await center.chat(queue)
    await center.take(chat, agent)
    await center.status(agent, "break")
    await center.status(other, "available")
    center.later(299)
    assert await center.fire() == 0
    center.later(2)
    assert await center.fire() == 1
    assert (await center.read(chat)).status == "queued"
    assert await center.asked(chat) == [other]


async def test_an_answer_stops_the_agents_clock_and_starts_the_consumers(center: Center) -> None:
    queue = await center.queue("Q", agent_silence_minutes=5, consumer_silence_minutes=10)
    agent = await center.agent("a", queue)
    chat = await center.chat(queue)
    await center.take(chat, agent)
    await speaks(center, chat, agent=True)
    assert (await center.read(chat)).status == "ongoing"
    center.later(9 * 60)
    assert await center.fire() == 0
    await speaks(center, chat, agent=False)
    await speaks(center, chat, agent=True)
    center.later(9 * 60)
    assert await center.fire() == 0, "each answer gives the consumer his whole time"
    center.later(61)
    assert await center.fire() == 1
    assert await center.rows("select status, fail_reason, disconnected_by from chats") == [
        ("finished", None, "disconnected_by_system")
    ]


async def test_a_silent_consumers_chat_is_set_aside_and_then_ends(center: Center) -> None:
    queue = await center.queue("Q", dismissal_minutes=5, consumer_silence_minutes=10)
    agent = await center.agent("a", queue, max_chats=1)
    chat = await center.chat(queue)
    await center.take(chat, agent)
    await speaks(center, chat, agent=True)
    center.later(301)
    assert await center.fire() == 1
    row = await center.read(chat)
    assert (row.status, row.agent_id) == ("dismissed", agent)
    assert await center.value("select ready from agent_statuses where agent_id = $1", agent), "he has a place again"
    center.later(300)
    assert await center.fire() == 1
    assert (await center.read(chat)).status == "finished"


async def test_the_hold_text_is_said_once_and_not_to_who_is_served(center: Center) -> None:
    queue = await center.queue("Q", hold_seconds=30, texts={"hold": "Still with us, @{QUEUE_NAME}?"})
    agent = await center.agent("a", queue, status="break")
    waits, served = await center.chat(queue), await center.chat(queue)
    await center.take(served, agent)
    center.later(60)
    assert await center.fire() == 1
    assert await center.rows("select chat_id, body from messages where sender = 'system'") == [
        (waits, "Still with us, Q?")
    ]
    center.later(600)
    assert await center.fire() == 0


async def test_a_kind_of_timer_that_is_set_again_moves(center: Center) -> None:
    queue = await center.queue("Q")
    chat = await center.chat(queue)
    async with center.work() as work:
        await _set(work, chat, 10)
        await _set(work, chat, 100)
    center.later(50)
    assert await center.fire() == 0
    center.later(60)
    assert await center.fire() == 1


async def _set(work: Work, chat: int, seconds: int) -> None:
    await set_timer(work.conn, TENANT, chat, "queue_expiry", work.now + timedelta(seconds=seconds))


async def test_the_clocks_of_a_chat_that_came_at_night_begin_in_the_morning(center: Center) -> None:
    day = center.now.strftime("%a").lower()
    opens = center.now.replace(hour=center.now.hour + 1, minute=0, second=0)
    hours = {"time_zone": "UTC", "week": {day: [[opens.strftime("%H:%M"), "24:00"]]}}
    queue = await center.queue("Q", hours=hours, queue_expiry_minutes=30, hold_seconds=60)
    chat = await center.chat(queue)
    center.now = opens + timedelta(minutes=29)
    assert await center.fire() == 0
    center.later(61)
    assert await center.fire() == 1
    assert (await center.read(chat)).status == "failed"


async def test_a_timer_that_cannot_be_obeyed_keeps_no_other_waiting(center: Center) -> None:
    broken, sound = await center.queue("A", queue_expiry_minutes=1), await center.queue("B", queue_expiry_minutes=1)
    first, second = await center.chat(broken), await center.chat(sound)
    await center.value("update queues set effective = $1 where queue_id = $2 returning 1", {"lang": 5}, broken)
    center.later(61)
    conversations = Conversations(center.db, center.ids, lambda: center.now, center.chance, structlog.get_logger())
    with capture_logs() as logged:
        await conversations.fire_timers(lambda _: None)
    assert [line["event"] for line in logged] == ["job failed"]
    assert ((await center.read(first)).status, (await center.read(second)).status) == ("queued", "failed")
    await center.value("update queues set effective = '{}' where queue_id = $1 returning 1", broken)
    center.later(60)
    await conversations.fire_timers(lambda _: None)
    assert (await center.read(first)).status == "failed"


async def test_a_send_in_the_agents_name_is_his_answer(center: Center) -> None:
    queue = await center.queue("Q", agent_silence_minutes=5, consumer_silence_minutes=10)
    agent = await center.agent("a", queue)
    chat = await center.chat(queue)
    await center.take(chat, agent)
    async with center.db.connection() as conn:
        tenant = await read_tenant(conn, TENANT)
    number = (await center.read(chat)).end_user_number
    wanted = Send(number, OURS, "on it", segment("on it"), tenant.agents[agent], None)
    await SendMessage(center.db, center.ids, lambda: center.now, lambda _: b"")(tenant, WantedSend(wanted, None))
    assert (await center.read(chat)).status == "ongoing"
    center.later(301)
    assert await center.fire() == 0, "he has answered"
    center.later(300)
    assert await center.fire() == 1
    assert (await center.read(chat)).status == "finished"


async def test_who_is_brought_back_is_told_so_where_the_queue_has_words_for_it(center: Center) -> None:
    queue = await center.queue("Q", dismissal_minutes=5, texts={"resumed": "Here we are again."})
    agent = await center.agent("a", queue)
    chat = await center.chat(queue)
    await center.take(chat, agent)
    await speaks(center, chat, agent=True)
    center.later(301)
    await center.fire()
    async with center.db.connection() as conn:
        tenant = await read_tenant(conn, TENANT)
    await resume_chat(Begin(center.db, center.ids, lambda: center.now, center.chance), tenant, chat, agent)
    assert (await center.read(chat)).status == "assigned"
    assert await center.rows("select body from messages where sender = 'system'") == [("Here we are again.",)]

"""Who is asked to take a chat, one after another or all at once, and what becomes of it when nobody does."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from smsdesk.steps import routing
from smsdesk.steps.ending import BY_AGENT, BY_API, end
from tests.kit.center import Center
from tests.store.outbox import opened


@pytest.fixture
async def center(database: str) -> AsyncIterator[Center]:
    db = await opened(database)
    yield await Center(db).begin()
    await db.close()


async def test_deltacast_asks_the_longest_idle_then_the_next(center: Center) -> None:
    queue = await center.queue("Q", offer_seconds=20)
    first, second = await center.agent("a", queue), await center.agent("b", queue)
    chat = await center.chat(queue)
    assert await center.asked(chat) == [first]
    center.later(21)
    swept = await center.sweep()
    assert (swept.missed, await center.asked(chat)) == (1, [second])
    assert await center.rows("select agent_id, status from agent_statuses order by agent_id") == [
        (first, "missed_chat"), (second, "available"),
    ]  # fmt: skip
    events = await center.rows("select number, group_name from casts where chat_id = $1 order by number", chat)
    assert events == [(1, None), (2, None)]
    assert (await center.read(chat)).status == "queued"


async def test_nobody_is_asked_beyond_his_places_and_who_gets_one_free_is_asked_at_once(center: Center) -> None:
    queue = await center.queue("Q")
    agent = await center.agent("a", queue, max_chats=2)
    chats = [await center.chat(queue) for _ in range(3)]
    assert [await center.asked(chat) for chat in chats] == [[agent], [agent], []]
    await center.take(chats[0], agent)
    await center.take(chats[1], agent)
    assert await center.asked(chats[2]) == []
    async with center.work() as work:
        await end(work, await center.row(work, chats[0]), BY_AGENT)
    assert await center.asked(chats[2]) == [agent]


async def test_multicast_asks_all_and_the_first_gets_it(center: Center) -> None:
    queue = await center.queue("Q", routing="multicast")
    agents = [await center.agent(name, queue) for name in "abc"]
    chat = await center.chat(queue)
    assert await center.asked(chat) == agents
    await center.take(chat, agents[1])
    assert await center.rows("select agent_id, state from offers order by agent_id") == [
        (agents[0], "withdrawn"), (agents[1], "accepted"), (agents[2], "withdrawn"),
    ]  # fmt: skip
    center.later(60)
    assert (await center.sweep()).missed == 0


async def test_who_lets_a_multicast_offer_pass_is_still_available_and_asked_again(center: Center) -> None:
    queue = await center.queue("Q", routing="multicast", offer_seconds=10)
    agent = await center.agent("a", queue)
    chat = await center.chat(queue)
    center.later(11)
    await center.sweep()
    assert await center.asked(chat) == [agent]
    assert await center.value("select status from agent_statuses") == "available"
    assert await center.value("select count(*) from casts") == 2


async def test_cascade_reaches_the_second_group_later(center: Center) -> None:
    groups = [{"name": "Experts", "seconds": 15}, {"name": "All", "seconds": 30}]
    queue = await center.queue("Q", routing="cascade", groups=groups)
    expert, other = await center.agent("a", (queue, 1)), await center.agent("b", (queue, 2))
    chat = await center.chat(queue)
    assert await center.asked(chat) == [expert]
    center.later(16)
    await center.sweep()
    assert await center.asked(chat) == [expert, other]
    assert [row[0] for row in await center.rows("select group_name from casts order by number")] == ["Experts", "All"]
    assert await center.value("select offer_type from chats where chat_id = $1", chat) == "cascade"


async def test_percent_allocation_gives_each_group_its_share(center: Center) -> None:
    groups = [{"name": "North", "percent": 70}, {"name": "South", "percent": 30}]
    queue = await center.queue("Q", routing="percent_allocation", groups=groups)
    await center.agent("a", (queue, 1), max_chats=100)
    await center.agent("b", (queue, 2), max_chats=100)
    for n in range(20):
        center.number = (n + 0.5) / 20
        await center.chat(queue)
    assert Counter(row[0] for row in await center.rows("select group_name from casts")) == {"North": 14, "South": 6}


async def test_the_share_of_a_group_with_nobody_there_goes_to_the_others(center: Center) -> None:
    groups = [{"name": "North", "percent": 100}, {"name": "South", "percent": 0}]
    queue = await center.queue("Q", routing="percent_allocation", groups=groups)
    await center.agent("a", (queue, 1), status="break")
    there = await center.agent("b", (queue, 2))
    assert await center.asked(await center.chat(queue)) == [there]


async def test_only_who_has_the_skills_is_asked(center: Center) -> None:
    queue = await center.queue("Q", skills=["es", "billing"])
    await center.agent("a", queue, skills=["es"])
    able = await center.agent("b", queue, skills=["billing", "es", "more"])
    assert await center.asked(await center.chat(queue)) == [able]


async def test_auto_answer_gives_the_chat_without_asking(center: Center) -> None:
    queue = await center.queue("Q", auto_answer=True)
    agent = await center.agent("a", queue)
    chat = await center.chat(queue)
    row = await center.read(chat)
    assert (row.status, row.agent_id) == ("assigned", agent)
    assert await center.rows("select answer_type, offer_type from chats where chat_id = $1", chat) == [
        ("auto", "deltacast")
    ]
    assert await center.value("select state from offers") == "accepted"


async def test_a_preferred_agent_is_asked_first_and_then_the_others(center: Center) -> None:
    queue = await center.queue("Q", offer_seconds=10)
    idle, preferred = await center.agent("a", queue), await center.agent("b")
    chat = await center.chat(queue, preferred_agent_id=preferred)
    assert await center.asked(chat) == [preferred]
    center.later(11)
    await center.sweep()
    assert await center.asked(chat) == [idle]


async def test_what_waits_is_asked_for_when_somebody_comes_the_longest_first(center: Center) -> None:
    queue = await center.queue("Q")
    agent = await center.agent("a", queue, status="break", max_chats=1)
    chats = [await center.chat(queue) for _ in range(3)]
    await center.status(agent, "available")
    assert [await center.asked(chat) for chat in chats] == [[agent], [], []]


async def test_a_closed_queue_asks_nobody_until_it_opens(center: Center) -> None:
    day = center.now.strftime("%a").lower()
    opens = center.now.replace(hour=(center.now.hour + 1) % 24, minute=0, second=0)
    hours = {"time_zone": "UTC", "week": {day: [[opens.strftime("%H:%M"), "24:00"]]}}
    queue = await center.queue("Q", hours=hours)
    agent = await center.agent("a", queue)
    chat = await center.chat(queue)
    await center.sweep()
    assert await center.asked(chat) == []
    center.now = opens
    await center.sweep()
    assert await center.asked(chat) == [agent]


async def test_the_chat_of_a_vanished_agent_goes_to_another_when_its_consumer_waits(center: Center) -> None:
    queue = await center.queue("Q", orphan_minutes=5)
    gone, there = await center.agent("a", queue), await center.agent("b", queue, status="break")
    chat = await center.chat(queue)
    await center.take(chat, gone)
    await center.value("update agent_statuses set present_until = $2 where agent_id = $1 returning 1", gone, center.now)
    await center.status(there, "available")
    center.later(1)
    assert (await center.sweep()).vanished == 1
    center.later(4 * 60)
    assert (await center.sweep()).rescued == 0
    center.later(61)
    assert (await center.sweep()).rescued == 1
    assert await center.asked(chat) == [there]
    assert (await center.read(chat)).status == "queued"
    assert await center.value("select status from participants where user_id = $1", gone) == "finished"


async def test_a_disabled_agents_chat_is_rescued_at_once(center: Center) -> None:
    queue = await center.queue("Q")
    agent = await center.agent("a", queue)
    chat = await center.chat(queue)
    await center.take(chat, agent)
    await center.value("update agents set disabled_at = $1 returning 1", center.now)
    assert (await center.sweep()).rescued == 1
    assert (await center.read(chat)).agent_id is None


async def test_many_casts_at_one_moment_ask_nobody_beyond_his_places(center: Center) -> None:
    queue = await center.queue("Q", offer_seconds=600)
    for name in "abcde":
        await center.agent(name, queue, max_chats=3)
    for _ in range(4):
        chats = await asyncio.gather(*(center.chat(queue) for _ in range(8)))
        await asyncio.gather(*(center.sweep() for _ in range(4)))
        assert len(chats) == 8
    most = await center.rows("select agent_id, count(*) from offers where state = 'open' group by 1")
    assert [count for _, count in most] == [3] * 5
    assert await center.value("select bool_and(load = 3) from agent_statuses where status = 'available'")


async def test_spans_cover_the_life_of_a_chat_without_a_gap(center: Center) -> None:
    queue = await center.queue("Q")
    agent = await center.agent("a", queue)
    chat = await center.chat(queue)
    for _ in range(3):
        center.later(7)
        await center.take(chat, agent)
        center.later(11)
        async with center.work() as work:
            await routing.release(work, await center.row(work, chat))
    center.later(5)
    async with center.work() as work:
        await end(work, await center.row(work, chat), BY_API)
    row = await center.read(chat)
    spans = await center.rows("select status, started_at, ended_at from spans where chat_id = $1 order by number", chat)
    assert [status for status, *_ in spans] == ["selecting", *["queued", "assigned"] * 3, "queued"]
    assert spans[0][1] == row.created_at
    assert spans[-1][2] == row.ends_at
    assert all(before[2] == after[1] for before, after in pairwise(spans))


async def test_who_declined_is_not_asked_again_at_once_though_he_is_alone(center: Center) -> None:
    queue = await center.queue("Q", offer_seconds=10)
    agent = await center.agent("a", queue)
    chat = await center.chat(queue)
    await center.value(
        "update offers set state = 'declined', ended_at = $1 where agent_id = $2 returning 1", center.now, agent
    )
    await center.status(agent, "available")
    for seconds in (0, 30, 29):
        center.later(seconds)
        await center.sweep()
        assert await center.asked(chat) == []
    center.later(2)
    await center.sweep()
    assert await center.asked(chat) == [agent]

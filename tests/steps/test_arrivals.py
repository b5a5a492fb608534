"""Where a reply goes, by its number and by what its chat is; on a real database. The menus are in test_menus.py."""

import pytest

from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.domain.wordings import template_of
from smsdesk.store.arrivals import find_unowned
from tests.steps.desk import GREETING, ORDERS, OTHER, SUPPORT, Desk
from tests.store.outbox import NOW, OURS, TENANT

# A number with a queue


async def test_a_reply_to_a_notice_comes_into_the_numbers_queue_and_nothing_is_said(desk: Desk) -> None:
    await desk.notice()
    await desk.says("1")
    assert await desk.where() == ("queued", SUPPORT, None)
    assert await desk.told() == []


async def test_who_writes_first_is_greeted_once(desk: Desk) -> None:
    await desk.says("hello")
    assert await desk.told() == [GREETING]
    await desk.rows("update chats set status = 'finished', ends_at = $1", desk.now)
    await desk.says("hello again")
    assert await desk.where() == ("queued", SUPPORT, None)
    assert await desk.told() == [GREETING]


async def test_a_greeting_of_its_own_is_for_everybody(desk: Desk) -> None:
    await desk.set_queue(SUPPORT, texts={"greeting": "@{QUEUE_NAME} of @{COMPANY_NAME}, @{END_USER}: hello"})
    await desk.notice()
    await desk.says("yes")
    assert await desk.told() == ["Support of Acme, Customer: hello"]


async def test_a_queue_speaks_its_language(desk: Desk) -> None:
    await desk.set_queue(SUPPORT, lang="es")
    await desk.says("hola")
    (told,) = await desk.told()
    assert told.startswith("Acme: Gracias")
    assert (await desk.last())["lang"] == "es"


# With an agent


async def test_with_an_agent_every_word_is_for_him(desk: Desk) -> None:
    await desk.menu()
    agent_id = await desk.agent("ana", ORDERS)
    await desk.notice(agent_id)
    for body in ("back", "exit", "bill", "1"):
        await desk.says(body)
    chat = await desk.last()
    assert (chat["status"], chat["agent_id"]) == ("ongoing", agent_id)
    assert await desk.told() == []


async def test_an_agent_who_is_disabled_is_not_waited_for(desk: Desk) -> None:
    agent_id = await desk.agent("ana", SUPPORT)
    await desk.notice(agent_id)
    await desk.rows("update agents set disabled_at = $1", NOW)
    await desk.says("hello?")
    assert await desk.where() == ("queued", await desk.supervisors(), None)


# Other numbers


async def test_a_direct_number_leads_to_its_agent_whatever_he_does(desk: Desk) -> None:
    await desk.menu()
    agent_id = await desk.agent("ana", status="break")
    await desk.add_number(OTHER, agent_id)
    await desk.says("bill", to=OTHER)
    chat = await desk.last()
    assert (chat["status"], chat["agent_id"], chat["queue_id"]) == ("assigned", agent_id, None)
    assert (chat["chat_type"], chat["answer_type"]) == ("Messaging Inbound (SMS Direct)", "auto")
    assert await desk.told() == [GREETING]
    desk.someone_else()
    await desk.rows("update agents set disabled_at = $1", NOW)
    await desk.says("hello", to=OTHER)
    assert await desk.where() == ("queued", await desk.supervisors(), None)


async def test_a_number_that_leads_nowhere_leads_to_the_supervisors_and_says_nothing(desk: Desk) -> None:
    await desk.add_number(OTHER)
    await desk.rows("update queues set deleted_at = $1 where queue_id = $2", NOW, SUPPORT)
    for number in (OTHER, "+16285550000", OURS):
        desk.someone_else()
        await desk.says("hello", to=number)
        assert await desk.where() == ("queued", await desk.supervisors(), None)
        assert await desk.told() == []


async def test_a_number_that_leads_nowhere_may_be_silent(desk: Desk) -> None:
    await desk.set({"unmapped_replies": "silence"})
    await desk.add_number(OTHER)
    await desk.says("hello", to=OTHER)
    chat = await desk.last()
    assert (chat["status"], chat["fail_reason"]) == ("finished", "unmapped")
    assert await desk.told() == []


async def test_a_reply_to_another_number_goes_by_that_one_if_it_leads_anywhere(desk: Desk) -> None:
    await desk.menu()
    await desk.add_number(OTHER, queue_id=ORDERS)
    await desk.notice()
    await desk.says("hello", to=OTHER)
    assert await desk.where() == ("queued", ORDERS, None)
    desk.someone_else()
    await desk.notice()
    await desk.says("hello", to="+16285550000")
    assert await desk.where() == ("selecting", None, SUPPORT)


# After the end, and after silence


async def ended(desk: Desk) -> list[int]:
    """A chat of the first of two agents has ended in Orders."""
    await desk.menu()
    agents = [await desk.agent("ben", ORDERS), await desk.agent("ana", ORDERS)]
    await desk.says("hi")
    await desk.rows(
        "update chats set status = 'finished', ends_at = $1, queue_id = $2, agent_id = $3", desk.now, ORDERS, agents[1]
    )
    return agents


async def test_after_the_end_the_menu_comes_again(desk: Desk) -> None:
    await ended(desk)
    await desk.says("one more thing")
    assert await desk.where() == ("selecting", None, SUPPORT)
    assert (await desk.last())["preferred_agent_id"] is None


async def test_after_the_end_the_last_agent_is_asked_where_the_queue_wants_it(desk: Desk) -> None:
    _, last = await ended(desk)
    await desk.set_queue(ORDERS, reply_to_closed="last_agent")
    await desk.says("one more thing")
    assert await desk.where() == ("queued", ORDERS, None)
    assert await desk.asked((await desk.last())["chat_id"]) == [last]
    assert len(await desk.told()) == 1


@pytest.mark.parametrize(
    "change",
    ["update chats set queue_id = null", "update queues set deleted_at = now() where name = 'Orders'"],
)
async def test_the_last_agent_is_asked_first_where_his_queue_is_gone(desk: Desk, change: str) -> None:
    _, last = await ended(desk)
    await desk.set_queue(SUPPORT, reply_to_closed="last_agent")
    await desk.rows(change)
    await desk.says("one more thing")
    assert await desk.where() == ("selecting", None, SUPPORT)
    assert (await desk.last())["preferred_agent_id"] == last


async def test_another_number_is_another_matter(desk: Desk) -> None:
    await ended(desk)
    await desk.set_queue(ORDERS, reply_to_closed="last_agent")
    await desk.rows("update chats set outbound_number = $1", OTHER)
    await desk.says("one more thing")
    assert await desk.where() == ("selecting", None, SUPPORT)


async def test_what_was_set_aside_comes_back_past_the_menu_to_its_agent(desk: Desk) -> None:
    await desk.menu()
    await desk.agent("ben", ORDERS)
    agent_id = await desk.agent("ana", ORDERS)
    await desk.notice()
    await desk.says("hi")
    await desk.rows("update chats set status = 'dismissed', queue_id = $1, agent_id = $2", ORDERS, agent_id)
    await desk.says("I am back")
    assert await desk.where() == ("resumed", ORDERS, None)
    assert await desk.asked((await desk.last())["chat_id"]) == [agent_id]
    assert (await desk.told())[-1] == template_of(QueueSettings(), "dismissed", "en")


async def test_what_was_set_aside_without_a_queue_comes_back_to_its_agent(desk: Desk) -> None:
    agent_id = await desk.agent("ana")
    await desk.add_number(OTHER, agent_id)
    await desk.says("hi", to=OTHER)
    await desk.rows("update chats set status = 'dismissed'")
    await desk.says("I am back", to=OTHER)
    assert ((await desk.last())["status"], (await desk.last())["agent_id"]) == ("assigned", agent_id)
    assert (await desk.told())[1:] == [template_of(QueueSettings(), "dismissed", "en")]
    await desk.rows("update chats set status = 'dismissed'")
    await desk.rows("update agents set disabled_at = $1", NOW)
    await desk.says("and again", to=OTHER)
    assert await desk.where() == ("resumed", await desk.supervisors(), None)


# The sweep


async def test_nothing_is_without_an_owner(desk: Desk) -> None:
    await desk.menu()
    await desk.notice()
    assert (await desk.sweep()).unowned == 0
    for body in ("hi", "1", "2", "back", "2"):
        await desk.says(body)
        assert (await desk.sweep()).unowned == 0, body


async def test_who_has_been_answered_waits_for_nobody(desk: Desk) -> None:
    agent_id = await desk.agent("ana", status="offline")
    await desk.says("hi")
    await desk.rows("update chats set status = 'ongoing', agent_id = $1, agent_said_at = $2", agent_id, desk.now)
    await desk.rows("update agents set disabled_at = $1", NOW)
    assert (await desk.sweep()).unowned == 0
    assert (await desk.where())[0] == "ongoing"


async def test_the_sweep_finds_what_nobody_would_see_and_the_supervisors_get_it(desk: Desk) -> None:
    await desk.menu()
    agent_id = await desk.agent("ana", status="offline")
    for harm in (
        "menu_id = null",
        "status = 'queued', queue_id = null",
        f"status = 'transferred', queue_id = {ORDERS}",
        f"status = 'assigned', agent_id = {agent_id}, since = created_at",
        "status = 'dismissed', since = created_at - interval '1 hour'",
    ):
        desk.someone_else()
        await desk.says("hi")
        await desk.rows(f"update chats set {harm} where chat_id = $1", (await desk.last())["chat_id"])
        await desk.rows("update queues set deleted_at = $1 where queue_id = $2", NOW, ORDERS)
        await desk.rows("update agents set disabled_at = $1", NOW)
        async with desk.work() as work:
            assert await find_unowned(work.conn, TENANT, 10) == [(await desk.last())["chat_id"]], harm
        await desk.sweep()
        status, queue_id, _ = await desk.where()
        assert (status in ("queued", "resumed"), queue_id) == (True, await desk.supervisors()), harm
        assert (await desk.sweep()).unowned == 0


async def test_the_sweep_reads_conversations_alone(desk: Desk) -> None:
    """However many texts of a campaign nobody has answered."""
    async with desk.db.connection() as conn:
        await conn.execute("set enable_seqscan = off")
        plan = await conn.fetch(
            "explain select from chats where tenant_id = 1 and ends_at is null and expires_at is null"
        )
    assert "chats_live" in "\n".join(row[0] for row in plan)

"""The way to a queue: menus, the wait, opening hours; on a real database."""

from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.domain.wordings import template_of
from tests.steps.desk import BILLING, CARDS, GREETING, INVOICES, OFFICE, ORDERS, SUPPORT, VIP, Desk, at
from tests.store.outbox import NOW

MENU = "Reply with a number:\n1 Billing\n2 Orders"
BILLING_MENU = "Reply with a number:\n1 Cards\n2 Invoices"
AGAIN = f"Sorry, that is not on the list.\n{MENU}"


# The menu


async def test_the_way_through_the_menu(desk: Desk) -> None:
    await desk.menu()
    await desk.notice()
    await desk.says("yes I'm coming")
    assert await desk.where() == ("selecting", None, SUPPORT)
    await desk.says("1\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}")
    assert await desk.where() == ("selecting", None, BILLING)
    await desk.says("back")
    await desk.says("Billing")
    await desk.says("two")
    assert await desk.where() == ("queued", INVOICES, None)
    assert await desk.told() == [MENU, BILLING_MENU, MENU, BILLING_MENU]


async def test_greeting_and_menu_are_one_text(desk: Desk) -> None:
    await desk.menu()
    await desk.says("hi")
    assert await desk.told() == [f"{GREETING}\n{MENU}"]


async def test_a_greeting_further_down_is_said_where_it_differs(desk: Desk) -> None:
    await desk.menu()
    for queue_id, greeting in ((SUPPORT, "Hi"), (BILLING, "Hello"), (CARDS, "Hello"), (INVOICES, "Invoices here")):
        await desk.set_queue(queue_id, texts={"greeting": greeting})
    for body in ("hi", "1", "back", "1", "2"):
        await desk.says(body)
    billing = f"Hello\n{BILLING_MENU}"
    assert await desk.told() == [f"Hi\n{MENU}", billing, MENU, billing, "Invoices here"]
    desk.someone_else()
    for body in ("hi", "1", "1"):
        await desk.says(body)
    assert await desk.told() == [f"Hi\n{MENU}", billing]


async def test_who_is_not_understood_gets_a_person_after_three_menus(desk: Desk) -> None:
    await desk.menu()
    for body in ("hm", "", "9", "👍", "1 2", "back 1", "ten parts " * 150):
        desk.someone_else()
        await desk.notice()
        await desk.says("hi")
        for tries in (1, 2, 3):
            await desk.says(body)
            assert (await desk.last())["menu_tries"] == tries, body
        await desk.says(body)
        assert await desk.where() == ("queued", CARDS, None), body
        assert await desk.told() == [MENU, AGAIN, AGAIN, AGAIN], body


async def test_the_default_queue_gets_who_is_not_understood(desk: Desk) -> None:
    await desk.menu()
    await desk.set({"default_queue": ORDERS})
    for body in ("hi", "?", "?", "?", "?"):
        await desk.says(body)
    assert await desk.where() == ("queued", ORDERS, None)


async def test_a_keyword_jumps_to_hidden_queues_and_to_menus(desk: Desk) -> None:
    await desk.menu()
    await desk.says("vip")
    assert await desk.where() == ("queued", VIP, None)
    assert await desk.told() == [GREETING]
    desk.someone_else()
    await desk.notice()
    await desk.says("hi")
    await desk.says("Bill!")
    assert await desk.where() == ("selecting", None, BILLING)


async def test_exit_leaves_the_menu(desk: Desk) -> None:
    await desk.menu()
    await desk.set({"exit_word": "SALIR"})
    await desk.says("hi")
    await desk.says("exit")
    assert (await desk.where())[0] == "selecting"
    await desk.says("Salir")
    chat = await desk.last()
    assert (chat["status"], chat["disconnected_by"]) == ("abandoned", "disconnected_by_end_user")
    assert (await desk.told())[-1] == template_of(QueueSettings(), "exit", "en")


async def test_a_menu_that_was_deleted_leads_to_the_one_above(desk: Desk) -> None:
    await desk.menu()
    await desk.notice()
    await desk.says("bill")
    await desk.rows("update queues set deleted_at = $1 where queue_id = any ($2)", NOW, [BILLING, CARDS, INVOICES])
    await desk.says("2")
    assert await desk.where() == ("selecting", None, SUPPORT)
    assert (await desk.told())[-1] == "Reply with a number:\n1 Orders"
    assert (await desk.last())["menu_tries"] == 0


async def test_who_cannot_be_sent_a_menu_gets_a_person(desk: Desk) -> None:
    await desk.menu()
    await desk.notice()
    await desk.opt_out()
    await desk.says("hello?")
    assert await desk.where() == ("queued", CARDS, None)
    assert await desk.told() == []
    desk.someone_else()
    await desk.set_queue(SUPPORT, texts={"menu": "", "greeting": "Hi"})
    await desk.set_queue(CARDS, texts={"greeting": "Hi"})
    await desk.says("hello?")
    assert await desk.where() == ("queued", CARDS, None)
    assert await desk.told() == ["Hi"]


async def test_a_menu_that_is_not_answered_goes_to_a_person(desk: Desk) -> None:
    await desk.menu()
    await desk.set_queue(SUPPORT, consumer_silence_minutes=30)
    await desk.notice()
    await desk.says("my door is locked")
    desk.later(1799)
    assert await desk.fire() == 0
    desk.later(1)
    assert await desk.fire() == 1
    assert await desk.where() == ("queued", CARDS, None)
    assert await desk.rows("select from timers where kind = 'consumer_silence'") == []


# While it waits


async def test_back_while_waiting_shows_the_menu_and_keeps_the_place(desk: Desk) -> None:
    await desk.menu()
    await desk.notice()
    for body in ("hi", "bill", "1"):
        await desk.says(body)
    began = (await desk.last())["since"]
    await desk.says("back")
    assert await desk.where() == ("queued", CARDS, BILLING)
    await desk.says("1")
    assert await desk.where() == ("queued", CARDS, None)
    assert (await desk.last())["since"] == began
    await desk.says("2")
    assert await desk.where() == ("queued", CARDS, None)
    for body in ("back", "back", "2"):
        await desk.says(body)
    assert await desk.where() == ("queued", ORDERS, None)
    assert (await desk.last())["queued_at"] == began


async def test_once_an_agent_has_had_the_chat_back_is_for_the_next_one(desk: Desk) -> None:
    await desk.menu()
    await desk.notice()
    for body in ("hi", "2"):
        await desk.says(body)
    await desk.rows("update chats set assigned_at = $1", NOW)
    await desk.says("back")
    assert await desk.where() == ("queued", ORDERS, None)


async def test_exit_while_waiting_leaves(desk: Desk) -> None:
    await desk.says("hi")
    await desk.says("exit")
    assert await desk.where() == ("abandoned", SUPPORT, None)


# Hours


async def test_a_closed_queue_says_once_when_it_opens_and_keeps_the_chat(desk: Desk) -> None:
    await desk.set_queue(SUPPORT, hours=OFFICE)
    await desk.notice()
    await desk.says("hi")
    closed = "Acme: We are closed now. We open again at 9:00 AM UTC on Monday, March 2."
    assert await desk.where() == ("queued", SUPPORT, None)
    await desk.says("hello?")
    for now in (at(8, 2), at(10, 2)):
        desk.now = now
        await desk.says("and now?")
    assert await desk.told() == [closed]
    desk.now = at(18, 2)
    await desk.says("nobody there?")
    assert await desk.told() == [closed, closed.replace("Monday, March 2", "Tuesday, March 3")]


async def test_once_holds_for_a_text_that_names_no_time(desk: Desk) -> None:
    await desk.set_queue(SUPPORT, hours=OFFICE, texts={"after_hours": "Closed."})
    await desk.notice()
    for hour, day in ((12, 1), (20, 1), (18, 2), (20, 2), (8, 3)):
        desk.now = at(hour, day)
        await desk.says("hi")
    assert await desk.told() == ["Closed.", "Closed."]


async def test_a_closed_queue_that_takes_nothing_ends_the_chat_if_it_can_say_so(desk: Desk) -> None:
    await desk.set_queue(SUPPORT, hours=OFFICE, after_hours="close")
    await desk.says("hi")
    chat = await desk.last()
    assert (chat["status"], chat["fail_reason"], chat["queue_id"]) == ("failed", "after_hours", SUPPORT)
    (told,) = await desk.told()
    assert told.startswith(f"{GREETING}\nAcme: We are closed")
    desk.someone_else()
    await desk.notice(await desk.agent("ana"))
    await desk.rows("update chats set status = 'dismissed', queue_id = 1 where ends_at is null")
    await desk.says("I am back")
    assert await desk.where() == ("resumed", SUPPORT, None)
    desk.someone_else()
    await desk.notice()
    await desk.opt_out()
    await desk.says("hi")
    assert await desk.where() == ("queued", SUPPORT, None)


async def test_the_estimated_wait_is_that_of_those_before(desk: Desk) -> None:
    await desk.set_queue(SUPPORT, texts={"greeting": "About @{EWT_minutes} minutes."})
    await desk.says("hi")
    assert await desk.told() == ["About a few minutes."]
    await desk.rows("update chats set assigned_at = queued_at + interval '150 seconds'")
    desk.someone_else()
    desk.later(600)
    await desk.says("hi")
    assert await desk.told() == ["About 3 minutes."]

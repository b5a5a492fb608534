"""What is new is seen without a reload: in all tabs, and after the server or the network was away."""

from playwright.async_api import Page, expect

from tests.kit.browser import IN_BROWSER, Floor
from tests.kit.processes import until

pytestmark = IN_BROWSER


async def test_a_reply_is_in_the_open_thread(floor: Floor) -> None:
    john, chat_id, phone = await _in_a_chat(floor)
    await floor.handsets.reply(phone, "is anybody there?")
    await expect(john.locator("main")).to_contain_text("is anybody there?")
    assert await john.evaluate("performance.getEntriesByType('navigation').length") == 1
    assert john.url.endswith(f"/desk/chats/{chat_id}")


async def test_all_tabs_of_a_person_agree_over_one_connection(floor: Floor) -> None:
    john, _, phone = await _in_a_chat(floor)
    streams: list[str] = []
    john.context.on("request", lambda request: streams.append(request.url) if "/desk/live?" in request.url else None)
    tabs = [john]
    for _ in range(7):
        tab = await john.context.new_page()
        await tab.goto(john.url)
        tabs.append(tab)
    assert streams == []
    await floor.handsets.reply(phone, "seen by all")
    for tab in tabs:
        # Only a tab that is looked at asks the server.
        await tab.bring_to_front()
        await expect(tab.locator("main")).to_contain_text("seen by all")
        await expect(tab.locator("#offline")).to_be_hidden()
    # The tab with the connection goes: another takes it over.
    await john.close()
    await until(lambda: _has(streams), 10, "another tab that listens")
    await tabs[3].bring_to_front()
    await floor.handsets.reply(phone, "and still")
    await expect(tabs[3].locator("main")).to_contain_text("and still")
    assert len(streams) <= 2, streams


async def test_no_line_is_lost_while_the_server_is_away(floor: Floor) -> None:
    john, _, phone = await _in_a_chat(floor)
    floor.complaints[-1].excused += ("Failed to load resource", "ERR_", "EventSource", "htmx:sendError")
    floor.server.kill()
    await floor.handsets.reply(phone, "while you were away")
    await expect(john.locator("#offline")).to_be_visible()
    await floor.server.start()
    await expect(john.locator("main")).to_contain_text("while you were away", timeout=30_000)
    await expect(john.locator("#offline")).to_be_hidden()


async def test_no_line_is_lost_while_the_network_is_away(floor: Floor) -> None:
    john, _, phone = await _in_a_chat(floor)
    floor.complaints[-1].excused += ("Failed to load resource", "ERR_", "EventSource", "htmx:sendError")
    await john.context.set_offline(True)
    await expect(john.locator("#offline")).to_be_visible()
    await floor.handsets.reply(phone, "in a tunnel")
    await john.context.set_offline(False)
    await expect(john.locator("main")).to_contain_text("in a tunnel")
    await expect(john.locator("#offline")).to_be_hidden()


async def test_who_is_signed_out_is_sent_to_the_door(floor: Floor) -> None:
    john, _, _ = await _in_a_chat(floor)
    floor.complaints[-1].excused += ("Failed to load resource", "ERR_", "EventSource")
    await john.context.set_offline(True)
    await expect(john.locator("#offline")).to_be_visible()
    await floor.value("delete from sessions where agent_id = (select agent_id from agents where email like 'john%')")
    await john.context.set_offline(False)
    await john.wait_for_url("**/desk/sign-in?next=*", timeout=15_000)


async def _in_a_chat(floor: Floor) -> tuple[Page, int, str]:
    phone = floor.phone()
    john = await floor.sit_down("john.doe")
    chat_id = await floor.consumer_writes(phone, "hello")
    await floor.give(chat_id, "john.doe")
    await john.goto(f"{floor.base_url}/desk/chats/{chat_id}")
    await expect(john.locator("main")).to_contain_text("hello")
    await until(lambda: _is_up(john), 10, "connected")
    return john, chat_id, phone


async def _is_up(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.dataset.live === 'up'"))


async def _has(found: list[str]) -> bool:
    return bool(found)

"""The thread and the composer in Chromium: a conversation, drafts in two tabs, shortcuts, hostile text."""

from playwright.async_api import Page, expect

from tests.desk.hostile import HOSTILE
from tests.kit.browser import IN_BROWSER, Floor

pytestmark = IN_BROWSER


async def in_a_chat(floor: Floor, body: str = "Where is my parcel?", **options: object) -> tuple[Page, int, str]:
    """John, with a chat of his open; its id and the consumer's number."""
    phone = floor.phone()
    chat_id = await floor.consumer_writes(phone, body)
    john = await floor.sit_down("john.doe", **options)
    await john.goto(f"{floor.base_url}/desk/chats/{chat_id}")
    return john, chat_id, phone


async def test_a_conversation(floor: Floor) -> None:
    john, chat_id, phone = await in_a_chat(floor)
    field = john.get_by_label("Your answer")
    await expect(john.get_by_text("Nobody has this chat: if you answer, it is yours.")).to_be_visible()
    await field.fill("It’s on its way " + "x" * 60)
    await expect(john.locator(".preview")).to_contain_text("makes this 2 parts instead of 1.")
    await field.press("Alt+s")
    await expect(field).to_have_value("It's on its way " + "x" * 60)
    await expect(john.locator(".preview")).to_contain_text("1 part · GSM-7")
    await field.press("Control+Enter")
    await expect(field).to_have_value("")
    await expect(john.locator("li.out.agent").last).to_contain_text("It's on its way")
    await expect(john.locator("li.out.agent .state").last).to_contain_text("delivered at", timeout=15_000)
    await expect(john.locator(".told")).not_to_contain_text("Nobody has this chat")
    await floor.handsets.reply(phone, "thank you!")
    await expect(john.locator("ol.talk > li.in").last).to_contain_text("thank you!")
    await expect(john.locator(f"#said-{chat_id}")).to_have_text("New message: thank you!")
    # A note, by its key.
    await john.locator(".scroller").focus()
    await john.keyboard.press("n")
    await john.get_by_label("A note for the desk").fill("a friendly one")
    await john.keyboard.press("Control+Enter")
    await expect(john.locator("li.note").last).to_contain_text("a friendly one")
    await john.locator("li.out.agent .why summary").last.click()
    await expect(john.locator("li.out.agent .why table")).to_contain_text("upstream")
    assert await john.evaluate("performance.getEntriesByType('navigation').length") == 1


SETTLED = "() => !document.querySelector('.htmx-added, .htmx-settling, .htmx-swapping')"
AS_READ = """() => [...document.querySelectorAll('.talk > *')].map(e => {
    const line = e.cloneNode(true);
    for (const each of [line, ...line.querySelectorAll('*')]) {
        each.removeAttribute('open');
        if (!each.className) each.removeAttribute('class');
        // The order of attributes tells nothing.
        const all = [...each.attributes].map(one => [one.name, one.value]).sort();
        for (const [name] of all) each.removeAttribute(name);
        for (const [name, value] of all) each.setAttribute(name, value);
    }
    line.querySelectorAll('.why > div').forEach(each => each.replaceChildren());
    const [box, look] = [e.getBoundingClientRect(), getComputedStyle(e)];
    return [line.outerHTML.replace(/\\s+/g, ' '), Math.round(box.left), Math.round(box.width), look.display,
            look.listStyleType, e.parentElement.tagName].join(' ');
})"""


async def test_what_came_by_itself_is_as_after_a_reload(floor: Floor) -> None:
    john, chat_id, phone = await in_a_chat(floor)
    for n in (1, 2):
        await john.get_by_label("Your answer").fill(f"answer {n}")
        await john.keyboard.press("Control+Enter")
        await expect(john.locator("li.out.agent")).to_have_count(n)
        await floor.handsets.reply(phone, f"reply {n}")
        await expect(john.locator("ol.talk > li.in").last).to_contain_text(f"reply {n}")
    await john.locator("#pane-list").focus()
    await john.keyboard.press("n")
    await john.keyboard.type("a note")
    await john.keyboard.press("Control+Enter")
    await expect(john.locator("li.note").last).to_contain_text("a note")
    await expect(john.locator("li.out.agent .state", has_text="delivered at")).to_have_count(2, timeout=15_000)
    # What the answers to his forms bring does not make the page another.
    assert await john.evaluate("document.body.dataset.chat") == str(chat_id)
    assert await john.evaluate("'agent' in document.body.dataset && 'sound' in document.body.dataset")
    await john.mouse.move(0, 0)
    await john.wait_for_function(SETTLED)
    live = await john.evaluate(AS_READ)
    await john.reload()
    assert live == await john.evaluate(AS_READ)
    # The whole list again, in place of what is there, is no other either.
    await john.evaluate(f"document.querySelectorAll('#lines-{chat_id} > li').forEach(e => delete e.dataset.v)")
    async with john.expect_response(lambda answer: "/thread" in answer.url):
        await john.evaluate(f"htmx.trigger('#lines-{chat_id}', 'desk:look')")
    await expect(john.locator(f"#lines-{chat_id} > li[data-v]")).to_have_count(len(live))
    await john.wait_for_function(SETTLED)
    assert live == await john.evaluate(AS_READ)
    # The focus on a pane does not keep the pane from being shown anew; what left with its chat asks for nothing.
    await john.locator(f"#scroller-{chat_id}").focus()
    other = await floor.consumer_writes(floor.phone(), "from another")
    await floor.give(other, "john.doe")
    await john.locator(f"#line-{other} a").evaluate("e => e.click()")
    await floor.handsets.reply(phone, "late")
    await expect(john.locator("ol.talk")).to_contain_text("from another")
    await expect(john.locator(".chat-head h2")).to_be_visible()
    assert await john.locator("ol.talk").get_attribute("id") == f"lines-{other}"


async def test_a_draft_is_in_every_tab_and_after_a_reload(floor: Floor) -> None:
    john, _, _ = await in_a_chat(floor)
    other = await john.context.new_page()
    await other.goto(john.url)
    await john.bring_to_front()
    async with john.expect_response(lambda answer: answer.url.endswith("/draft") and answer.status == 204):
        await john.get_by_label("Your answer").press_sequentially("half a sent")
    await john.reload()
    await expect(john.get_by_label("Your answer")).to_have_value("half a sent")
    await other.bring_to_front()
    await expect(other.get_by_label("Your answer")).to_have_value("half a sent")


async def test_who_writes_too_is_seen_and_nobody_is_answered_twice(floor: Floor) -> None:
    john, chat_id, _ = await in_a_chat(floor)
    await john.get_by_label("Your answer").fill("mine")
    await john.get_by_role("button", name="Send", exact=True).click()
    await expect(john.locator("li.out.agent")).to_have_count(1)
    supervisor = await floor.sit_down("supervisor")
    await supervisor.goto(john.url)
    await john.bring_to_front()
    await john.get_by_label("Your answer").press_sequentially("I am typ")
    await expect(supervisor.locator(".typing")).to_have_text("John Doe is writing…")
    # Somebody else answers while he types: his form is refused once, and what he wrote stays.
    tab = await john.context.new_page()
    await tab.goto(john.url)
    await tab.get_by_label("Your answer").fill("from the other tab")
    await tab.get_by_role("button", name="Send", exact=True).click()
    await expect(tab.locator("li.out.agent")).to_have_count(2)
    await john.bring_to_front()
    await expect(john.locator("li.out.agent")).to_have_count(2)
    floor.complaints[0].excused += ("Status Error Code 409", "htmx:sendAbort", "htmx:afterRequest")
    await john.get_by_label("Your answer").fill("and this")
    await john.keyboard.press("Control+Enter")
    await expect(john.locator("#notices")).to_contain_text("Read the new answer, then send again.")
    await expect(john.get_by_label("Your answer")).to_have_value("and this")
    await john.get_by_label("Your answer").press("Control+Enter")
    await expect(john.locator("li.out.agent")).to_have_count(3)
    sent = "select count(*) from messages where chat_id = $1 and sender = 'agent'"
    assert await floor.value(sent, chat_id) == 3


async def test_shortcuts_by_slash_and_category(floor: Floor) -> None:
    await floor.value(
        "insert into shortcuts (tenant_id, name, category, body) select tenant_id, n, c, b from tenants, (values "
        "('hours', 'Common', 'We are open 9 to 5, @{CUSTOMER_FIRST_NAME}.'), ('hello', 'Common', 'Hello!'), "
        "('refund', 'Money', 'Your money is on its way.')) v (n, c, b)"
    )
    john, _, _ = await in_a_chat(floor)
    field, listed = john.get_by_label("Your answer"), john.locator(".shortcuts [role=option]")
    fetched: list[str] = []
    john.on("request", lambda request: fetched.append(request.url) if "shortcuts" in request.url else None)
    await field.press_sequentially("Hi. /h")
    await expect(listed).to_have_count(2)
    await expect(field).to_have_attribute("aria-expanded", "true")
    await field.press("ArrowDown")
    await expect(listed.nth(1)).to_have_attribute("aria-selected", "true")
    await field.press("Enter")
    await expect(field).to_have_value("Hi. We are open 9 to 5, Customer.")
    await field.fill("")
    await field.press_sequentially("#mon")
    await expect(listed).to_have_count(1)
    await field.press("Escape")
    await expect(listed.first).to_be_hidden()
    await field.press_sequentially("e")
    await field.press("Tab")
    await expect(field).to_have_value("Your money is on its way.")
    assert len(fetched) == 1  # however fast the letters came: a later answer would choose the first line again


async def test_hostile_text_does_nothing_and_stays_in_its_place(floor: Floor) -> None:
    john, chat_id, phone = await in_a_chat(floor, "hello", viewport={"width": 320, "height": 640})
    await floor.value(
        """
        insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
        select tenant_id, chat_id, 900000000 + n, case n % 3 when 0 then 'note' when 1 then 'end_user' else 'agent' end,
               body, 'ucs2', 1, now() from chats, unnest($2::text[]) with ordinality u (body, n) where chat_id = $1
        """,
        chat_id, list(HOSTILE.values()),
    )  # fmt: skip
    await john.goto(john.url)
    for width in (320, 700, 1440):
        await john.set_viewport_size({"width": width, "height": 640})
        wide = await john.evaluate(
            """() => [document.scrollingElement, document.querySelector('.scroller')]
                .map(e => e.scrollWidth - e.clientWidth)"""
        )
        assert wide == [0, 0], width
    assert await john.evaluate("window.hit === undefined && !document.querySelector('.talk script, .talk img[src=x]')")
    await floor.handsets.reply(phone, HOSTILE["script"])
    await expect(john.locator("li.in").last).to_contain_text("<script>")
    assert await john.evaluate("window.hit === undefined")
    # What stands beside a text keeps its direction, whatever marks the text has.
    assert await john.evaluate(
        "() => [...document.querySelectorAll('.talk .meta')].every(e => getComputedStyle(e).direction === 'ltr')"
    )


async def test_the_end_is_followed_and_what_is_read_stays(floor: Floor) -> None:
    john, chat_id, phone = await in_a_chat(floor)
    await floor.value(
        """
        insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
        select tenant_id, chat_id, 800000000 + n, 'end_user', 'old ' || n, 'gsm7', 1,
               created_at - interval '3 hours' + n * interval '1 second'
        from chats, generate_series(1, 2000) n where chat_id = $1
        """,
        chat_id,
    )  # fmt: skip
    await john.goto(john.url)
    end = """() => { const e = document.querySelector('.scroller');
                     return e.scrollHeight - e.scrollTop - e.clientHeight < 80 }"""
    await john.wait_for_function(end)
    await floor.handsets.reply(phone, "at the end")
    await expect(john.locator("li.in").last).to_be_in_viewport()
    await john.locator(".scroller").evaluate("e => e.scrollTo(0, 0)")
    await john.get_by_role("button", name="Earlier messages").click()
    await expect(john.locator("li.in")).to_have_count(100)
    await expect(john.get_by_text("old 1952", exact=True)).to_be_in_viewport()
    await floor.handsets.reply(phone, "far below")
    await expect(john.get_by_role("button", name="New line below")).to_be_visible()
    await john.get_by_role("button", name="New line below").click()
    await expect(john.locator("li.in").last).to_be_in_viewport()


async def test_a_day_long_chat_keeps_its_page_small(floor: Floor) -> None:
    john, chat_id, _ = await in_a_chat(floor)
    lines = john.locator("ol.talk > li")
    for last in range(20, 281, 20):
        await floor.value(
            """
            insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
            select tenant_id, chat_id, 910000000 + n, 'end_user', 'line ' || n || '.', 'gsm7', 1, now()
            from chats, generate_series($2::int - 19, $2::int) n where chat_id = $1
            """,
            chat_id, last,
        )  # fmt: skip
        await john.evaluate(f"document.body.dispatchEvent(new CustomEvent('live:chat-{chat_id}', {{detail: {{}}}}))")
        await expect(lines.last).to_contain_text(f"line {last}.")
        await expect(john.locator(f"#said-{chat_id}")).to_contain_text(f"line {last - 19}.")
        assert await lines.count() <= 225
    assert await lines.count() < 120
    left = "(box => box.scrollHeight - box.scrollTop - box.clientHeight)(document.querySelector('.scroller'))"
    assert await john.evaluate(left) < 80
    # What the page let go comes back for who asks.
    await john.get_by_role("button", name="Earlier messages").click()
    await expect(john.get_by_text("line 150.", exact=True)).to_be_attached()

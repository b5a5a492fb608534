"""An agent gives a chat on, ends one and notes what it was about, begins one: in Chromium, with the keys."""

from playwright.async_api import expect

from tests.kit.browser import IN_BROWSER, Floor
from tests.kit.processes import until

pytestmark = IN_BROWSER
TEXTS_TO = """select count(*) from messages m join chats c using (tenant_id, chat_id)
              join end_users e using (tenant_id, end_user_id) where e.number = $1"""


async def test_a_chat_is_taken_transferred_and_ended_by_keys(floor: Floor) -> None:
    john = await floor.sit_down("john.doe", viewport={"width": 1440, "height": 900})
    floor.complaints[-1].excused += ("Status Error Code 409",)
    chat_id = await floor.consumer_writes(floor.phone(), "Where is my <b>parcel</b>?")
    await john.goto(f"{floor.base_url}/desk/chats/{chat_id}")
    await john.get_by_role("button", name="Take", exact=True).first.click()
    await expect(john.locator(".chat-head .badge").first).to_have_text("With John Doe")
    await john.locator("body").press("t")
    dialog = john.get_by_role("dialog", name="Transfer this chat")
    await expect(dialog.get_by_role("searchbox")).to_be_focused()
    await dialog.get_by_role("searchbox").fill("second")
    await expect(dialog.locator("#targets .target")).to_have_count(1)
    await dialog.get_by_role("radio", name="Second Agent").check()
    await dialog.get_by_role("button", name="Transfer").click()
    await expect(dialog.get_by_role("alert").first).to_contain_text("away")
    await dialog.get_by_label("Ask the agent even if").check()
    await dialog.get_by_role("button", name="Transfer").click()
    await expect(dialog).to_have_count(0)
    await expect(john.get_by_text("On its way to Second Agent")).to_be_visible()
    await john.get_by_role("button", name="Call it off").click()
    await expect(john.locator(".chat-head .badge").first).to_have_text("With John Doe")
    await john.locator("body").press("e")
    await expect(john.get_by_role("button", name="End the chat")).to_be_focused()
    await john.keyboard.press("Escape")
    await expect(john.get_by_role("dialog")).to_have_count(0)
    await john.locator("body").press("e")
    await expect(john.get_by_role("button", name="End the chat")).to_be_focused()
    await john.keyboard.press("Enter")
    form = john.locator(".wrap-up")
    await form.get_by_label("Refund").check()
    await form.get_by_label("Notes").fill("all is well")
    await form.get_by_role("button", name="Done").click()
    await expect(john.locator(".chat-noted")).to_contain_text("all is well")
    assert await floor.value("select disposition from wrap_ups where chat_id = $1", chat_id) == "Refund"


async def test_a_question_follows_another_at_once(floor: Floor) -> None:
    john = await floor.sit_down("john.doe", viewport={"width": 1440, "height": 900})
    chat_id = await floor.consumer_writes(floor.phone(), "Where is it?")
    await floor.give(chat_id, "john.doe")
    await john.goto(f"{floor.base_url}/desk/chats/{chat_id}")
    ask = """document.querySelector('a[data-dialog][href$="/%s"]').click()"""
    await john.evaluate(ask % "end")
    await expect(john.get_by_role("button", name="End the chat")).to_be_focused()
    # What the browser tells of the closing comes after the second question was asked.
    await john.evaluate(f"document.getElementById('question').close(); {ask % 'transfer'}")
    await expect(john.get_by_role("dialog", name="Transfer this chat")).to_be_visible()
    await john.evaluate(f"{ask % 'end'}; {ask % 'transfer'}")
    await expect(john.get_by_role("dialog", name="Transfer this chat")).to_be_visible()
    await expect(john.get_by_role("dialog")).to_have_count(1)


async def test_a_question_hears_what_is_typed_the_moment_it_is_shown(floor: Floor) -> None:
    john = await floor.sit_down("john.doe", viewport={"width": 1440, "height": 900})
    chat_id = await floor.consumer_writes(floor.phone(), "Where is it?")
    await floor.give(chat_id, "john.doe")
    await john.goto(f"{floor.base_url}/desk/chats/{chat_id}")
    await john.evaluate(
        """() => {
          const { showModal } = HTMLDialogElement.prototype;
          HTMLDialogElement.prototype.showModal = function () {
            showModal.call(this);
            const search = this.querySelector("[type=search]");
            search.value = "second";
            search.dispatchEvent(new Event("input", { bubbles: true }));
          };
        }"""
    )
    await john.locator("body").press("t")
    targets = john.get_by_role("dialog", name="Transfer this chat").locator("#targets .target")
    await expect(targets).to_have_count(1)
    await expect(targets).to_contain_text("Second Agent")


async def test_a_conversation_is_begun_and_reaches_the_phone(floor: Floor) -> None:
    john = await floor.sit_down("john.doe", viewport={"width": 390, "height": 800})
    await john.goto(f"{floor.base_url}/desk/new")
    number = floor.phone()
    await john.get_by_label("To").fill(number)
    await expect(john.get_by_text("It would leave at once.")).to_be_visible()
    await john.get_by_label("Message").press_sequentially("It\u2019s ready")
    # A press takes a tenth of a second, and leaving the field has the verdict renewed meanwhile.
    await john.get_by_role("button", name="Swap").hover()
    await john.evaluate(
        "document.addEventListener('htmx:afterSettle', () => { window.renewed = true; }, { once: true })"
    )
    await john.mouse.down()

    async def renewed() -> bool:
        return bool(await john.evaluate("window.renewed"))

    await until(renewed, 10, "the verdict after the field was left")
    await john.mouse.up()
    await expect(john.get_by_label("Message")).to_have_value("It's ready")
    assert await john.evaluate("document.documentElement.scrollWidth") <= 390
    await john.get_by_role("button", name="Send").dblclick()
    await john.wait_for_url(f"{floor.base_url}/desk/chats/*")

    async def arrived() -> bool:
        return bool(await floor.value(f"{TEXTS_TO} and m.ended_at is not null", number))

    await until(arrived, 10, "the text at the phone")
    assert await floor.value(TEXTS_TO, number) == 1

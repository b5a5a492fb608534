"""The newcomer's five minutes: a text from the desk to a handset, its answer, a transfer, a second person, the end."""

import asyncio

from playwright.async_api import Page, expect

from tests.kit.browser import IN_BROWSER, Floor
from tests.kit.processes import until

pytestmark = IN_BROWSER


async def write(page: Page, words: str) -> None:
    """Types an answer into the open chat and sends it."""
    await page.get_by_label("Your answer").fill(words)
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_label("Your answer")).to_have_value("")


async def on_the_handset(floor: Floor, phone: str, words: str) -> None:
    async def there() -> bool:
        return any(text["body"] == words for text in await floor.handsets.texts(phone))

    await until(there, 10, f"{words!r} on the handset")


async def test_from_the_first_text_to_the_end(floor: Floor) -> None:
    phone = floor.phone()
    john, second = await asyncio.gather(floor.sit_down("john.doe"), floor.sit_down("second"))
    for page in (john, second):
        await page.get_by_role("button", name="Become available").click()
    await john.get_by_role("link", name="New conversation").click()
    await john.get_by_label("To", exact=True).fill(phone.removeprefix("+1"))
    await john.get_by_label("Message", exact=True).fill("Your order 5521 is ready")
    await john.get_by_role("button", name="Send", exact=True).click()
    await on_the_handset(floor, phone, "Your order 5521 is ready")
    await expect(john.locator("main").get_by_text("delivered at").first).to_be_visible()

    await floor.handsets.reply(phone, "Until when <i>today</i>?")
    await expect(john.get_by_role("region", name="Messages").get_by_text("Until when <i>today</i>?")).to_be_visible()
    await write(john, "Until 6 pm")
    await on_the_handset(floor, phone, "Until 6 pm")

    await john.get_by_role("link", name="Transfer").click()
    dialog = john.get_by_role("dialog")
    await dialog.get_by_text("Second Agent").click()
    await dialog.get_by_label("Note").fill("Wants to come today")
    await dialog.get_by_role("button", name="Transfer").click()
    await expect(second.get_by_text("Wants to come today")).to_be_visible()
    await second.get_by_role("button", name="Accept").first.click()
    await expect(second.get_by_role("region", name="Messages").get_by_text("Until when <i>today</i>?")).to_be_visible()
    await expect(john.get_by_text("Choose a chat on the left")).to_be_visible()
    await write(second, "See you then")
    await on_the_handset(floor, phone, "See you then")

    await second.get_by_role("link", name="End").click()
    await second.get_by_role("dialog").get_by_role("button", name="End").click()
    await second.get_by_role("radio", name="Ready").check()
    await second.get_by_role("button", name="Done").click()

    async def ended() -> bool:
        return await floor.value(
            """select w.disposition = 'Ready' and w.ended_at is not null and c.status = 'finished'
               from chats c join end_users e using (tenant_id, end_user_id)
               join wrap_ups w using (tenant_id, chat_id) where e.number = $1""",
            phone,
        ) is True  # fmt: skip

    await until(ended, 10, "the chat has ended, and what it was about is noted")
    assert [text["body"] for text in await floor.handsets.texts(phone)] == [
        "Your order 5521 is ready", "Until 6 pm", "See you then",
    ]  # fmt: skip

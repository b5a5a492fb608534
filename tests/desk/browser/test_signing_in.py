"""Signing in, as a person does it."""

from playwright.async_api import expect

from tests.kit.browser import IN_BROWSER, Floor

pytestmark = IN_BROWSER


async def test_an_agent_signs_in_and_out(floor: Floor) -> None:
    page = await floor.sit_down("john.doe")
    await expect(page.get_by_text("Choose a chat on the left")).to_be_visible()
    await page.get_by_text("John Doe").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await page.goto(f"{floor.base_url}/desk")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()


async def test_a_wrong_password_is_told(floor: Floor) -> None:
    page = await floor.open_page("/desk/sign-in")
    await page.get_by_label("E-mail address").fill("john.doe@foo.com")
    await page.get_by_label("Password").fill("not this one")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("The address or the password is wrong.")

"""A person's own page, as he uses it: a second factor, the colours, where he is signed in."""

from datetime import UTC, datetime

import pyotp
from playwright.async_api import expect

from tests.kit.browser import IN_BROWSER, PASSWORD, Floor

pytestmark = IN_BROWSER


async def test_a_second_factor_from_the_picture_to_the_next_sign_in(floor: Floor) -> None:
    page = await floor.sit_down("second")
    await page.get_by_text("Second Agent").first.click()
    await page.get_by_role("link", name="My settings").click()
    await page.get_by_role("link", name="Set up a second factor").click()
    picture = page.get_by_role("img", name="QR code")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => image.naturalWidth") > 100, "the policy lets it be drawn"
    app = pyotp.TOTP(await page.locator("#factor-key").inner_text())
    await page.get_by_label("Type the six digits").fill(app.at(datetime.now(UTC)))
    await page.get_by_role("button", name="Turn it on").click()
    await expect(page.locator("#recovery-codes li")).to_have_count(10)
    code = await page.locator("#recovery-codes li").first.inner_text()
    other = await floor.open_page("/desk/sign-in")
    await other.get_by_label("E-mail address").fill("second@foo.com")
    await other.get_by_label("Password").fill(PASSWORD)
    await other.keyboard.press("Enter")
    await other.get_by_label("Code of your second factor").fill("nonsense")
    await other.keyboard.press("Enter")
    await expect(other.get_by_role("alert")).to_contain_text("The code is wrong")
    await other.get_by_label("Code of your second factor").fill(code)
    await other.keyboard.press("Enter")
    await other.wait_for_url(f"{floor.base_url}/desk")


async def test_colours_stay_and_other_browsers_are_ended(floor: Floor) -> None:
    page, elsewhere = await floor.sit_down("supervisor"), await floor.sit_down("supervisor")
    floor.complaints[0].excused += ("Response Status Error Code 422",)
    await page.goto(f"{floor.base_url}/desk/profile")
    await page.get_by_label("Colours").select_option("dark")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.get_by_label("Old password").fill("wrong")
    await page.get_by_label("New password").fill("another sesame")
    await page.get_by_label("The same again").fill("another sesame")
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_role("alert").filter(has_text="old password is wrong")).to_be_visible()
    await page.get_by_role("button", name="End all others").click()
    await expect(page.get_by_text("Ended.")).to_be_visible()
    await elsewhere.goto(f"{floor.base_url}/desk/profile")
    await expect(elsewhere.get_by_label("Password")).to_be_visible()

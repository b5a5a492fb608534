"""Each form of the set-up, as an administrator goes through it: opened, changed, planned, applied."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.kit.browser import IN_BROWSER, Floor

pytestmark = IN_BROWSER

WALK: list[tuple[str, str, str, str]] = [
    ("settings/general", "Name of the company", "Foo", "company_name"),
    ("settings/sending", "Minutes until a text is not sent any more", "600", "text_validity_minutes"),
    ("settings/chats", "Word for one menu up", "UP", "back_word"),
    ("settings/queue-defaults", "Seconds that an agent is asked", "45", "offer_seconds"),
    ("settings/consent", "Opt-outs of a carrier in an hour that are taken over", "9", "carrier_opt_outs_most"),
    ("settings/media", "Largest file, in megabytes", "7", "media_most_mb"),
    ("settings/sign-in", "Hours until one signs in again", "24", "session_hours"),
    ("carriers/edit?name=upstream", "Window", "20", "window"),
    ("queues/edit?name=Support%2FOrders", "Keyword", "ORD", "keyword"),
    ("numbers/edit?name=%2B16285550199", "Label", "Front", "label"),
    ("agents/edit?name=second%40foo.com", "First name", "Jo", "first_name"),
]
NEW: list[tuple[str, dict[str, str], str]] = [
    ("carriers/edit?kind=lab", {"Name": "lab"}, "+ carrier lab"),
    ("queues/edit", {"Name": "Sales"}, "+ queue Sales"),
    ("numbers/edit", {"Number": "62855"}, "+ number 62855"),
    ("limits/edit", {"Segments at most": "500", "In the time of": "minute"}, "+ limit tenant per minute"),
    ("agents/edit", {"E-mail address": "new@foo.com"}, "+ agent new@foo.com"),
    ("shortcuts/edit", {"Name": "hours", "Text": "We are open."}, "+ shortcut hours"),
]


REFUSED = "Response Status Error Code 422"
"""What htmx writes to the console where a form comes back with its mistakes."""


async def plan_and_apply(page: Page, says: str) -> None:
    await page.locator("#setup-form .primary").click()
    await expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    await expect(page.get_by_role("list", name="Changes")).to_contain_text(says)
    await page.get_by_role("button", name="Apply these changes").click()
    await expect(page.locator("#done")).to_contain_text("applied")


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
async def test_each_form_is_changed_planned_and_applied(floor: Floor, script: bool) -> None:
    page = await floor.sit_down("administrator", java_script_enabled=script)
    for path, label, typed, says in WALK:
        await page.goto(f"{floor.base_url}/desk/admin/{path}")
        field = page.get_by_label(label, exact=True)
        await field.fill(typed if script else f"{typed}1")
        await plan_and_apply(page, says)
    if not script:
        return
    for path, words, says in NEW:
        await page.goto(f"{floor.base_url}/desk/admin/{path}")
        for label, typed in words.items():
            await (
                page.locator("#setup-form")
                .get_by_label(re.compile(f"^{re.escape(label)}( \\(needed\\))?$"))
                .first.fill(typed)
            )
        if path.startswith("limits"):
            await page.locator("#scope").select_option("tenant")
        if path.startswith("numbers"):
            await page.locator("#carrier").select_option("upstream")
        await plan_and_apply(page, says)


async def test_rows_are_added_mistakes_are_told_in_place_and_another_change_is_told(floor: Floor) -> None:
    page = await floor.sit_down("administrator")
    floor.complaints[-1].excused += (REFUSED,)
    await page.goto(f"{floor.base_url}/desk/admin/queues/edit?name=Support%2FBilling")
    groups = page.locator('[id="groups-rows"] tbody tr')
    await page.locator('[id="groups-own"]').select_option("own")
    count = await groups.count()
    await page.locator('[data-add="groups-rows"]').click()
    await expect(groups).to_have_count(count + 1)
    await page.keyboard.type("Night")
    await page.locator('[id="offer_seconds"]').fill("soon")
    await page.locator("#setup-form .primary").click()
    await expect(page.locator('[id="offer_seconds"]')).to_have_attribute("aria-invalid", "true")
    await expect(page.locator('[id="offer_seconds"]')).to_have_value("soon")
    await expect(page.locator('[id="groups.0.name"]')).to_have_value("Night")
    other = await floor.sit_down("administrator")
    await other.goto(f"{floor.base_url}/desk/admin/settings/general")
    await other.get_by_label("API requests a second").fill("50")
    await plan_and_apply(other, "requests_per_second")
    await expect(page.locator("#moved")).to_contain_text("Somebody else has changed the set-up")
    await expect(page.locator('[id="offer_seconds"]')).to_have_value("soon")
    await page.locator('[id="offer_seconds"]').fill("20")
    await plan_and_apply(page, "Night")


async def test_a_mistake_in_the_file_leads_to_its_line(floor: Floor) -> None:
    page = await floor.sit_down("administrator", viewport={"width": 320, "height": 700})
    floor.complaints[-1].excused += (REFUSED,)
    await page.goto(f"{floor.base_url}/desk/admin/file")
    await page.locator("#document").fill("tenant: acme\nqueues:\n  - {nme: A}\n")
    await page.get_by_role("button", name="Show what would change").click()
    await page.get_by_role("link", name="Line 3, column 6").click()
    chosen = await page.evaluate("document.activeElement.value.slice(document.activeElement.selectionStart)")
    assert chosen.startswith("nme: A")
    for path in ("", "/queues", "/queues/edit?name=Support", "/carriers/edit?kind=generic", "/settings/quiet-hours"):
        await page.goto(f"{floor.base_url}/desk/admin{path}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path

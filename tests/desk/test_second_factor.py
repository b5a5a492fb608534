"""The second factor: set up, asked for, lost."""

import asyncio
from datetime import timedelta

import pyotp

from smsdesk.actions.change_second_factor import reset_second_factor
from smsdesk.domain.audit import COMMAND, Author
from smsdesk.errors import Problem
from tests.desk.sign_in_kit import PASSWORD, Browser, give_password, settle
from tests.kit.desk import DeskKit, Seen

HERE = "/desk/profile/second-factor"


async def set_up(desk: DeskKit) -> tuple[Browser, pyotp.TOTP, list[str]]:
    """John with a second factor, signed in: his browser, his app, his recovery codes."""
    await give_password(desk)
    browser = Browser(desk)
    await browser.sign_in()
    app = await the_app(browser)
    codes = recovery_codes(await browser.post(HERE, {"code": app.at(desk.clock.now)}))
    desk.clock.forward(seconds=30)
    return browser, app, codes


async def the_app(browser: Browser) -> pyotp.TOTP:
    key = (await browser.get(HERE)).html.select_one("#factor-key")
    assert key is not None
    return pyotp.TOTP(key.get_text())


def recovery_codes(seen: Seen) -> list[str]:
    codes = [each.get_text() for each in seen.html.select("#recovery-codes code")]
    assert len(codes) == len(set(codes)) == 10, seen.text
    return codes


async def show(browser: Browser, code: str) -> int:
    return (await browser.post("/desk/sign-in/code", {"code": code})).status


async def test_it_counts_once_it_was_shown_to_work(desk: DeskKit) -> None:
    await give_password(desk)
    browser, other = Browser(desk), Browser(desk)
    await browser.sign_in()
    await other.sign_in()
    app = await the_app(browser)
    assert (await the_app(browser)).secret == app.secret, "the key stays while he is at it"
    assert "data:image/svg+xml" in (await browser.get(HERE)).text
    assert (await browser.post(HERE, {"code": "000000"})).status == 422
    assert (await Browser(desk).sign_in()).headers["location"] == "/desk", "not asked for yet"
    recovery_codes(await browser.post(HERE, {"code": app.at(desk.clock.now)}))
    assert (await other.get("/desk/profile")).status == 303, "the other sessions ended"
    assert app.secret not in (await browser.get(HERE)).text, "the key is not shown again"
    assert (await browser.post(HERE, {"code": app.at(desk.clock.now)})).status == 422


async def test_the_password_alone_opens_nothing(desk: DeskKit) -> None:
    _, app, _ = await set_up(desk)
    browser = Browser(desk)
    first = await browser.sign_in(next="/desk/profile")
    assert first.headers["location"] == "/desk/sign-in/code"
    assert (await browser.get("/desk")).status == 303
    assert await show(browser, "000000") == 401
    done = await browser.post(
        "/desk/sign-in/code", {"code": f" {app.at(desk.clock.now)[:3]} {app.at(desk.clock.now)[3:]}"}
    )
    assert (done.status, done.headers["location"]) == (303, "/desk/profile")
    assert (await browser.get("/desk")).status == 200
    again = Browser(desk)
    assert (await again.get("/desk/sign-in/code")).headers["location"] == "/desk/sign-in"
    assert (await again.post("/desk/sign-in/code", {"code": "1"})).headers["location"] == "/desk/sign-in"


async def test_no_code_is_good_twice_nor_at_another_time(desk: DeskKit) -> None:
    _, app, _ = await set_up(desk)
    browsers = [Browser(desk) for _ in range(4)]
    for browser in browsers:
        await browser.sign_in()
    for seconds in (-60, 61):
        assert await show(browsers[0], app.at(desk.clock.now + timedelta(seconds=seconds))) == 401
    code = app.at(desk.clock.now)
    statuses = await asyncio.gather(*(show(browser, code) for browser in browsers[1:]))
    assert sorted(statuses) == [303, 401, 401], "of three at one moment one gets in"
    desk.clock.forward(seconds=30)
    assert await show(browsers[0], code) == 401, "nor in the step after"


async def test_codes_cannot_be_guessed_in_a_row(desk: DeskKit) -> None:
    _, app, _ = await set_up(desk)
    statuses = []
    for _ in range(6):
        browser = Browser(desk)
        await browser.sign_in()
        statuses.append(await show(browser, "123456"))
    assert statuses == [401] * 5 + [429]
    assert await show(browser, app.at(desk.clock.now)) == 429
    desk.clock.forward(seconds=31)
    assert await show(browser, app.at(desk.clock.now)) == 303
    desk.clock.forward(minutes=11)
    assert await show(browser, app.at(desk.clock.now)) == 303, "to the start: the step is used"
    assert await desk.db.fetchval("select count(*) from sessions") == 2


async def test_a_recovery_code_lets_in_once(desk: DeskKit) -> None:
    browser, _, codes = await set_up(desk)
    lost, again = Browser(desk), Browser(desk)
    await lost.sign_in()
    await again.sign_in()
    assert await show(lost, codes[0].lower().replace("-", " ")) == 303
    assert await show(again, codes[0]) == 401
    assert await show(again, codes[1]) == 303
    assert "8 recovery codes are left" in (await browser.get(HERE)).text
    assert (await browser.post(f"{HERE}/codes", {"proof": "wrong"})).status == 422
    renewed = recovery_codes(await browser.post(f"{HERE}/codes", {"proof": PASSWORD}))
    await again.sign_in()
    assert await show(again, codes[2]) == 401
    assert await show(again, renewed[2]) == 303
    assert await desk.db.fetchval("select max(length(code_sha256)) from recovery_codes") == 32


async def test_turning_it_off_takes_the_password(desk: DeskKit) -> None:
    browser, _, _ = await set_up(desk)
    assert (await browser.post(f"{HERE}/off", {"proof": "wrong"})).status == 422
    await settle(desk, second_factor="required")
    assert (await browser.post(f"{HERE}/off", {"proof": PASSWORD})).status == 403
    await settle(desk, second_factor="optional")
    assert (await browser.post(f"{HERE}/off", {"proof": PASSWORD})).status == 303
    assert (await Browser(desk).sign_in()).headers["location"] == "/desk"
    actions = {row[0] for row in await desk.db.fetch("select action from audit")}
    assert {"turn on second factor", "turn off second factor"} <= actions


async def test_where_it_is_required_it_comes_before_anything_else(desk: DeskKit) -> None:
    await give_password(desk)
    await settle(desk, second_factor="required")
    browser = Browser(desk)
    await browser.sign_in()
    for path in ("/desk", "/desk/profile", "/desk/chats/1"):
        assert (await browser.get(path)).headers["location"] == HERE
    part = await browser.get("/desk", **{"HX-Request": "true"})
    assert (part.status, part.headers["hx-redirect"]) == (403, HERE)
    app = await the_app(browser)
    recovery_codes(await browser.post(HERE, {"code": app.at(desk.clock.now)}))
    assert (await browser.get("/desk")).status == 200
    await desk.db.execute("update sessions set method = 'oidc'")
    await desk.db.execute("update desk_profiles set totp_confirmed_at = null")
    assert (await browser.get("/desk")).status == 200, "his company has asked him already"


async def test_who_has_lost_all_is_helped_by_an_administrator(desk: DeskKit) -> None:
    browser, _, _ = await set_up(desk)
    begin = desk.services.begin
    refused = []
    for acting, agent_id in ((1, 1), (10, 1), (11, 4), (12, 1)):
        try:
            await reset_second_factor(begin, 1, Author("desk", acting), agent_id)
        except Problem as problem:
            refused.append(problem.reason)
    assert refused == ["forbidden", "forbidden", "not_found", "agent_unknown"]
    await reset_second_factor(begin, 1, Author("desk", 11), 1)
    assert (await browser.get("/desk")).status == 303
    assert (await Browser(desk).sign_in()).headers["location"] == "/desk"
    await reset_second_factor(begin, 1, COMMAND, 1)

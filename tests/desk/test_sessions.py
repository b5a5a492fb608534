"""How long one is signed in, and what ends it; one's own page."""

from datetime import timedelta

import pytest

from smsdesk.actions.invite_agent import invite_agent
from smsdesk.desk.browsers import browser_name
from smsdesk.errors import Problem
from tests.desk.sign_in_kit import PASSWORD, Browser, give_password, settle
from tests.kit.desk import DeskKit

NEW = "another sesame, another desk"


async def test_a_session_slides_twelve_hours(desk: DeskKit) -> None:
    john = await desk.person("john")
    for _ in range(4):
        desk.clock.forward(hours=11)
        assert (await john.get("/desk/profile")).status == 200
    desk.clock.forward(hours=12, seconds=1)
    assert (await john.get("/desk/profile")).status == 303


async def test_it_ends_after_a_week_however_busy(desk: DeskKit) -> None:
    john = await desk.person("john")
    for _ in range(15):
        desk.clock.forward(hours=11)
        assert (await john.get("/desk/live/here")).status == 204
    desk.clock.forward(hours=4)
    assert (await john.get("/desk/live/here")).status == 303


async def test_the_tenant_may_want_it_shorter(desk: DeskKit) -> None:
    john = await desk.person("john")
    await settle(desk, session_hours=2)
    desk.clock.forward(hours=1)
    assert (await john.get("/desk/profile")).status == 200
    assert await desk.db.fetchval("select expires_at - created_at from sessions") == timedelta(hours=2)
    desk.clock.forward(hours=1, seconds=1)
    assert (await john.get("/desk/profile")).status == 303


async def test_who_is_disabled_is_out_at_once_and_a_new_role_counts_at_once(desk: DeskKit) -> None:
    john = await desk.person("john")
    assert "/desk/board" not in (await john.get("/desk/profile")).text
    await desk.db.execute("update agents set role = 'supervisor' where agent_id = 1")
    assert "/desk/board" in (await john.get("/desk/profile")).text
    await desk.db.execute("update agents set disabled_at = now() where agent_id = 1")
    assert (await john.get("/desk/profile")).status == 303


@pytest.mark.parametrize("cookie", ["acme.wrong", "other.secret of john", "acme.", "acme", ".", "nobody.x", "é.\u2603"])
async def test_another_cookie_opens_nothing(desk: DeskKit, cookie: str) -> None:
    john = await desk.person("john")
    john.cookie = cookie
    assert (await john.get("/desk")).status == 303


async def test_preferences_are_kept_and_used(desk: DeskKit) -> None:
    john = await desk.person("john")
    wanted = {"lang": "en", "time_zone": "Asia/Tokyo", "theme": "dark", "sound": ""}
    assert (await john.post("/desk/profile", wanted)).status == 303
    seen = await john.get("/desk/profile?done=saved")
    assert 'data-theme="dark"' in seen.text
    assert 'data-sound="off"' in seen.text
    assert seen.html.select_one("#profile-zone option[selected]")["value"] == "Asia/Tokyo"  # type: ignore[index]
    assert "Mar 3, 2026" in seen.text, "17:20 UTC is tomorrow there"
    await john.post("/desk/profile", {"lang": "xx", "time_zone": "../../etc/passwd", "theme": "<b>", "sound": "on"})
    assert list(await desk.db.fetchrow("select lang, time_zone, theme, sound from desk_profiles")) == [None] * 3 + [
        True
    ]


async def test_one_ends_ones_own_sessions_and_nobody_elses(desk: DeskKit) -> None:
    await give_password(desk)
    hostile = "<b>Chrome</b> on \u202e" + "x" * 300
    john, other, third = await desk.person("john"), Browser(desk), Browser(desk)
    await other.post("/desk/sign-in", {"email": "john.doe@foo.com", "password": PASSWORD, "workspace": "acme"},
                     **{"User-Agent": hostile.encode().decode("latin-1")})  # fmt: skip
    await third.sign_in()
    page = await john.get("/desk/profile")
    assert "<b>Chrome" not in page.text
    ways = [form["action"] for form in page.html.select("ul.sessions form")]
    assert len(ways) == 2
    assert (await (await desk.person("second")).post(str(ways[0]))).status == 404
    assert (await john.post(str(ways[0]))).status == 303
    assert (await john.post(str(ways[0]))).status == 404
    assert (await john.post("/desk/profile/sessions/zz/end")).status == 404
    assert sorted([(await other.get("/desk/profile")).status, (await third.get("/desk/profile")).status]) == [200, 303]
    await john.post("/desk/profile/sessions/end-others")
    assert {(await each.get("/desk/profile")).status for each in (other, third)} == {303}
    assert (await john.get("/desk/profile")).status == 200


async def test_a_new_password_takes_the_old_one_and_ends_the_others(desk: DeskKit) -> None:
    await give_password(desk)
    here, there = Browser(desk), Browser(desk)
    await here.sign_in()
    await there.sign_in()

    async def change(old: str, new: str, again: str) -> int:
        return (await here.post("/desk/profile/password", {"old": old, "new": new, "again": again})).status

    assert await change("wrong", NEW, NEW) == 422
    assert await change(PASSWORD, NEW, NEW + ".") == 422
    for unfit in ("short", "x" * 1001, "John.Doe@foo.com"):
        assert await change(PASSWORD, unfit, unfit) == 422
    assert await change(PASSWORD, NEW, NEW) == 303
    assert (await here.get("/desk/profile")).status == 200
    assert (await there.get("/desk/profile")).status == 303
    assert (await Browser(desk).sign_in(PASSWORD)).status == 401
    assert (await Browser(desk).sign_in(NEW)).status == 303
    # Who sits down at an open desk cannot guess without end.
    statuses = [await change("guess", NEW, NEW) for _ in range(12)]
    assert statuses[-1] == 429


async def test_an_invitation_is_good_once_for_a_day(desk: DeskKit) -> None:
    tenant = desk.services.directory.tenants["acme"]
    begin, secret = desk.services.begin, desk.services.secret
    for acting in (1, 10):
        with pytest.raises(Problem, match="forbidden"):
            await invite_agent(begin, tenant, acting, 2, secret)
    for stranger in (3, 4, 12, 99):
        with pytest.raises(Problem, match="not_found"):
            await invite_agent(begin, tenant, 11, stranger, secret)
    over = await invite_agent(begin, tenant, 11, 1, secret)
    link = await invite_agent(begin, tenant, 11, 1, secret)
    nobody = desk.nobody()
    assert (await nobody.get(over)).status == 404, "the later one counts"
    assert "john.doe@foo.com" in (await nobody.get(link)).text
    assert (await nobody.post(link, {"password": NEW, "again": "x"})).status == 422
    assert (await nobody.post(link, {"password": "short", "again": "short"})).status == 422
    assert (await nobody.post(link.replace("acme.", "other."), {"password": NEW, "again": NEW})).status == 404
    assert (await nobody.post(link, {"password": NEW, "again": NEW})).status == 303
    assert (await nobody.post(link, {"password": NEW, "again": NEW})).status == 404
    assert (await Browser(desk).sign_in(NEW)).status == 303
    late = await invite_agent(begin, tenant, 11, 2, secret)
    desk.clock.forward(hours=24, seconds=1)
    assert (await nobody.get(late)).status == 404
    actions = [row[0] for row in await desk.db.fetch("select action from audit order by at, audit_id")]
    assert actions == ["invite agent", "invite agent", "change password", "sign in", "invite agent"]


def test_browsers_have_short_names() -> None:
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
    assert browser_name(chrome) == "Chrome, Linux"
    assert browser_name("curl/8 " + "x" * 99)[:6] == "curl/8"
    assert browser_name("") == ""

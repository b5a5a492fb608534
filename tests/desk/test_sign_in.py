"""Signing in by password: who gets in, who does not, and how often one may try."""

import asyncio
import time

import pytest

from smsdesk.actions.sweep_sign_ins import sweep_sign_ins
from smsdesk.desk.callers import inside
from smsdesk.domain.sign_in import LONGEST_WAIT, limit, network
from smsdesk.settings import Settings, SettingsError, read_settings
from smsdesk.wiring import build_services_of_desk
from tests.desk.sign_in_kit import JOHN, PASSWORD, Browser, give_password, settle
from tests.kit.desk import DeskKit


async def deeds(desk: DeskKit, action: str) -> int:
    count: int = await desk.db.fetchval("select count(*) from audit where action = $1", action)
    return count


async def test_the_right_password_opens_the_desk(desk: DeskKit) -> None:
    await give_password(desk)
    browser = Browser(desk)
    seen = await browser.sign_in(next="/desk/profile?done=saved")
    assert (seen.status, seen.headers["location"]) == (303, "/desk/profile?done=saved")
    session = next(line for line in browser.set if line.startswith("smsdesk=acme."))
    assert all(word in session for word in ("HttpOnly", "SameSite=lax", "Path=/"))
    assert "Max-Age" not in session
    assert (await browser.get("/desk")).status == 200
    assert await deeds(desk, "sign in") == 1
    stored = await desk.db.fetchval("select encode(session_sha256, 'hex') from sessions")
    assert stored not in session, "what is in the database opens nothing"


async def test_nothing_tells_why_it_was_refused(desk: DeskKit) -> None:
    await give_password(desk)
    await give_password(desk, 3)
    said = set()
    for email in (JOHN, "second@foo.com", "gone@foo.com", "nobody@foo.com", "theirs@foo.com", "a\0b@foo.com", ""):
        seen = await Browser(desk).sign_in("wrong password" if email == JOHN else PASSWORD, email)
        said.add((seen.status, seen.html.select_one(".notice.error").get_text()))  # type: ignore[union-attr]
    assert said == {(401, "The address or the password is wrong.")}
    assert await desk.db.fetchval("select count(*) from sessions") == 0


async def test_it_takes_as_long_for_an_address_that_nobody_has(desk: DeskKit) -> None:
    await give_password(desk)

    async def seconds(email: str) -> float:
        began = time.perf_counter()
        await Browser(desk).sign_in("wrong password", email)
        return time.perf_counter() - began

    await seconds("warm@foo.com")
    known, unknown = await seconds(JOHN), await seconds("nobody@foo.com")
    assert unknown > max(0.02, known / 5), "a hash was computed for the unknown one too"


async def test_five_failures_from_one_place_make_a_wait_that_grows(desk: DeskKit) -> None:
    await give_password(desk)
    for _ in range(5):
        assert (await Browser(desk).sign_in("wrong")).status == 401
    waits = []
    for _ in range(8):
        refused = await Browser(desk).sign_in(PASSWORD)
        assert refused.status == 429, "the right one is not tried either"
        assert "Too many failed tries" in refused.text
        waits.append(int(refused.headers["retry-after"]))
        desk.clock.forward(seconds=waits[-1] + 1)
        assert (await Browser(desk).sign_in("wrong")).status == 401
    assert (waits[:3], waits[-1]) == ([30, 60, 120], LONGEST_WAIT.total_seconds())
    assert await deeds(desk, "fail sign-in") == 1, "one line for a streak"
    desk.clock.forward(minutes=16)
    assert (await Browser(desk).sign_in(PASSWORD)).status == 303


async def test_tries_at_one_moment_are_counted_each(desk: DeskKit) -> None:
    await give_password(desk)
    seen = await asyncio.gather(*(Browser(desk).sign_in("wrong") for _ in range(12)))
    assert sorted(each.status for each in seen) == [401] * 5 + [429] * 7


async def test_a_colleague_is_not_locked_out_of_his_own_browser(desk: DeskKit) -> None:
    await give_password(desk)
    john = Browser(desk)
    await john.sign_in()
    await john.post("/desk/sign-out")
    for _ in range(6):
        await Browser(desk).sign_in("guessed elsewhere")
    assert (await Browser(desk).sign_in()).status == 429
    assert (await john.sign_in()).status == 303
    # It is no way around the limit for others who sit at it, nor for another person's password.
    statuses = [(await john.sign_in("wrong")).status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    await give_password(desk, 2)
    assert (await john.sign_in("wrong", "second@foo.com")).status == 401
    tried = await desk.db.fetchval("select count(*) from sign_in_failures where failures between 1 and 6")
    assert tried >= 2, "it counts on address and name there"


async def test_who_has_a_password_does_not_wash_away_his_guesses(desk: DeskKit) -> None:
    await give_password(desk)
    await give_password(desk, 2)
    for _ in range(5):
        await Browser(desk).sign_in("wrong", "second@foo.com")
    assert (await Browser(desk).sign_in()).status == 303
    assert (await Browser(desk).sign_in("wrong", "second@foo.com")).status == 429
    assert await desk.db.fetchval("select max(failures) from sign_in_failures") == 5


async def test_one_name_from_many_places_and_many_names_from_one(desk: DeskKit) -> None:
    await give_password(desk)
    object.__setattr__(desk.services, "proxies", _proxies(desk, "127.0.0.0/8"))
    for limited in (limit(20, "email", JOHN), limit(50, "address", "198.51.100.9")):
        await desk.db.execute(
            "insert into sign_in_failures (tenant_id, tried, failures, since) values (1, $1, $2, $3)",
            limited.tried, limited.most - 2, desk.clock.now,
        )  # fmt: skip
    by_name = [
        (await Browser(desk).sign_in("wrong", **{"X-Forwarded-For": f"198.51.100.{i}"})).status for i in range(4)
    ]
    assert by_name == [401] * 2 + [429] * 2
    there = {"X-Forwarded-For": "198.51.100.9"}
    by_place = [(await Browser(desk).sign_in("wrong", f"n{i}@foo.com", **there)).status for i in range(4)]
    assert by_place == [401] * 2 + [429] * 2


async def test_only_a_trusted_proxy_tells_the_address(desk: DeskKit) -> None:
    await give_password(desk)
    told = {"X-Forwarded-For": "203.0.113.7, 198.51.100.1"}
    await Browser(desk).sign_in(**told)
    assert await desk.db.fetchval("select address from sessions") == "127.0.0.1"
    for listed, address in (("127.0.0.1", "198.51.100.1"), ("127.0.0.1,198.51.100.0/24", "203.0.113.7")):
        object.__setattr__(desk.services, "proxies", _proxies(desk, listed))
        await desk.db.execute("delete from sessions")
        await Browser(desk).sign_in(**told)
        assert await desk.db.fetchval("select address from sessions") == address
    with pytest.raises(SettingsError, match="SMSDESK_TRUSTED_PROXIES"):
        read_settings({"SMSDESK_TRUSTED_PROXIES": "the one in front"})
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2:ffff::1") != network("2001:db8:1:3::1")


def _proxies(desk: DeskKit, listed: str) -> object:
    return build_services_of_desk(desk.services, Settings(trusted_proxies=listed)).proxies  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/desk\\evil", "/deskevil", "https://evil.example", "/desk//..\\", "javascript:alert(1)", "",
     "/desk/\r\nSet-Cookie: a=b", "/desk/\t/evil", "/desk/" + "a" * 3000, "/Desk", " /desk"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert inside(path) == "/desk"


@pytest.mark.parametrize("path", ["/desk", "/desk/chats/1", "/desk?a=b", "/desk/search?q=%2F%2Fevil"])
def test_one_comes_back_to_where_one_was(path: str) -> None:
    assert inside(path) == path


async def test_the_sign_in_leads_back(desk: DeskKit) -> None:
    nobody = desk.nobody()
    assert (await nobody.get("/desk/profile?a=b")).headers["location"] == "/desk/sign-in?next=%2Fdesk%2Fprofile%3Fa%3Db"
    assert (await nobody.post("/desk/profile")).headers["location"] == "/desk/sign-in"
    part = await nobody.get(
        "/desk/profile", **{"HX-Request": "true", "HX-Current-URL": f"{desk.base_url}/desk/chats/7"}
    )
    assert (part.status, part.headers["hx-redirect"]) == (401, "/desk/sign-in?next=%2Fdesk%2Fchats%2F7")
    await give_password(desk)
    assert (await Browser(desk).sign_in(next="//evil.example/desk")).headers["location"] == "/desk"


async def test_the_workspace_is_asked_for_once(desk: DeskKit) -> None:
    await give_password(desk)
    browser = Browser(desk)
    first = (await browser.get("/desk/sign-in")).html
    assert first.select_one("input[name=workspace][required]")
    assert not first.select_one("input[name=password]")
    assert (await browser.get("/desk/sign-in?workspace=acme")).html.select_one("input[name=password]")
    await browser.sign_in()
    await browser.post("/desk/sign-out")
    again = (await browser.get("/desk/sign-in")).html
    assert again.select_one("input[name=workspace]")["value"] == "acme"  # type: ignore[index]
    hostile = await browser.get("/desk/sign-in?workspace=<script>alert(1)</script>")
    assert "<script>alert" not in hostile.text


async def test_the_host_names_the_workspace(desk: DeskKit) -> None:
    await give_password(desk)
    object.__setattr__(desk.services, "domain", "sms.foo.com")
    browser = Browser(desk)
    at = {"Host": "acme.sms.foo.com", "Origin": "http://acme.sms.foo.com"}
    seen = await browser.post("/desk/sign-in", {"email": JOHN, "password": PASSWORD, "workspace": "other"}, **at)
    assert seen.status == 303, "the form's word counts for nothing there"
    assert (await browser.get("/desk", Host="acme.sms.foo.com")).status == 200
    assert (await browser.get("/desk", Host="other.sms.foo.com")).status == 303, "a session is of its own host"
    unknown = await Browser(desk).get("/desk/sign-in", Host="nobody.sms.foo.com")
    assert "nobody" in unknown.text


async def test_signing_out_ends_it(desk: DeskKit) -> None:
    await give_password(desk)
    browser = Browser(desk)
    await browser.sign_in()
    cookie = browser.cookies["smsdesk"]
    await browser.post("/desk/sign-out")
    assert "smsdesk" not in browser.cookies
    browser.cookies["smsdesk"] = cookie
    assert (await browser.get("/desk")).status == 303
    assert await deeds(desk, "sign out") == 1


async def test_under_https_the_cookie_is_the_hosts_alone(desk: DeskKit) -> None:
    await give_password(desk)
    await settle(desk, public_url="https://sms.foo.com")
    browser = Browser(desk)
    assert "https://sms.foo.com/desk" in (await browser.get("/desk/sign-in?workspace=acme")).text
    await browser.sign_in()
    line = next(line for line in browser.set if line.startswith("__Host-smsdesk=acme."))
    assert all(word in line for word in ("Secure", "Path=/"))
    assert "Domain" not in line
    assert (await browser.get("/desk")).status == 200
    browser.cookies["smsdesk"] = browser.cookies.pop("__Host-smsdesk")
    assert (await browser.get("/desk")).status == 303, "one that a neighbour could have set"


FOREIGN: list[dict[str, str]] = [
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://evil.HOST"},
    {"Origin": "http://HOST.evil.example"},
    {"Origin": "https://evil.example"},
    {"Origin": "ftp://HOST"},
    {"Origin": ""},
    {"Origin": "http://HOST", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://HOST", "Sec-Fetch-Site": "same-site"},
    {"Origin": "http://HOST", "Sec-Fetch-Site": "none"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_write_that_no_page_of_ours_made_is_refused(desk: DeskKit, headers: dict[str, str]) -> None:
    john, host = await desk.person("john"), desk.base_url.removeprefix("http://")
    sent = {name: value.replace("HOST", host) for name, value in headers.items()}
    seen = await john.post("/desk/sign-out", **sent)
    assert seen.status == 403
    assert await desk.db.fetchval("select count(*) from sessions") == 1


async def test_a_write_of_our_own_page_is_taken(desk: DeskKit) -> None:
    for who, headers in (("john", {}), ("second", {"Origin": "https://other.name", "Sec-Fetch-Site": "same-origin"})):
        assert (await (await desk.person(who)).post("/desk/sign-out", **headers)).status == 303
    supervisor = await desk.person("supervisor")
    downgraded = {"Cookie": f"smsdesk={supervisor.cookie}; __Host-smsdesk={supervisor.cookie}"}
    assert (await supervisor.post("/desk/sign-out", **downgraded)).status == 403, "http speaks for https"


async def test_where_passwords_are_off_none_is_taken(desk: DeskKit) -> None:
    await give_password(desk)
    await settle(desk, passwords=False)
    assert (await Browser(desk).sign_in()).status == 403
    assert not (await Browser(desk).get("/desk/sign-in?workspace=acme")).html.select("input[name=password]")


async def test_what_is_over_is_swept(desk: DeskKit) -> None:
    await give_password(desk)
    browser = Browser(desk)
    await browser.sign_in("wrong")
    await browser.sign_in()
    assert await sweep_sign_ins(desk.services.db, 1, desk.clock.now) == 0
    desk.clock.forward(days=181)
    assert await sweep_sign_ins(desk.services.db, 1, desk.clock.now) >= 4
    for table in ("sessions", "known_browsers", "sign_in_failures", "sign_in_steps"):
        assert await desk.db.fetchval(f"select count(*) from {table}") == 0

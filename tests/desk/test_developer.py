"""The developer's screen: a lab that is there, away or not set up; a log that tells what the rows say."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from smsdesk.desk.lab import Lab
from smsdesk.domain.token import digest
from tests.kit.desk import DeskKit, Person
from tests.kit.lab import Handsets, running_lab

PHONE, OURS = "+14155550123", "+16285550199"
FORM = {"outbound_number": OURS, "end_user_number": PHONE, "message": "Is it <b>ready</b>?\u202e"}


@pytest.fixture
async def lab() -> AsyncIterator[Handsets]:
    async with running_lab() as handsets:
        yield handsets


def with_lab(desk: DeskKit, address: str) -> None:
    """The server as it is with this address in its settings."""
    object.__setattr__(desk.services, "lab_page", address)


@asynccontextmanager
async def running(app: web.Application) -> AsyncIterator[str]:
    """An HTTP server in the lab's place; its address."""
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def administrator(desk: DeskKit) -> Person:
    return await desk.person("administrator")


async def consumer(desk: DeskKit, number: str, tenant_id: int = 1) -> None:
    await desk.db.execute(
        "insert into end_users (tenant_id, end_user_id, number, created_at) values ($1, $2, $3, $4)",
        tenant_id, int(number[1:]), number, desk.clock.now,
    )  # fmt: skip


async def test_without_a_lab_the_page_says_how_to_get_one(desk: DeskKit) -> None:
    seen = await (await administrator(desk)).get("/desk/developer")
    assert seen.status == 200, seen.text
    assert "smsdesk lab" in seen.text
    body = seen.html.find(id="try-body")
    assert body is not None
    assert OURS in body.get_text()
    assert len(seen.text) < 100_000


async def test_a_lab_that_is_away_is_a_sentence(desk: DeskKit) -> None:
    with_lab(desk, "http://127.0.0.1:9")
    seen = await (await administrator(desk)).get("/desk/developer")
    assert "The lab does not answer" in seen.text
    typed = {"number": PHONE, "to": OURS, "body": "hi"}
    assert (await (await administrator(desk)).post("/desk/developer/reply", typed)).status == 422


async def test_one_types_at_a_handset_words_and_pictures(desk: DeskKit, lab: Handsets) -> None:
    with_lab(desk, lab._base_url)
    person = await administrator(desk)
    typed = {"number": "+1 415-555-0123", "to": OURS, "body": "<script>alert(1)</script> 👍 " + "x" * 2000}
    answer = await person.post("/desk/developer/reply", typed)
    assert answer.status == 200, answer.text
    assert "<script>alert" not in answer.text
    (reply,) = await lab.call("GET", f"/handsets/{PHONE}/replies")
    assert (reply["to"], reply["body"]) == (OURS, typed["body"])
    form = aiohttp.FormData({"number": PHONE, "to": OURS, "body": ""})
    form.add_field("picture", b"GIF89a", filename="a.gif", content_type="image/gif")
    refused = await person.post("/desk/developer/reply", form)
    assert refused.status == 422
    assert "carries no files" in refused.text, "the lab's own word: SMPP has no pictures"


async def test_files_of_the_lab_come_through_us_and_only_pictures_are_shown(desk: DeskKit) -> None:
    async def file(request: web.Request) -> web.Response:
        kind = "image/png" if request.path == "/media/1" else "text/html"
        return web.Response(body=b"<script>1</script>", content_type=kind)

    app = web.Application()
    app.router.add_get("/media/{number}", file)

    async def replies(request: web.Request) -> web.Response:
        media = [f"http://{request.host}/media/{number}" for number in (1, 2)]
        line = {"number": PHONE, "body": "", "parts": 1, "encoding": "gsm7", "at": "2026-03-02T17:20:51.1Z"}
        return web.json_response([{**line, "to": OURS, "state": "answered", "media": media}])

    async def nothing(_request: web.Request) -> web.Response:
        return web.json_response([])

    app.router.add_get("/handsets/{number}/replies", replies)
    app.router.add_get("/{tail:.*}", nothing)
    async with running(app) as address:
        with_lab(desk, address)
        assert Lab(address).own_file(f"{address}/media/7") == 7
        assert Lab(address).own_file("http://elsewhere.example.com/media/7") is None
        assert Lab(address).own_file(f"{address}/media/../faults") is None
        person = await administrator(desk)
        screen = await person.get(f"/desk/developer/screen?number=%2B{PHONE[1:]}")
        picture, page, other = [
            await person.get(f"/desk/developer/file/{number}?number=%2B{PHONE[1:]}") for number in (1, 2, 3)
        ]
        nobodys = await person.get("/desk/developer/file/1")
    assert [str(one["src"]).partition("?")[0] for one in screen.html.select(".phone img")] == [
        "/desk/developer/file/1", "/desk/developer/file/2",
    ]  # fmt: skip
    assert (other.status, nobodys.status) == (404, 404), "not of this phone, and of none"
    assert (picture.headers["content-type"], page.headers["content-type"]) == ("image/png", "application/octet-stream")
    assert "attachment" in page.headers["content-disposition"]
    assert "sandbox" in page.headers["content-security-policy"]


async def test_one_lab_shows_each_tenant_its_own(desk: DeskKit, lab: Handsets) -> None:
    with_lab(desk, lab._base_url)
    await consumer(desk, PHONE)
    await lab.reply(PHONE, "for acme only")
    assert "for acme only" in (await (await administrator(desk)).get("/desk/developer")).text
    theirs = await desk.person("their_administrator")
    their_number = next(iter(desk.services.directory.tenants["other"].numbers), None)
    seen = await theirs.get("/desk/developer")
    assert (PHONE in seen.text) is False
    if their_number != OURS:
        direct = await theirs.get(f"/desk/developer/screen?number=%2B{PHONE[1:]}")
        assert "for acme only" not in direct.text
        refused = await theirs.post("/desk/developer/reply", {"number": PHONE, "to": OURS, "body": "in your queue"})
        assert refused.status == 404


async def test_a_number_leads_to_no_other_place_of_the_lab(desk: DeskKit) -> None:
    asked: list[str] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.json_response([])

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", note)
    async with running(app) as address:
        with_lab(desk, address)
        person = await administrator(desk)
        for number in ("../texts", "1/../../faults", "http://169.254.169.254/", "%2e%2e", "", "1" * 70):
            await person.get(f"/desk/developer/screen?number={number}")
            await person.post("/desk/developer/reply", {"number": number, "to": OURS, "body": "x"})
    assert all(path.partition("?")[0].strip("/").split("/")[0] == "handsets" for path in asked), asked
    assert not [
        path for path in asked if ".." in path or "169.254" in path.partition("/texts")[0][:20] or "faults" in path
    ]


async def test_the_log_tells_what_the_rows_say(desk: DeskKit) -> None:
    person = await administrator(desk)
    await person.post("/desk/admin/test-send", FORM)
    chat_id, message_id = tuple(await desk.db.fetchrow("select chat_id, message_id from texts") or ())
    carrier = await desk.db.fetchval("select carrier_id from texts")
    at = desk.clock.now
    await desk.db.execute(
        """insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, carrier_part_id, code,
                              claimed_at, state_at)
        values (1, $1, 1, 1, $2, $3, 'delivered', 'abc-1', 'err:000', $4::timestamptz + interval '5 ms',
                $4::timestamptz + interval '25 ms')""",
        message_id, chat_id, carrier, at,
    )  # fmt: skip
    seen = await person.get("/desk/developer/events")
    lines = [" ".join(one.get_text(" ", strip=True).split()) for one in seen.html.select(".log li")]
    assert [next(word for word in ("Delivered", "Handed", "Accepted", "opened") if word in line) for line in lines] == [
        "Delivered", "Handed", "Accepted", "opened",
    ]  # fmt: skip
    assert lines[0].startswith("17:20:51.148")
    assert "abc-1" in lines[0]
    assert "<b>ready</b>" not in seen.text
    assert "ready" in lines[2]
    assert seen.html.find("a", href=f"/desk/chats/{chat_id}") is not None
    trace = await person.get(f"/desk/developer/texts/{message_id}")
    assert "abc-1" in trace.text
    only = await person.get(f"/desk/developer/events?chat={chat_id}")
    assert len(only.html.select(".log li")) == 4
    theirs = await desk.person("their_administrator")
    assert "Nothing happened yet" in (await theirs.get(f"/desk/developer/events?chat={chat_id}")).text
    assert (await theirs.get(f"/desk/developer/texts/{message_id}")).status == 404


async def test_earlier_pages_have_each_message_once(desk: DeskKit) -> None:
    await consumer(desk, PHONE)
    await desk.db.execute(
        """insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, ends_at)
        values (1, 5, $1, $2, 'outbound', 'finished', $3, $3)""",
        int(PHONE[1:]), OURS, desk.clock.now,
    )  # fmt: skip
    # All of one moment: a place in the log is a time and an id.
    await desk.db.execute(
        """insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
        select 1, 5, 100 + n, 'end_user', 'said ' || n, 'gsm7', 1, $1 from generate_series(1, 60) n""",
        desk.clock.now,
    )
    person = await administrator(desk)
    path, found = "/desk/developer/events", []
    for _ in range(3):
        seen = await person.get(path)
        found += [one.get_text() for one in seen.html.select(".log bdi.said")]
        link = seen.html.find("a", string="Earlier")
        path = str(link["hx-get"]) if link else ""
    assert path == ""
    assert found == [f"said {number}" for number in reversed(range(1, 61))]
    assert (await person.get("/desk/developer/events?before=99999999999999999999-1")).status == 200
    assert (await person.get("/desk/developer/events?before=999999999999999999-1")).status == 200


async def test_a_token_to_try_with_is_ones_own_and_written_down(desk: DeskKit) -> None:
    person = await administrator(desk)
    first: dict[str, Any] = json.loads((await person.post("/desk/developer/token")).text)
    second: dict[str, Any] = json.loads((await person.post("/desk/developer/token")).text)
    known = desk.services.directory.tenants["acme"].credentials
    assert digest(second["token"]) in known
    assert digest(first["token"]) not in known
    audit = str(await desk.db.fetch("select action, subject, details::text from audit"))
    assert "regenerate token" in audit
    assert second["token"] not in audit


async def test_all_of_it_is_for_administrators(desk: DeskKit) -> None:
    reads = ("", "/handset", "/screen", "/events", "/texts/1", "/file/1")
    for who in ("john", "supervisor"):
        person = await desk.person(who)
        for path in reads:
            assert (await person.get(f"/desk/developer{path}")).status == 403, (who, path)
        assert (await person.get("/desk/live/lab")).status == 403
        assert (await person.post("/desk/developer/token")).status == 403
        assert (await person.post("/desk/developer/reply", {"number": PHONE, "to": OURS, "body": "x"})).status == 403
    assert await desk.db.fetchval("select count(*) from audit") == 0

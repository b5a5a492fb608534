"""The person beside the chat: what is shown of him, and who may change what."""

import pytest

from tests.desk.chats import SCRIPTED, Chats
from tests.kit.desk import DeskKit, Person, Seen

HOSTILE = "<script>alert(1)</script>\u202e" + "x" * 200


async def panel(person: Person, chat_id: int) -> str:
    seen = await person.get(f"/desk/chats/{chat_id}/person", **SCRIPTED)
    assert seen.status == 200, seen.text
    return " ".join(seen.html.get_text(" ", strip=True).split())


async def do(person: Person, chat_id: int, what: str, **data: str) -> Seen:
    return await person.post(f"/desk/chats/{chat_id}/{what}", data)


async def test_the_panel_says_who_and_what_time_it_is_there(desk: DeskKit) -> None:
    chats = Chats(desk)
    chat_id = await chats.ongoing()
    john = await desk.person("john")
    text = await panel(john, chat_id)
    assert "+1 415-555-2001" in text
    assert "9:20 AM" in text, "415 is in California: 17:20 UTC"
    assert "May be texted now? Yes" in text
    assert "This is the first one." in text
    told = {"first_name": HOSTILE, "last_name": "Doe", "email": "jane@foo.com", "identifier": "c-1",
            "time_zone": "America/New_York"}  # fmt: skip
    assert (await do(john, chat_id, "person/edit", **told)).status == 303
    seen = await john.get(f"/desk/chats/{chat_id}")
    assert "<script>alert" not in seen.text
    assert seen.html.select_one(".person-name bdi").get_text() == f"{HOSTILE} Doe"  # type: ignore[union-attr]
    assert "12:20 PM" in await panel(john, chat_id)
    assert (await do(john, chat_id, "person/edit", identifier="c-2")).status == 403, "others know him by it"
    assert (await do(await desk.person("supervisor"), chat_id, "person/edit", identifier="c-2")).status == 303
    assert (await do(john, chat_id, "person/edit", first_name="x" * 256)).status == 422
    assert await desk.db.fetchval("select count(*) from audit where action = 'correct person'") == 2


async def test_a_number_of_several_zones_has_several_times(desk: DeskKit) -> None:
    chats = Chats(desk)
    chat_id = await chats.writes(phone="+18505550123")
    text = await panel(await desk.person("john"), chat_id)
    assert "11:20 AM to 12:20 PM, one of 2 zones" in text.replace("\u202f", " ")


async def test_an_opt_out_is_noted_shown_and_taken_back_by_a_supervisor(desk: DeskKit) -> None:
    chats = Chats(desk)
    chat_id = await chats.ongoing()
    john, boss = await desk.person("john"), await desk.person("supervisor")
    assert (await do(john, chat_id, "person/opt-out", words="<b>never again</b>")).status == 303
    text = await panel(john, chat_id)
    assert "No: this person has opted out." in text
    assert "told to an agent" in text
    assert "John Doe" in text
    assert "<b>never again</b>" in text
    assert "Consented again" not in text
    refused = await chats.say(john, chat_id, "But we have offers")
    assert refused.status >= 400
    assert await chats.texts(chat_id) == []
    assert (await do(john, chat_id, "person/opt-in", words="he called")).status == 403
    assert (await do(boss, chat_id, "person/opt-in", words=" ")).status == 422
    assert (await do(boss, chat_id, "person/opt-in", words="he called")).status == 303
    assert "May be texted now? Yes" in await panel(john, chat_id)
    rows = await desk.db.fetch("select kind, actor, source from consent_history order by at, event_id")
    assert [tuple(row) for row in rows] == [("opted_out", "agent 1", "agent"), ("opted_in", "agent 10", "agent")]


async def test_a_number_is_blocked_with_a_note_and_unblocked_by_a_supervisor(desk: DeskKit) -> None:
    chat_id = await Chats(desk).ongoing()
    john, boss = await desk.person("john"), await desk.person("supervisor")
    assert (await do(john, chat_id, "person/block", note="")).status == 422
    assert (await do(john, chat_id, "person/block", note="threats")).status == 303
    text = await panel(john, chat_id)
    assert "No: this number is blocked." in text
    assert "threats" in text
    assert (await do(john, chat_id, "person/unblock")).status == 403
    assert (await do(boss, chat_id, "person/unblock")).status == 303
    assert "blocked" not in await panel(john, chat_id)
    deeds = await desk.db.fetch("select action, agent_id from audit order by at, audit_id")
    assert [tuple(row) for row in deeds] == [("block number", 1), ("unblock number", 10)]


async def test_a_doubtful_reply_is_decided(desk: DeskKit) -> None:
    chats = Chats(desk)
    chat_id = await chats.ongoing(body="please do not text me at work")
    hold_id = await desk.db.fetchval("select hold_id from consent_holds")
    if hold_id is None:
        phone = await chats.phone_of(chat_id)
        hold_id = 77
        await desk.db.execute(
            """insert into consent_holds (tenant_id, hold_id, number, source, at, chat_id, message_id, words, reason)
               select 1, 77, $2, outbound_number, $3, $1, 1, 'stop it', 'may be' from chats where chat_id = $1""",
            chat_id, phone, desk.clock(),
        )  # fmt: skip
    john = await desk.person("john")
    assert "In doubt" in await panel(john, chat_id)
    theirs = await desk.person("theirs")
    assert (await do(theirs, chat_id, f"holds/{hold_id}", decision="revoked")).status == 404
    assert (await do(john, chat_id, f"holds/{hold_id}", decision="perhaps")).status == 422
    assert (await do(john, chat_id, f"holds/{hold_id}", decision="revoked")).status == 303
    assert "opted out" in await panel(john, chat_id)
    assert (await do(john, chat_id, f"holds/{hold_id}", decision="allowed")).status == 404


async def test_earlier_chats_are_paged_over_all_phones(desk: DeskKit) -> None:
    chats = Chats(desk)
    john = await desk.person("john")
    for number in range(12):
        chat_id = await chats.writes(f"hello {number}", "+14155553000")
        await do(john, chat_id, "take")
        await do(john, chat_id, "wrap-up", disposition="x")
        await do(john, chat_id, "end")
    await do(john, chat_id, "wrap-up", disposition="Refund", notes=HOSTILE)
    now = await chats.writes("again", "+14155553000")
    await do(john, now, "take")
    seen = await john.get(f"/desk/chats/{now}/person", **SCRIPTED)
    assert len(seen.html.select(".earlier li a")) == 10
    first = seen.html.select_one(".earlier li")
    assert first is not None
    assert "Ended by an agent" in first.get_text()
    assert "Refund" in first.get_text()
    assert "<script>alert" not in seen.text
    more = seen.html.select_one(".earlier button")
    assert more is not None
    rest = await john.get(str(more["hx-get"]), **SCRIPTED)
    ids = [a["href"] for page in (seen, rest) for a in page.html.select("li a")]
    assert len(ids) == len(set(ids)) == 12
    person = await desk.db.fetchval("select end_user_id from chats where chat_id = $1", now)
    other = await chats.writes("my other phone", "+14155553001")
    await do(john, other, "take")
    await do(john, other, "end")
    await desk.db.execute(
        "update end_users set merged_into = $1 where end_user_id = (select end_user_id from chats where chat_id = $2)",
        person, other,
    )  # fmt: skip
    seen = await john.get(f"/desk/chats/{now}/person", **SCRIPTED)
    assert seen.html.select(".earlier li a")[0]["href"] == f"/desk/chats/{other}"
    assert "+1 415-555-3001" in seen.text
    assert (await john.get(f"/desk/chats/{now}/earlier?before=nonsense", **SCRIPTED)).status == 422


PARTS = (
    "person",
    "earlier?before=2026-03-02T17:20:52Z~1",
    "person/edit",
    "person/opt-out",
    "person/block",
    "person/opt-in",
)
POSTS = ("person/edit", "person/opt-out", "person/opt-in", "person/block", "person/unblock", "holds/1")


@pytest.mark.parametrize("who", ["their_administrator", "second"])
async def test_who_may_not_read_the_chat_learns_and_changes_nothing(desk: DeskKit, who: str) -> None:
    chat_id = await Chats(desk).ongoing()
    await desk.db.execute("delete from agent_queues where agent_id = 2")
    person = await desk.person(who)
    for part in PARTS:
        assert (await person.get(f"/desk/chats/{chat_id}/{part}", **SCRIPTED)).status in (403, 404), part
    for part in POSTS:
        seen = await do(person, chat_id, part, note="x", words="x", decision="revoked", first_name="Mallory")
        assert seen.status in (403, 404), part
    for table in ("opt_outs", "blocked_numbers", "end_user_names"):
        assert await desk.db.fetchval(f"select count(*) from {table}") == 0

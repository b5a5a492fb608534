"""The composer over HTTP: what is said before and while one types, drafts, and that nobody is answered twice."""

import asyncio
from datetime import UTC, datetime

import aiohttp

from smsdesk.domain.quiet_hours import QuietHours
from tests.desk.chats import SCRIPTED, Chats, lines
from tests.kit.desk import DeskKit, Person, Seen

PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\xdac\xfc\xcf\xc0P\x0f\x00\x04\x85\x01\x80\x84\xa9\x8c!\x00\x00\x00\x00IEND\xaeB`\x82"
)


async def previewed(person: Person, chat_id: int, body: str) -> Seen:
    seen = await person.post(f"/desk/chats/{chat_id}/preview", {"body": body}, **SCRIPTED)
    assert seen.status == 200, seen.text
    return seen


def plain(seen: Seen) -> str:
    return " ".join(seen.html.get_text(" ").split())


async def test_the_preview_counts_as_the_sending_does(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    assert plain(await previewed(john, chat_id, "a" * 160)) == "1 part · GSM-7 · 0 characters left in it"
    assert plain(await previewed(john, chat_id, "a" * 161)) == "2 parts · GSM-7 · 145 characters left in it"
    assert plain(await previewed(john, chat_id, "  ")) == ""
    costly = await previewed(john, chat_id, "It’s " + "a" * 100)
    assert "2 parts · UCS-2" in plain(costly)
    assert "makes this 2 parts instead of 1." in plain(costly)
    assert costly.html.select_one("button[data-swaps]")["data-swaps"] == '{"\\u2019": "\\u0027"}'  # type: ignore[index]
    assert "too long" in plain(await previewed(john, chat_id, "a" * 2000))


async def test_the_preview_names_the_price_where_a_rate_is_known(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    await desk.db.execute("update carriers set currency = 'USD' where tenant_id = 1")
    await desk.db.execute("insert into rates (tenant_id, carrier_id, prefix, price) values (1, 1, '1415', 0.0075)")
    assert plain(await previewed(john, chat_id, "a" * 161)).endswith("· 0.015 USD")
    phone = await chats.phone_of(chat_id)
    form = {"body": "hi", "outbound_number": "+1 628-555-0199", "end_user_number": phone}
    assert plain(await john.post("/desk/preview", form, **SCRIPTED)).endswith("· 0.0075 USD")
    assert "USD" not in plain(await john.post("/desk/preview", {"body": "hi"}, **SCRIPTED))


async def test_two_agents_race_and_one_text_leaves(desk: DeskKit) -> None:
    chats = Chats(desk)
    chat_id = await chats.writes()
    people = [await desk.person(who) for who in ("john", "second", "supervisor")]
    forms = [await chats.form(each, chat_id) for each in people]
    desk.clock.forward(seconds=1)
    seen = await asyncio.gather(
        *(person.post(f"/desk/chats/{chat_id}/say", {**form, "body": f"answer {n}"}, **SCRIPTED)
          for _ in range(3) for n, (person, form) in enumerate(zip(people, forms, strict=True)))
    )  # fmt: skip
    assert len(await chats.texts(chat_id)) == 1
    won = {each.status for each in seen[: len(people)]}
    assert won <= {200, 409}
    refused = [each for each in seen if each.status == 409]
    assert refused
    (text,) = await chats.texts(chat_id)
    assert all(text in each.text or "not yours" in each.text for each in refused)


async def test_two_tabs_race_and_one_text_leaves(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    forms = [await chats.form(john, chat_id) for _ in range(4)]
    desk.clock.forward(seconds=1)
    path = f"/desk/chats/{chat_id}/say"
    seen = await asyncio.gather(
        *(john.post(path, {**form, "body": f"from tab {n}"}, **SCRIPTED) for n, form in enumerate(forms))
    )
    assert sorted(each.status for each in seen) == [200, 409, 409, 409]
    assert len(await chats.texts(chat_id)) == 1


async def test_the_same_form_twice_is_one_text(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    form = await chats.form(john, chat_id)
    desk.clock.forward(seconds=1)
    path, data = f"/desk/chats/{chat_id}/say", {**form, "body": "once"}
    seen = await asyncio.gather(*(john.post(path, data, **SCRIPTED) for _ in range(6)))
    assert [each.status for each in seen] == [200] * 6
    assert (await john.post(path, data)).status == 303, "a retry without scripts"
    assert await chats.texts(chat_id) == ["once"]


async def test_answered_meanwhile_keeps_the_draft_and_shows_the_answer(desk: DeskKit) -> None:
    chats, john, supervisor = Chats(desk), await desk.person("john"), await desk.person("supervisor")
    chat_id = await chats.ongoing()
    old = await chats.form(john, chat_id)
    await desk.db.execute(
        "insert into participants (tenant_id, chat_id, participant_id, type, user_id, status, role, connected_at) "
        "values (1, $1, 900, 'agent', 10, 'connected', 'supervisor', now())", chat_id,
    )  # fmt: skip
    assert (await chats.say(supervisor, chat_id, "I took care of it")).status == 200
    refused = await chats.say(john, chat_id, "Let me look", **old)
    assert refused.status == 409
    assert "I took care of it" in refused.text
    assert "Read the new answer, then send again." in refused.text
    assert await chats.texts(chat_id) == ["I took care of it"]
    kept = (await john.get(f"/desk/chats/{chat_id}")).html.select_one("form.say textarea")
    assert kept is not None
    assert kept.text == "Let me look"
    assert (await chats.say(john, chat_id, "Let me look")).status == 200
    after = (await john.get(f"/desk/chats/{chat_id}")).html.select_one("form.say textarea")
    assert after is not None
    assert after.text == ""


async def test_an_answer_of_the_api_in_his_name_counts(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    old = await chats.form(john, chat_id)
    await desk.db.execute(
        "insert into messages (tenant_id, chat_id, message_id, sender, agent_id, body, encoding, parts, created_at) "
        "values (1, $1, 777, 'api', 1, 'by a program', 'gsm7', 1, $2)", chat_id, desk.clock.now,
    )  # fmt: skip
    assert (await chats.say(john, chat_id, "me too", **old)).status == 409


async def test_a_draft_is_there_again_and_each_has_his_own(desk: DeskKit) -> None:
    chats, john, second = Chats(desk), await desk.person("john"), await desk.person("second")
    chat_id = await chats.ongoing()
    path = f"/desk/chats/{chat_id}/draft"
    assert (await john.post(path, {"body": "\n half a sent"})).status == 204
    assert (await john.post(path, {"body": "half a note", "note": "true"})).status == 204
    page = (await john.get(f"/desk/chats/{chat_id}")).html
    assert [area.text for area in page.select(".composer textarea")] == ["\n\n half a sent", "half a note"]
    assert '"draft":"\\n half a sent"' in (await john.get(path)).text
    assert '"draft":""' in (await second.get(path)).text


async def test_a_note_is_never_sent(desk: DeskKit) -> None:
    chats, john, second = Chats(desk), await desk.person("john"), await desk.person("second")
    chat_id = await chats.ongoing()
    seen = await john.post(f"/desk/chats/{chat_id}/note", {"body": "for us"}, **SCRIPTED)
    assert seen.status == 200, seen.text
    assert "for us" in lines(await john.get(f"/desk/chats/{chat_id}"))[-1]
    assert await chats.texts(chat_id) == []
    assert (await second.post(f"/desk/chats/{chat_id}/note", {"body": "me too"}, **SCRIPTED)).status == 409
    assert (await second.get(f"/desk/chats/{chat_id}")).html.select_one("[data-kind=note][hidden]")


async def test_who_opted_out_cannot_be_written_to(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    form = await chats.form(john, chat_id)
    await desk.db.execute("insert into opt_outs (tenant_id, number, at, source) values (1, $1, $2, 'carrier')",
                          await chats.phone_of(chat_id), desk.clock.now)  # fmt: skip
    page = await john.get(f"/desk/chats/{chat_id}")
    assert "The carrier told us on" in page.text
    assert page.html.select_one("form.say button[type=submit][disabled]")
    assert (await chats.say(john, chat_id, "still there?", **form)).status == 422
    assert await chats.texts(chat_id) == []


async def test_another_agents_chat_can_be_read_and_not_answered(desk: DeskKit) -> None:
    chats, second = Chats(desk), await desk.person("second")
    chat_id = await chats.ongoing("john")
    page = await second.get(f"/desk/chats/{chat_id}")
    assert "John Doe has this chat." in page.text
    assert (await chats.say(second, chat_id, "I know better")).status == 409
    waiting = await chats.writes()
    assert "Nobody has this chat: if you answer, it is yours." in (await second.get(f"/desk/chats/{waiting}")).text
    assert (await chats.say(second, waiting, "hello")).status == 200
    assert await desk.db.fetchval("select agent_id from chats where chat_id = $1", waiting) == 2


async def test_their_clock_is_told_before_one_types(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    assert "May be texted now. It is 9:20 AM there." in _told(await john.get(f"/desk/chats/{chat_id}"))
    desk.clock.now = datetime(2026, 3, 3, 5, 10, tzinfo=UTC)  # in San Francisco: 9:10 PM
    late = _told(await john.get(f"/desk/chats/{chat_id}"))
    assert late.startswith("It is 9:10 PM there: late. An answer leaves all the same")
    held = QuietHours(categories=("marketing", "transactional"))
    await desk.db.execute(
        "update tenants set settings = settings || $1::jsonb, changed_at = changed_at + interval '1 ms'",
        {"quiet_hours": {"categories": list(held.categories)}},
    )
    await desk.services.directory.refresh()
    assert _told(await john.get(f"/desk/chats/{chat_id}")).startswith(
        "It is 9:10 PM there: quiet hours. A text waits until 4:00 PM."
    )
    assert (await chats.say(john, chat_id, "good night")).status == 200
    assert "quiet hours: leaves at 4:00 PM (8:00 AM their time)" in _plain_lines(
        await john.get(f"/desk/chats/{chat_id}")
    )
    await chats.writes("still awake", await chats.phone_of(chat_id))
    assert "they have just written. An answer leaves now." in _told(await john.get(f"/desk/chats/{chat_id}"))


async def test_a_doubtful_reply_is_for_a_person_to_decide(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    await desk.db.execute(
        "insert into consent_holds (tenant_id, hold_id, number, source, at, chat_id, message_id, words, reason) "
        "select 1, 5, $1, outbound_number, $2, chat_id, 1, 'leave me <b>alone</b>', 'x' from chats where chat_id = $3",
        await chats.phone_of(chat_id), desk.clock.now, chat_id,
    )  # fmt: skip
    page = await john.get(f"/desk/chats/{chat_id}")
    form = page.html.select_one("form.hold")
    assert form is not None
    assert form["action"] == f"/desk/chats/{chat_id}/holds/5"
    assert "leave me <b>alone</b>" in form.text
    assert [button["value"] for button in form.select("button")] == ["revoked", "allowed"]


async def test_a_failed_text_is_said_again_once(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    await chats.say(john, chat_id, "are you there?")
    message_id = await chats.last_text(chat_id)
    await chats.ends(message_id, "undelivered", "unreachable")
    page = await john.get(f"/desk/chats/{chat_id}")
    button = page.html.select_one("button.again")
    assert button is not None
    assert "the phone is off or out of reach" in _plain_lines(page)
    data = {"seen": (await chats.form(john, chat_id))["seen"]}
    seen = await asyncio.gather(*(john.post(str(button["hx-post"]), data, **SCRIPTED) for _ in range(4)))
    assert [each.status for each in seen] == [200] * 4
    assert await chats.texts(chat_id) == ["are you there?"] * 2


async def test_what_may_have_arrived_is_not_said_again(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    await chats.say(john, chat_id, "hello")
    message_id = await chats.last_text(chat_id)
    path, data = f"/desk/chats/{chat_id}/messages/{message_id}/again", {"seen": "1"}
    for state, reason in (("delivered", None), ("undelivered", "landline"), ("failed", "opted_out")):
        await chats.ends(message_id, state, reason)
        assert (await john.post(path, data, **SCRIPTED)).status == 422, state
        assert not (await john.get(f"/desk/chats/{chat_id}")).html.select("button.again")
    await desk.db.execute("update messages set state = null, reason = null where message_id = $1", message_id)
    await desk.db.execute(
        "insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at, "
        "valid_until, state_at, queued_at, parts, attempt, priority, hops) values (1, $1, $2, 1, 'answer', '1', '2', "
        "'doubtful', $3, $3, $3, $3, 1, 1, 1, 0)", message_id, chat_id, desk.clock.now,
    )  # fmt: skip
    page = await john.get(f"/desk/chats/{chat_id}")
    assert "it is not known whether it left" in _plain_lines(page)
    assert "A supervisor can settle it." in page.text
    assert (await john.post(path, data, **SCRIPTED)).status == 422


async def test_files_go_along(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    await desk.db.execute(
        "update tenants set settings = settings || $1::jsonb, changed_at = changed_at + interval '1 ms'",
        {"public_url": desk.base_url},
    )
    await desk.services.directory.refresh()
    chat_id = await chats.ongoing()
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("files", PICTURE, filename="<b>.png", content_type="image/png")
    seen = await john.post(f"/desk/chats/{chat_id}/files", form, **SCRIPTED)
    assert seen.status == 200, seen.text
    media = seen.html.select_one("input[name=media]")
    assert media is not None
    assert "<b>.png" in seen.html.text
    assert (await chats.say(john, chat_id, "look", media=str(media["value"]))).status == 200
    page = await john.get(f"/desk/chats/{chat_id}")
    picture = page.html.select_one("li.out img")
    assert picture is not None
    assert str(picture["src"]).startswith("/media/")
    assert "<b>.png" in str(picture["alt"])
    program = aiohttp.FormData()
    program.add_field("files", b"MZ not a picture", filename="x.png", content_type="image/png")
    refused = await john.post(f"/desk/chats/{chat_id}/files", program, **SCRIPTED)
    assert refused.status == 422
    assert "a program" in refused.text


async def test_shortcuts_are_filled_for_this_chat(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    await desk.db.execute(
        "insert into shortcuts (tenant_id, name, category, body) values "
        "(1, 'hi', 'Common', 'Hello @{CUSTOMER_FIRST_NAME}, this is @{AGENT_FIRST_NAME}'), (2, 'theirs', '', 'no')"
    )
    seen = await john.get(f"/desk/chats/{chat_id}/shortcuts", **SCRIPTED)
    (option,) = seen.html.select("[role=option]")
    assert option["data-text"] == "Hello Customer, this is John"


def _told(seen: Seen) -> str:
    told = seen.html.select_one(".told")
    assert told is not None
    return " ".join(told.get_text(" ").replace("\u202f", " ").split())


def _plain_lines(seen: Seen) -> str:
    return " ".join(" | ".join(lines(seen)).replace("\u202f", " ").split())

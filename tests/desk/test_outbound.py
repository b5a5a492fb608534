"""A conversation that is begun at the desk: told before it is sent, sent once."""

import asyncio

from tests.desk.chats import SCRIPTED, Chats
from tests.kit.api import OURS
from tests.kit.desk import DeskKit, Person, Seen

THEM = "(415) 555-4321"
FORM = {"to": THEM, "from": OURS, "body": "Your parcel is here", "form": "f" * 32}


async def sent(desk: DeskKit) -> list[tuple[str, int]]:
    rows = await desk.db.fetch("select body, agent_id from messages where sender <> 'end_user' order by message_id")
    return [(row["body"], row["agent_id"]) for row in rows]


async def check(person: Person, **more: str) -> str:
    seen = await person.post("/desk/new/check", {**FORM, **more}, **SCRIPTED)
    assert seen.status == 200, seen.text
    return " ".join(seen.html.get_text(" ", strip=True).split())


async def test_it_is_told_before_it_is_sent(desk: DeskKit) -> None:
    john = await desk.person("john")
    form = (await john.get("/desk/new")).html
    assert len(form.select_one("input[name=form]")["value"]) == 32  # type: ignore[index]
    assert [each["value"] for each in form.select("select[name=from] option")] == [OURS]
    text = await check(john)
    assert "1 part" in text
    assert "It would leave at once. It is 9:20 AM there." in text.replace("\u202f", " ")
    assert "no phone number" in await check(john, to="12")
    assert "Numbers of this country" in await check(john, to="+44 7400 123456")
    assert "2 parts" in await check(john, body="x" * 161)
    assert "too long" in await check(john, body="x" * 10_000)
    desk.clock.forward(hours=7)
    await check(john)
    desk.clock.forward(hours=7)
    assert "It waits until" in await check(john, category="marketing")
    assert await sent(desk) == []
    assert await desk.db.fetchval("select count(*) from chats") == 0


async def test_a_form_is_sent_once_however_often_it_is_posted(desk: DeskKit) -> None:
    john = await desk.person("john")
    answers: list[Seen] = await asyncio.gather(*(john.post("/desk/new", FORM) for _ in range(6)))
    assert {answer.status for answer in answers} == {303}, [answer.text for answer in answers]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert (await john.post("/desk/new", FORM)).headers["location"] == answers[0].headers["location"]
    assert await sent(desk) == [("Your parcel is here", 1)]
    page = await john.get(answers[0].headers["location"])
    assert page.status == 200
    assert "Your parcel is here" in page.text
    changed = await john.post("/desk/new", {**FORM, "body": "Something else"})
    assert changed.status == 422
    assert len(await sent(desk)) == 1


async def test_who_is_in_a_chat_is_written_to_there(desk: DeskKit) -> None:
    await desk.db.execute(
        """update tenants set settings = '{"when_active": "append"}', changed_at = now() where tenant_id = 1"""
    )
    await desk.services.directory.refresh()
    chats = Chats(desk)
    chat_id = await chats.ongoing()
    john = await desk.person("john")
    phone = await chats.phone_of(chat_id)
    seen = await john.post("/desk/new/check", {**FORM, "to": phone}, **SCRIPTED)
    assert seen.html.select_one("a")["href"] == f"/desk/chats/{chat_id}"  # type: ignore[index]
    await desk.db.execute("delete from agent_queues where agent_id = 2")
    second = await desk.person("second")
    seen = await second.post("/desk/new/check", {**FORM, "to": phone}, **SCRIPTED)
    assert seen.html.select_one("a") is None
    assert "A colleague is in a chat" in seen.text
    refused = await second.post("/desk/new", {**FORM, "to": phone})
    assert refused.status == 409
    assert await chats.texts(chat_id) == []


async def test_who_opted_out_or_is_blocked_is_not_written_to(desk: DeskKit) -> None:
    john = await desk.person("john")
    await desk.db.execute("insert into blocked_numbers values (1, '+14155554321', now(), '', null)")
    assert "blocked" in await check(john)
    assert (await john.post("/desk/new", FORM)).status == 422
    assert await sent(desk) == []


async def test_people_are_found_by_name_and_number(desk: DeskKit) -> None:
    chats = Chats(desk)
    chat_id = await chats.writes(phone="+14155554321")
    await desk.db.execute(
        """insert into end_user_names (tenant_id, end_user_id, first_name, last_name)
           select 1, end_user_id, '<b>Jane', 'O_Doe%' from chats where chat_id = $1""",
        chat_id,
    )
    john, theirs = await desk.person("john"), await desk.person("theirs")
    for words in ("<b>ja", "%3Cb%3EJane o_d", "O_doe%25", "415 555-43", "%2B1415555", "1415"):
        seen = await john.get(f"/desk/people?to={words.replace(' ', '+')}", **SCRIPTED)
        assert [each["data-to"] for each in seen.html.select("button")] == ["+14155554321"], words
        assert "<b>Jane" not in seen.text
        assert (await theirs.get(f"/desk/people?to={words.replace(' ', '+')}", **SCRIPTED)).html.select("button") == []
    for words in ("j", "oxdoe", "%25", "41"):
        assert (await john.get(f"/desk/people?to={words}", **SCRIPTED)).html.select("button") == [], words


async def test_another_agents_number_is_not_his_to_write_from(desk: DeskKit) -> None:
    await desk.db.execute(
        "insert into numbers (tenant_id, number, carrier_id, agent_id) select 1, '+16285550177', carrier_id, 2"
        " from carriers where tenant_id = 1"
    )
    await desk.db.execute("update tenants set changed_at = now() where tenant_id = 1")
    await desk.services.directory.refresh()
    john = await desk.person("john")
    assert "+16285550177" not in (await john.get("/desk/new")).text
    assert (await john.post("/desk/new", {**FORM, "from": "+16285550177"})).status == 403
    second = await desk.person("second")
    assert (await second.get("/desk/new")).html.select("select[name=from] option")[0]["value"] == "+16285550177"
    theirs = await desk.person("theirs")
    assert (await theirs.post("/desk/new", FORM)).status == 422, "the number is another tenant's"
    nobody = await desk.nobody().post("/desk/new", FORM)
    assert nobody.status == 303
    assert nobody.headers["location"].startswith("/desk/sign-in")
    assert await sent(desk) == []

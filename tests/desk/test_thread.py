"""The thread over HTTP: what stands in it, how each text stands, for whom, page by page, and what is new of it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from smsdesk.actions.add_note import add_note
from smsdesk.desk.state_words import Reader, reasons, state_words
from smsdesk.desk.words import words
from smsdesk.domain.outcome import REASONS
from smsdesk.domain.text_state import MOVES
from smsdesk.domain.thread import Line
from tests.desk.chats import SCRIPTED, Chats, lines
from tests.kit.api import Clock
from tests.kit.desk import DeskKit, Person, Seen

READER = Reader(words("en"), ZoneInfo("UTC"), Clock().now)


def have(seen: Seen) -> str:
    """What a page says that it has."""
    return ",".join(f"{line['id']}~{line['data-v']}" for line in seen.html.select("ol.talk > li[data-v]"))


async def news(person: Person, chat_id: int, known: str) -> Seen:
    return await person.get(f"/desk/chats/{chat_id}/thread?have={known}", **SCRIPTED)


async def test_both_sides_notes_and_what_happened(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing("john", "Where is my parcel?")
    assert (await chats.say(john, chat_id, "On its way")).status == 200
    await add_note(desk.services.begin, desk.services.directory.tenants["acme"], chat_id, 1, "is upset")
    page = await john.get(f"/desk/chats/{chat_id}")
    asked, greeted, answered, noted = (line.replace("\u202f", " ") for line in lines(page))
    assert greeted.startswith("We: acme: Thanks for your text.")
    assert "Automatic · 5:20 PM" in greeted
    assert asked.startswith("The consumer: Where is my parcel? 5:20 PM")
    assert answered.startswith("We: On its way John Doe · 5:20 PM · … waits behind another text to them")
    assert noted.startswith("Note, not sent: is upset Note, not sent · John Doe")
    assert [event.get_text(" ", strip=True)[:-8] for event in page.html.select("li.event")] == [
        "The consumer began the chat.", "The chat waits in Support.", "John Doe has the chat.",
    ]  # fmt: skip
    assert page.html.select_one("li.day h3").text == "Today"  # type: ignore[union-attr]


async def test_what_a_page_has_is_not_sent_again(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing("john", "one")
    await chats.say(john, chat_id, "two")
    known = have(await john.get(f"/desk/chats/{chat_id}"))
    nothing = await news(john, chat_id, known)
    assert not nothing.html.select("li")
    await chats.ends(await chats.last_text(chat_id), "delivered")
    await chats.writes("three", await chats.phone_of(chat_id))
    seen = await news(john, chat_id, known)
    changed = seen.html.select("li[hx-swap-oob=true]")
    fresh = seen.html.select(f"li[hx-swap-oob='beforeend:#lines-{chat_id}']")
    assert "✓✓ delivered at 5:20 PM" in changed[0].get_text(" ", strip=True).replace("\u202f", " ")
    assert [line["class"][0] for line in fresh] == ["in"]
    assert "three" in fresh[0].text


async def test_a_page_that_slept_too_long_gets_the_whole(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    known = have(await john.get(f"/desk/chats/{chat_id}"))
    await _fill(desk, chat_id, 60)
    seen = await news(john, chat_id, known)
    assert seen.html.select_one(f"ol#lines-{chat_id}[hx-swap-oob=morph]")
    assert len(seen.html.select("li.in")) == 50


async def test_a_long_chat_is_read_page_by_page(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    await _fill(desk, chat_id, 2000)
    page = await john.get(f"/desk/chats/{chat_id}")
    assert [line.select_one(".said").text for line in page.html.select("li.in")] == [  # type: ignore[union-attr]
        f"message {n}" for n in range(1951, 2001)
    ]
    assert not page.html.select("li.event"), "what happened before the page's first message is on an earlier page"
    part = page.html.select_one("ol.talk")
    assert len(str(part)) < 40_000
    found: list[str] = []
    while button := page.html.select_one("li.earlier button"):
        before = str(button["hx-vals"]).split('"')[3]
        page = await john.get(f"/desk/chats/{chat_id}/thread?before={before}", **SCRIPTED)
        found = [line.text for line in page.html.select("li.in .said")] + found
    assert found == ["hello", *(f"message {n}" for n in range(1, 1951))]
    assert page.html.select("li.event"), "the beginning"


async def test_fifty_texts_of_ours_are_a_small_page(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    await _fill(desk, chat_id, 60)
    await desk.db.execute(
        "update messages set sender = 'agent', agent_id = 1, state = 'delivered', ended_at = created_at, "
        "body = repeat('x', 100) where chat_id = $1 and message_id >= 500000", chat_id,
    )  # fmt: skip
    page = await john.get(f"/desk/chats/{chat_id}")
    assert len(page.html.select("li.out .state.good")) == 50
    assert len(str(page.html.select_one("ol.talk"))) < 40_000


async def test_a_very_long_message_is_shown_whole_when_asked_for(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing("john", "ab " * 3333)
    page = await john.get(f"/desk/chats/{chat_id}")
    assert len(lines(page)[0]) < 1400
    more = page.html.select_one("li.in button.more")
    assert more is not None
    assert "9,999 characters" in more.text
    assert len((await john.get(str(more["hx-get"]), **SCRIPTED)).text.strip()) > 9_990


async def test_why_a_text_is_as_it_is(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    await chats.say(john, chat_id, "hello there")
    message_id = await chats.last_text(chat_id)
    seen = await john.get(f"/desk/chats/{chat_id}/messages/{message_id}/why", **SCRIPTED)
    assert "1 part, GSM-7" in seen.text
    other = await chats.ongoing()
    assert (await john.get(f"/desk/chats/{other}/messages/{message_id}/why")).status == 404


async def test_what_a_waiting_text_waits_for(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    await chats.say(john, chat_id, "first")
    await chats.say(john, chat_id, "second")
    assert "waits behind another text to them" in lines(await john.get(f"/desk/chats/{chat_id}"))[-1]

    await desk.db.execute(
        "insert into sick_lines (tenant_id, carrier_id, node_id, since, why) values (1, 1, 1, now(), 'x')"
    )
    assert "the line to the carrier is down" in lines(await john.get(f"/desk/chats/{chat_id}"))[-1]


async def test_who_may_not_see_a_chat_does_not_learn_of_it(desk: DeskKit) -> None:
    chats = Chats(desk)
    chat_id = await chats.ongoing("john")
    await desk.db.execute("delete from agent_queues where agent_id = 2")
    message_id = await desk.db.fetchval("select message_id from messages where chat_id = $1", chat_id)
    never = 987654321
    for who in ("second", "theirs", "their_administrator"):
        person = await desk.person(who)
        for path in ("", "/thread", f"/messages/{message_id}", f"/messages/{message_id}/why", "/draft", "/shortcuts"):
            seen = await person.get(f"/desk/chats/{chat_id}{path}")
            assert seen.status == 404, (who, path)
            assert seen.text == (await person.get(f"/desk/chats/{never}{path}")).text
        for path in ("say", "note", "draft", "preview", "files", f"messages/{message_id}/again"):
            seen = await person.post(f"/desk/chats/{chat_id}/{path}", {"body": "let me in"}, **SCRIPTED)
            assert seen.status == 404, (who, path)
    assert await chats.texts(chat_id) == []
    supervisor = await desk.person("supervisor")
    assert (await supervisor.get(f"/desk/chats/{chat_id}")).status == 200


async def test_an_earlier_chat_of_a_consumer_whose_chat_is_open(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    first = await chats.ongoing("second")
    phone = await chats.phone_of(first)
    await desk.db.execute("delete from agent_queues where agent_id = 1")
    await desk.db.execute(
        "update chats set status = 'finished', ends_at = $2 where chat_id = $1", first, desk.clock.now
    )
    assert (await john.get(f"/desk/chats/{first}")).status == 404
    await desk.db.execute("insert into agent_queues (tenant_id, agent_id, queue_id) select 1, 1, queue_id from queues "
                          "where tenant_id = 1")  # fmt: skip
    desk.clock.forward(minutes=5)
    again = await chats.writes("me again", phone)
    page = await john.get(f"/desk/chats/{again}")
    assert "1 earlier chat" in page.text
    ended = await john.get(f"/desk/chats/{first}")
    assert ended.status == 200
    assert ended.html.select_one("form.say") is None
    assert "This chat has ended." in ended.text
    assert ended.html.select_one("a[href^='/desk/new?to=']")


def test_every_reason_and_every_state_has_words() -> None:
    assert set(reasons(words("en"))) == set(REASONS)
    for state in MOVES:
        for reason in (None, *REASONS, "one that nobody knows"):
            said = state_words(_text(state, reason), READER)
            assert said is not None
            assert said.said
            assert said.icon
            assert said.tone
            assert said.todo or state in ("queued", "sending", "sent", "delivered")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"state": "queued"}, "waiting to leave"),
        ({"state": "queued", "reason": "queue_full"}, "waits for a sending slot"),
        ({"state": "queued", "line_down": True, "behind": True}, "waits: the line to the carrier is down"),
        ({"state": "queued", "behind": True}, "waits behind another text to them"),
        ({"state": "queued", "aside": True}, "waits: it is not clear whether they want our texts"),
        ({"state": "queued", "due_at": READER.now + timedelta(hours=14), "quiet_rule": "x"},
         "quiet hours: leaves at Mar 3, 7:20 AM (2:20 AM their time)"),
        ({"state": "queued", "due_at": READER.now + timedelta(minutes=2), "reason": "carrier_error"},
         "tried again at 5:22 PM: the carrier had a fault"),
        ({"state": "sent", "ended": True}, "sent; never confirmed"),
        ({"state": "sent", "parts": 3, "delivered": 2}, "2 of 3 parts delivered"),
        ({"state": "undelivered", "reason": "landline"}, "not delivered: this is a landline"),
        ({"state": "undelivered", "reason": "unreachable", "parts": 3, "delivered": 1},
         "1 of 3 parts delivered: the phone is off or out of reach"),
        ({"state": "doubtful"}, "it is not known whether it left"),
    ],
)  # fmt: skip
def test_a_state_in_plain_words(line: dict[str, object], said: str) -> None:
    reader = Reader(words("en"), ZoneInfo("UTC"), READER.now, their_zone=ZoneInfo("America/New_York"))
    shown = state_words(_text(**line), reader)  # type: ignore[arg-type]
    assert shown is not None
    assert shown.said.replace("\u202f", " ") == said


def _text(state: str, reason: str | None = None, **more: object) -> Line:
    fields = {"parts": 1, **more}
    parts = fields.pop("parts")
    return Line(1, "agent", 1, "hi", 2, "gsm7", parts, READER.now, state, reason, None, READER.now, **fields)  # type: ignore[arg-type]


async def _fill(desk: DeskKit, chat_id: int, many: int) -> None:
    """Adds messages of the consumer, a second apart."""
    await desk.db.execute(
        """
        insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
        select 1, $1, 500000 + n, 'end_user', 'message ' || n, 'gsm7', 1, $2::timestamptz + n * interval '1 second'
        from generate_series(1, $3::int) n
        """,
        chat_id, desk.clock.now, many,
    )  # fmt: skip
    desk.clock.forward(seconds=many + 1)

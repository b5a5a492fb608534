"""The list of an agent's chats: what stands in it, in which order, how it is paged, and who sees it."""

from typing import Any

import pytest

from smsdesk.store.desk_lists import _LISTS, _PICK, Part, count_lines, list_lines
from tests.desk.writers import becomes, sent_in_his_name, writes
from tests.kit.desk import DeskKit, Person

HOSTILE = "<script>alert(1)</script>\u202eevil\u2066 </bdi>" + "x" * 10_000

NAMED = """
insert into end_user_names (tenant_id, end_user_id, first_name, last_name)
select 1, end_user_id, $1, $2 from end_users where tenant_id = 1
"""


def lines(seen: Any) -> list[int]:
    return [int(line["data-line"]) for line in seen.html.select("li.line")]


def counts(seen: Any) -> dict[str, str]:
    return {tab["id"]: tab.select_one(".tab-count").text.strip() for tab in seen.html.select(".tabs a")}


async def taken(desk: DeskKit, phone: str, body: str, agent_id: int = 1) -> int:
    """A chat that the agent has."""
    chat_id = await writes(desk, phone, body)
    await desk.db.execute(
        "update chats set status = 'assigned', agent_id = $2, assigned_at = $3 where tenant_id = 1 and chat_id = $1",
        chat_id, agent_id, desk.clock.now,
    )  # fmt: skip
    return chat_id


@pytest.fixture
async def john(desk: DeskKit) -> Person:
    return await desk.person("john")


async def test_who_waits_longest_stands_first(desk: DeskKit, john: Person) -> None:
    long = await taken(desk, "+14155550001", "first")
    desk.clock.forward(minutes=5)
    short = await taken(desk, "+14155550002", "second")
    desk.clock.forward(minutes=1)
    await writes(desk, "+14155550001", "still here")  # He wrote last, and has waited longest all the same.
    answered = await taken(desk, "+14155550003", "third")
    desk.clock.forward(seconds=1)
    await desk.db.execute("update chats set agent_said_at = $2 where chat_id = $1", answered, desk.clock.now)
    seen = await john.get("/desk/list")
    assert lines(seen) == [long, short, answered]
    first = seen.html.select_one(f"#line-{long}")
    assert first.select_one("time[data-since]").text == "6:01"
    assert first.select_one(".words .said").text == "still here"
    assert first.select_one(".count").text.split()[0] == "2"
    assert seen.html.select_one(f"#line-{answered} time[data-since]") is None
    assert seen.html.select_one("#chat-list")["data-unread"] == "2"
    assert "(2) Chats" in (await john.get("/desk")).html.title.text


async def test_each_chat_stands_under_its_tab(desk: DeskKit, john: Person) -> None:
    mine, aside = await taken(desk, "+14155550001", "mine"), await taken(desk, "+14155550002", "aside")
    await desk.db.execute("update chats set status = 'dismissed' where chat_id = $1", aside)
    waiting = await writes(desk, "+14155550003", "anybody?")
    theirs = await taken(desk, "+14155550004", "theirs", agent_id=2)
    await sent_in_his_name(desk, 1, 2)
    found = {tab: lines(await john.get(f"/desk/list?tab={tab}")) for tab in ("mine", "sent", "waiting", "aside")}
    assert found == {"mine": [mine], "sent": [600002, 600001], "waiting": [waiting], "aside": [aside]}
    assert counts(await john.get("/desk")) == {"tab-mine": "1", "tab-sent": "2", "tab-waiting": "1", "tab-aside": "1"}
    take = (await john.get("/desk/list?tab=waiting")).html.select_one(f"#line-{waiting} form")
    assert take["hx-post"] == f"/desk/chats/{waiting}/take"
    # He who looks into another's chat sees it under his own, marked.
    await desk.db.execute(
        """insert into participants (tenant_id, chat_id, participant_id, type, status, user_id, connected_at)
        values (1, $1, 99, 'agent', 'monitoring', 1, $2)""", theirs, desk.clock.now,
    )  # fmt: skip
    seen = await john.get("/desk/list?tab=nonsense")
    assert lines(seen) == [mine, theirs]
    assert "Looking in" in seen.html.select_one(f"#line-{theirs}").text


async def test_a_line_tells_what_to_see_to(desk: DeskKit, john: Person) -> None:
    chat_id = await taken(desk, "+14155550001", "hello")
    await desk.db.execute("update queues set effective = effective || '{\"target_seconds\": 60}' where tenant_id = 1")
    await desk.db.execute(NAMED, "Ann", "Smith")
    desk.clock.forward(seconds=61)
    await desk.db.execute(
        """insert into messages
            (tenant_id, chat_id, message_id, sender, agent_id, body, encoding, parts, created_at, state)
        values (1, $1, 1, 'agent', 2, 'Sorry', 'gsm7', 1, $2, 'failed')""", chat_id, desk.clock.now,
    )  # fmt: skip
    await desk.db.execute("insert into desk_chats values (1, $1, 1, null, 'a draft', '', $2)", chat_id, desk.clock.now)
    line = (await john.get("/desk/list")).html.select_one(f"#line-{chat_id}")
    said = " ".join(line.text.split())
    for words in ("Ann Smith", "Second Agent: Sorry", "Support", "Not delivered", "Draft", "1:01"):
        assert words in said, said
    assert line.select_one("time[data-since]")["data-target"] == "60"
    assert "late" in line.select_one("time[data-since]")["class"]
    await desk.db.execute("update desk_chats set read_at = $1", desk.clock.now)
    assert (await john.get("/desk/list")).html.select_one(".count") is None


async def test_words_from_outside_are_only_words(desk: DeskKit, john: Person) -> None:
    chat_id = await taken(desk, "+14155550001", HOSTILE)
    await desk.db.execute(NAMED, "<b>\u202e", "")
    seen = await john.get("/desk/list")
    assert "<script>alert" not in seen.text
    assert seen.html.select_one(f"#line-{chat_id} .words bdi.said")["dir"] == "auto"
    assert seen.html.select_one(".who b") is None
    assert len(seen.text) < 5_000


async def test_a_long_list_comes_in_pages_and_none_is_lost(desk: DeskKit, john: Person) -> None:
    await sent_in_his_name(desk, 1, 120)
    seen = await john.get("/desk/list?tab=sent")
    found = lines(seen)
    more = (await john.get("/desk?tab=sent")).html.select_one(".chat-more button")["hx-get"]
    while more:
        seen = await john.get(more)
        found += lines(seen)
        button = seen.html.select_one(".chat-more button")
        more = button["hx-get"] if button else ""
    assert found == list(range(600120, 600000, -1))
    # What is read again when something changes ends where it ended.
    again = (await john.get("/desk/list?tab=sent")).html.select_one("#chat-list")["hx-get"]
    await sent_in_his_name(desk, 1, 3, first=121)
    assert lines(await john.get(again)) == list(range(600123, 600070, -1))
    assert (await john.get("/desk/list/more?tab=sent&after=%27;drop")).status == 200


async def test_other_people_and_tenants_see_none_of_it(desk: DeskKit, john: Person) -> None:
    await taken(desk, "+14155550001", "mine")
    waiting = await writes(desk, "+14155550002", "anybody?")
    for who, tabs in (("theirs", []), ("their_administrator", []), ("second", [waiting])):
        person = await desk.person(who)
        assert lines(await person.get("/desk/list")) == []
        assert lines(await person.get("/desk/list?tab=waiting")) == tabs
    for path in ("/desk/list", "/desk/list/more"):
        assert (await desk.nobody().get(path)).status == 303
    await desk.db.execute("update agents set disabled_at = now() where agent_id = 1")
    assert (await john.get("/desk/list")).status == 303


async def test_a_chat_on_its_way_to_another_is_not_there_to_take(desk: DeskKit, john: Person) -> None:
    chat_id = await writes(desk, "+14155550002", "anybody?")
    second = await desk.person("second")
    await becomes(desk, second, "break")
    await desk.db.execute(
        """insert into transfers (tenant_id, chat_id, transfer_id, kind, status, created_at, to_agent_id)
        values (1, $1, 5, 'cold', 'transferring', $2, 2)""", chat_id, desk.clock.now,
    )  # fmt: skip
    assert lines(await john.get("/desk/list?tab=waiting")) == []
    assert "Transfer to you" in (await second.get("/desk/list?tab=waiting")).text


async def test_ten_thousand_chats_are_a_page_like_any(desk: DeskKit) -> None:
    await sent_in_his_name(desk, 1, 10_000)
    await desk.db.execute("analyze chats")
    await desk.db.execute("analyze messages")
    async with desk.services.db.connection() as conn:
        # Only the part of the list that is asked for is read in full.
        assert (await count_lines(conn, 1, 1)).sent == 10_000
        lines = await list_lines(conn, 1, 1, "sent", Part())
        behind = await list_lines(conn, 1, 1, "sent", Part(after=lines[-1].key))
    assert [line.chat_id for line in (*lines, *behind)] == list(range(610_000, 609_900, -1))


async def test_a_chat_of_the_list_is_looked_into_once(desk: DeskKit) -> None:
    # Since when its consumer waits is named in ten places of the statement, and asked in one.
    statement = _PICK.format(_LISTS["mine"])
    plan = await desk.db.fetch(f"explain {statement}", 1, 1, -1, 0, 0, 9, 0, 0, 50)
    assert sum(" on messages_p0 " in row[0] for row in plan) == 1  # the first month's partition, and the only one here

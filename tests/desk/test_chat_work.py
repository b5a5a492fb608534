"""What is done with a chat at the desk: its buttons are those that can be pressed, and no other press does anything."""

import pytest

from tests.desk.chats import SCRIPTED, Chats
from tests.kit.desk import DeskKit, Person, Seen

FOREIGN = 987654


async def status(desk: DeskKit, chat_id: int) -> tuple[str, int | None]:
    row = await desk.db.fetchrow("select status, agent_id from chats where chat_id = $1", chat_id)
    return row["status"], row["agent_id"]


async def buttons(person: Person, chat_id: int) -> set[str]:
    """The words on what can be pressed above the thread."""
    seen = await person.get(f"/desk/chats/{chat_id}")
    assert seen.status == 200, seen.text
    return {each.get_text(strip=True) for each in seen.html.select(".chat-head button, .chat-head a.button")}


async def do(person: Person, chat_id: int, what: str, data: dict[str, str] | None = None) -> Seen:
    return await person.post(f"/desk/chats/{chat_id}/{what}", data)


async def available(desk: DeskKit, *agents: int) -> None:
    for agent_id in agents:
        await desk.db.execute(
            """insert into agent_statuses (tenant_id, agent_id, status, since, idle_since, ready)
               values (1, $1, 'available', $2, $2, true)
               on conflict (tenant_id, agent_id) do update set status = 'available', ready = true""",
            agent_id, desk.clock(),
        )  # fmt: skip


async def test_a_waiting_chat_is_taken_once(desk: DeskKit) -> None:
    chats = Chats(desk)
    chat_id = await chats.writes()
    john, second = await desk.person("john"), await desk.person("second")
    assert await buttons(john, chat_id) == {"Take"}
    taken = await do(john, chat_id, "take")
    assert (taken.status, taken.headers["location"]) == (303, f"/desk/chats/{chat_id}")
    late = await do(second, chat_id, "take")
    assert late.status == 409
    assert "Somebody else was first" in late.text
    assert await status(desk, chat_id) == ("assigned", 1)
    assert await buttons(john, chat_id) == {"Transfer", "End"}
    assert await buttons(second, chat_id) == set(), "he may read it, for it is of his queue, and has nothing to press"


async def test_a_chat_is_set_aside_and_brought_back(desk: DeskKit) -> None:
    chats = Chats(desk)
    chat_id = await chats.ongoing()
    john = await desk.person("john")
    assert "Set aside" not in await buttons(john, chat_id)
    refused = await do(john, chat_id, "dismiss")
    assert refused.status == 409
    await chats.say(john, chat_id, "Hello!")
    assert "Set aside" in await buttons(john, chat_id)
    await do(john, chat_id, "dismiss")
    assert (await status(desk, chat_id))[0] == "dismissed"
    assert "Resume" in await buttons(john, chat_id)
    await do(john, chat_id, "resume")
    assert (await status(desk, chat_id))[0] == "assigned"
    await chats.say(john, chat_id, "Still there?")
    assert "Set aside" not in await buttons(john, chat_id), "the consumer has not written since it came back"


async def test_an_agent_ends_only_what_is_his(desk: DeskKit) -> None:
    chats = Chats(desk)
    his, waiting = await chats.ongoing(), await chats.writes()
    second, john = await desk.person("second"), await desk.person("john")
    for chat_id in (his, waiting):
        refused = await do(second, chat_id, "end")
        assert refused.status == 409
        assert "This chat is not yours" in refused.text
    question = await john.get(f"/desk/chats/{his}/end", **SCRIPTED)
    assert question.html.find("html") is None
    assert question.html.select_one("form")["action"] == f"/desk/chats/{his}/end"  # type: ignore[index]
    assert "<html" in (await john.get(f"/desk/chats/{his}/end")).text, "a page of its own without scripts"
    assert (await do(john, his, "end")).status == 303
    assert (await status(desk, his))[0] == "finished"
    assert (await do(john, his, "end")).status == 409


async def test_after_the_end_it_is_noted_what_it_was_about(desk: DeskKit) -> None:
    await desk.db.execute(
        """update queues set effective = '{"wrap_up_seconds": 60, "dispositions": ["Billing/Refund", "Other"]}'
           where tenant_id = 1"""
    )
    chats = Chats(desk)
    chat_id, other = await chats.ongoing(), await chats.ongoing(body="me next")
    john = await desk.person("john")
    await do(john, chat_id, "end")
    page = (await john.get(f"/desk/chats/{chat_id}")).html
    form = page.select_one(".wrap-up form")
    assert form is not None
    assert [each["value"] for each in form.select("input[name=disposition]")] == ["Billing/Refund", "Other"]
    assert page.select_one(".wrap-up time[data-until]") is not None
    assert page.select_one("#next-chat a")["href"] == f"/desk/chats/{other}"  # type: ignore[index]
    wrong = await do(john, chat_id, "wrap-up", {"disposition": "Weather", "done": "1"})
    assert wrong.status == 422
    second = await desk.person("second")
    assert (await do(second, chat_id, "wrap-up", {"disposition": "Other"})).status == 409
    said = {"disposition": "Billing/Refund", "notes": "<b>10 of 12</b>", "done": "1"}
    assert (await do(john, chat_id, "wrap-up", said)).status == 303
    row = await desk.db.fetchrow("select * from wrap_ups where chat_id = $1", chat_id)
    assert (row["disposition"], row["notes"], row["ended_at"]) == ("Billing/Refund", "<b>10 of 12</b>", desk.clock())
    page = (await john.get(f"/desk/chats/{chat_id}")).html
    assert page.select_one(".wrap-up") is None
    assert page.select_one(".chat-noted .said").get_text() == "<b>10 of 12</b>"  # type: ignore[union-attr]
    assert page.select_one("#next-chat") is not None


async def test_a_cold_transfer_goes_and_is_called_off(desk: DeskKit) -> None:
    await available(desk, 1, 2)
    chats = Chats(desk)
    chat_id = await chats.ongoing()
    john = await desk.person("john")
    dialog = (await john.get(f"/desk/chats/{chat_id}/transfer", **SCRIPTED)).html
    assert next(each["value"] for each in dialog.select("input[name=target]")) == "agent-2"
    assert "Available" in dialog.select_one("#targets").get_text()  # type: ignore[union-attr]
    assert dialog.select_one("input[value^=queue-]") is not None
    found = (await john.get(f"/desk/chats/{chat_id}/targets?q=superv", **SCRIPTED)).html
    assert [each["value"] for each in found.select("input[name=target]")] == ["agent-10"]
    assert (await do(john, chat_id, "transfer", {"target": "nobody"})).status == 422
    given = await do(john, chat_id, "transfer", {"target": "agent-2", "note": "<i>speaks</i> Spanish"})
    assert given.status == 303
    assert await status(desk, chat_id) == ("transferred", None)
    assert await buttons(john, chat_id) == {"Call it off"}
    second = await desk.person("second")
    assert {"Accept", "Decline"} <= await buttons(second, chat_id)
    transfer_id = await desk.db.fetchval("select transfer_id from transfers where chat_id = $1", chat_id)
    assert (await do(second, chat_id, f"transfers/{transfer_id}/cancel")).status == 409
    assert (await do(john, chat_id, f"transfers/{transfer_id}/cancel")).status == 303
    assert await status(desk, chat_id) == ("assigned", 1)
    assert (await do(john, chat_id, f"transfers/{transfer_id}/cancel")).status == 409


async def test_a_warm_transfer_is_joined_and_completed(desk: DeskKit) -> None:
    await available(desk, 1, 2)
    chat_id = await Chats(desk).ongoing()
    john, second = await desk.person("john"), await desk.person("second")
    await do(john, chat_id, "transfer", {"target": "agent-2", "kind": "warm"})
    transfer_id = await desk.db.fetchval("select transfer_id from transfers where chat_id = $1", chat_id)
    assert (await do(john, chat_id, f"transfers/{transfer_id}/complete")).status == 409, "nobody is in it yet"
    assert (await do(second, chat_id, "accept")).status == 303
    assert "Leave it" in await buttons(second, chat_id)
    assert {"Complete", "Call it off"} <= await buttons(john, chat_id)
    assert (await do(second, chat_id, f"transfers/{transfer_id}/complete")).status == 303
    assert await status(desk, chat_id) == ("assigned", 2)


async def test_an_agent_who_is_away_is_asked_only_by_force(desk: DeskKit) -> None:
    chat_id = await Chats(desk).ongoing()
    john = await desk.person("john")
    refused = await do(john, chat_id, "transfer", {"target": "agent-2"})
    assert (refused.status, "away" in refused.text) == (409, True)
    assert (await do(john, chat_id, "transfer", {"target": "agent-2", "force": "1"})).status == 303


async def test_a_supervisor_looks_in_joins_takes_over_and_gives(desk: DeskKit) -> None:
    chat_id = await Chats(desk).ongoing()
    boss = await desk.person("supervisor")
    assert {"Look in", "Take it over", "End", "Transfer", "Give it to an agent…"} <= await buttons(boss, chat_id)
    assert (await do(boss, chat_id, "monitor")).status == 303
    assert {"Leave", "Join, to write beside the agent"} <= await buttons(boss, chat_id)
    john = await desk.person("john")
    assert "looking in" not in (await john.get(f"/desk/chats/{chat_id}")).html.select_one(".chat-head").get_text()  # type: ignore[union-attr]
    await do(boss, chat_id, "join")
    assert "Floor Supervisor is here too" in (await john.get(f"/desk/chats/{chat_id}/head", **SCRIPTED)).text
    await do(boss, chat_id, "leave")
    await do(boss, chat_id, "take-over")
    assert await status(desk, chat_id) == ("assigned", 10)
    refused = await do(boss, chat_id, "assign", {"target": "agent-2"})
    assert refused.status == 409
    await do(boss, chat_id, "assign", {"target": "agent-2", "force": "1"})
    assert await status(desk, chat_id) == ("assigned", 2)


POSTS = ("take", "dismiss", "resume", "end", "monitor", "join", "leave", "take-over", "transfer", "assign", "wrap-up",
         "transfers/1/cancel", "transfers/1/complete", "transfers/1/decline")  # fmt: skip


@pytest.mark.parametrize("what", POSTS)
async def test_who_may_not_see_a_chat_does_nothing_with_it(desk: DeskKit, what: str) -> None:
    chat_id = await Chats(desk).ongoing()
    await desk.db.execute("delete from agent_queues where agent_id = 2")
    theirs = await desk.person("their_administrator")
    for_nobody = await do(theirs, FOREIGN, what)
    seen = await do(theirs, chat_id, what)
    assert (seen.status, seen.text) == (404, for_nobody.text), "as one that never was"
    second = await do(await desk.person("second"), chat_id, what)
    assert second.status in (403, 404)
    assert await status(desk, chat_id) == ("assigned", 1)


@pytest.mark.parametrize("what", ["head", "end", "transfer", "assign", "targets"])
async def test_who_may_not_see_a_chat_is_asked_nothing(desk: DeskKit, what: str) -> None:
    chat_id = await Chats(desk).ongoing()
    theirs = await desk.person("their_administrator")
    assert (await theirs.get(f"/desk/chats/{chat_id}/{what}", **SCRIPTED)).status == 404
    if what in ("transfer", "targets", "assign"):
        second = await (await desk.person("second")).get(f"/desk/chats/{chat_id}/{what}", **SCRIPTED)
        assert second.status in (403, 409), "he may read the chat, and not give it"


@pytest.mark.parametrize("what", ["monitor", "join", "take-over", "assign"])
async def test_an_agent_is_no_supervisor(desk: DeskKit, what: str) -> None:
    chat_id = await Chats(desk).ongoing()
    seen = await do(await desk.person("second"), chat_id, what, {"target": "agent-2"})
    assert seen.status == 403
    assert await status(desk, chat_id) == ("assigned", 1)

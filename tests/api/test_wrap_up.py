"""After a chat: the time that its agent has, and what he notes."""

from typing import Any

from tests.api.desk import SUPERVISOR, V1, Desk
from tests.kit.api import Answer, Api


async def ended(desk: Desk, agent_id: int) -> int:
    """A chat that this agent has just ended."""
    chat_id = await desk.mine(agent_id)
    body = {"finished_by_user_id": agent_id, "chat": {"status": "finished"}}
    assert (await desk.api.call("PATCH", f"{V1}/chats/{chat_id}", json=body)).status == 200
    return chat_id


async def note(desk: Desk, chat_id: int, agent_id: int, **noted: Any) -> Answer:
    return await desk.api.call("PUT", f"{V1}/chats/{chat_id}/wrap_up", json={"agent_id": agent_id, **noted})


async def test_a_wrap_up_takes_one_place_until_the_agent_is_done(api: Api) -> None:
    desk = await Desk.make(api, agents=1, wrap_up_seconds=60)
    await api.db.execute("update agents set max_chats = 1 where agent_id = 11")
    await desk.available(11)
    chat_id = await ended(desk, 11)
    agent = await desk.get("agents/11")
    assert (agent["wrap_up"], agent["load"], agent["ready"], agent["status"]["name"]) == (True, 1, False, "available")
    waiting = await desk.writes()
    assert await desk.asked(waiting) == []
    written = await note(desk, chat_id, 11, notes="wanted a refund", done=True)
    assert (written.status, written.json["notes"], written.json["ended_at"]) == (
        200, "wanted a refund", "2026-03-02T17:20:54.123Z",
    )  # fmt: skip
    assert await desk.asked(waiting) == [11]


async def test_a_wrap_up_ends_by_itself_and_notes_may_come_later(api: Api) -> None:
    desk = await Desk.make(api, agents=1, wrap_up_seconds=60)
    await desk.available(11)
    chat_id = await ended(desk, 11)
    begun = await desk.get(f"chats/{chat_id}/wrap_up")
    assert (begun["started_at"], begun["due_at"], begun["ended_at"]) == (
        "2026-03-02T17:20:53.123Z", "2026-03-02T17:21:53.123Z", None,
    )  # fmt: skip
    api.clock.forward(seconds=61)
    await desk.sweep()
    assert (await desk.get("agents/11"))["load"] == 0
    assert (await desk.get(f"chats/{chat_id}/wrap_up"))["ended_at"] == "2026-03-02T17:21:54.123Z"
    await note(desk, chat_id, 11, disposition="Other")
    late = await note(desk, chat_id, 11, notes="called back")
    assert (late.json["disposition"], late.json["notes"]) == ("Other", "called back")
    assert (await desk.get("agents/11"))["load"] == 0


async def test_with_several_places_a_wrap_up_leaves_the_others(api: Api) -> None:
    desk = await Desk.make(api, agents=1, wrap_up_seconds=60)
    await desk.available(11)
    await ended(desk, 11)
    waiting = await desk.writes()
    assert await desk.asked(waiting) == [11]


async def test_dispositions_are_those_of_the_queue(api: Api) -> None:
    desk = await Desk.make(api, agents=1, dispositions=["Billing/Refund", "Billing/Invoice", "Other"])
    chat_id = await ended(desk, 11)
    for disposition in ("Billing", "Billing/Nothing", ""):
        answer = await note(desk, chat_id, 11, disposition=disposition)
        assert (answer.status, answer.json) == (
            400, {"message": "disposition must be one of Billing/Refund, Billing/Invoice, Other"},
        )  # fmt: skip
    answer = await note(desk, chat_id, 11, disposition="Billing/Refund")
    assert (answer.status, answer.json["disposition"]) == (200, "Billing/Refund")
    (queue,) = await desk.get("queues")
    assert queue["dispositions"] == ["Billing/Refund", "Billing/Invoice", "Other"]


async def test_who_may_wrap_up_what(api: Api) -> None:
    desk = await Desk.make(api)
    chat_id = await desk.mine(11)
    assert (await note(desk, chat_id, 11, notes="x")).json == {
        "message": f"chat {chat_id} is assigned: it is wrapped up after its end"
    }
    over = await ended(desk, 11)
    for agent_id in (12, SUPERVISOR):
        answer = await note(desk, over, agent_id, notes="x")
        assert (answer.status, answer.json) == (409, {"message": f"chat {over} did not end with agent {agent_id}"})
    for noted in ({"notes": "x" * 10_001}, {"disposition": "x" * 256}, {"notes": "nul\x00"}):
        assert (await note(desk, over, 11, **noted)).status == 400
    assert (await note(desk, 999, 11)).status == 404
    assert (await api.call("GET", f"{V1}/chats/{over}/wrap_up")).status == 404
    assert await api.count("wrap_ups") == 0


async def test_a_chat_in_which_the_consumer_said_nothing_needs_no_wrap_up(api: Api) -> None:
    desk = await Desk.make(api, wrap_up_seconds=60)
    chat_id = (await api.send(agentId=11)).json["id"]
    await api.db.execute("update chats set queue_id = $1", desk.queue_id)
    await api.call("PATCH", f"{V1}/chats/{chat_id}",
                   json={"finished_by_user_id": 11, "chat": {"status": "finished"}})  # fmt: skip
    assert (await desk.chat(chat_id))["status"] == "finished"
    assert await api.count("wrap_ups") == 0

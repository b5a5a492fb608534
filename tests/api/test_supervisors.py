"""Supervisors look in, whisper, speak, and take over; nobody else does."""

from tests.api.desk import SUPERVISOR, V1, Desk
from tests.kit.api import Api


async def test_it_takes_a_supervisor(api: Api) -> None:
    desk = await Desk.make(api)
    chat_id = await desk.mine(11)
    for what in ("monitor", "join", "take_over"):
        answer = await desk.does(chat_id, what, 12)
        assert (answer.status, answer.json) == (403, {"message": "this takes a supervisor or an administrator"})
        assert (await desk.does(chat_id, what, 3)).json == {"message": "agent is not found"}
    assert len((await desk.chat(chat_id))["participants"]) == 2
    await api.db.execute("update agents set role = 'administrator' where agent_id = 12")
    for what in ("monitor", "join", "take_over"):
        assert (await desk.does(chat_id, what, 12)).status == 200


async def test_one_who_monitors_reads_and_whispers_and_takes_no_place(api: Api) -> None:
    desk = await Desk.make(api)
    chat_id = await desk.mine(11)
    watched = (await desk.does(chat_id, "monitor", SUPERVISOR)).json
    part = watched["participants"][-1]
    assert (part["user_id"], part["status"], part["role"]) == (SUPERVISOR, "monitoring", "supervisor")
    assert watched["agent_info"]["id"] == 11
    whisper = await desk.does(chat_id, "notes", SUPERVISOR, content="offer him a refund")
    assert (whisper.status, whisper.json["sender"], whisper.json["agent_id"]) == (201, "note", SUPERVISOR)
    notes = await api.db.fetch("select m.body, t.message_id from messages m left join texts t using (message_id)"
                               " where m.sender = 'note'")  # fmt: skip
    assert [tuple(row) for row in notes] == [("offer him a refund", None)]
    assert (await desk.answers(chat_id, SUPERVISOR)).status in (400, 409)
    assert (await desk.get(f"agents/{SUPERVISOR}"))["load"] == 0
    assert (await desk.get(f"agents/{SUPERVISOR}/chats"))[0]["participation"] == "monitoring"


async def test_one_who_joined_speaks_to_the_consumer_and_leaves(api: Api) -> None:
    desk = await Desk.make(api)
    chat_id = await desk.mine(11)
    joined = (await desk.does(chat_id, "join", SUPERVISOR)).json
    assert [(one["user_id"], one["status"]) for one in joined["participants"][1:]] == [
        (11, "connected"), (SUPERVISOR, "connected"),
    ]  # fmt: skip
    said = await desk.answers(chat_id, SUPERVISOR, "this is the supervisor")
    assert (said.status, said.json.get("agent_id")) == (200, SUPERVISOR)
    assert (await desk.answers(chat_id, 11)).status == 200
    left = (await desk.does(chat_id, "leave", SUPERVISOR)).json
    assert (left["participants"][-1]["status"], left["agent_info"]["id"]) == ("finished", 11)
    again = await desk.does(chat_id, "leave", SUPERVISOR)
    assert (again.status, again.json) == (
        409,
        {"message": f"agent {SUPERVISOR} is not in chat {chat_id} as a supervisor"},
    )
    assert (await desk.does(chat_id, "leave", 11)).status == 409
    assert (await desk.answers(chat_id, SUPERVISOR)).status in (400, 409)


async def test_who_takes_over_has_the_chat_and_its_agent_is_free(api: Api) -> None:
    desk = await Desk.make(api)
    await api.db.execute("update agents set max_chats = 1 where agent_id = 11")
    await desk.available(11)
    chat_id = await desk.mine(11)
    waiting = await desk.writes()
    await desk.does(chat_id, "monitor", SUPERVISOR)
    taken = (await desk.does(chat_id, "take_over", SUPERVISOR)).json
    assert taken["agent_info"]["id"] == SUPERVISOR
    assert [(one["user_id"], one["status"]) for one in taken["participants"][1:]] == [
        (11, "finished"), (SUPERVISOR, "connected"),
    ]  # fmt: skip
    assert await desk.asked(waiting) == [11]
    assert (await desk.answers(chat_id, 11)).status in (400, 409)
    assert (await desk.does(chat_id, "monitor", SUPERVISOR)).status == 409


async def test_supervisors_stay_when_the_agent_changes_and_go_when_the_chat_ends(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(12)
    chat_id = await desk.mine(11)
    await desk.does(chat_id, "monitor", SUPERVISOR)
    await desk.does(chat_id, "assign", 12)
    parts = {one["user_id"]: one["status"] for one in (await desk.chat(chat_id))["participants"]}
    assert parts[SUPERVISOR] == "monitoring"
    await api.call("PATCH", f"{V1}/chats/{chat_id}", json={"chat": {"status": "finished"}})
    assert {one["status"] for one in (await desk.chat(chat_id))["participants"]} == {"finished"}
    assert (await desk.does(chat_id, "monitor", SUPERVISOR)).json == {"message": "Chat is already ended"}


async def test_notes_have_a_writer_and_words(api: Api) -> None:
    desk = await Desk.make(api)
    chat_id = await desk.mine(11)
    assert (await desk.does(chat_id, "notes", 12, content="x")).status == 409
    for content in ("", "   ", "x" * 4001, "nul\x00"):
        assert (await desk.does(chat_id, "notes", 11, content=content)).status == 400
    assert (await desk.does(chat_id, "notes", 11, content="x" * 4000)).status == 201
    messages = await desk.get(f"chats/{chat_id}/messages")
    assert [one["sender"] for one in messages if one["content"] == "x" * 4000] == ["note"]

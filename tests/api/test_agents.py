"""Agents: what each does, whether he is there, what he is asked for and has in hand."""

from typing import Any

from tests.api.desk import V1, Desk
from tests.kit.api import Api


async def test_an_agent_who_becomes_available_is_asked_for_what_waits(api: Api) -> None:
    desk = await Desk.make(api)
    chat_id = await desk.writes("where is my order?")
    assert await desk.owner(chat_id) == ("queued", None)
    api.clock.forward(seconds=9)
    answer = await desk.status(11, "Available", reason="back")
    assert (answer.status, answer.json["status"]) == (200, {"name": "available", "reason": "back"})
    assert (answer.json["online"], answer.json["load"], answer.json["places"]) == (True, 1, 3)
    (offer,) = await desk.get("agents/11/offers")
    assert (offer["chat_id"], offer["last_words"], offer["queue"]) == (chat_id, "where is my order?", "Support")
    assert (offer["seconds_left"], offer["transfer_id"]) == (30, None)
    api.clock.forward(seconds=12.5)
    assert (await desk.get("agents/11/offers"))[0]["seconds_left"] == 17


async def test_what_an_agent_who_leaves_was_asked_for_goes_to_others_at_once(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    chat_id = await desk.writes()
    assert await desk.asked(chat_id) == [11]
    await desk.status(11, "break")
    assert await desk.asked(chat_id) == [12]
    assert await desk.get("agents/11/offers") == []


async def test_statuses_that_are_refused(api: Api) -> None:
    await Desk.make(api)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"status": "missed_chat"}, "Agent can't be changed to system status 'missed_chat'"),
        ({"status": "asleep"}, "status must be one of available, unavailable, break, meal, special_task, offline"),
        ({"status": "break", "reason": "x" * 256}, "reason must be a line of at most 255 characters"),
        ({}, "request body: Object missing required field `status`"),
    ]
    for body, message in refused:
        answer = await api.call("PUT", f"{V1}/agents/11/status", json=body)
        assert (answer.status, answer.json) == (400, {"message": message})
    assert await api.count("agent_status_history") == 0


async def test_a_missed_offer_is_left_by_hand_only(api: Api) -> None:
    desk = await Desk.make(api, agents=1)
    await desk.available(11)
    chat_id = await desk.writes()
    api.clock.forward(seconds=31)
    await desk.sweep()
    assert (await desk.get("agents/11"))["status"]["name"] == "missed_chat"
    assert await desk.asked(chat_id) == []
    change = {"status": "available", "agent_ids": [11]}
    (line,) = (await api.call("POST", f"{V1}/agent_statuses", json=change)).json
    assert line["message"] == "Agent can't be changed from system status 'missed_chat'"
    assert (line["previous_status"], line["current_status"]) == ("missed_chat", "missed_chat")
    await desk.status(11, "available")
    assert await desk.asked(chat_id) == [11]


async def test_a_team_is_put_into_a_status_of_the_tenants_own(api: Api) -> None:
    desk = await Desk.make(api)
    await api.set(agent_statuses=["Training"])
    await desk.available(11)
    body = {"status": "training", "agent_ids": [2, 99], "team_ids": [desk.queue_id]}
    lines = (await api.call("POST", f"{V1}/agent_statuses", json=body)).json
    assert [(line["agent_id"], line["previous_status"], line["current_status"]) for line in lines] == [
        (2, "offline", "Training"), (11, "available", "Training"), (12, "offline", "Training"),
        (13, "offline", "Training"), (99, "offline", "offline"),
    ]  # fmt: skip
    assert [line.get("message") for line in lines] == [None, None, None, None, "agent is not found"]
    assert (lines[0]["name"], lines[0]["email"]) == ("Second Agent", "second@foo.com")
    names = await desk.get("agent_statuses/names")
    assert {"name": "Training", "system": False} in names
    assert {"name": "missed_chat", "system": True} in names
    refused = await api.call("POST", f"{V1}/agent_statuses", json={"status": "available"})
    assert (refused.status, refused.json) == (400, {"message": "agent_ids or team_ids is required"})


async def test_statuses_are_listed_in_pages(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.status(12, "meal", reason="pizza")
    answer = await api.call("GET", f"{V1}/agent_statuses", params={"per": "2", "page": "2"})
    assert answer.headers["total"] == "6"
    assert [line["agent_id"] for line in answer.json] == [11, 12]
    line = answer.json[1]
    assert (line["current_status"], line["reason"], line["online"], line["ready"]) == ("meal", "pizza", True, False)
    assert [line["agent_id"] for line in await desk.get("agent_statuses", status="meal")] == [12]
    assert [line["agent_id"] for line in await desk.get("agent_statuses", queue_id=desk.queue_id)] == [11, 12, 13]
    refused = await api.call("GET", f"{V1}/agent_statuses", params={"status": "asleep"})
    assert refused.status == 400


async def test_an_agent_without_work_is_logged_out_at_once_and_a_busy_one_after_it(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    chat_id = await desk.mine(11)
    await api.call("POST", f"{V1}/agent_statuses/force_logout", json={"agent_ids": [99]})
    lines = (await api.call("POST", f"{V1}/agent_statuses/force_logout", json={"agent_ids": [11, 12]})).json
    assert [(line["previous_status"], line["current_status"], line.get("message")) for line in lines] == [
        ("available", "available", "Agent is logged out when the present chats are over"),
        ("available", "offline", None),
    ]
    assert (await desk.get("agents/11"))["leaving"] is True
    waiting = await desk.writes()
    assert await desk.asked(waiting) == []
    body = {"finished_by_user_id": 11, "chat": {"status": "finished"}}
    assert (await api.call("PATCH", f"{V1}/chats/{chat_id}", json=body)).status == 200
    agent = await desk.get("agents/11")
    assert (agent["status"], agent["leaving"]) == ({"name": "offline", "reason": "logged out"}, False)
    assert await desk.asked(waiting) == []


async def test_the_history_tells_what_an_agent_did_and_for_how_long(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.status(11, "available")
    api.clock.forward(minutes=5)
    await desk.status(11, "break", reason="tea")
    api.clock.forward(seconds=20)
    await desk.status(11, "break", reason="tea")  # said again: no new line
    api.clock.forward(seconds=40)
    await desk.status(11, "available")
    history = await desk.get("agents/11/status_history")
    assert [(line["status"], line["reason"], line["duration"]) for line in history] == [
        ("available", None, None), ("break", "tea", 60), ("available", None, 300),
    ]  # fmt: skip
    answer = await api.call("GET", f"{V1}/agents/11/status_history", params={"per": "1", "page": "2"})
    assert (answer.headers["total"], answer.json[0]["reason"]) == ("3", "tea")
    assert answer.json[0]["ended_at"] == history[0]["started_at"]


async def test_a_desk_that_falls_silent_makes_its_agent_unresponsive(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11)
    answer = await api.call("POST", f"{V1}/agents/11/presence", json={"seconds": 30})
    assert answer.json == {"agent_id": 11, "present_until": "2026-03-02T17:21:22.123Z"}
    api.clock.forward(seconds=31)
    await desk.sweep()
    assert (await desk.get("agents/11"))["status"]["name"] == "unresponsive"
    chat_id = await desk.writes()
    assert await desk.asked(chat_id) == []
    await api.call("POST", f"{V1}/agents/11/presence", json={"seconds": 30})
    assert await desk.asked(chat_id) == []  # a desk that is back does not tell that its agent is
    await desk.status(11, "available")
    assert await desk.asked(chat_id) == [11]


async def test_a_desk_that_is_heard_of_again_before_it_was_missed_is_asked(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11)
    await api.call("POST", f"{V1}/agents/11/presence", json={"seconds": 10})
    api.clock.forward(seconds=11)
    await api.db.execute("select refresh_agent(1, 11, $1)", api.clock())
    chat_id = await desk.writes()
    assert await desk.asked(chat_id) == []
    await api.call("POST", f"{V1}/agents/11/presence", json={"seconds": 10})
    assert await desk.asked(chat_id) == [11]


async def test_presence_has_bounds(api: Api) -> None:
    await Desk.make(api)
    for seconds in (0, 301, -1, 2**70):
        assert (await api.call("POST", f"{V1}/agents/11/presence", json={"seconds": seconds})).status == 400


async def test_chats_in_hand_show_who_waits_longest(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11)
    first, second, third = [await desk.mine(11) for _ in range(3)]
    api.clock.forward(seconds=60)
    assert (await desk.answers(first, 11, "one moment")).status == 200
    await desk.writes("are you there?", "+14155552002")
    hand = await desk.get("agents/11/chats")
    assert [(chat["chat_id"], chat["unread"]) for chat in hand] == [(second, 2), (third, 1), (first, 0)]
    assert {chat["participation"] for chat in hand} == {"owner"}
    assert hand[0]["last_message"]["content"] == "are you there?"
    assert (hand[0]["status"], hand[0]["queue"]) == ("assigned", "Support")
    assert (hand[2]["waiting_since"], hand[2]["last_message"]["sender"]) == (None, "agent")
    answer = await api.call("GET", f"{V1}/agents/11/chats", params={"per": "1"})
    assert (answer.headers["total"], len(answer.json)) == ("3", 1)


async def test_agents_are_listed_with_what_they_may(api: Api) -> None:
    desk = await Desk.make(api)
    await api.db.execute("update agents set max_chats = 7, skills = '{es,billing}' where agent_id = 11")
    agents = await desk.get("agents", queue_id=desk.queue_id)
    assert [agent["id"] for agent in agents] == [11, 12, 13]
    assert (agents[0]["places"], agents[0]["skills"], agents[0]["queue_ids"]) == (7, ["es", "billing"], [desk.queue_id])
    assert [agent["id"] for agent in await desk.get("agents", disabled="true")] == [3]
    assert (await desk.get("agents/1"))["agent_number"] == 9


async def test_another_tenants_agent_is_not_there(api: Api) -> None:
    for path in ("agents/4", "agents/4/offers", "agents/4/chats", "agents/4/status_history"):
        answer = await api.call("GET", f"{V1}/{path}")
        assert (answer.status, answer.json) == (404, {"message": "Not Found"})


async def test_who_does_not_work_here_does_nothing(api: Api) -> None:
    for agent_id in (3, 4, 999):
        for method, path, body in (
            ("PUT", "status", {"status": "available"}),
            ("POST", "presence", {"seconds": 10}),
        ):
            answer = await api.call(method, f"{V1}/agents/{agent_id}/{path}", json=body)
            assert (answer.status, answer.json) == (400, {"message": "agent is not found"})
    assert await api.count("agent_statuses") == 0

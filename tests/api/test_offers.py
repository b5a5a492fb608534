"""Chats are offered, accepted, declined, taken and given; of several agents one gets a chat."""

import asyncio
from collections import Counter

import pytest

from tests.api.desk import SUPERVISOR, Desk
from tests.kit.api import Answer, Api


async def test_who_accepts_has_the_chat_and_says_so_twice_without_harm(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11)
    chat_id = await desk.writes()
    for _ in range(2):
        answer = await desk.does(chat_id, "accept", 11)
        assert (answer.status, answer.json["status"], answer.json["agent_info"]["id"]) == (200, "assigned", 11)
    assert answer.json["answer_type"] == "manual"
    assert [one["user_id"] for one in answer.json["participants"]] == [None, 11]
    assert await api.db.fetchval("select state from offers") == "accepted"


async def test_accepting_what_is_over_says_why(api: Api) -> None:
    desk = await Desk.make(api, routing="multicast")
    await desk.available(11, 12, 13)
    chat_id = await desk.writes()
    await desk.does(chat_id, "decline", 12)
    await desk.does(chat_id, "accept", 11)
    taken = {"message": "Chat was taken by another agent."}
    for agent_id, message in (
        (13, taken),
        (12, taken),
        (1, {"message": f"agent 1 was not asked to take chat {chat_id}"}),
    ):
        answer = await desk.does(chat_id, "accept", agent_id)
        assert (answer.status, answer.json) == (409, message)
    await api.call("PATCH", f"/apps/api/v1/chats/{chat_id}", json={"chat": {"status": "finished"}})
    answer = await desk.does(chat_id, "accept", 13)
    assert (answer.status, answer.json) == (409, {"message": "Chat is already ended"})
    assert (await desk.does(999, "accept", 13)).status == 404


async def test_a_missed_offer_cannot_be_accepted_and_one_that_was_not_swept_yet_can(api: Api) -> None:
    desk = await Desk.make(api, agents=1)
    await desk.available(11)
    chat_id = await desk.writes()
    api.clock.forward(seconds=31)
    late = await desk.writes()
    assert (await desk.does(late, "accept", 11)).status == 200
    await desk.sweep()
    answer = await desk.does(chat_id, "accept", 11)
    assert (answer.status, answer.json) == (409, {"message": "the offer was missed"})


async def test_who_declines_lets_others_be_asked_at_once(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    chat_id = await desk.writes()
    assert await desk.asked(chat_id) == [11]
    answer = await desk.does(chat_id, "decline", 11)
    assert (answer.status, await desk.asked(chat_id)) == (200, [12])
    again = await desk.does(chat_id, "decline", 11)
    assert (again.status, again.json) == (409, {"message": "the offer was declined"})
    assert (await desk.get("agents/11"))["load"] == 0


async def test_offers_to_all_do_not_fill_an_agent_beyond_his_places(api: Api) -> None:
    desk = await Desk.make(api, agents=1, routing="multicast")
    await api.db.execute("update agents set max_chats = 1 where agent_id = 11")
    await desk.available(11)
    first, second = await desk.writes(), await desk.writes()
    assert (await desk.does(first, "accept", 11)).status == 200
    answer = await desk.does(second, "accept", 11)
    assert (answer.status, answer.json) == (409, {"message": "agent 11 has 1 of 1 chats"})


async def test_a_waiting_chat_is_taken_by_who_works_in_its_queue_or_supervises(api: Api) -> None:
    desk = await Desk.make(api)
    chat_id = await desk.writes()
    answer = await desk.does(chat_id, "take", 1)
    assert (answer.status, answer.json) == (403, {"message": f"agent 1 does not work in the queue of chat {chat_id}"})
    for _ in range(2):
        assert (await desk.does(chat_id, "take", 12)).status == 200
    assert await desk.owner(chat_id) == ("assigned", 12)
    answer = await desk.does(chat_id, "take", SUPERVISOR)
    assert (answer.status, answer.json) == (409, {"message": "Chat was taken by another agent."})
    other = await desk.writes()
    assert (await desk.does(other, "take", SUPERVISOR)).status == 200
    await api.db.execute("update agents set max_chats = 1 where agent_id = 12")
    third = await desk.writes()
    assert (await desk.does(third, "take", 12)).json == {"message": "agent 12 has 1 of 1 chats"}
    outbound = (await api.send()).json["id"]
    answer = await desk.does(outbound, "take", SUPERVISOR)
    assert (answer.status, answer.json["message"]) == (
        409, f"chat {outbound} is selecting: it does not wait for an agent",
    )  # fmt: skip


async def test_a_chat_is_given_to_who_is_there_unless_somebody_insists(api: Api) -> None:
    desk = await Desk.make(api)
    chat_id = await desk.writes()
    answer = await desk.does(chat_id, "assign", 11)
    assert (answer.status, answer.json) == (409, {"message": "Agent is not available to take this chat"})
    assert (await desk.does(chat_id, "assign", 11, assigned_by_user_id=12, force=True)).status == 403
    given = await desk.does(chat_id, "assign", 11, assigned_by_user_id=SUPERVISOR, force=True)
    assert (given.status, given.json["agent_info"]["id"], given.json["answer_type"]) == (200, 11, "auto")
    await desk.available(12)
    assert (await desk.does(chat_id, "assign", 12)).status == 200
    parts = (await desk.chat(chat_id))["participants"]
    assert [(one["user_id"], one["status"]) for one in parts] == [
        (None, "connected"), (11, "finished"), (12, "connected"),
    ]  # fmt: skip
    assert (await desk.does(chat_id, "assign", 3)).json == {"message": "agent is not found"}


async def test_who_is_asked_for_the_chat_may_be_given_it_though_he_has_no_other_place(api: Api) -> None:
    desk = await Desk.make(api)
    await api.db.execute("update agents set max_chats = 1 where agent_id = 11")
    await desk.available(11)
    chat_id = await desk.writes()
    assert (await desk.get("agents/11"))["ready"] is False
    assert (await desk.does(chat_id, "assign", 11)).status == 200


async def test_an_answer_of_another_agent_is_refused(api: Api) -> None:
    desk = await Desk.make(api)
    chat_id = await desk.mine(11)
    assert (await desk.answers(chat_id, 12)).status in (400, 409)
    assert await api.db.fetchval("select count(*) from messages where sender = 'agent'") == 0


async def test_only_its_agent_or_a_supervisor_ends_a_chat(api: Api) -> None:
    desk = await Desk.make(api)
    for ender, status in ((12, 409), (11, 200)):
        chat_id = await desk.mine(11)
        body = {"finished_by_user_id": ender, "chat": {"status": "finished"}}
        assert (await api.call("PATCH", f"/apps/api/v1/chats/{chat_id}", json=body)).status == status
    body = {"finished_by_user_id": SUPERVISOR, "chat": {"status": "finished"}}
    chat_id = await desk.mine(11)
    assert (await api.call("PATCH", f"/apps/api/v1/chats/{chat_id}", json=body)).status == 200


async def test_dismissal_keeps_its_rules_and_a_chat_comes_back(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11)
    chat_id = await desk.mine(11)
    assert (await desk.does(chat_id, "dismiss", 11)).json["message"].startswith("both sides must have written")
    await desk.answers(chat_id, 11)
    assert (await desk.does(chat_id, "dismiss", 12)).status == 409
    assert (await desk.does(chat_id, "resume")).status == 409
    answer = await desk.does(chat_id, "dismiss", 11)
    assert (answer.status, answer.json["status"]) == (200, "dismissed")
    assert (await desk.get("agents/11"))["load"] == 0
    assert (await desk.does(chat_id, "resume", 1)).status == 403
    api.clock.forward(minutes=5)
    answer = await desk.does(chat_id, "resume")
    assert (answer.json["status"], answer.json["id"], await desk.asked(chat_id)) == ("resumed", chat_id, [11])
    await desk.does(chat_id, "accept", 11)
    await desk.answers(chat_id, 11, "are you there?")
    refused = await desk.does(chat_id, "dismiss", 11)
    assert refused.json == {"message": "the consumer has not written since the chat came back"}
    await desk.writes("still here", "+14155552001")
    assert (await desk.does(chat_id, "dismiss", 11)).status == 200
    answer = await desk.does(chat_id, "resume", 12)
    assert await desk.owner(chat_id) == ("assigned", 12)
    outbound = (await api.send(agentId=1)).json["id"]
    assert (await desk.does(outbound, "dismiss", 1)).json["message"].startswith("only a chat that the consumer began")


async def test_bodies_without_an_agent(api: Api) -> None:
    for what in ("accept", "decline", "take", "assign", "dismiss", "monitor", "join", "leave", "take_over"):
        for body in ({}, {"agent_id": "x"}, {"agent_id": 0}, {"agent_id": 2**63}, {"agent_id": None}):
            answer = await api.call("POST", f"/apps/api/v1/chats/1/{what}", json=body)
            assert (answer.status, list(answer.json)) == (400, ["message"])


async def race(desk: Desk, chat_id: int, moves: list[tuple[str, int]]) -> list[Answer]:
    """All of it at the same instant."""
    return await asyncio.gather(*(desk.does(chat_id, what, agent_id) for what, agent_id in moves))


@pytest.mark.parametrize(("agents", "rounds"), [(2, 40), (8, 30)])
async def test_of_agents_who_accept_at_once_one_gets_the_chat(api: Api, agents: int, rounds: int) -> None:
    desk = await Desk.make(api, agents=agents, routing="multicast")
    team = range(11, 11 + agents)
    await api.db.execute("update agents set max_chats = 1000")
    await desk.available(*team)
    wins: Counter[int] = Counter()
    for n in range(rounds):
        chat_id = await desk.writes()
        what = "accept" if n % 2 else "take"
        answers = await race(desk, chat_id, [(what, agent_id) for agent_id in team])
        assert sorted(answer.status for answer in answers) == [200] + [409] * (agents - 1)
        assert {answer.json["message"] for answer in answers if answer.status == 409} == {
            "Chat was taken by another agent."
        }
        (winner,) = (agent_id for agent_id, answer in zip(team, answers, strict=True) if answer.status == 200)
        assert await desk.owner(chat_id) == ("assigned", winner)
        wins[winner] += 1
    owners = await api.db.fetch(
        "select chat_id from participants where type = 'agent' and ended_at is null group by 1 having count(*) <> 1"
    )
    assert owners == []
    loads = await api.db.fetch("select agent_id, load from agent_statuses where load > 0")
    assert dict(map(tuple, loads)) == dict(wins)


async def test_accept_take_give_and_end_at_once_leave_one_owner_or_an_end(api: Api) -> None:
    desk = await Desk.make(api, agents=3, routing="multicast")
    await api.db.execute("update agents set max_chats = 1000")
    await desk.available(11, 12, 13)
    ends = {"chat": {"status": "finished"}, "finished_by_user_id": SUPERVISOR}
    seen: Counter[str] = Counter()
    for n in range(30):
        chat_id = await desk.writes()
        if n % 2:
            await desk.does(chat_id, "accept", 11)
        answers = await asyncio.gather(
            desk.does(chat_id, "accept", 12),
            desk.does(chat_id, "take", 13),
            desk.does(chat_id, "take_over", SUPERVISOR),
            desk.does(chat_id, "transfers", from_agent_id=11, to_agent_id=12),
            desk.does(chat_id, "assign", 13, force=True),
            desk.answers(chat_id, 11),
            api.call("PATCH", f"/apps/api/v1/chats/{chat_id}", json=ends),
        )
        assert {answer.status for answer in answers} <= {200, 201, 400, 403, 409}, [a.json for a in answers]
        assert answers[-1].status == 200
        assert (await desk.chat(chat_id))["status"] == "finished"
        seen.update(answer.json["message"] for answer in answers if answer.status >= 400)
    rows = await api.db.fetch("select 1 from participants where ended_at is null")
    assert rows == []
    assert await api.db.fetchval("select count(*) from offers where state = 'open'") == 0
    assert await api.db.fetchval("select coalesce(max(load), 0) from agent_statuses") == 0
    assert await api.db.fetchval("select count(*) from transfers where status = 'transferring'") == 0
    assert seen["Chat is already ended"] > 0

"""Chats go to other agents and queues, cold and warm, and come back where nobody takes them."""

import asyncio
from typing import Any

import pytest

from smsdesk.steps.transfers import expire
from smsdesk.store.chat_rows import require_open
from tests.api.desk import SUPERVISOR, V1, Desk
from tests.kit.api import Answer, Api


async def transfer(desk: Desk, chat_id: int, **wanted: Any) -> Answer:
    return await desk.does(chat_id, "transfers", **wanted)


async def settle(desk: Desk, chat: Any, what: str, agent_id: int) -> Answer:
    return await desk.does(chat["id"], f"transfers/{chat['transfers'][-1]['id']}/{what}", agent_id)


async def test_a_cold_transfer_is_offered_to_its_target_alone_and_is_his_when_he_accepts(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12, 13)
    chat_id = await desk.mine(11)
    begun = await transfer(desk, chat_id, from_agent_id=11, to_agent_id=13, note="speaks Spanish")
    assert (begun.status, begun.json["status"], begun.json["agent_info"]) == (201, "transferred", None)
    (moved,) = begun.json["transfers"]
    assert (moved["status"], moved["fail_reason"], moved["kind"]) == ("transferring", "nothing", "cold")
    assert (moved["from_agent"]["id"], moved["to_agent"]["id"]) == (11, 13)
    assert (moved["from_menu"]["id"], moved["to_menu"]) == (desk.queue_id, None)
    await desk.sweep()
    assert await desk.asked(chat_id) == [13]
    (offer,) = await desk.get("agents/13/offers")
    assert (offer["transfer_kind"], offer["transfer_note"], offer["from_agent_id"]) == ("cold", "speaks Spanish", 11)
    assert (await desk.does(chat_id, "take", 12)).json == {"message": "Chat is being transferred to another agent."}
    api.clock.forward(seconds=20)
    chat = (await desk.does(chat_id, "accept", 13)).json
    assert (chat["status"], chat["agent_info"]["id"]) == ("assigned", 13)
    (moved,) = chat["transfers"]
    assert (moved["status"], moved["answer_type"], moved["wait_duration"]) == ("connected", "manual", 20)
    assert moved["assigned_at"] == moved["connected_at"] is not None
    api.clock.forward(seconds=45)
    await api.call("PATCH", f"{V1}/chats/{chat_id}", json={"chat": {"status": "finished"}, "finished_by_user_id": 13})
    assert (await desk.chat(chat_id))["transfers"][0]["call_duration"] == 45
    notes = await api.db.fetch("select agent_id, body from messages where sender = 'note'")
    assert [tuple(row) for row in notes] == [(11, "speaks Spanish")]
    assert (
        await api.db.fetchval("select count(*) from texts t join messages m using (message_id) where sender = 'note'")
        == 0
    )


async def test_a_target_who_does_not_come_sends_a_cold_transfer_back(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    chat_id = await desk.mine(11)
    await transfer(desk, chat_id, from_agent_id=11, to_agent_id=12)
    api.clock.forward(seconds=31)
    await desk.sweep()
    assert await desk.owner(chat_id) == ("assigned", 11)
    (moved,) = (await desk.chat(chat_id))["transfers"]
    assert (moved["status"], moved["fail_reason"], moved["assigned_at"]) == ("failed", "no_answer", None)


async def test_a_cold_transfer_whose_first_agent_is_gone_goes_back_to_the_queue(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12, 13)
    chat_id = await desk.mine(11)
    await transfer(desk, chat_id, from_agent_id=11, to_agent_id=12)
    await desk.status(11, "offline")
    assert (await desk.does(chat_id, "decline", 12)).status == 200
    assert await desk.owner(chat_id) == ("queued", None)
    assert await desk.asked(chat_id) == [13]
    assert (await desk.chat(chat_id))["transfers"][0]["fail_reason"] == "declined"


async def test_a_target_who_leaves_his_desk_sends_it_back_at_once(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    chat_id = await desk.mine(11)
    await transfer(desk, chat_id, from_agent_id=11, to_agent_id=12)
    await desk.status(12, "meal")
    assert await desk.owner(chat_id) == ("assigned", 11)


async def test_a_transfer_to_a_queue_waits_there_and_is_whoevers_takes_it(api: Api) -> None:
    desk = await Desk.make(api)
    billing = await desk.queue("Billing", 13)
    await desk.available(11, 13)
    chat_id = await desk.mine(11)
    begun = await transfer(desk, chat_id, from_agent_id=11, to_queue_id=billing)
    assert (begun.json["status"], begun.json["selected_menu"]["id"]) == ("transferred", billing)
    assert begun.json["transfers"][0]["to_menu_path"]["name"] == "Billing"
    assert await desk.asked(chat_id) == [13]
    chat = (await desk.does(chat_id, "accept", 13)).json
    (moved,) = chat["transfers"]
    assert (moved["status"], moved["to_agent"]["id"], chat["agent_info"]["id"]) == ("connected", 13, 13)


async def test_a_warm_transfer_keeps_the_first_agent_until_it_is_completed(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    chat_id = await desk.mine(11)
    begun = (await transfer(desk, chat_id, from_agent_id=11, to_agent_id=12, kind="warm")).json
    assert (begun["status"], begun["agent_info"]["id"]) == ("assigned", 11)
    assert [(one["user_id"], one["status"]) for one in begun["participants"][1:]] == [
        (11, "connected"), (12, "waiting"),
    ]  # fmt: skip
    early = await settle(desk, begun, "complete", 11)
    assert (early.status, early.json["message"][:24]) == (409, "there is nothing to comp")
    await desk.answers(chat_id, 11)  # the chat becomes ongoing: who was asked in is asked still
    assert await desk.asked(chat_id) == [12]
    joined = (await desk.does(chat_id, "accept", 12)).json
    assert (joined["agent_info"]["id"], joined["transfers"][0]["status"]) == (11, "transferring")
    assert [(one["user_id"], one["status"]) for one in joined["participants"][1:]] == [
        (11, "connected"), (12, "connected"),
    ]  # fmt: skip
    assert (await desk.get("agents/12/chats"))[0]["participation"] == "connected"
    assert (await desk.does(chat_id, "notes", 12, content="I can do it")).status == 201
    assert (await desk.does(chat_id, "notes", 13, content="me too")).status == 409
    assert (await settle(desk, joined, "complete", 13)).status == 409
    async with api.services.begin(1) as work:
        await expire(work, await require_open(work.conn, 1, chat_id))  # he has come: nothing is late
    api.clock.forward(seconds=10)
    done = (await settle(desk, joined, "complete", 11)).json
    assert (done["agent_info"]["id"], done["transfers"][0]["status"]) == (12, "connected")
    assert done["transfers"][0]["assigned_at"] > done["transfers"][0]["connected_at"]
    assert [(one["user_id"], one["status"]) for one in done["participants"][1:]] == [
        (11, "finished"), (12, "connected"),
    ]  # fmt: skip
    assert [(await desk.get(f"agents/{n}"))["load"] for n in (11, 12)] == [0, 1]


@pytest.mark.parametrize("how", ["cancel", "decline", "late", "leaves"])
async def test_a_warm_transfer_that_comes_to_nothing_leaves_the_chat_where_it_is(api: Api, how: str) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    chat_id = await desk.mine(11)
    begun = (await transfer(desk, chat_id, from_agent_id=11, to_agent_id=12, kind="warm")).json
    if how == "late":
        api.clock.forward(seconds=31)
        await desk.sweep()
    elif how == "leaves":
        await desk.status(12, "offline")
    else:
        assert (await settle(desk, begun, how, 11 if how == "cancel" else 12)).status == 200
    chat = await desk.chat(chat_id)
    expected = {"cancel": ("cancelled", "nothing"), "decline": ("failed", "declined")}
    assert (chat["transfers"][0]["status"], chat["transfers"][0]["fail_reason"]) == expected.get(
        how, ("failed", "no_answer")
    )
    assert (chat["agent_info"]["id"], chat["participants"][-1]["status"]) == (11, "finished")
    assert (await desk.asked(chat_id), (await desk.get("agents/12"))["load"]) == ([], 0)
    over = await settle(desk, chat, "cancel", 11)
    assert over.status == 409
    assert (await transfer(desk, chat_id, from_agent_id=11, to_agent_id=13, kind="warm", force=True)).status == 201


async def test_a_warm_transfer_to_a_queue_asks_who_is_ready_there(api: Api) -> None:
    desk = await Desk.make(api)
    billing = await desk.queue("Billing", 11, 13)
    await desk.available(11)
    chat_id = await desk.mine(11)
    wanted = {"from_agent_id": 11, "to_queue_id": billing, "kind": "warm"}
    nobody = await transfer(desk, chat_id, **wanted)
    assert (nobody.status, nobody.json) == (409, {"message": f"no agent of queue {billing} is ready"})
    await desk.available(13)
    begun = (await transfer(desk, chat_id, **wanted)).json
    assert begun["transfers"][0]["to_agent"]["id"] == 13
    await desk.does(chat_id, "accept", 13)
    done = (await settle(desk, begun, "complete", 13)).json
    assert (done["agent_info"]["id"], done["selected_menu"]["id"]) == (13, billing)


async def test_a_cancelled_cold_transfer_is_the_first_agents_again(api: Api) -> None:
    desk = await Desk.make(api)
    billing = await desk.queue("Billing", 13)
    await desk.available(11)
    chat_id = await desk.mine(11)
    begun = (await transfer(desk, chat_id, from_agent_id=11, to_queue_id=billing)).json
    assert (await settle(desk, begun, "cancel", 12)).status == 409
    back = (await settle(desk, begun, "cancel", 11)).json
    assert (back["agent_info"]["id"], back["selected_menu"]["id"]) == (11, desk.queue_id)
    assert back["transfers"][0]["status"] == "cancelled"


async def test_a_chat_that_is_given_to_somebody_else_ends_the_transfer(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    cold, warm = await desk.mine(11), await desk.mine(11)
    await transfer(desk, cold, from_agent_id=11, to_agent_id=12)
    await transfer(desk, warm, from_agent_id=11, to_agent_id=12, kind="warm")
    for chat_id in (cold, warm):
        chat = (await desk.does(chat_id, "take_over", SUPERVISOR)).json
        assert (chat["agent_info"]["id"], chat["transfers"][0]["status"]) == (SUPERVISOR, "cancelled")
        assert await desk.asked(chat_id) == []
    assert (await desk.get("agents/12"))["load"] == 0


async def test_a_chat_that_ends_fails_its_transfer(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    chat_id = await desk.mine(11)
    await transfer(desk, chat_id, from_agent_id=11, to_agent_id=12, kind="warm")
    await desk.writes("STOP", "+14155552001")
    chat = await desk.chat(chat_id)
    assert (chat["status"], chat["transfers"][0]["fail_reason"]) == ("failed", "chat_ended")
    assert (await desk.does(chat_id, "accept", 12)).json == {"message": "Chat is already ended"}


REFUSED: list[tuple[dict[str, Any], int, str | None]] = [
    ({"from_agent_id": 11}, 400, "either to_agent_id or to_queue_id is required"),
    ({"to_agent_id": 12, "to_queue_id": 1}, 400, "either to_agent_id or to_queue_id is required"),
    ({"from_agent_id": 11, "to_agent_id": 11}, 400, None),
    ({"from_agent_id": 11, "to_agent_id": 3}, 400, "agent is not found"),
    ({"from_agent_id": 11, "to_queue_id": 999}, 400, "there is no queue 999"),
    ({"from_agent_id": 11, "to_agent_id": 13}, 409, "Agent is not available to take this chat"),
    ({"from_agent_id": 13, "to_agent_id": 12}, 409, None),
    ({"from_agent_id": 11, "to_agent_id": 12, "kind": "hot"}, 400, None),
    ({"from_agent_id": 11, "to_agent_id": 12, "note": "x" * 2001}, 400, None),
    ({"from_agent_id": 11, "to_agent_id": 12, "note": "nul\x00"}, 400, "note must have at most 2000 characters"),
]


async def test_transfers_that_are_refused(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    chat_id = await desk.mine(11)
    for wanted, status, message in REFUSED:
        answer = await transfer(desk, chat_id, **wanted)
        assert answer.status == status, answer.json
        assert message is None or answer.json == {"message": message}
    assert await desk.owner(chat_id) == ("assigned", 11)
    assert await api.count("transfers") == 0


async def test_a_menu_and_a_deleted_queue_take_no_chat_and_one_transfer_is_enough(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.available(11, 12)
    menu, gone = await desk.queue("Menu"), await desk.queue("Gone")
    await api.db.execute("update queues set parent_id = $1 where name = 'Support' and tenant_id = 1", menu)
    await api.db.execute("update queues set deleted_at = now() where queue_id = $1", gone)
    chat_id = await desk.mine(11)
    for queue_id in (menu, gone):
        assert (await transfer(desk, chat_id, to_queue_id=queue_id)).status == 400
    waiting = await desk.writes()
    assert (await transfer(desk, waiting, to_agent_id=12, kind="warm")).status == 409
    assert (await transfer(desk, chat_id, from_agent_id=SUPERVISOR, to_agent_id=12)).status == 201
    answer = await transfer(desk, chat_id, to_agent_id=11)
    assert (answer.status, answer.json["message"]) == (
        409, "Chat is already being transferred: cancel that transfer first.",
    )  # fmt: skip
    assert (await desk.does(chat_id, "transfers/999/cancel", 11)).status == 404


async def test_of_transfers_at_once_one_is_made(api: Api) -> None:
    desk = await Desk.make(api, agents=5)
    await api.db.execute("update agents set max_chats = 1000")
    await desk.available(*range(11, 16))
    for n in range(20):
        chat_id = await desk.mine(11)
        kind = "warm" if n % 2 else "cold"
        answers = await asyncio.gather(
            *(transfer(desk, chat_id, from_agent_id=11, to_agent_id=to, kind=kind) for to in range(12, 16))
        )
        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
        (begun,) = (answer.json for answer in answers if answer.status == 201)
        target = begun["transfers"][0]["to_agent"]["id"]
        settled = await asyncio.gather(
            desk.does(chat_id, "accept", target),
            settle(desk, begun, "cancel", 11),
            settle(desk, begun, "decline", target),
        )
        assert {answer.status for answer in settled} <= {200, 409}, [answer.json for answer in settled]
        if kind == "cold":
            assert [answer.status for answer in settled].count(200) == 1
        status, owner = await desk.owner(chat_id)
        assert (status, owner in (11, target)) == ("assigned", True)
    stray = await api.db.fetch("select chat_id from transfers where status = 'transferring' and kind = 'cold'")
    assert stray == []

"""What goes on in the queues: the board, waiting times, whether a queue answers."""

from tests.api.desk import SUPERVISOR, V1, Desk
from tests.kit.api import Api

CLOSED = {"hours": {"time_zone": "UTC", "week": {"wed": [["09:00", "17:00"]]}}}
"""The clock of the tests stands at a Monday."""


async def test_the_board_counts_what_waits_and_who_is_there(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.status(12, "break")
    await desk.writes()
    api.clock.forward(seconds=10)
    await desk.writes()
    (board,) = await desk.get("queues")
    assert (board["name"], board["path"], board["leaf"], board["open"]) == ("Support", "Support", True, True)
    assert (board["waiting"], board["waiting_since"]) == (2, "2026-03-02T17:20:52.123Z")
    assert (board["assigned_agents"], board["logged_in_agents"], board["ready_agents"]) == (3, 1, 0)
    await desk.available(11)
    (board,) = await desk.get("queues")
    assert (board["waiting"], board["logged_in_agents"], board["ready_agents"]) == (2, 2, 1)


async def test_a_menu_counts_what_is_below_it(api: Api) -> None:
    desk = await Desk.make(api)
    top = await desk.queue("Top")
    await api.db.execute("update queues set parent_id = $1, position = 1 where queue_id = $2", top, desk.queue_id)
    billing = await desk.queue("Billing", 11, SUPERVISOR)
    await api.db.execute("update queues set parent_id = $1, position = 2 where queue_id = $2", top, billing)
    await desk.writes()
    board = await desk.get("queues")
    assert [(one["path"], one["leaf"], one["waiting"], one["assigned_agents"]) for one in board] == [
        ("Top", False, 1, 4), ("Top/Support", True, 1, 3), ("Top/Billing", True, 0, 2),
    ]  # fmt: skip
    assert board[1]["path_ids"] == [top, desk.queue_id]
    answer = await api.call("GET", f"{V1}/queues", params={"per": "1", "page": "2"})
    assert (answer.headers["total"], answer.json[0]["id"]) == ("3", desk.queue_id)
    assert [one["id"] for one in await desk.get("queues", menu_id=billing)] == [billing]
    assert [one["menu_id"] for one in await desk.get("wait_times")] == [desk.queue_id, billing]


async def test_waiting_times_are_those_of_late(api: Api) -> None:
    desk = await Desk.make(api)
    (wait,) = await desk.get("wait_times")
    assert (wait["menu_type"], wait["materialized_path"], wait["chat"]) == ("sms", "Support", 0)
    await desk.writes()
    api.clock.forward(seconds=90)
    (wait,) = await desk.get("wait_times", lang="en")
    assert (wait["chat"], wait["waiting"]) == (90, 1)
    await desk.does((await api.db.fetchval("select chat_id from chats")), "take", 11)
    await desk.writes()
    (wait,) = await desk.get("wait_times")
    assert wait["chat"] == 120  # the chat before waited 90 seconds: two minutes, as texts to consumers say it
    assert await desk.get("wait_times", lang="es") == []
    params = {"wait[from]": "100", "wait[to]": "121"}
    assert len((await api.call("GET", f"{V1}/wait_times", params=params)).json) == 1
    params["wait[from]"] = "120"
    assert (await api.call("GET", f"{V1}/wait_times", params=params)).json == []
    assert (await api.call("GET", f"{V1}/wait_times", params={"wait[to]": "-1"})).status == 400
    await desk.available(12)
    for chat in await desk.get("agents/12/offers"):
        await desk.does(chat["chat_id"], "accept", 12)
    (wait,) = await desk.get("wait_times")
    assert (wait["chat"], wait["available_agents"]) == (0, 1)


async def test_breakthrough_agents_are_there_without_being_available(api: Api) -> None:
    desk = await Desk.make(api)
    await desk.status(11, "meal")
    await desk.status(12, "break")
    await api.db.execute("update agents set max_chats = 1 where agent_id = 12")
    await desk.mine(12)
    await desk.available(13)
    (wait,) = await desk.get("wait_times")
    assert [wait[f"{kind}_agents"] for kind in ("assigned", "logged_in", "available", "breakthrough")] == [3, 3, 1, 1]


async def test_whether_a_queue_answers(api: Api) -> None:
    desk = await Desk.make(api)
    path = f"{V1}/queues/{desk.queue_id}/status"
    nobody = (await api.call("GET", path)).json
    assert (nobody["after_hours"], nobody["overcapacity"], nobody["next_open_at"]) == (False, True, None)
    await desk.available(11)
    assert (await api.call("GET", path)).json["overcapacity"] is False
    await api.db.execute("update queues set effective = $1 where queue_id = $2", CLOSED, desk.queue_id)
    closed = (await api.call("GET", path)).json
    assert (closed["after_hours"], closed["after_hour"]) == (True, True)
    assert closed["next_open_at"] == "2026-03-04T09:00:00.000Z"
    imitated = await api.call("GET", f"{V1}/queue_operation_statuses", params={"menu_id": str(desk.queue_id)})
    assert imitated.json == closed
    api.clock.forward(hours=40)
    assert (await api.call("GET", path)).json["after_hours"] is False
    (board,) = await desk.get("queues")
    assert (board["open"], board["next_open_at"]) == (True, None)


async def test_a_queue_that_is_not_named(api: Api) -> None:
    answer = await api.call("GET", f"{V1}/queue_operation_statuses")
    assert (answer.status, answer.json) == (400, {"message": "menu_id is required"})


async def test_a_queue_that_is_not_there(api: Api) -> None:
    theirs = str(await api.db.fetchval("select queue_id from queues where tenant_id = 2"))
    for queue_id in ("999", theirs):
        for path in (f"queues/{queue_id}", f"queues/{queue_id}/status", f"queue_operation_statuses?menu_id={queue_id}"):
            answer = await api.call("GET", f"{V1}/{path}")
            assert (answer.status, answer.json) == (404, {"message": "Not Found"})

"""Reading chats, answering in them, ending them."""

import asyncio
from typing import Any

import pytest

from tests.kit.api import CONSUMER, OURS, Api

CHATS = "/apps/api/v1/chats"


async def three_chats(api: Api) -> list[int]:
    """Chats an hour apart, the second with an agent, the third ended."""
    ids = []
    for number, more in ((100, {}), (101, {"agentId": 1}), (102, {})):
        ids.append((await api.send(end_user_number=f"+1 415-555-0{number}", **more)).json["id"])
        api.clock.forward(hours=1)
    await api.call("PATCH", f"{CHATS}/{ids[2]}", json={"chat": {"status": "finished"}})
    return ids


async def test_a_chat_reads_as_it_was_answered(api: Api) -> None:
    sent = (await api.send("ticket_id", agentId=1)).json
    read = (await api.call("GET", f"{CHATS}/{sent['id']}")).json
    assert read == {key: value for key, value in sent.items() if key not in {"message_id", "segments"}}
    assert list(read) == [key for key in sent if key in read]


async def test_the_ticket_shows_in_every_read_after_the_first_answer(api: Api) -> None:
    await api.set(ticket_url="https://crm.example.com/tickets/{ticket_id}?from=sms")
    sent = (await api.send(ticket_id="A/1 é")).json
    assert (sent["out_ticket_id"], sent["out_ticket_url"]) == (None, None)  # as the page's example has it
    read = (await api.call("GET", f"{CHATS}/{sent['id']}")).json
    assert read["out_ticket_id"] == "A/1 é"
    assert read["out_ticket_url"] == "https://crm.example.com/tickets/A%2F1%20%C3%A9?from=sms"


async def test_pages_name_their_neighbours(api: Api) -> None:
    ids = await three_chats(api)
    first = await api.call("GET", CHATS, params={"per": "2"})
    assert [one["id"] for one in first.json] == [ids[2], ids[1]]
    assert first.headers["total"] == "3"
    links = dict(reversed(part.split("; rel=")) for part in first.headers["link"].split(", "))
    assert set(links) == {'"first"', '"last"', '"next"'}
    second = await api.call("GET", links['"next"'].strip("<>").removeprefix(api.base_url))
    assert [one["id"] for one in second.json] == [ids[0]]
    assert 'rel="prev"' in second.headers["link"]
    assert 'rel="next"' not in second.headers["link"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"status": "selecting"}, [0]),
        ({"status": "finished"}, [2]),
        ({"number": "+1 415-555-0101"}, [1]),
        ({"outbound_number": OURS}, [2, 1, 0]),
        ({"outbound_number": "+16285550188"}, []),
        ({"created_at[from]": "2026-03-02T18:00:00Z"}, [2, 1]),
        ({"created_at[to]": "2026-03-02T18:00:00Z"}, [0]),
        ({"sort_direction": "ASC"}, [0, 1, 2]),
    ],
)
async def test_filters(api: Api, params: dict[str, str], expected: list[int]) -> None:
    ids = await three_chats(api)
    answer = await api.call("GET", CHATS, params=params)
    assert [one["id"] for one in answer.json] == [ids[index] for index in expected]
    assert answer.headers["total"] == str(len(expected))


@pytest.mark.parametrize(
    "params",
    [
        {"page": "0"},
        {"per": "1001"},
        {"per": "x"},
        {"status": "asleep"},
        {"number": "12"},
        {"sort_direction": "UP"},
        {"created_at[from]": "yesterday"},
        {"created_at[from]": "2026-03-02T18:00:00"},
        {"page": "9" * 30},
        {"created_at[from]": "0001-01-01T00:00:00+14:00"},
        {"created_at[to]": "9999-12-31T23:59:59-12:00"},
    ],
)
async def test_parameters_that_cannot_be_read_are_named(api: Api, params: dict[str, str]) -> None:
    answer = await api.call("GET", CHATS, params=params)
    assert answer.status == 400
    assert next(iter(params)).partition("[")[0] in answer.json["message"]


async def test_messages_in_order_with_their_states(api: Api) -> None:
    sent = (await api.send(agentId=1)).json
    api.clock.forward(minutes=1)
    said = await api.call("POST", f"{CHATS}/{sent['id']}/message",
                          json={"from_user_id": 1, "message": {"type": "text", "content": "“Hello”"}})  # fmt: skip
    assert (said.status, said.json["status"], said.json["encoding"]) == (200, "queued", "ucs2")
    messages = (await api.call("GET", f"{CHATS}/{sent['id']}/messages")).json
    assert [(one["sender"], one["content"]) for one in messages] == [("agent", "lorem ipsum"), ("agent", "“Hello”")]
    text = await api.db.fetchrow("select * from texts where message_id = $1", said.json["id"])
    assert text is not None
    assert (text["kind"], text["source"], text["destination"]) == ("answer", OURS, CONSUMER)


async def test_who_answers_a_chat_that_nobody_has_takes_it(api: Api) -> None:
    chat_id = (await api.send()).json["id"]
    body = {"from_user_id": 1, "message": {"content": "hi"}}
    assert (await api.call("POST", f"{CHATS}/{chat_id}/message", json=body)).status == 200
    chat = (await api.call("GET", f"{CHATS}/{chat_id}")).json
    assert (chat["status"], chat["agent_info"]["id"]) == ("assigned", 1)
    assert [one["type"] for one in chat["participants"]] == ["end_user", "agent"]
    refused = await api.call("POST", f"{CHATS}/{chat_id}/message", json={**body, "from_user_id": 2})
    assert (refused.status, refused.json["message"]) == (409, f"agent 2 is not in chat {chat_id}")


async def test_two_agents_who_answer_at_once(api: Api) -> None:
    chat_id = (await api.send()).json["id"]
    answers = await asyncio.gather(
        *(
            api.call(
                "POST", f"{CHATS}/{chat_id}/message", json={"from_user_id": 1 + i % 2, "message": {"content": "hi"}}
            )
            for i in range(10)
        )
    )
    assert sorted(answer.status for answer in answers) == [200] * 5 + [409] * 5
    rows = await api.db.fetch("select distinct agent_id from messages where sender = 'agent'")
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a":' * 5000, "the request cannot be read as JSON of the documented form"),
        (b"", "request body: a JSON object is required"),
        (b"[]", "request body: Expected `object`, got `array`"),
    ],
)
async def test_bodies_that_are_no_answer(api: Api, data: bytes, message: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.call("POST", f"{CHATS}/1/message", data=data, headers=headers)
    assert (answer.status, answer.json) == (400, {"message": message})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"from_user_id": 99, "message": {"content": "hi"}}, "agent is not found"),
        ({"from_user_id": 1, "message": {"content": "  "}}, "message is required"),
        ({"from_user_id": 1, "message": {"content": "x" * 1531}}, "message is too long"),
        (
            {"from_user_id": 1, "message": {"content": "x", "type": "photo"}},
            "message.content must be the media_id of a photo",
        ),
    ],
)
async def test_answers_that_are_refused(api: Api, body: dict[str, Any], message: str) -> None:
    chat_id = (await api.send()).json["id"]
    answer = await api.call("POST", f"{CHATS}/{chat_id}/message", json=body)
    assert (answer.status, answer.json) == (400, {"message": message})
    assert await api.count("messages") == 1


async def test_nothing_is_said_to_who_opted_out(api: Api) -> None:
    chat_id = (await api.send()).json["id"]
    await api.db.execute("insert into opt_outs values (1, $1, now(), 'text')", CONSUMER)
    answer = await api.call("POST", f"{CHATS}/{chat_id}/message", json={"from_user_id": 1, "message": {"content": "x"}})
    assert (answer.status, answer.json) == (400, {"message": "Consumer has opted out of SMS."})


async def test_a_chat_ends_once(api: Api) -> None:
    chat_id = (await api.send(agentId=1)).json["id"]
    api.clock.forward(seconds=90)
    body = {"finished_by_user_id": 1, "chat": {"status": "finished"}}
    ended = (await api.call("PATCH", f"{CHATS}/{chat_id}", json=body)).json
    assert (ended["status"], ended["disconnected_by"]) == ("finished", "disconnected_by_agent")
    assert (ended["ends_at"], ended["chat_duration"]) == ("2026-03-02T17:22:21.123Z", 90)
    assert {one["status"] for one in ended["participants"]} == {"finished"}
    again = await api.call("PATCH", f"{CHATS}/{chat_id}", json=body)
    assert (again.status, again.json) == (400, {"message": "Chat is already ended"})
    said = await api.call("POST", f"{CHATS}/{chat_id}/message", json={"from_user_id": 1, "message": {"content": "x"}})
    assert said.json == {"message": "Chat is already ended"}
    assert (await api.send()).json["id"] != chat_id


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/messages"), ("PATCH", ""), ("POST", "/message")])
async def test_another_tenants_chat_is_not_there(api: Api, method: str, path: str) -> None:
    chat_id = (await api.send()).json["id"]
    bodies = {"PATCH": {"chat": {"status": "finished"}}, "POST": {"from_user_id": 4, "message": {"content": "x"}}}
    answer = await api.call(
        method,
        f"{CHATS}/{chat_id}{path}",
        auth=("other", "other-secret"),
        **({"json": bodies[method]} if method in bodies else {}),
    )
    assert (answer.status, answer.json) == (404, {"message": "Not Found"})
    assert await api.db.fetchval("select status from chats") == "selecting"
    assert (await api.call("GET", CHATS, auth=("other", "other-secret"))).json == []


async def test_reads_ask_who_you_are(api: Api) -> None:
    answer = await api.call("GET", CHATS, auth=None)
    assert (answer.status, answer.headers["WWW-Authenticate"][:5], list(answer.json)) == (401, "Basic", ["message"])
    await api.set(requests_per_second=1)
    answers = [await api.call("GET", CHATS) for _ in range(4)]
    assert [answer.status for answer in answers].count(429) >= 2

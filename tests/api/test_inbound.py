"""A consumer's text, handed over by a program that has a carrier of its own."""

import asyncio
from typing import Any

from tests.api.talk import V1, Talk
from tests.kit.api import CONSUMER, OURS, Answer, Api

TEXT = {"from": "+1 (415) 555-0100", "to": "+1 628-555-0199", "id": "n-1", "body": "hello"}


async def bring(api: Api, **fields: Any) -> Answer:
    return await api.call("POST", f"{V1}/inbound", json={**TEXT, **fields})


async def test_it_goes_where_a_reply_over_a_line_goes(api: Api) -> None:
    brought = await bring(api)
    assert (brought.status, brought.json["message"]) == (202, "accepted")
    chat = (await api.call("GET", f"{V1}/chats/{brought.json['chat_id']}")).json
    assert (chat["status"], chat["selected_menu"]["name"], chat["outbound_number"]) == ("queued", "Support", OURS)
    (said, *_) = (await api.call("GET", f"{V1}/chats/{chat['id']}/messages")).json
    assert (said["sender"], said["content"]) == ("end_user", "hello")


async def test_it_answers_a_send(api: Api) -> None:
    opened = (await api.send()).json["id"]
    assert (await bring(api)).json["chat_id"] == opened


async def test_one_id_is_one_text_however_often_and_at_one_moment(api: Api) -> None:
    answers = await asyncio.gather(*(bring(api) for _ in range(8)))
    assert {answer.status for answer in answers} == {202}
    assert sum(answer.json["chat_id"] is not None for answer in answers) == 1
    assert (await bring(api, id="n-2")).json["chat_id"] is not None
    assert await api.db.fetchval("select count(*) from messages where sender = 'end_user'") == 2


async def test_a_lines_own_name_for_a_text_is_another_name(api: Api) -> None:
    carrier_id = await api.db.fetchval("select carrier_id from carriers where tenant_id = 1")
    await bring(api)
    taken = await api.db.fetchval("select count(*) from received where carrier_id = $1", carrier_id)
    assert taken == 1


async def test_stop_is_obeyed(api: Api) -> None:
    await bring(api, body="stop")
    assert (await api.send()).json == {"message": "Consumer has opted out of SMS."}
    kind, waits = await api.db.fetchrow("select kind, due_at > $1 from texts", api.clock())
    assert (kind, waits) == ("confirmation", False), "nothing was on its way: it leaves at once"


async def test_who_writes_may_be_of_any_country_or_a_short_code(api: Api) -> None:
    for place, source in enumerate(("+4915112345678", "72345")):
        assert (await bring(api, **{"from": source, "id": str(place)})).status == 202
        assert await api.db.fetchval("select 1 from end_users where number = $1", source) == 1


async def test_files_come_with_it(api: Api) -> None:
    urls = ["https://files.example.com/a.jpg", "https://files.example.com/b.jpg"]
    brought = await bring(api, body="", media=urls)
    assert brought.status == 202
    rows = await api.db.fetch("select source_url from media order by position")
    assert [row[0] for row in rows] == urls


async def test_what_can_be_no_text_is_refused(api: Api) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"from": "nobody"}, "from is not a phone number"),
        ({"from": ""}, "from is not a phone number"),
        ({"to": "+14155550177"}, "to is not one of the tenant's numbers"),
        ({"to": "+16285550188"}, "to is not one of the tenant's numbers"),  # another tenant's
        ({"id": " "}, "id must have 1 to 255 characters"),
        ({"body": " "}, "body is required where there are no media"),
        ({"body": "x" * 16_001}, "message is too long"),
        ({"media": ["ftp://files.example.com/a"]}, "media must be addresses that begin with https://"),
        ({"media": ["https://["]}, "media must be addresses that begin with https://"),
        ({"media": ["https://a.example/"] * 11}, "media has more than 10 files"),
        ({"id": 7}, "id: Expected `str`, got `int`"),
    ]
    for fields, says in cases:
        refused = await bring(api, **fields)
        assert (refused.status, refused.json) == (400, {"message": says})
    assert (await api.count("messages"), await api.count("end_users")) == (0, 0)


async def test_it_takes_a_token(api: Api) -> None:
    assert (await api.call("POST", f"{V1}/inbound", json=TEXT, auth=("acme", "wrong"))).status == 401


async def test_what_no_database_keeps_is_marked(api: Api) -> None:
    brought = await bring(api, body="a\0b")
    talk = Talk(api, CONSUMER, chat_id=brought.json["chat_id"])
    assert (await talk.get("/messages")).json[0]["content"] == "a\ufffdb"

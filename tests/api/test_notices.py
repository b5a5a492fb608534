"""Sessionless texts: under the rules of all texts, in nobody's way, and what a reply to one becomes."""

from typing import Any

import pytest

from tests.api.talk import V1, Talk
from tests.kit.api import CONSUMER, OURS, Answer, Api

NOTICE = {"end_user_number": CONSUMER, "outbound_number": OURS, "message": "Your order is ready."}
REPLY = "This number is not read. Call us instead."


async def notify(api: Api, **fields: Any) -> Answer:
    return await api.call("POST", f"{V1}/notices", json={**NOTICE, **fields})


async def texts(api: Api) -> list[str]:
    rows = await api.db.fetch("select body from texts join messages using (tenant_id, message_id) order by message_id")
    return [row[0] for row in rows]


async def test_it_is_on_its_way_and_kept_in_a_chat_that_is_finished(api: Api) -> None:
    sent = await notify(api)
    assert sent.status == 200
    assert sent.json == {
        "message_id": sent.json["message_id"], "chat_id": sent.json["chat_id"], "status": "queued",
        "end_user_number": CONSUMER, "outbound_number": OURS, "segments": 1,
        "created_at": "2026-03-02T17:20:51.123Z", "due_at": "2026-03-02T17:20:51.123Z",
    }  # fmt: skip
    assert await texts(api) == [NOTICE["message"]]
    chat = (await api.call("GET", f"{V1}/chats/{sent.json['chat_id']}")).json
    assert (chat["status"], chat["chat_type"]) == ("finished", "Messaging Outbound (SMS Sessionless)")
    assert chat["ends_at"] == chat["created_at"]
    assert (await api.call("GET", f"{V1}/texts/{sent.json['message_id']}")).status == 200


async def test_it_stands_in_no_sends_way_and_none_in_its(api: Api) -> None:
    assert (await notify(api)).status == 200
    opened = await api.send()
    assert opened.status == 200
    assert (await notify(api)).status == 200
    assert (await api.send()).json["message"].endswith("already in an active SMS session.")
    said = (await api.call("GET", f"{V1}/chats/{opened.json['id']}/messages")).json
    assert [one["content"] for one in said] == ["lorem ipsum"]


async def test_what_a_send_refuses_it_refuses(api: Api) -> None:
    for fields, says in (
        ({"end_user_number": ""}, "end_user_number is required"),
        ({"end_user_number": "12345"}, "end_user_number is invalid"),
        ({"outbound_number": "+82 000-000-0000"}, "Non-US phone number not allowed"),
        ({"outbound_number": "+14155550177"}, "outbound_number is not found"),
        ({"message": " "}, "message is required"),
        ({"message": "x" * 2000}, "message is too long"),
        ({"category": "news"}, "category must be one of transactional, marketing, urgent"),
        ({"message": None}, "message: Expected `str`, got `null`"),
    ):
        refused = await notify(api, **fields)
        assert (refused.status, refused.json) == (400, {"message": says})
    assert (await api.count("chats"), await api.count("end_users")) == (0, 0)


async def test_it_goes_to_nobody_who_does_not_want_it(api: Api) -> None:
    await Talk(api, CONSUMER).hear("STOP")
    assert (await notify(api)).json == {"message": "Consumer has opted out of SMS."}
    await api.db.execute("insert into blocked_numbers (tenant_id, number, at) values (1, '+14155550122', now())")
    blocked = await notify(api, end_user_number="+14155550122")
    assert blocked.json == {"message": "end_user_number is blocked"}


async def test_quiet_hours_hold_it(api: Api) -> None:
    api.clock.forward(hours=12)  # in the night, wherever the consumer's number is from
    held = await notify(api, category="marketing")
    assert held.json["due_at"] > held.json["created_at"]
    due = await api.db.fetchval("select due_at from texts")
    assert due > api.clock()
    assert await api.db.fetchval("select valid_until - due_at > interval '1 hour' from texts")


@pytest.fixture
async def answering(api: Api) -> Talk:
    """A tenant whose notices are answered by themselves, and a consumer who has got one."""
    await api.set(sessionless_reply=REPLY)
    await notify(api)
    return Talk(api, CONSUMER)


async def test_a_reply_gets_the_default_reply_and_nobody_is_asked(api: Api, answering: Talk) -> None:
    await answering.hear("thanks!", after=60)
    chat = (await answering.get()).json
    assert (chat["status"], chat["chat_type"]) == ("finished", "Messaging Inbound (SMS Sessionless)")
    assert (chat["selected_menu"], chat["agent_info"]) == (None, None)
    said = [(one["sender"], one["content"]) for one in (await answering.get("/messages")).json]
    assert said == [("end_user", "thanks!"), ("system", REPLY)]


async def test_two_machines_do_not_answer_each_other_for_ever(api: Api, answering: Talk) -> None:
    for _ in range(5):
        await answering.hear("I am driving", after=5)
    assert (await texts(api)).count(REPLY) == 1
    assert await api.db.fetchval("select count(*) from messages where sender = 'end_user'") == 5
    assert await api.db.fetchval("select count(*) from chats where ends_at is null") == 0
    await answering.hear("hello?", after=3700)
    assert (await texts(api)).count(REPLY) == 2


async def test_after_its_days_a_reply_is_one_like_any_other(api: Api, answering: Talk) -> None:
    await answering.hear("thanks!", after=7 * 24 * 3600 + 1)
    assert (await answering.get()).json["status"] == "queued"


async def test_the_days_are_the_tenants(api: Api, answering: Talk) -> None:
    await api.set(sessionless_days=1)
    await answering.hear("thanks!", after=24 * 3600 + 1)
    assert (await answering.get()).json["status"] == "queued"


async def test_without_a_default_reply_it_goes_to_the_menu(api: Api) -> None:
    await notify(api)
    talk = Talk(api, CONSUMER)
    await talk.hear("thanks!", after=60)
    assert (await talk.get()).json["status"] == "queued"


async def test_a_reply_belongs_to_the_session_where_there_is_one(api: Api, answering: Talk) -> None:
    opened = (await api.send()).json["id"]
    await notify(api)
    await answering.hear("thanks!", after=60)
    assert answering.chat_id == opened
    assert (await answering.get()).json["status"] == "queued"


async def test_after_a_session_a_reply_is_not_to_the_notice_before_it(api: Api, answering: Talk) -> None:
    session = Talk(api, CONSUMER, chat_id=(await api.send()).json["id"])
    await session.end(after=10, agent=None)
    await answering.hear("one more thing", after=60)
    assert (await answering.get()).json["status"] == "queued"


async def test_words_of_consent_are_obeyed_first(api: Api, answering: Talk) -> None:
    await answering.hear("STOP", after=60)
    assert (await notify(api)).json == {"message": "Consumer has opted out of SMS."}
    assert REPLY not in await texts(api)

"""Who consumers are: told by identifier, changed, merged, shown in the middle of a chat."""

import asyncio
from typing import Any

from tests.api.talk import V1, Talk
from tests.kit.api import CONSUMER, Answer, Api

JANE = {"identifier": "c-1", "name": "Jane Roe", "email": "jane@example.com", "phone": CONSUMER}
OTHER = "+14155550122"


async def put(api: Api, **fields: Any) -> Answer:
    return await api.call("POST", f"{V1}/end_users", json=fields)


async def merge(api: Api, end_user_id: int, into: int) -> Answer:
    return await api.call("POST", f"{V1}/end_users/{end_user_id}/merge", json={"into": into})


async def read(api: Api, end_user_id: int) -> Any:
    return (await api.call("GET", f"{V1}/end_users/{end_user_id}")).json


async def test_a_new_one_is_made_and_the_same_again_changes_nothing(api: Api) -> None:
    first = await put(api, **JANE, time_zone="America/Denver")
    again = await put(api, **JANE, time_zone="America/Denver")
    assert (first.status, again.body) == (200, first.body)
    assert list(first.json)[:3] == ["id", "identifier", "out_contact_id"]
    assert first.json | {"id": 0, "created_at": ""} == {
        "id": 0, "identifier": "c-1", "out_contact_id": None, "number": CONSUMER, "numbers": [CONSUMER],
        "name": "Jane Roe", "first_name": "Jane", "last_name": "Roe", "email": "jane@example.com",
        "time_zone": "America/Denver", "merged_into": None, "created_at": "",
    }  # fmt: skip
    assert await api.count("end_users") == 1


async def test_who_was_texted_before_is_the_same_consumer(api: Api) -> None:
    chat = (await api.send()).json
    assert (await put(api, **JANE)).json["id"] == chat["end_user"]["id"]
    now = (await api.call("GET", f"{V1}/chats/{chat['id']}")).json
    assert now["end_user"] == {"id": chat["end_user"]["id"], "identifier": "c-1", "out_contact_id": None}


async def test_what_is_not_told_stays_and_null_takes_away(api: Api) -> None:
    made = (await put(api, **JANE)).json
    await put(api, identifier="c-1", last_name="Doe")
    changed = await api.call("PATCH", f"{V1}/end_users/{made['id']}", json={"email": None, "time_zone": "UTC"})
    assert (changed.json["name"], changed.json["email"], changed.json["time_zone"]) == ("Jane Doe", None, "UTC")
    assert changed.json == await read(api, made["id"])


async def test_a_second_phone_is_one_more_of_his(api: Api) -> None:
    made = (await put(api, **JANE)).json
    more = await put(api, identifier="c-1", phone=OTHER, time_zone="America/Denver")
    assert (more.json["id"], more.json["number"], more.json["numbers"]) == (made["id"], CONSUMER, [CONSUMER, OTHER])
    found = await api.call("GET", f"{V1}/end_users", params={"number": OTHER})
    assert [one["id"] for one in found.json] == [made["id"]]
    zones = await api.db.fetch("select time_zone from end_users")
    assert {row[0] for row in zones} == {"America/Denver"}, "quiet hours look at each phone"


async def test_what_cannot_be_so_is_refused(api: Api) -> None:
    too_long = "identifier is longer than 255 characters, or has U+0000 in it"
    for fields, says in (
        ({"name": "Jane"}, "param is missing or the value is empty: identifier"),
        ({"identifier": "  "}, "param is missing or the value is empty: identifier"),
        ({"identifier": "new"}, "param is missing or the value is empty: phone"),
        ({"identifier": "c-1", "phone": "12345"}, "phone is not a phone number of an allowed region"),
        ({"identifier": "c-1", "email": "nobody", "phone": CONSUMER}, "email is no e-mail address"),
        ({"identifier": "c-1", "phone": CONSUMER, "time_zone": "Mars"},
         "time_zone is no IANA zone, such as America/New_York"),
        ({"identifier": "x" * 256, "phone": CONSUMER}, too_long),
        ({"identifier": "a\0b", "phone": CONSUMER}, too_long),
    ):  # fmt: skip
        refused = await put(api, **fields)
        assert (refused.status, refused.json) == (400, {"message": says})
    assert await api.count("end_users") == 0


async def test_a_phone_or_an_identifier_of_another_is_refused(api: Api) -> None:
    await put(api, **JANE)
    john = (await put(api, identifier="c-2", phone=OTHER)).json
    taken = await put(api, identifier="c-2", phone=CONSUMER)
    assert (taken.status, taken.json) == (409, {"message": "phone belongs to an end user with another identifier"})
    renamed = await api.call("PATCH", f"{V1}/end_users/{john['id']}", json={"identifier": "c-1"})
    assert (renamed.status, renamed.json["message"]) == (409, "identifier is another end user's: merge the two")


async def test_one_identifier_at_one_moment_is_one_consumer(api: Api) -> None:
    phones = [f"+1415555010{digit}" for digit in range(6)]
    answers = await asyncio.gather(*(put(api, identifier="c-1", phone=phone) for phone in phones))
    assert {answer.status for answer in answers} <= {200, 409}
    for phone in phones:  # who was told to try again does
        assert (await put(api, identifier="c-1", phone=phone)).status == 200
    (one,) = (await api.call("GET", f"{V1}/end_users", params={"identifier": "c-1"})).json
    assert sorted(one["numbers"]) == phones


async def test_the_list_is_paged_and_holds_each_once(api: Api) -> None:
    for number in range(5):
        api.clock.forward(seconds=1)
        await put(api, identifier=f"c-{number}", phone=f"+1415555010{number}")
    page = await api.call("GET", f"{V1}/end_users", params={"per": "2", "page": "2"})
    assert [one["identifier"] for one in page.json] == ["c-2", "c-1"]
    assert page.headers["total"] == "5"
    found = await api.call("GET", f"{V1}/end_users", params={"identifier": "c-4"})
    assert [one["number"] for one in found.json] == ["+14155550104"]
    theirs = await api.call("GET", f"{V1}/end_users", auth=("other", "other-secret"))
    assert theirs.json == []


async def test_merged_they_are_one_with_the_chats_of_both(api: Api) -> None:
    into = (await put(api, identifier="c-1", phone=CONSUMER)).json["id"]
    first = (await api.send()).json["id"]
    gone = (await put(api, identifier="c-2", phone=OTHER, name="Jane Roe")).json["id"]
    talk = Talk(api, OTHER)
    await talk.hear("hello")
    await talk.end(agent=None)
    merged = await merge(api, gone, into)
    assert (merged.status, merged.json["numbers"], merged.json["name"]) == (200, [CONSUMER, OTHER], "Jane Roe")
    assert merged.json["identifier"] == "c-1"
    assert (await read(api, gone))["merged_into"] == into
    chats = (await api.call("GET", f"{V1}/chats", params={"end_user_id": str(into)})).json
    assert {chat["id"] for chat in chats} == {first, talk.chat_id}
    assert {chat["end_user"]["id"] for chat in chats} == {into}
    assert (await merge(api, gone, into)).body == merged.body, "again, it changes nothing"
    assert [one["id"] for one in (await api.call("GET", f"{V1}/end_users")).json] == [into]


async def test_consent_stays_with_the_phone(api: Api) -> None:
    into, gone = [(await put(api, identifier=phone, phone=phone)).json["id"] for phone in (CONSUMER, OTHER)]
    await Talk(api, OTHER).hear("STOP")
    assert (await merge(api, gone, into)).status == 200
    assert (await api.send()).status == 200
    assert (await api.send(end_user_number=OTHER)).json == {"message": "Consumer has opted out of SMS."}


async def test_who_writes_after_a_merge_is_known_as_the_one_he_is(api: Api) -> None:
    into, gone = [(await put(api, identifier=phone, phone=phone)).json["id"] for phone in (CONSUMER, OTHER)]
    await merge(api, gone, into)
    talk = Talk(api, OTHER)
    await talk.hear("it is me")
    assert (await talk.get()).json["end_user"] == {"id": into, "identifier": CONSUMER, "out_contact_id": None}
    told = await api.call("PATCH", f"{V1}/end_users/{gone}", json={"first_name": "Jane"})
    assert (told.json["id"], told.json["first_name"]) == (into, "Jane")


async def test_two_who_are_in_chats_are_not_merged(api: Api) -> None:
    into, gone = [(await put(api, identifier=phone, phone=phone)).json["id"] for phone in (CONSUMER, OTHER)]
    await api.send()
    talk = Talk(api, OTHER)
    await talk.hear("hello")
    refused = await merge(api, gone, into)
    assert (refused.status, refused.json) == (
        409, {"message": "both end users are in an open chat: end one of them first"},
    )  # fmt: skip
    # The phones that he got by an earlier merge are his as well.
    third = (await put(api, identifier="third", phone="+14155550133")).json["id"]
    assert (await merge(api, gone, third)).status == 200
    assert (await merge(api, third, into)).status == 409
    await talk.end(agent=None)
    assert (await merge(api, third, into)).status == 200


async def test_merges_that_make_no_sense_are_refused(api: Api) -> None:
    first, second, third = [
        (await put(api, identifier=str(number), phone=f"+1415555010{number}")).json["id"] for number in range(3)
    ]
    assert (await merge(api, first, first)).status == 409
    assert (await merge(api, first, 999)).status == 404
    assert (await merge(api, second, first)).status == 200
    assert (await merge(api, second, third)).json["message"] == f"end user {second} was merged into {first} before"
    assert (await merge(api, first, second)).status == 409, "he cannot be merged into himself by a detour"
    # Who was merged comes along.
    assert (await merge(api, first, third)).json["numbers"] == ["+14155550102", "+14155550100", "+14155550101"]
    assert (await read(api, second))["merged_into"] == third


async def test_in_the_middle_of_a_chat_its_consumer_shows_who_he_is(api: Api) -> None:
    talk = Talk(api)
    await talk.hear("hello")
    told = await talk.do("end_user", identifier="c-9", name="Jane Roe", email="jane@example.com")
    assert (told.status, told.json) == (202, {"message": "accepted"})
    assert (await talk.get()).json["end_user"]["identifier"] == "c-9"
    assert b"Jane R." in (await talk.get("/transcript.txt")).body


async def test_in_the_middle_of_a_chat_he_turns_out_to_be_known(api: Api) -> None:
    known = (await put(api, **JANE)).json["id"]
    talk = Talk(api)
    await talk.hear("hello, from my other phone")
    await talk.do("end_user", identifier="c-1")
    assert (await talk.get()).json["end_user"]["id"] == known
    assert (await read(api, known))["numbers"] == [CONSUMER, talk.consumer]


async def test_in_a_chat_that_ended_nobody_shows_anything(api: Api) -> None:
    talk = Talk(api)
    await talk.hear("hello")
    await talk.end(agent=None)
    for fields, says in (
        ({}, "param is missing or the value is empty: identifier"),
        ({"identifier": "c-1", "phone": OTHER}, "phone is not the number of this chat: leave it out"),
        ({"identifier": "c-1"}, "Chat is already ended"),
    ):
        refused = await api.call("POST", f"{V1}/chats/{talk.chat_id}/end_user", json=fields)
        assert (refused.status, refused.json) == (400, {"message": says})
    unknown = await api.call("POST", f"{V1}/chats/999999/end_user", json={"identifier": "c-1"})
    assert (unknown.status, await api.db.fetchval("select identifier from end_users")) == (404, None)

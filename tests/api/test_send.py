"""POST /apps/api/v1/sms, line by line: the seed's examples, the order of the checks, sessions, keys, who may ask."""

import asyncio
import re
from functools import partial
from typing import Any

import asyncpg
import msgspec
import pytest
from structlog.testing import capture_logs

from smsdesk.contract import errors, examples
from tests.kit.api import CONSUMER, OURS, Api
from tests.kit.processes import until

ACTIVE = "Outbound SMS failed. Consumer is already in an active SMS session."


def masked(body: str) -> str:
    """An answer with its ids and times taken out: what must be equal byte for byte."""
    body = re.sub(r'"(id|chat_id|end_user_id|user_id|message_id)":\s?\d+', r'"\1":0', body)
    return re.sub(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"', '"T"', body)


def compact(text: str) -> str:
    return msgspec.json.format(text, indent=-1)


async def prepare(api: Api, needs: tuple[str, ...]) -> None:
    """Brings the tenant into the state that an example of the page needs."""
    if "sms_off" in needs:
        await api.set(sms_enabled=False)
    if "outbound_off" in needs:
        await api.set(outbound_sms_enabled=False)
    if "unknown_outbound_number" in needs:
        await api.db.execute("delete from numbers where tenant_id = 1")
        await api.set()
    if "active_session" in needs:
        assert (await api.send()).status == 200


@pytest.mark.parametrize("example", examples(), ids=lambda one: one.name)
async def test_example_of_the_page(api: Api, example: Any) -> None:
    await prepare(api, example.needs)
    request = msgspec.json.decode(example.request)
    answer = await api.call("POST", "/apps/api/v1/sms", json=request)
    expected = masked(compact(example.response))
    if "agentEmail" in request:  # the page's own slip, which we fill
        info = masked(compact(msgspec.json.encode(answer.json["agent_info"]).decode()))
        expected = expected.replace('"agent_info":null', f'"agent_info":{info}')
    found = masked(answer.body.decode())
    if example.status == 200:
        found = re.sub(r',"message_id":0,"segments":1\}$', "}", found)
    assert (answer.status, found) == (example.status, expected)


async def test_an_accepted_send_is_in_every_table(api: Api) -> None:
    answer = await api.send()
    chat = await api.db.fetchrow("select * from chats")
    text = await api.db.fetchrow("select * from texts join messages using (tenant_id, chat_id, message_id)")
    assert chat is not None
    assert text is not None
    assert (chat["chat_id"], chat["ticket_id"], chat["direction"]) == (
        answer.json["id"],
        "5006x00000XXxxxXXX",
        "outbound",
    )
    assert (text["message_id"], text["body"], text["sender"]) == (answer.json["message_id"], "lorem ipsum", "api")
    assert (text["source"], text["destination"]) == (OURS, CONSUMER)
    assert answer.json["created_at"] == "2026-03-02T17:20:51.123Z"
    assert chat["created_at"] == api.clock.now


async def test_the_first_check_that_fails_is_the_answer(api: Api) -> None:
    """One request with every fault there is, mended one by one in the order of the page."""
    await api.set(sms_enabled=False, outbound_sms_enabled=False)
    fields: dict[str, Any] = {
        "chat_type": None, "end_user_number": " ", "outbound_number": "", "message": None, "agentId": 99,
    }  # fmt: skip

    async def mend(reason: str, **mended: Any) -> None:
        assert (await api.send(**fields)).json == {"message": errors()[reason].message}
        settings = {key: mended.pop(key) for key in list(mended) if key.endswith("_enabled")}
        fields.update(mended)
        await api.set(**settings)

    await mend("chat_type_missing", chat_type=7)
    await mend("chat_type_invalid", chat_type="Messaging (API)")
    await mend("sms_disabled", sms_enabled=True)
    await mend("outbound_sms_disabled", outbound_sms_enabled=True)
    await mend("end_user_number_missing", end_user_number=[4155550100])
    await mend("end_user_number_invalid", end_user_number="+1 876-555-0100")
    await mend("non_us_number", end_user_number="(415) 555-0100")
    await mend("outbound_number_missing", outbound_number={"a": 1})
    await mend("outbound_number_invalid", outbound_number="+82 000-000-0000")
    await mend("non_us_number", outbound_number="+1 628-555-0188")
    await mend("outbound_number_unknown", outbound_number="628.555.0199")
    await mend("message_missing", message="x" * 1531)
    await mend("message_too_long", message="x" * 1530)
    await api.db.execute("insert into blocked_numbers values (1, $1, now())", CONSUMER)
    await api.db.execute("insert into opt_outs values (1, $1, now(), 'text')", CONSUMER)
    await mend("agent_unknown", agentId=1)
    assert (await api.send(**fields)).json == {"message": errors()["end_user_blocked"].message}
    await api.db.execute("delete from blocked_numbers")
    assert (await api.send(**fields)).json == {"message": "Consumer has opted out of SMS."}
    await api.db.execute("delete from opt_outs")
    assert await api.count("chats") == 0
    assert (await api.send(**fields)).json["segments"] == 10
    assert (await api.send("agentId", **fields)).json == {"message": ACTIVE}


@pytest.mark.parametrize("chat_type", ["Messaging (SMS)", "Messaging (API)", "SMS"])
async def test_each_chat_type_is_answered_as_the_one(api: Api, chat_type: str) -> None:
    assert (await api.send(chat_type=chat_type)).json["chat_type"] == "Messaging (SMS)"


@pytest.mark.parametrize(
    "named",
    [
        {"agentId": 1},
        {"agent_id": "1"},
        {"agentEmail": "John.Doe@foo.com"},
        {"agent_email": "john.doe@foo.com"},
        {"agentId": 1, "agent_email": "john.doe@foo.com"},
    ],
)
async def test_agent_by_each_spelling(api: Api, named: dict[str, Any]) -> None:
    answer = await api.send(**named)
    assert (answer.json["status"], answer.json["agent_info"]["agent_number"]) == ("assigned", 9)
    assert [one["type"] for one in answer.json["participants"]] == ["end_user", "agent"]
    rows = await api.db.fetch("select type, user_id from participants order by participant_id")
    assert [tuple(row) for row in rows] == [("end_user", None), ("agent", 1)]


@pytest.mark.parametrize(
    "named",
    [
        {"agentId": 99},
        {"agentId": True},
        {"agentId": [1]},
        {"agentId": 4},
        {"agent_id": 3},
        {"agentEmail": "x"},
        {"agentEmail": 1},
        {"agentId": 1, "agentEmail": "second@foo.com"},
        {"agentId": 10**30},
    ],
)
async def test_agent_who_is_not_there(api: Api, named: dict[str, Any]) -> None:
    answer = await api.send(**named)
    assert (answer.status, answer.json) == (400, {"message": "agent is not found"})
    assert await api.count("chats") == 0


async def test_parallel_sends_to_one_consumer_open_one_chat(api: Api) -> None:
    answers = await asyncio.gather(*(api.send(message=f"text {i}") for i in range(60)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 59
    assert {answer.json["message"] for answer in answers if answer.status == 400} == {ACTIVE}
    assert (await api.count("chats"), await api.count("texts")) == (1, 1)


async def test_a_consumer_whom_another_process_is_first_with_is_met_and_no_neighbour_harmed(
    api: Api, database: str
) -> None:
    other = await asyncpg.connect(database)
    first = other.transaction()
    await first.start()
    await other.execute(
        "insert into end_users (tenant_id, end_user_id, number, created_at) values (1, 9, $1, now())", CONSUMER
    )
    phones = ["+14155550101", CONSUMER, "+14155550102"]
    sending = [asyncio.create_task(api.send(end_user_number=phone)) for phone in phones]
    met = partial(api.db.fetchval, "select exists (select from pg_locks where not granted)")
    await until(met, 20, "the group waits for the other transaction")
    await first.commit()
    answers = await asyncio.gather(*sending)
    await other.close()
    assert [answer.status for answer in answers] == [200] * 3
    assert answers[1].json["end_user"]["id"] == 9
    assert await api.count("chats") == await api.count("texts") == await api.count("end_users") == 3


async def test_append_puts_the_text_into_the_open_chat(api: Api) -> None:
    await api.set(when_active="append")
    answers = await asyncio.gather(*(api.send(message=f"text {i}") for i in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len({answer.json["message_id"] for answer in answers}) == 20
    assert (await api.count("chats"), await api.count("texts")) == (1, 20)


async def test_what_is_appended_brings_its_agent_and_its_ticket(api: Api) -> None:
    await api.set(when_active="append")
    first = await api.send("ticket_id")
    answers = await asyncio.gather(*(api.send(agentId=1 + i % 2, ticket_id=f"T{i % 2}") for i in range(8)))
    chat = (await api.call("GET", f"/apps/api/v1/chats/{first.json['id']}")).json
    assert {(answer.status, answer.json["id"]) for answer in answers} == {(200, chat["id"])}
    assert (chat["status"], chat["agent_info"]["id"], chat["out_ticket_id"]) in {
        ("assigned", 1, "T0"),
        ("assigned", 2, "T1"),
    }
    assert [one["user_id"] for one in chat["participants"]] == [None, chat["agent_info"]["id"]]
    assert answers[0].json["agent_info"] == chat["agent_info"]


async def test_the_agent_in_the_chat_sends_into_it(api: Api) -> None:
    first = await api.send(agentId=1)
    second = await api.send(agentId=1, message="one more")
    assert (second.status, second.json["id"]) == (200, first.json["id"])
    assert second.json["participants"] == first.json["participants"]
    assert (await api.send(agentId=2)).json == {"message": ACTIVE}
    assert (await api.send()).json == {"message": ACTIVE}
    assert await api.count("texts") == 2


async def test_one_bad_send_harms_no_neighbour(api: Api) -> None:
    numbers = [f"+1 415-555-{i:04d}" for i in range(100, 130)]
    await api.db.execute("insert into opt_outs values (1, '+14155550115', now(), 'text')")
    answers = await asyncio.gather(*(api.send(end_user_number=number) for number in numbers))
    assert [answer.status for answer in answers] == [400 if number.endswith("0115") else 200 for number in numbers]
    assert await api.count("texts") == 29


async def test_a_key_gives_the_first_answer_again(api: Api) -> None:
    first = await api.send(headers={"Idempotency-Key": "order-1"})
    api.clock.forward(hours=5)
    again = await api.send(headers={"Idempotency-Key": "order-1"})
    assert (again.status, again.body) == (200, first.body)
    changed = await api.send(headers={"Idempotency-Key": "order-1"}, message="other")
    assert changed.status == 422
    await api.set(sms_enabled=False)
    assert (await api.send(headers={"Idempotency-Key": "order-1"})).body == first.body
    assert await api.count("texts") == 1


async def test_a_storm_of_retries_sends_once(api: Api) -> None:
    """R3: each of 20 requests five times at once."""
    answers = await asyncio.gather(
        *(
            api.send(headers={"Idempotency-Key": f"k{i}"}, end_user_number=f"+1 415-555-{i:04d}")
            for i in range(100, 120)
            for _ in range(5)
        )
    )
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 20
    assert (await api.count("texts"), await api.count("idempotency_keys")) == (20, 20)


async def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    await api.send()
    assert (await api.send(headers={"Idempotency-Key": "k"})).json == {"message": ACTIVE}
    assert await api.count("idempotency_keys") == 0
    await api.call("PATCH", f"/apps/api/v1/chats/{(await api.db.fetchval('select chat_id from chats'))}",
                   json={"chat": {"status": "finished"}})  # fmt: skip
    assert (await api.send(headers={"Idempotency-Key": "k"})).status == 200


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_that_is_none(api: Api, key: str) -> None:
    assert (await api.send(headers={"Idempotency-Key": key})).status == 400


@pytest.mark.parametrize("auth", [None, ("acme", "wrong"), ("nobody", "secret"), ("other", "secret"), ("", "")])
async def test_who_is_not_known(api: Api, auth: tuple[str, str] | None) -> None:
    answer = await api.send(auth=auth)
    assert (answer.status, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    assert await api.count("chats") == 0


async def test_the_host_must_name_the_same_tenant(api: Api) -> None:
    assert (await api.send(headers={"Host": "other.example.com"})).status == 401
    assert (await api.send(headers={"Host": "acme.example.com"})).status == 200


async def test_a_disabled_credential_is_not_known(api: Api) -> None:
    await api.db.execute("update credentials set disabled_at = now() where tenant_id = 1")
    await api.set()
    assert (await api.send()).status == 401


async def test_the_set_up_is_followed_again_after_any_failure(api: Api) -> None:
    async def failed() -> bool:
        return bool(logged)

    async def refused() -> bool:
        return (await api.send()).status == 401

    await api.db.execute("alter table tenants rename to away")
    with capture_logs() as logged:
        following = asyncio.create_task(api.services.directory.run())
        await until(failed, 5, "a look at the set-up that fails")
    await api.db.execute("alter table away rename to tenants")
    await api.db.execute("update credentials set disabled_at = now() where tenant_id = 1")
    await api.db.execute("update tenants set changed_at = changed_at + interval '1 ms'")
    await until(refused, 5, "the token that is disabled is refused")
    following.cancel()


async def test_a_body_that_is_no_object(api: Api) -> None:
    for data in (b"", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b"[" * 60000, b"1e999"):
        answer = await api.call("POST", "/apps/api/v1/sms", data=data, headers={"Content-Type": "application/json"})
        assert (answer.status, answer.json) == (400, {"message": "request body must be a JSON object"}), data[:9]


async def test_what_the_transport_gets_wrong(api: Api) -> None:
    json = {"Content-Type": "application/json; charset=utf-8"}
    assert (await api.call("POST", "/apps/api/v1/sms", data=b"{}", headers=json)).status == 400
    too_large = await api.call("POST", "/apps/api/v1/sms", data=b" " * 70_000, headers=json)
    assert (too_large.status, list(too_large.json)) == (413, ["message"])
    form = await api.call("POST", "/apps/api/v1/sms", data={"chat_type": "SMS"})
    assert (form.status, list(form.json)) == (415, ["message"])
    wrong = await api.call("GET", "/apps/api/v1/sms")
    assert (wrong.status, wrong.headers["Allow"], list(wrong.json)) == (405, "POST", ["message"])
    assert (await api.call("GET", "/apps/api/v1/nothing")).json == {"message": "Not Found"}


async def test_a_short_code_sends_and_is_found(api: Api) -> None:
    await api.db.execute("insert into numbers select tenant_id, '62855', carrier_id, queue_id from numbers limit 1")
    await api.set()
    answer = await api.send(outbound_number=" 62855 ")
    assert (answer.status, answer.json["outbound_number"]) == (200, "62855")
    found = await api.call("GET", "/apps/api/v1/chats", params={"outbound_number": "62855"})
    assert [one["id"] for one in found.json] == [answer.json["id"]]
    unknown = await api.send(outbound_number="62856")
    assert (unknown.status, unknown.json) == (400, {"message": "outbound_number is invalid"})


async def test_characters_that_no_phone_can_show(api: Api) -> None:
    answer = await api.send(message="a\0b")
    assert (answer.status, answer.json) == (
        400, {"message": "message has a character that cannot be sent: U+0000 at position 1"},
    )  # fmt: skip
    assert (await api.send(ticket_id="\0")).status == 400
    assert (await api.send(ticket_id="x" * 256)).status == 400


async def test_a_credential_over_its_rate_is_told_when_to_come_back(api: Api) -> None:
    await api.set(requests_per_second=2)
    answers = [await api.send(end_user_number=f"+1 415-555-{i:04d}") for i in range(100, 110)]
    refused = [answer for answer in answers if answer.status == 429]
    assert 6 <= len(refused) <= 8
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert await api.count("chats") == 10 - len(refused)


async def test_a_dry_run_explains_and_keeps_nothing(api: Api) -> None:
    dry = {"params": {"dry_run": "true"}}
    told = (await api.send(message="It’s “ready”", **dry)).json
    assert (told["would_send"], told["session"], told["encoding"], told["segments"]) == (True, "new", "ucs2", 1)
    assert [(one["character"], one["swap"]) for one in told["costly_characters"]] == [
        ("’", "'"),
        ("“", '"'),
        ("”", '"'),
    ]
    assert (await api.count("chats"), await api.count("end_users")) == (0, 0)
    await api.send()
    told = (await api.send(**dry)).json
    assert (told["would_send"], told["reason"], told["message"]) == (False, "active_session", ACTIVE)
    assert (await api.send(params={"dry_run": "maybe"})).status == 400


async def test_a_dry_run_knows_what_a_key_was_answered(api: Api) -> None:
    dry = {"params": {"dry_run": "1"}, "headers": {"Idempotency-Key": "order-1"}}
    assert (await api.send(**dry)).json["would_send"] is True
    assert await api.count("idempotency_keys") == 0
    await api.send(headers=dry["headers"])
    told = (await api.send(**dry)).json
    assert (told["would_send"], told["session"], told["reason"]) == (False, "replay", None)
    assert (await api.send(message="other", **dry)).json["reason"] == "idempotency_mismatch"
    assert await api.count("texts") == 1

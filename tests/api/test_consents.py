"""Consent over the API: lists, changes, files, doubtful replies, and the blocklist."""

from typing import Any

import pytest

from smsdesk.domain.reply import InboundPart
from smsdesk.store import consent
from tests.kit.api import CONSUMER, OURS, Answer, Api

CONSENTS, HOLDS, BLOCKLIST = "/apps/api/v1/consents", "/apps/api/v1/consent_holds", "/apps/api/v1/blocklist"
OTHER = "+14155550101"


async def change(api: Api, status: str = "revoked", **more: Any) -> Answer:
    return await api.call("POST", CONSENTS, json={"number": CONSUMER, "status": status, **more})


async def reply(api: Api, body: str) -> None:
    carrier_id = await api.db.fetchval("select carrier_id from carriers where tenant_id = 1")
    part = InboundPart(carrier_id, CONSUMER, OURS, body, "gsm7", api.clock(), "session")
    await api.services.receive_reply(1, part)
    api.clock.forward(seconds=5)


async def send(api: Api) -> tuple[int, str | None]:
    answer = await api.send(end_user_number=CONSUMER, outbound_number=OURS)
    return answer.status, answer.json.get("message") if answer.status != 200 else None


OPTED_OUT = (400, "Consumer has opted out of SMS.")


async def test_a_revocation_by_api_is_obeyed_listed_and_kept(api: Api) -> None:
    answer = await change(api, words="called us on Monday")
    assert answer.status == 200
    assert answer.json["status"] == "revoked"
    assert answer.json["opt_outs"] == [
        {"number": CONSUMER, "scope": "all", "of": None, "since": "2026-03-02T17:20:51.123Z", "source": "api",
         "words": "called us on Monday"}
    ]  # fmt: skip
    assert await send(api) == OPTED_OUT
    listed = await api.call("GET", CONSENTS)
    assert (listed.headers["total"], listed.json) == ("1", answer.json["opt_outs"])
    granted = await change(api, "granted", words="signed form 7")
    assert (granted.json["status"], granted.json["opt_outs"]) == ("granted", [])
    assert [(one["status"], one["actor"], one["words"]) for one in granted.json["history"]] == [
        ("revoked", "main", "called us on Monday"), ("granted", "main", "signed form 7"),
    ]  # fmt: skip
    assert (await api.call("GET", f"{CONSENTS}/{CONSUMER}")).json == granted.json
    assert (await send(api))[0] == 200


async def test_an_agent_may_say_so(api: Api) -> None:
    answer = await change(api, agent_id=1)
    assert [(one["source"], one["actor"]) for one in answer.json["history"]] == [("agent", "agent 1")]
    assert (await change(api, agent_id=3)).json == {"message": "agent is not found"}


async def test_scopes(api: Api) -> None:
    await api.db.execute("update numbers set brand = 'care' where tenant_id = 1")
    await api.set()
    assert (await change(api, scope="brand", of="care")).json["opt_outs"][0]["of"] == "care"
    assert await send(api) == OPTED_OUT
    await api.db.execute("update numbers set brand = 'sales' where tenant_id = 1")
    assert (await send(api))[0] == 200
    one = await api.call("GET", f"{CONSENTS}?scope=brand&of=care&source=api&number={CONSUMER[1:]}")
    assert one.headers["total"] == "1"
    assert (await api.call("GET", f"{CONSENTS}?scope=all")).json == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"number": "12"}, "number: no phone number that may be texted"),
        ({"status": "granted"}, "words: say how consent was given, for whoever has to prove it"),
        ({"scope": "brand", "of": "nobody"}, "of: is no brand of this tenant"),
        ({"scope": "number", "of": "+16285550111"}, "of: is no number of this tenant"),
        ({"scope": "all", "of": "care"}, "of: must be left out for all"),
        ({"of": "care"}, "of: needs a scope, number or brand"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_one_sentence(api: Api, body: dict[str, str], says: str) -> None:
    answer = await change(api, **body)
    assert (answer.status, answer.json) == (400, {"message": says})
    assert await api.count("opt_outs") + await api.count("consent_history") == 0


async def test_lists_are_paged_and_of_one_tenant(api: Api) -> None:
    for last in range(3):
        await change(api, number=f"+1415555010{last}")
    page = await api.call("GET", f"{CONSENTS}?page=2&per=2")
    assert ([one["number"] for one in page.json], page.headers["total"]) == (["+14155550102"], "3")
    theirs = await api.call("GET", CONSENTS, auth=("other", "other-secret"))
    assert theirs.json == []
    about = await api.call("GET", f"{CONSENTS}/{CONSUMER}", auth=("other", "other-secret"))
    assert about.json == {"number": CONSUMER, "status": "granted", "opt_outs": [], "history": []}


FILE = '''number,scope,scope_of,at,source,words
+14155550100,all,,2026-01-02T03:04:05.000006Z,text,"Stop, please
and ""now"""
+14155550101,brand,care,2026-01-02T03:04:05Z,carrier,
+14155550101,number,+16285550199,2026-02-02T00:00:00Z,file,ça suffit
'''


async def test_a_file_goes_in_and_comes_out_as_it_was(api: Api) -> None:
    await api.send(end_user_number=CONSUMER)
    done = await api.call("POST", f"{CONSENTS}/import?name=old.csv", data=FILE.encode())
    assert (done.status, done.json) == (200, {"read": 3, "new": 2, "bad": []})
    exported = await api.call("GET", f"{CONSENTS}.csv")
    assert exported.body.decode() == FILE
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    (event,) = (await api.call("GET", f"{CONSENTS}/{CONSUMER}")).json["history"]
    assert (event["actor"], event["source"], event["at"]) == ("old.csv", "text", "2026-01-02T03:04:05.000Z")
    assert await api.db.fetchval("select count(*) from texts") == 0, "what was queued to them ended"
    again = await api.call("POST", f"{CONSENTS}/import", data=FILE.encode())
    assert again.json == {"read": 3, "new": 0, "bad": []}
    assert await api.count("consent_history") == 3


async def test_a_bad_line_keeps_the_whole_file_out_unless_it_is_left_out(api: Api) -> None:
    file = (
        "number,scope,scope_of,at\n+14155550100,,,\nnobody,,,\n+14155550101,brand,,\n"
        "+14155550102,all,,2999-01-01T00:00:00Z\n"
    )
    bad = [
        {"line": 3, "says": "number: no phone number that may be texted"},
        {"line": 4, "says": "scope_of: names the number or the brand, and is empty for all"},
        {"line": 5, "says": "at: is in the future"},
    ]
    refused = await api.call("POST", f"{CONSENTS}/import", data=file)
    assert refused.json == {"read": 1, "new": 0, "bad": bad}
    assert await api.count("opt_outs") == 0
    assert (await api.call("POST", f"{CONSENTS}/import?skip_bad=true", data=file)).json == {
        "read": 1, "new": 1, "bad": bad,
    }  # fmt: skip
    assert await api.count("opt_outs") == 1
    for body, says in ((b"\xff", "the file must be in UTF-8"), (b"phone\n1", "")):
        answer = await api.call("POST", f"{CONSENTS}/import", data=body)
        assert (answer.json.get("message") == says) if says else (answer.json["bad"][0]["line"] == 1)


async def test_an_export_of_many_is_whole(api: Api) -> None:
    await api.db.execute(
        "insert into opt_outs (tenant_id, number, at, source) "
        "select 1, '+1415' || lpad(n::text, 7, '0'), now(), 'file' from generate_series(1, 2500) n"
    )
    lines = (await api.call("GET", f"{CONSENTS}.csv")).body.decode().splitlines()
    assert len(lines) == 2501
    assert lines == [lines[0], *sorted(set(lines[1:]))]


async def test_a_doubtful_reply_is_listed_until_somebody_decides(api: Api) -> None:
    await send(api)
    await reply(api, "I think you have the wrong number")
    (hold,) = (await api.call("GET", HOLDS)).json
    assert (hold["end_user_number"], hold["outbound_number"], hold["decision"]) == (CONSUMER, OURS, None)
    assert hold["words"] == "I think you have the wrong number"
    decided = await api.call("POST", f"{HOLDS}/{hold['id']}", json={"decision": "allowed", "agent_id": 1})
    assert (decided.json["decision"], decided.json["decided_by"]) == ("allowed", "agent 1")
    assert (await api.call("GET", HOLDS)).json == []
    assert (await api.call("GET", f"{HOLDS}?decided=true")).json == [decided.json]
    twice = await api.call("POST", f"{HOLDS}/{hold['id']}", json={"decision": "revoked"})
    assert twice.status == 404


async def test_a_send_in_doubt_is_refused(api: Api) -> None:
    await api.set(when_active="append")
    await send(api)
    await reply(api, "not interested")
    refused = (400, "the consumer may have opted out: a person has to decide first")
    assert await send(api) == refused
    dry = await api.send(end_user_number=CONSUMER, outbound_number=OURS, params={"dry_run": "true"})
    assert dry.json["message"] == refused[1]
    hold_id = (await api.call("GET", HOLDS)).json[0]["id"]
    await api.call("POST", f"{HOLDS}/{hold_id}", json={"decision": "allowed"})
    assert (await send(api))[0] == 200


async def test_a_hold_that_was_a_revocation(api: Api) -> None:
    await api.send(end_user_number=CONSUMER)
    await reply(api, "who gave you my number?")
    (hold,) = (await api.call("GET", HOLDS)).json
    await api.call("POST", f"{HOLDS}/{hold['id']}", json={"decision": "revoked"})
    (event,) = (await api.call("GET", f"{CONSENTS}/{CONSUMER}")).json["history"]
    assert (event["source"], event["actor"], event["words"]) == ("api", "main", "who gave you my number?")
    assert event["reason"] == hold["reason"]
    async with api.services.db.connection() as conn:
        assert await consent.is_opted_out(conn, 1, CONSUMER, OURS)


async def test_what_carriers_say_too_often_waits(api: Api) -> None:
    carrier_id = await api.db.fetchval("select carrier_id from carriers where tenant_id = 1")
    await api.db.execute(
        "insert into carrier_opt_outs (tenant_id, message_id, carrier_id, number, source, code, at, state) "
        "values (1, 7, $1, $2, $3, '21610', $4, 'waiting')", carrier_id, CONSUMER, OURS, api.clock(),
    )  # fmt: skip
    listed = await api.call("GET", f"{CONSENTS}/waiting")
    assert (listed.headers["total"], listed.json[0]["carrier"], listed.json[0]["end_user_number"]) == (
        "1", "lab", CONSUMER,
    )  # fmt: skip
    released = await api.call("POST", f"{CONSENTS}/waiting", json={"carrier": "lab", "decision": "taken"})
    assert released.json == {"count": 1}
    assert await send(api) == OPTED_OUT


async def test_the_blocklist(api: Api) -> None:
    blocked = await api.call("POST", BLOCKLIST, json={"number": "(415) 555-0100", "note": "prank"})
    assert (blocked.status, blocked.json["number"], blocked.json["blocked_by"]) == (200, CONSUMER, "main")
    assert await send(api) == (400, "end_user_number is blocked")
    await reply(api, "hello?")
    assert await api.db.fetchval("select status from chats") == "failed"
    assert await api.count("texts") == 0
    listed = await api.call("GET", BLOCKLIST)
    assert (listed.headers["total"], listed.json) == ("1", [blocked.json])
    assert (await api.call("DELETE", f"{BLOCKLIST}/{CONSUMER}")).status == 204
    assert (await api.call("DELETE", f"{BLOCKLIST}/{CONSUMER}")).status == 404
    assert (await api.call("POST", BLOCKLIST, json={"number": "x"})).status == 400
    assert (await send(api))[0] == 200

"""The auditor's question, why was this text sent and what became of it; and the receipts that fit no text."""

from datetime import timedelta

from tests.api.posting import line, post, sent, set_up
from tests.kit.api import CONSUMER, OURS, Answer, Api

__all__ = ["line"]

SENT_AT = "2026-03-02T17:20:51.123Z"


async def trace(api: Api, message_id: int, **more: tuple[str, str]) -> Answer:
    return await api.call("GET", f"/apps/api/v1/texts/{message_id}", **more)


async def consent(api: Api, event_id: int, kind: str, words: str, hours: float) -> None:
    await api.db.execute(
        "insert into consent_history (tenant_id, number, at, event_id, kind, source, words) "
        "values (1, $1, $2, $3, $4, 'text', $5)",
        CONSUMER, api.clock.now + timedelta(hours=hours), event_id, kind, words,
    )  # fmt: skip


async def test_a_text_is_told_from_its_sender_to_its_end(api: Api, line: int) -> None:
    backup = await set_up(api, "backup", "posting", {"shared_secret": "another"})
    await consent(api, 1, "opted_out", "STOP", -3)
    await consent(api, 2, "opted_in", "START", -2)
    message_id = await sent(api, line, "one", parts=2)
    now = api.clock.now
    await api.db.execute("update parts set state = 'failed', code = 'settled: send_again'")
    await api.db.execute("insert into settlements values (1, $1, 1, $2, 'send_again', 'Doe')", message_id, now)
    await api.db.execute("insert into moves values (1, $1, $2, $3, $4, 'slow')", message_id, now, line, backup)
    await api.db.execute("update texts set attempt = 2, carrier_id = $1", backup)
    await api.db.execute("update messages set price = 0.0158, currency = 'USD', on_doubt = 'resend'")
    await api.db.execute("update texts set on_doubt = 'resend'")
    await api.db.execute(
        """
        insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, carrier_part_id, code,
                           claimed_at, state_at)
        select tenant_id, message_id, 2, part, chat_id, $1, 'sent', 'b' || part, null, claimed_at, state_at from parts
        """,
        backup,
    )
    api.clock.forward(seconds=2)
    reports = [["b1", "delivered", None], ["b2", "undelivered", "unreachable"]]
    await post(api, {"receipts": reports}, secret="another", door="/callbacks/acme/backup")
    api.clock.forward(hours=1)
    await consent(api, 3, "opted_out", "stop it", 0)

    answer = await trace(api, message_id)
    ended, chat_id = "2026-03-02T17:20:53.123Z", answer.json["chat_id"]
    assert answer.status == 200
    assert chat_id == await api.db.fetchval("select chat_id from chats")
    assert answer.json == {
        "message_id": message_id,
        "chat_id": chat_id,
        "status": "undelivered",
        "status_at": ended,
        "says": "Phone off or out of reach; 1 of 2 parts arrived",
        "remedy": "Send it again later",
        "reason": "unreachable",
        "carrier_code": "said undelivered",
        "sender": "api",
        "credential": "main",
        "agent": None,
        "outbound_number": OURS,
        "end_user_number": CONSUMER,
        "content": "x" * 300,
        "encoding": "gsm7",
        "segments": 2,
        "delivered_segments": 1,
        "created_at": SENT_AT,
        "valid_until": None,
        "on_doubt": "resend",
        "price": "0.015800",
        "currency": "USD",
        "attempts": [
            {"attempt": 1, "parts": [
                {"part": part, "carrier": "web", "status": "failed", "carrier_id": "one",
                 "carrier_code": "settled: send_again", "claimed_at": SENT_AT, "status_at": SENT_AT}
                for part in (1, 2)
            ]},
            {"attempt": 2, "parts": [
                {"part": part, "carrier": "backup", "status": status, "carrier_id": f"b{part}",
                 "carrier_code": f"said {status}", "claimed_at": SENT_AT, "status_at": ended}
                for part, status in ((1, "delivered"), (2, "undelivered"))
            ]},
        ],
        "moves": [{"at": SENT_AT, "from_carrier": "web", "to_carrier": "backup", "why": "slow"}],
        "settlements": [{"attempt": 1, "at": SENT_AT, "verdict": "send_again", "settled_by": "Doe"}],
        "consent": [
            {"at": "2026-03-02T14:20:51.123Z", "kind": "opted_out", "source": "text", "words": "STOP"},
            {"at": "2026-03-02T15:20:51.123Z", "kind": "opted_in", "source": "text", "words": "START"},
        ],
    }  # fmt: skip


async def test_a_text_in_flight_says_what_it_waits_for(api: Api) -> None:
    message_id = (await api.send(agentId=1)).json["message_id"]
    text = (await trace(api, message_id)).json
    assert (text["status"], text["says"], text["attempts"]) == ("queued", "Waits to be sent", [])
    assert (text["sender"], text["agent"], text["credential"]) == ("agent", "john.doe@foo.com", "main")
    assert (text["valid_until"], text["on_doubt"], text["price"]) == ("2026-03-03T17:20:51.123Z", "hold", None)


async def test_a_text_that_never_left_is_found_with_the_stop_that_ended_it(api: Api, line: int) -> None:
    message_id = (await api.send()).json["message_id"]
    api.clock.forward(minutes=1)
    await post(api, {"replies": [["r1", "Stop!"]]})
    text = (await trace(api, message_id)).json
    assert (text["status"], text["reason"], text["says"]) == ("failed", "opted_out", "They asked not to be texted")
    assert text["remedy"] == "Do not text this number until its owner sends START"
    assert [(event["kind"], event["words"]) for event in text["consent"]] == [("opted_out", "Stop!")]
    confirmation = await api.db.fetchval("select message_id from messages where sender = 'system'")
    text = (await trace(api, confirmation)).json
    assert (text["sender"], text["credential"], text["agent"]) == ("system", None, None)


async def test_a_carrier_that_is_gone_leaves_the_trace_whole(api: Api, line: int) -> None:
    message_id = await sent(api, line, "one")
    await api.db.execute("delete from carriers where carrier_id = $1", line)
    (attempt,) = (await trace(api, message_id)).json["attempts"]
    assert [part["carrier"] for part in attempt["parts"]] == ["(deleted)"]


async def test_what_is_no_text_of_the_tenant_is_not_found(api: Api, line: int) -> None:
    message_id = await sent(api, line, "one")
    await post(api, {"replies": [["r1", "hello"]]})
    theirs = await api.db.fetchval("select message_id from messages where sender = 'end_user'")
    for answer in (
        await trace(api, message_id, auth=("other", "other-secret")), await trace(api, theirs), await trace(api, 1),
    ):  # fmt: skip
        assert (answer.status, answer.json) == (404, {"message": "Not Found"})


async def test_receipts_that_fit_no_text_are_listed_in_pages(api: Api, line: int) -> None:
    for number in range(3):
        await post(api, {"receipts": [[f"unknown {number}", "failed", None]]})
        api.clock.forward(seconds=1)
    await post(api, ["what is this?"])
    first = await api.call("GET", "/apps/api/v1/texts/orphans?per=2")
    second = await api.call("GET", "/apps/api/v1/texts/orphans?per=2&page=2")
    assert (first.headers["total"], len(first.json), len(second.json)) == ("4", 2, 2)
    assert first.json[0]["status"] == "unreadable"
    assert first.json[0]["carrier_code"] == 'the body is no object:  ["what is this?"]'
    assert [one["carrier_id"] for one in (*first.json[1:], *second.json)] == ["unknown 2", "unknown 1", "unknown 0"]
    assert second.json[1] == {
        "carrier": "web", "carrier_id": "unknown 0", "status": "failed", "reason": None,
        "carrier_code": "said failed", "end_user_number": CONSUMER, "received_at": SENT_AT,
    }  # fmt: skip
    other = await api.call("GET", "/apps/api/v1/texts/orphans", auth=("other", "other-secret"))
    assert (other.json, other.headers["total"]) == ([], "0")

"""The generic carrier: gateways of several kinds, described as an operator would, and what must never be guessed."""

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from smsdesk.carriers.contract import (
    Absent,
    Accepted,
    CallbackRequest,
    Doubt,
    Doubtful,
    Forged,
    Found,
    Receipt,
    Refused,
    Reply,
    Unknown,
    Unreadable,
)
from smsdesk.carriers.generic_config import Config
from smsdesk.carriers.http_reading import basic
from smsdesk.carriers.http_template import pick, pick_word
from tests.carriers.http.kit import (
    CLOSE,
    NOW,
    OURS,
    PHONE,
    RESET,
    SECRET,
    Answer,
    Incoming,
    Outgoing,
    check_incoming,
    check_outgoing,
    line,
    outbound,
    settings,
    vendor_server,
)  # fmt: skip

ADDRESS = "https://desk.example.com/callbacks/acme/upstream"
JSON: dict[str, Any] = {
    "fields": {
        "messages": [{"to": "{destination}", "from": "{source_digits}", "text": "{body}", "flash": False}],
        "reference": "{text_id}-{attempt}", "report": "{callback_url}", "charset": "{encoding}",
    },
    "headers": {"X-Key": "{api_key}"},
    "api_key": "key-" + SECRET,
    "callback_url": ADDRESS,
    "answers": {
        "message_id": "messages.0.id",
        "refused": {"\"code\": ?21,": "opted_out", "^402 ": "carrier_error", "slow down": "queue_full"},
    },
}  # fmt: skip
FORM: dict[str, Any] = {
    "content_type": "form",
    "fields": {"to": "{destination}", "msg": "{body}", "key": "{api_token}"},
    "api_token": SECRET,
    "answers": {"message_id_pattern": r"\bID: (\w+)"},
}
QUERY: dict[str, Any] = {
    "method": "GET",
    "fields": {"to": "{destination_digits}", "text": "{body}"},
    "username": "desk",
    "user_password": SECRET,
    "answers": {"taken": "^200 OK\\b"},
}
SENT_JSON = {
    "messages": [{"to": PHONE, "from": OURS[1:], "text": "hello", "flash": False}],
    "reference": "7-1", "report": f"{ADDRESS}?text=7&attempt=1", "charset": "gsm7",
}  # fmt: skip
TAKEN = Answer(202, {"messages": [{"id": 42}]})

OUTGOING = [
    (JSON, Outgoing("json", outbound(), TAKEN, Accepted(("42",)), json=SENT_JSON,
                    headers={"X-Key": "key-" + SECRET, "Content-Type": "application/json"})),
    (JSON, Outgoing("two parts", outbound(body="x" * 161), TAKEN, Accepted(("42", "42")))),
    (JSON | {"method": "PUT"}, Outgoing("put", outbound(), TAKEN, Accepted(("42",)), method="PUT")),
    (FORM, Outgoing("form", outbound(body="{body} & Ж"), Answer(200, "OK ID: a1\n"), Accepted(("a1",)),
                    form={"to": PHONE, "msg": "{body} & Ж", "key": SECRET})),
    (QUERY, Outgoing("query", outbound(body="a b&c"), Answer(200, "OK queued"), Accepted(("7-1",)), method="GET",
                     query={"to": PHONE[1:], "text": "a b&c"}, headers={"Authorization": basic("desk", SECRET)})),
    (JSON, Outgoing("refused with a 200", outbound(), Answer(200, '{"code": 21, "messages": [{"id": 1}]}'),
                    Refused("opted_out", '"code": 21,'))),
    (JSON, Outgoing("no money", outbound(), Answer(402, "pay"), Refused("carrier_error", "402", 60.0))),
    (JSON, Outgoing("another no", outbound(), Answer(422, {}), Refused("unknown_error", "http 422"))),
    (JSON, Outgoing("no id", outbound(), Answer(200, {"messages": []}),
                    Doubtful("an answer that cannot be read: http 200"))),
    (QUERY, Outgoing("no yes", outbound(), Answer(200, "NOT OK"), Doubtful("an answer that cannot be read: http 200"),
                     method="GET")),
]  # fmt: skip


@pytest.mark.parametrize(("more", "case"), OUTGOING, ids=lambda given: getattr(given, "name", ""))
async def test_outgoing(more: dict[str, Any], case: Outgoing) -> None:
    await check_outgoing("generic", case, **more)


async def test_the_address_may_have_the_text_in_it() -> None:
    async with vendor_server(Answer(200, "OK")) as vendor:
        address = vendor.base_url + "/send/{destination}?t={body}"
        async with line("generic", address, **(QUERY | {"fields": {}})) as running:
            running.carrier.send([outbound(body="hello?a=b c")])
            assert await running.ledger.outcome_of(7) == Accepted(("7-1",))
        (asked,) = vendor.asked
        assert (asked.path, asked.query) == (f"/send/{PHONE}", (("t", "hello?a=b c"),))


@pytest.mark.parametrize("end", [RESET, CLOSE], ids=["reset", "closed"])
async def test_a_get_is_not_repeated_by_anybody(end: Answer) -> None:
    async with vendor_server(Answer(200, "OK"), end) as vendor, line("generic", vendor.base_url, **QUERY) as running:
        running.carrier.send([outbound(1)])
        assert await running.ledger.outcome_of(1) == Accepted(("1-1",))
        running.carrier.send([outbound(2)])
        assert isinstance(await running.ledger.outcome_of(2), Doubtful)
        assert len(vendor.asked) == 2


async def test_the_gateways_own_word_rests_the_line() -> None:
    async with (
        vendor_server(Answer(200, "please slow down")) as vendor,
        line("generic", vendor.base_url, **JSON) as running,
    ):
        running.carrier.send([outbound()])
        outcome = await running.ledger.outcome_of(7)
        assert isinstance(outcome, Refused)
        assert (outcome.reason, outcome.code, running.carrier.room()) == ("queue_full", "slow down", 0)
        assert outcome.retry_after


# Callbacks.

CALLBACKS: dict[str, Any] = {
    "report_id": "id", "report_status": "status", "report_code": "error", "report_number": "to",
    "statuses": {"DELIVRD": "delivered", "FAILED": "failed", "EXPIRED": "expired"},
    "codes": {"77": "landline", "EXPIRED": "unreachable"},
    "reply_id": "sms.id", "reply_from": "sms.from", "reply_to": "sms.to", "reply_body": "sms.text",
}  # fmt: skip
HMAC = {"kind": "hmac", "prefix": "v1=", "timestamp_header": "X-Time", "signed": "{timestamp}.{body}"}
STAMP = str(int(NOW.timestamp()))


def config(proof: dict[str, Any] | None = None, **callbacks: Any) -> Config:
    given = {"proof": proof or HMAC, **CALLBACKS, **callbacks}
    secrets = {
        f"{when}callback_{kind}": word + kind
        for when, word in (("", "new-"), ("previous_", "old-"))
        for kind in ("secret", "password", "token")
    }
    made: Config = settings("generic", **(JSON | secrets), callbacks=given)
    return made


def posted(
    event: Any, secret: str = "new-secret", stamp: str = STAMP, query: str = "text=7&attempt=1"
) -> CallbackRequest:
    body = msgspec.json.encode(event)
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-signature": "v1=" + digest, "x-time": stamp}
    return CallbackRequest("POST", "", query, headers, body)


def receipt(state: str, reason: str | None, code: str, name: str = "42") -> Receipt:
    return Receipt(name, state, reason, code, PHONE, 7, whole=True)


def report(status: str, **more: Any) -> dict[str, Any]:
    return {"id": 42, "status": status, "to": PHONE[1:], **more}


SMS = {"sms": {"id": "in1", "from": PHONE[1:], "to": OURS, "text": "hi €"}}
REPLY = Reply(PHONE, OURS, "hi €", "in1", "http")

INCOMING = [
    Incoming("delivered", posted(report("DELIVRD")), (receipt("delivered", None, "DELIVRD"),)),
    Incoming("failed", posted(report("FAILED", error=77)), (receipt("failed", "landline", "FAILED 77"),)),
    Incoming("failed somehow", posted(report("FAILED")), (receipt("failed", "unknown_error", "FAILED"),)),
    Incoming("expired", posted(report("EXPIRED")), (receipt("expired", "unreachable", "EXPIRED"),)),
    Incoming("a word of tomorrow", posted(report("BEAMED")), (receipt("sent", None, "BEAMED"),)),
    Incoming("no id, but our address", posted({"status": "DELIVRD", "to": PHONE}),
             (receipt("delivered", None, "DELIVRD", "7-1"),)),
    Incoming("several", posted([report("DELIVRD"), SMS]), (receipt("delivered", None, "DELIVRD"), REPLY)),
    Incoming("a text", posted(SMS), (REPLY,)),
    Incoming("the old secret", posted(SMS, "old-secret"), (REPLY,)),
    Incoming("another secret", posted(SMS, "guess"), Forged),
    Incoming("an empty secret", posted(SMS, ""), Forged),
    Incoming("too old", posted(SMS, stamp=str(int(STAMP) - 301)), Forged),
    Incoming("nearly too old", posted(SMS, stamp=str(int(STAMP) - 300)), (REPLY,)),
    Incoming("of the future", posted(SMS, stamp=str(int(STAMP) + 301)), Forged),
    Incoming("a new time on an old signature",
             replace(posted(SMS), headers=posted(SMS).headers | {"x-time": str(int(STAMP) + 1)}), Forged),
    Incoming("no time", replace(posted(SMS), headers={"x-signature": "v1=1"}), Forged),
    Incoming("another body", replace(posted(SMS), body=b"{}"), Forged),
    Incoming("signed, and no JSON", posted(msgspec.Raw(b"{")), Unreadable),
    Incoming("signed, and empty", posted({}), Unreadable),
    Incoming("a status of nothing", posted({"status": "DELIVRD"}, query=""), Unreadable),
]  # fmt: skip


@pytest.mark.parametrize("case", INCOMING, ids=lambda case: case.name)
def test_incoming(case: Incoming) -> None:
    check_incoming("generic", config(), case)


def test_events_may_lie_deeper() -> None:
    case = Incoming("", posted({"results": {"list": [report("DELIVRD")]}}), (receipt("delivered", None, "DELIVRD"),))
    said = check_incoming("generic", config(events="results.list", answer_status=202, answer_body="OK"), case)
    assert said is not None
    assert (said.status, said.body) == (202, b"OK")


def test_a_plain_signature_is_over_the_body_alone() -> None:
    body = msgspec.json.encode(SMS)
    digest = base64.b64encode(hmac.new(b"new-secret", body, hashlib.sha256).digest()).decode()
    headers = {"content-type": "application/json", "x-hub": digest}
    given = config({"header": "X-Hub", "encoding": "base64"})
    check_incoming("generic", given, Incoming("", CallbackRequest("POST", "", "", headers, body), (REPLY,)))
    check_incoming("generic", given, Incoming("", CallbackRequest("POST", "", "", headers, body + b" "), Forged))


@pytest.mark.parametrize(
    ("proof", "authorization", "facts"),
    [
        ({"kind": "basic", "user": "gw"}, basic("gw", "new-password"), (REPLY,)),
        ({"kind": "basic", "user": "gw"}, basic("gw", "old-password"), (REPLY,)),
        ({"kind": "basic", "user": "gw"}, basic("gw", "guess"), Forged),
        ({"kind": "basic", "user": "gw"}, "", Forged),
        ({"kind": "bearer"}, "Bearer new-token", (REPLY,)),
        ({"kind": "bearer"}, "Bearer old-token", (REPLY,)),
        ({"kind": "bearer"}, "Bearer guess", Forged),
        ({"kind": "bearer"}, "Bearer ", Forged),
        ({"kind": "bearer"}, "", Forged),
    ],
)  # fmt: skip
def test_other_proofs(proof: dict[str, Any], authorization: str, facts: Any) -> None:
    form = {"id": "in1", "from": PHONE, "to": OURS, "text": "hi €"}
    given = config(proof, reply_id="id", reply_from="from", reply_to="to", reply_body="text")
    headers = {"content-type": "application/x-www-form-urlencoded", "authorization": authorization}
    case = Incoming("", CallbackRequest("POST", "", "", headers, urlencode(form).encode()), facts)
    check_incoming("generic", given, case)
    query = CallbackRequest("GET", "", urlencode(form), {"authorization": authorization}, b"")
    check_incoming("generic", given, replace(case, request=query))


@pytest.mark.parametrize("proof", [HMAC, {"kind": "basic"}, {"kind": "bearer"}], ids=lambda proof: proof["kind"])
def test_without_a_secret_nothing_is_believed(proof: dict[str, Any]) -> None:
    given = settings("generic", **JSON, callbacks={"proof": proof, **CALLBACKS})
    for authorization in ("", "Bearer ", basic("", "")):
        request = posted(SMS, "")
        request = replace(request, headers={**request.headers, "authorization": authorization})
        check_incoming("generic", given, Incoming("", request, Forged))


# Look-ups.

SEARCH = {"url": "{address}", "message_id": "id", "status": "state", "absent": "^404 .*no such message"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(200, {"id": "m1", "state": "DELIVRD"}), Found(("m1",), (receipt("delivered", None, "DELIVRD", "m1"),))),
        (Answer(200, {"id": "m1"}), Found(("m1",))),
        (Answer(404, '{"error": "no such message"}'), Absent("the gateway has no such message")),
        (Answer(404, "<html>wrong address</html>"), Unknown("an answer that cannot be read")),
        (Answer(404, {"id": "m1"}), Unknown("the answer names no message")),
        (Answer(200, {}), Unknown("the answer names no message")),
        (Answer(500, ""), Unknown("an answer that cannot be read")),
    ],
)  # fmt: skip
async def test_look_up(answer: Answer, told: Any) -> None:
    async with vendor_server(answer) as vendor:
        search = SEARCH | {"url": vendor.base_url + "/messages?ref={text_id}-{attempt}"}
        given = JSON | {"search": search, "callbacks": CALLBACKS}
        async with line("generic", vendor.base_url, **given) as running:
            assert await running.carrier.look_up(Doubt(outbound(), (None,), NOW)) == told
        (asked,) = vendor.asked
        assert (asked.method, asked.path, asked.query) == ("GET", "/messages", (("ref", "7-1"),))
        assert asked.headers["x-key"] == "key-" + SECRET


# What is wrong is said when the set-up is applied.


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"fields": {"a": ["{nobody}"]}}, "there is no {nobody}"),
        ({"headers": {"X": "{body}"}}, "there is no {body}"),
        ({"answers": {}}, "say how a yes is known"),
        ({"answers": {"message_id_pattern": "id"}}, "needs a group"),
        ({"answers": {"taken": "("}}, "cannot be read"),
        ({"answers": {"taken": "1", "refused": {"a": "because"}}}, 'there is no reason "because"'),
        ({"callbacks": {"codes": {"a": "because"}}}, 'there is no reason "because"'),
        ({"callbacks": {"proof": {"signed": "{time}{body}"}}}, "there is no {time}"),
        ({"callbacks": {"statuses": {"A": "gone"}}}, "Invalid enum value"),
        ({"base_url": "ftp://example.com"}, "matching regex"),
    ],
)
def test_a_description_that_cannot_work(more: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        settings("generic", **(JSON | more))


def test_paths() -> None:
    data = {"a": [{"b": 1, "c": True, "d": None}], "e.f": 2}
    assert pick(data, "") is data
    assert (pick(data, "a.0.b"), pick(data, "a.1.b"), pick(data, "a.x"), pick(3, "a")) == (1, None, None, None)
    assert (pick_word(data, "a.0.b"), pick_word(data, "a.0.c"), pick_word(data, "a.0.d")) == ("1", "true", "")
    assert (pick_word(data, "a"), pick_word(data, "")) == ("", "")

"""Telnyx's Messaging API: its requests, answers, webhooks, detail records, and the proof that a webhook is Telnyx's."""

import base64
import importlib.util
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import distribution
from types import ModuleType
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from smsdesk.carriers.contract import (
    Accepted,
    CallbackRequest,
    Doubt,
    Forged,
    Found,
    LookUp,
    Outcome,
    Receipt,
    Refused,
    Reply,
    Unknown,
    Unreadable,
)
from smsdesk.carriers.http import HttpAnswer
from smsdesk.carriers.telnyx import Telnyx
from smsdesk.domain.media import MediaSource
from smsdesk.domain.outcome import REASONS
from tests.carriers.error_tables import error_table
from tests.carriers.http.kit import (
    NOW,
    OURS,
    PHONE,
    Answer,
    Incoming,
    Outgoing,
    check_incoming,
    check_outgoing,
    line,
    outbound,
    settings,
    vendor_server,
)
from tests.carriers.payloads import payload

ADDRESS = "https://desk.example.com/callbacks/acme/telnyx"
KEY, OLD_KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
MESSAGE_ID = "40385f64-5717-4562-b3fc-2c963f66afa6"
ACCEPTED, STOPPED, RECORDS = (payload("telnyx", name) for name in ("accepted", "refused", "detail_records"))
FINALIZED, RECEIVED = payload("telnyx", "finalized"), payload("telnyx", "received")
OCTETS = json.dumps(FINALIZED).encode()
TEXT = outbound(text_id=65543)


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


KEYS = {"public_key": public(KEY), "previous_public_key": public(OLD_KEY)}
CONFIG = settings("telnyx", callback_url=ADDRESS, **KEYS)


def posted(
    said: Any, key: Ed25519PrivateKey = KEY, at: datetime = NOW, query: str = "text=65543&attempt=1", **headers: str
) -> CallbackRequest:
    """A webhook as Telnyx signs it: Ed25519 over `timestamp|body`."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    seconds = str(int(at.timestamp()))
    signature = base64.b64encode(key.sign(f"{seconds}|".encode() + body)).decode()
    proof = {"telnyx-timestamp": seconds, "telnyx-signature-ed25519": signature, "content-type": "application/json"}
    return CallbackRequest("POST", "", query, proof | headers, body)


def changed(webhook: Any, **fields: Any) -> Any:
    """The same webhook with other fields in its payload."""
    data = webhook["data"]
    return webhook | {"data": data | {"payload": data["payload"] | fields}}


def finalized(status: str, *codes: str, title: str = "why", kind: str = "message.finalized") -> Any:
    errors = [{"code": code, "title": title, "detail": title} for code in codes]
    said = changed(FINALIZED, to=[FINALIZED["data"]["payload"]["to"][0] | {"status": status}], errors=errors)
    return said | {"data": said["data"] | {"event_type": kind}}


def receipt(**changes: Any) -> Receipt:
    return replace(Receipt(MESSAGE_ID, "delivered", None, "delivered", PHONE, 7, whole=True), **changes)


REPLY = Reply(PHONE, OURS, "Yes", "84cca175-9755-4859-b67f-4730d7f58aa3", "http")
REQUEST = {
    "from": OURS,
    "to": PHONE,
    "text": "hello",
    "type": "SMS",
    "encoding": "gsm7",
    "webhook_url": f"{ADDRESS}?text=7&attempt=1",
}
HEADERS = {"authorization": "Bearer hush-hush", "content-type": "application/json"}
ONE = Accepted((MESSAGE_ID,))

OUTGOING = [
    Outgoing("a text", outbound(), Answer(200, ACCEPTED), ONE, path="/v2/messages", headers=HEADERS, json=REQUEST),
    Outgoing("characters beyond GSM-7", outbound(body="héllo ☎"), Answer(200, ACCEPTED), ONE,
             json=REQUEST | {"text": "héllo ☎", "encoding": "ucs2"}),
    Outgoing("two parts, one name", outbound(body="long " * 40), Answer(200, ACCEPTED), Accepted((MESSAGE_ID,) * 2),
             json=REQUEST | {"text": "long " * 40}),
    Outgoing("somebody who sent STOP", outbound(), Answer(403, STOPPED), Refused("opted_out", "40300"), json=REQUEST),
]  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in OUTGOING])
async def test_outgoing(case: Outgoing) -> None:
    await check_outgoing("telnyx", case, callback_url=ADDRESS)


def test_what_is_not_set_is_not_said() -> None:
    request = Telnyx(settings("telnyx")).request(outbound(), NOW)
    assert json.loads(request.body) == {name: REQUEST[name] for name in REQUEST if name != "webhook_url"}
    pooled = Telnyx(settings("telnyx", messaging_profile_id="4000eba1")).request(outbound(), NOW)
    assert json.loads(pooled.body)["messaging_profile_id"] == "4000eba1"


async def test_a_stop_is_one_texts_and_no_fault_of_the_line() -> None:
    """It comes with HTTP 403, as wrong credentials may."""
    async with vendor_server(Answer(403, STOPPED)) as vendor, line("telnyx", vendor.base_url) as running:
        running.carrier.send([outbound()])
        await running.ledger.outcome_of(7)
        assert running.carrier.up()
        assert running.carrier.room() == 20


def refused(code: str | int, status: int = 422, **more: Any) -> HttpAnswer:
    return HttpAnswer(status, {}, json.dumps({"errors": [{"code": code, "title": "why"} | more]}).encode())


ANSWERS: list[tuple[HttpAnswer, Outcome]] = [
    (refused("10002", source={"pointer": "/to"}), Refused("unknown_number", "10002")),
    (refused("10002", source={"pointer": "/from"}), Refused("bad_sender", "10002")),
    (refused("10002"), Refused("unknown_number", "10002")),
    (refused("10015", 400), Refused("unknown_error", "10015")),
    (refused("10009", 401), Refused("carrier_error", "10009", 60.0)),
    (refused("20100", 403), Refused("carrier_error", "20100", 60.0)),
    (refused("10011", 429), Refused("queue_full", "10011")),
    (refused("10039"), Refused("unregistered", "10039")),
    (refused("40300", 400, title="Blocked due to STOP message"), Refused("opted_out", "40300")),
    (refused("40300", 400, title="Blocked"), Refused("blocked", "40300")),
    (refused("40302"), Refused("too_long", "40302")),
    (refused("40305"), Refused("bad_sender", "40305")),
    (refused("40310"), Refused("unknown_number", "40310")),
    (refused("40318"), Refused("queue_full", "40318", 60.0)),
    (refused("40322"), Refused("filtered", "40322")),
    (refused("40329"), Refused("unregistered", "40329")),
    (refused(40310), Refused("unknown_number", "40310")),
    (refused("new-one"), Refused("unknown_error", "new-one")),
]


@pytest.mark.parametrize(("answer", "outcome"), ANSWERS)
def test_every_refusal(answer: HttpAnswer, outcome: Outcome) -> None:
    assert Telnyx(CONFIG).outcome(outbound(), answer) == outcome


def test_of_several_errors_the_one_that_says_something_counts() -> None:
    errors = [{"code": "10015", "title": "Bad Request"}, {"code": "40310", "title": "Invalid 'to' address"}]
    answer = HttpAnswer(422, {}, json.dumps({"errors": errors}).encode())
    assert Telnyx(CONFIG).outcome(outbound(), answer) == Refused("unknown_number", "40310")


@pytest.mark.parametrize(
    "answer",
    [
        refused("10007", 500),
        HttpAnswer(422, {}, b'{"errors": []}'),
        HttpAnswer(200, {}, b'{"data": {}}'),
        HttpAnswer(200, {}, b"<html>"),
    ],
)
def test_an_answer_that_says_nothing_of_the_text_is_left_to_its_status(answer: HttpAnswer) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Telnyx(CONFIG).outcome(outbound(), answer)


LIES = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}
PICTURE = "https://media.example.com/1.png"
INCOMING = [
    Incoming("delivered", posted(FINALIZED), (receipt(),)),
    Incoming("a text", posted(RECEIVED, query=""), (REPLY,)),
    Incoming("characters beyond GSM-7", posted(changed(RECEIVED, text="да")), (
        replace(REPLY, body="да", encoding="ucs2"),)),
    Incoming("a picture", posted(changed(RECEIVED, type="MMS", text="", media=[{"url": PICTURE, "size": 9}])),
             (replace(REPLY, body="", media=(MediaSource(PICTURE, "1.png"),)),)),
    Incoming("a picture with words", posted(changed(RECEIVED, type="MMS", media=[{"url": PICTURE}, {"url": None}])),
             (replace(REPLY, media=(MediaSource(PICTURE, "1.png"),)),)),
    Incoming("to several numbers", posted(changed(RECEIVED, to=[
        {"phone_number": "+14155550101", "status": ""}, {"phone_number": OURS, "status": "webhook_delivered"}])),
             (REPLY,)),
    Incoming("an event about something else", posted({"data": {"event_type": "call.initiated", "payload": {"id": 7}}}),
             ()),
    Incoming("the address of another product", posted(changed(FINALIZED, webhook_url="https://x.example/?text=9")),
             (receipt(reference=None),)),
    Incoming("an address that nobody signed", posted(FINALIZED, query="text=9&attempt=1"), (receipt(),)),
    Incoming("the old key", posted(FINALIZED, OLD_KEY), (receipt(),)),
    Incoming("another key", posted(FINALIZED, OTHER_KEY), Forged),
    Incoming("another body", replace(posted(FINALIZED), body=OCTETS + b" "), Forged),
    Incoming("another time", posted(FINALIZED, **{"telnyx-timestamp": str(int(NOW.timestamp()) - 1)}), Forged),
    Incoming("no time", posted(FINALIZED, **{"telnyx-timestamp": ""}), Forged),
    Incoming("no signature", CallbackRequest("POST", "", "", {}, OCTETS), Forged),
    Incoming("no base64", posted(FINALIZED, **{"telnyx-signature-ed25519": "*"}), Forged),
    Incoming("half a signature", posted(FINALIZED, **{"telnyx-signature-ed25519": "AAAA"}), Forged),
    Incoming("proxies that lie", posted(FINALIZED, **LIES), (receipt(),)),
    Incoming("no phone", posted(changed(FINALIZED, to=[])), Unreadable),
    Incoming("nobody", posted(changed(RECEIVED, **{"from": None})), Unreadable),
    Incoming("no JSON", posted(b"event=1"), Unreadable),
    Incoming("no event", posted({"data": {}}), Unreadable),
]  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in INCOMING])
def test_incoming(case: Incoming) -> None:
    callback = check_incoming("telnyx", CONFIG, case)
    assert callback is None or callback.status in (200, 204)


@pytest.mark.parametrize(("age", "believed"), [(0, True), (299, True), (301, False), (-299, True), (-301, False)])
def test_a_signature_is_good_for_five_minutes(age: int, believed: bool) -> None:
    request = posted(FINALIZED, at=NOW - timedelta(seconds=age))
    check_incoming("telnyx", CONFIG, Incoming("", request, (receipt(),) if believed else Forged))


def test_without_a_key_nothing_is_believed() -> None:
    check_incoming("telnyx", settings("telnyx", callback_url=ADDRESS), Incoming("", posted(FINALIZED), Forged))


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("key", ["KEY0123456789", base64.b64encode(b"short").decode()])
def test_a_key_that_is_none_is_a_setting_that_cannot_work(name: str, key: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is no Ed25519 key") as told:
        Telnyx(settings("telnyx", **{name: key}))
    assert key not in str(told.value)


STATUSES = [
    (finalized("queued", kind="message.sent"), "sent", None, "queued"),
    (finalized("sent", kind="message.sent"), "sent", None, "sent"),
    (finalized("delivery_unconfirmed"), "sent", None, "delivery_unconfirmed"),
    (finalized("held_by_customs"), "sent", None, "held_by_customs"),
    (finalized("expired"), "expired", "unreachable", "expired"),
    (finalized("sending_failed"), "failed", "unknown_error", "sending_failed"),
    (finalized("sending_failed", "40014"), "failed", "expired_here", "sending_failed 40014"),
    (finalized("sending_failed", "40010"), "failed", "unregistered", "sending_failed 40010"),
    (finalized("delivery_failed", "40001"), "undelivered", "landline", "delivery_failed 40001"),
    (finalized("delivery_failed", "40002"), "undelivered", "filtered", "delivery_failed 40002"),
    (finalized("delivery_failed", "40004"), "undelivered", "blocked", "delivery_failed 40004"),
    (finalized("delivery_failed", "40006"), "undelivered", "unreachable", "delivery_failed 40006"),
    (finalized("delivery_failed", "40012"), "undelivered", "unknown_number", "delivery_failed 40012"),
    (finalized("delivery_failed", "40013"), "undelivered", "bad_sender", "delivery_failed 40013"),
    (finalized("delivery_failed", "49999", "40008"), "undelivered", "unreachable", "delivery_failed 40008"),
    (finalized("delivery_failed", "49999"), "undelivered", "unknown_error", "delivery_failed 49999"),
    (finalized("delivery_failed", "40300", title="Blocked due to STOP message"), "undelivered", "opted_out",
     "delivery_failed 40300"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "state", "reason", "code"), STATUSES)
def test_every_status_of_a_webhook(said: Any, state: str, reason: str | None, code: str) -> None:
    assert reason is None or reason in REASONS
    wanted = receipt(state=state, reason=reason, code=code)
    check_incoming("telnyx", CONFIG, Incoming("", posted(said), (wanted,)))


def test_the_reference_of_a_receipt_is_that_of_the_text() -> None:
    request = Telnyx(CONFIG).request(outbound(text_id=123_456_789_012), NOW)
    told = changed(FINALIZED, webhook_url=json.loads(request.body)["webhook_url"])
    check_incoming("telnyx", CONFIG, Incoming("", posted(told), (receipt(reference=123_456_789_012 & 0xFFFF),)))


def test_the_page_tells_each_code_that_says_something() -> None:
    meant = {}
    for code in map(str, (*range(10_000, 10_100), *range(20_000, 20_200), *range(40_000, 40_400))):
        outcome = Telnyx(CONFIG).outcome(outbound(), refused(code, title="Blocked due to STOP message"))
        assert isinstance(outcome, Refused)
        if outcome.reason != "unknown_error":
            meant[code] = outcome.reason
    told = error_table("telnyx", r"\d{5}")
    # These are in two rows each: which one counts is in the words or the pointer of the error.
    either = {"40300", "10001", "10002", "10016"}
    assert {code: told[code] for code in told if code not in either} == {
        code: meant[code] for code in meant if code not in either
    }
    assert either <= told.keys() & meant.keys()


# Look-ups.

LOST = Doubt(TEXT, (None,), NOW)


async def look_up(doubt: Doubt, answer: Answer, **more: Any) -> tuple[LookUp, dict[str, str], str]:
    async with vendor_server(answer) as vendor, line("telnyx", vendor.base_url, **more) as running:
        found = await running.carrier.look_up(doubt)
        asked = vendor.asked[0] if vendor.asked else None
        return found, dict(asked.query) if asked else {}, f"{asked.method} {asked.path}" if asked else ""


async def test_a_record_is_known_by_the_address_that_it_was_sent_with() -> None:
    found, query, asked = await look_up(LOST, Answer(200, RECORDS), callback_url=ADDRESS)
    failed = receipt(state="undelivered", reason="unreachable", code="failed 40006")
    assert found == Found((MESSAGE_ID,), (failed,))
    assert asked == "GET /v2/detail_records"
    assert query == {
        "filter[record_type]": "messaging",
        "filter[direction]": "outbound",
        "filter[cli]": OURS,
        "filter[cld]": PHONE,
        "filter[created_at][gte]": "2026-11-22T11:55:00+00:00",
        "filter[created_at][lt]": "2026-11-22T12:05:00+00:00",
    }


@pytest.mark.parametrize(
    ("doubt", "answer"),
    [
        (LOST, Answer(200, {"data": []})),
        (replace(LOST, text=replace(TEXT, attempt=2)), Answer(200, RECORDS)),
        (replace(LOST, text=replace(TEXT, text_id=7)), Answer(200, RECORDS)),
        (LOST, Answer(404, {"errors": [{"code": "10005", "title": "Resource not found"}]})),
        (LOST, Answer(500, "")),
        (LOST, Answer(200, "<html>")),
        (replace(LOST, part_ids=(MESSAGE_ID,)), Answer(404, {"errors": []})),
    ],
)
async def test_all_else_is_unknown_for_records_are_written_late(doubt: Doubt, answer: Answer) -> None:
    found, _, _ = await look_up(doubt, answer, callback_url=ADDRESS)
    assert isinstance(found, Unknown)


async def test_without_an_address_there_is_nothing_to_know_a_record_by() -> None:
    found, _, asked = await look_up(LOST, Answer(200, RECORDS))
    assert (type(found), asked) == (Unknown, "")


async def test_a_message_whose_id_is_known_is_asked_for() -> None:
    doubt = replace(LOST, text=outbound(text_id=65543, body="long " * 40), part_ids=(MESSAGE_ID, None))
    message = {"data": changed(FINALIZED)["data"]["payload"]}
    found, _, asked = await look_up(doubt, Answer(200, message))
    assert asked == f"GET /v2/messages/{MESSAGE_ID}"
    assert found == Found((MESSAGE_ID, MESSAGE_ID), (receipt(),))


# Telnyx's own library. It verifies with PyNaCl, which is not here: `cryptography` lends it Ed25519 (RFC 8032).


class VerifyKey:
    def __init__(self, octets: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(octets)

    def verify(self, message: bytes, signature: bytes) -> None:
        self._key.verify(signature, message)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file of the vendor's library that verifies webhooks; the whole of it takes seconds to load."""
    signing, exceptions = ModuleType("nacl.signing"), ModuleType("nacl.exceptions")
    vars(signing)["VerifyKey"], vars(exceptions)["BadSignatureError"] = VerifyKey, InvalidSignature
    for name, module in {"nacl": ModuleType("nacl"), "nacl.signing": signing, "nacl.exceptions": exceptions}.items():
        monkeypatch.setitem(sys.modules, name, module)
    file = str(distribution("telnyx").locate_file("telnyx/lib/webhook_verification.py"))
    spec = importlib.util.spec_from_file_location("telnyx_webhook_verification", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "age", "key", "headers", "tail"),
    [
        ("right", 0, KEY, {}, b""),
        ("old", 3600, KEY, {}, b""),
        ("early", -3600, KEY, {}, b""),
        ("another key", 0, OTHER_KEY, {}, b""),
        ("another body", 0, KEY, {}, b" "),
        ("no signature", 0, KEY, {"telnyx-signature-ed25519": ""}, b""),
        ("half a signature", 0, KEY, {"telnyx-signature-ed25519": "AAAA"}, b""),
        ("no time", 0, KEY, {"telnyx-timestamp": ""}, b""),
        ("no number", 0, KEY, {"telnyx-timestamp": "noon"}, b""),
    ],
)
def test_a_webhook_is_judged_as_telnyxs_own_library_judges_it(
    library: ModuleType, name: str, age: int, key: Ed25519PrivateKey, headers: dict[str, str], tail: bytes
) -> None:
    now = datetime.now(UTC)
    request = posted(FINALIZED, key, now - timedelta(seconds=age), **headers)
    request = replace(request, body=request.body + tail)
    theirs = ours = True
    try:
        library.verify_webhook_signature(request.body, request.headers, public(KEY))
    except library.WebhookVerificationError:
        theirs = False
    try:
        Telnyx(CONFIG).callback(request, now)
    except Forged:
        ours = False
    assert (theirs, ours) == (name == "right", name == "right")

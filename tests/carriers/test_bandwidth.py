"""Bandwidth's messaging API: its requests, answers, lists of events, their password, and its search."""

import json
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from smsdesk.carriers.bandwidth import LONGEST, Bandwidth
from smsdesk.carriers.contract import (
    Absent,
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
from smsdesk.carriers.http_reading import basic
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

APPLICATION = "93de2206-9669-4e07-948d-329f4b722ee2"
ACCOUNT = {"account_id": "5500123", "application_id": APPLICATION, "api_token": "token"}
CALLBACKS = {"callback_user": "bandwidth", "callback_password": "new", "previous_callback_password": "old"}
CONFIG = settings("bandwidth", **ACCOUNT, **CALLBACKS)
MESSAGE_ID = "14762070468292kw2fuqty55yp2b2"
ACCEPTED, REFUSED, SEARCH = (payload("bandwidth", name) for name in ("accepted", "refused", "search"))
DELIVERED, RECEIVED = payload("bandwidth", "delivered"), payload("bandwidth", "received")
ONE = Accepted((MESSAGE_ID,))


def posted(said: Any, authorization: str = basic("bandwidth", "new"), **headers: str) -> CallbackRequest:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    proof = {"authorization": authorization, "content-type": "application/json; charset=utf-8"}
    return CallbackRequest("POST", "", "", proof | headers, body)


def event(sample: Any, message: Any = None, **fields: Any) -> Any:
    """The sample's event with other fields, in a list of its own."""
    return [sample[0] | fields | {"message": sample[0]["message"] | (message or {})}]


def receipt(**changes: Any) -> Receipt:
    return replace(Receipt(MESSAGE_ID, "delivered", None, "message-delivered", PHONE, 7, whole=True), **changes)


REPLY = Reply(PHONE, OURS, "Yes", "6a8e6bb0-2e48-4f9c-8b0e-16d4bdb0d1f2", "http")
PATH = "/api/v2/users/5500123/messages"
REQUEST = {
    "applicationId": APPLICATION,
    "from": OURS,
    "to": [PHONE],
    "text": "hello",
    "tag": "smsdesk-7-1",
    "expiration": "2030-01-01T00:00:00Z",
}
HEADERS = {"authorization": basic("token", "hush-hush"), "content-type": "application/json; charset=utf-8"}

OUTGOING = [
    Outgoing("a text", outbound(), Answer(202, ACCEPTED), ONE, path=PATH, headers=HEADERS, json=REQUEST),
    Outgoing("characters beyond GSM-7", outbound(body="héllo ☎"), Answer(202, ACCEPTED), ONE,
             json=REQUEST | {"text": "héllo ☎"}),
    Outgoing("two parts, one name", outbound(body="long " * 40), Answer(202, ACCEPTED), Accepted((MESSAGE_ID,) * 2),
             json=REQUEST | {"text": "long " * 40}),
    Outgoing("a sender that is none", outbound(), Answer(400, REFUSED), Refused("bad_sender", "request-validation")),
]  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in OUTGOING])
async def test_outgoing(case: Outgoing) -> None:
    await check_outgoing("bandwidth", case, **ACCOUNT)


async def test_a_text_that_is_too_long_for_bandwidth_does_not_leave() -> None:
    async with vendor_server(Answer(202, ACCEPTED)) as vendor, line("bandwidth", vendor.base_url) as running:
        running.carrier.send([outbound(1, "a" * (LONGEST + 1)), outbound(2, "a" * LONGEST)])
        outcome = await running.ledger.outcome_of(1)
        assert isinstance(outcome, Refused)
        assert (outcome.reason, outcome.retry_after) == ("too_long", None)
        assert isinstance(await running.ledger.outcome_of(2), Accepted)
        assert len(vendor.asked) == 1


def said(status: int, kind: str, *fields: str) -> HttpAnswer:
    wrong = [{"fieldName": name, "description": "why"} for name in fields]
    error = {"type": kind, "description": "why"} | ({"fieldErrors": wrong} if wrong else {})
    return HttpAnswer(status, {}, json.dumps(error).encode())


ANSWERS: list[tuple[HttpAnswer, Outcome]] = [
    (said(400, "request-validation"), Refused("unknown_error", "request-validation")),
    (said(400, "request-validation", "to"), Refused("unknown_number", "request-validation")),
    (said(400, "request-validation", "applicationId", "from"), Refused("bad_sender", "request-validation")),
    (said(400, "request-validation", "text"), Refused("too_long", "request-validation")),
    (said(401, "unauthorized"), Refused("carrier_error", "unauthorized", 60.0)),
    (said(403, "forbidden"), Refused("carrier_error", "forbidden", 60.0)),
    (said(415, "unsupported-content-type"), Refused("unknown_error", "unsupported-content-type")),
    (said(429, "too-many-requests"), Refused("queue_full", "too-many-requests")),
    (said(500, "internal-server-error"), Refused("carrier_error", "internal-server-error", 60.0)),
    (said(503, "service-unavailable"), Refused("queue_full", "service-unavailable")),
]


@pytest.mark.parametrize(("answer", "outcome"), ANSWERS)
def test_every_answer(answer: HttpAnswer, outcome: Outcome) -> None:
    assert Bandwidth(CONFIG).outcome(outbound(), answer) == outcome


@pytest.mark.parametrize(
    "answer", [HttpAnswer(502, {}, b"<html>"), HttpAnswer(202, {}, b"{}"), HttpAnswer(404, {}, b"{}")]
)
def test_an_answer_that_is_not_bandwidths_own_is_left_to_its_status(answer: HttpAnswer) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Bandwidth(CONFIG).outcome(outbound(), answer)


async def test_a_fault_of_bandwidths_own_leaves_the_line_up() -> None:
    answer = said(500, "internal-server-error")
    async with vendor_server(Answer(500, answer.body)) as vendor, line("bandwidth", vendor.base_url) as running:
        running.carrier.send([outbound()])
        assert await running.ledger.outcome_of(7) == Refused("carrier_error", "internal-server-error", 60.0)
        assert (running.carrier.room(), running.carrier.up()) == (20, True)


PICTURE = "https://messaging.bandwidth.com/api/v2/users/5500123/media/1/0/bw.png"
LIES = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}
INCOMING = [
    Incoming("delivered", posted(DELIVERED), (receipt(),)),
    Incoming("a text", posted(RECEIVED), (REPLY,)),
    Incoming("characters beyond GSM-7", posted(event(RECEIVED, {"text": "да"})),
             (replace(REPLY, body="да", encoding="ucs2"),)),
    Incoming("a picture", posted(event(RECEIVED, {"text": "", "media": [PICTURE]})),
             (replace(REPLY, body="", media=(MediaSource(PICTURE, "bw.png"),)),)),
    Incoming("a group", posted(event(RECEIVED, {"to": ["+14155550101", OURS]})), (REPLY,)),
    Incoming("several events", posted(RECEIVED + DELIVERED), (REPLY, receipt())),
    Incoming("no events", posted([]), ()),
    Incoming("an event about a text from a phone", posted(event(RECEIVED, type="message-read")), ()),
    Incoming("no tag", posted(event(DELIVERED, {"tag": None})), (receipt(reference=None),)),
    Incoming("the tag of another product", posted(event(DELIVERED, {"tag": "order 66"})), (receipt(reference=None),)),
    Incoming("the old password", posted(DELIVERED, basic("bandwidth", "old")), (receipt(),)),
    Incoming("another password", posted(DELIVERED, basic("bandwidth", "hush")), Forged),
    Incoming("an empty password", posted(DELIVERED, basic("bandwidth", "")), Forged),
    Incoming("another user", posted(DELIVERED, basic("twilio", "new")), Forged),
    Incoming("another scheme", posted(DELIVERED, "Bearer new"), Forged),
    Incoming("no password", CallbackRequest("POST", "", "", {}, json.dumps(DELIVERED).encode()), Forged),
    Incoming("proxies that lie", posted(DELIVERED, **LIES), (receipt(),)),
    Incoming("no list", posted(DELIVERED[0]), Unreadable),
    Incoming("no JSON", posted(b"event=1"), Unreadable),
    Incoming("no name", posted([{"type": "message-delivered", "message": {}}]), Unreadable),
    Incoming("nobody", posted(event(RECEIVED, {"from": ""})), Unreadable),
]  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in INCOMING])
def test_incoming(case: Incoming) -> None:
    callback = check_incoming("bandwidth", CONFIG, case)
    assert callback is None or 200 <= callback.status < 300


def test_without_a_password_nothing_is_believed() -> None:
    config = settings("bandwidth", **ACCOUNT)
    for authorization in (basic("", ""), basic("bandwidth", ""), ""):
        check_incoming("bandwidth", config, Incoming("", posted(DELIVERED, authorization), Forged))


STATUSES = [
    ("message-sending", None, "sent", None),
    ("message-sent", None, "sent", None),
    ("message-held-by-customs", None, "sent", None),
    ("message-delivered", None, "delivered", None),
    ("message-failed", 9902, "sent", None),
    ("message-failed", None, "failed", "unknown_error"),
    ("message-failed", 4302, "failed", "bad_sender"),
    ("message-failed", 4303, "failed", "unknown_number"),
    ("message-failed", 4360, "expired", "expired_here"),
    ("message-failed", 4470, "failed", "filtered"),
    ("message-failed", 4482, "failed", "blocked"),
    ("message-failed", 4700, "undelivered", "landline"),
    ("message-failed", 4702, "undelivered", "unreachable"),
    ("message-failed", 4720, "undelivered", "unknown_number"),
    ("message-failed", 4751, "undelivered", "too_long"),
    ("message-failed", 4770, "undelivered", "filtered"),
    ("message-failed", 4775, "undelivered", "opted_out"),
    ("message-failed", 4781, "undelivered", "queue_full"),
    ("message-failed", 4795, "undelivered", "unregistered"),
    ("message-failed", 4888, "undelivered", "unknown_error"),
    ("message-failed", 5100, "failed", "carrier_error"),
    ("message-failed", 5620, "undelivered", "carrier_error"),
    ("message-failed", 5999, "undelivered", "unknown_error"),
    ("message-failed", 9999, "undelivered", "unknown_error"),
]


@pytest.mark.parametrize(("kind", "error", "state", "reason"), STATUSES)
def test_every_event(kind: str, error: int | None, state: str, reason: str | None) -> None:
    assert reason is None or reason in REASONS
    told = event(DELIVERED, type=kind, **({"errorCode": error} if error else {}))
    wanted = receipt(state=state, reason=reason, code=f"{kind} {error}" if error else kind)
    check_incoming("bandwidth", CONFIG, Incoming("", posted(told), (wanted,)))


def test_the_reference_of_a_receipt_is_that_of_the_text() -> None:
    request = Bandwidth(CONFIG).request(outbound(text_id=123_456_789_012), NOW)
    told = event(DELIVERED, {"tag": json.loads(request.body)["tag"]})
    check_incoming("bandwidth", CONFIG, Incoming("", posted(told), (receipt(reference=123_456_789_012 & 0xFFFF),)))


def test_the_page_tells_each_code_that_says_something() -> None:
    meant = {}
    for code in range(4000, 10_000):
        told = event(DELIVERED, type="message-failed", errorCode=code)
        (fact,) = Bandwidth(CONFIG).callback(posted(told), NOW).facts
        assert isinstance(fact, Receipt)
        if fact.reason not in (None, "unknown_error") and (code < 5000 or fact.reason != "carrier_error"):
            meant[str(code)] = fact.reason
    assert error_table("bandwidth", r"\d{4}", "Of an event") == meant


def test_an_account_is_one_step_of_the_address() -> None:
    odd = settings("bandwidth", **ACCOUNT | {"account_id": "a/b?c"})
    assert Bandwidth(odd).request(outbound(), NOW).url.endswith("/users/a%2Fb%3Fc/messages")


# The search.

LOST = Doubt(outbound(text_id=65543), (None,), NOW)
LATER = {"date": format_datetime(NOW + timedelta(minutes=11), usegmt=True)}


def listed(*changes: dict[str, Any], **page: Any) -> Any:
    """A page of the search with a message for each change of the sample."""
    messages = [SEARCH["messages"][0] | change for change in changes]
    return SEARCH | {"totalCount": len(messages), "messages": messages} | page


async def search(answer: Answer) -> tuple[LookUp, dict[str, str], str]:
    async with vendor_server(answer) as vendor, line("bandwidth", vendor.base_url, **ACCOUNT) as running:
        found = await running.carrier.look_up(LOST)
        asked = vendor.asked[0]
        return found, dict(asked.query), f"{asked.method} {asked.path} {asked.headers['authorization']}"


async def test_a_text_that_is_alone_between_two_phones_is_found() -> None:
    found, query, asked = await search(Answer(200, SEARCH))
    assert found == Found((MESSAGE_ID,), (receipt(),))
    assert asked == f"GET {PATH} {basic('token', 'hush-hush')}"
    assert query == {
        "sourceTn": OURS,
        "destinationTn": PHONE,
        "messageDirection": "OUTBOUND",
        "fromDateTime": "2026-11-22T11:55:00Z",
        "toDateTime": "2026-11-22T12:15:00Z",
    }


@pytest.mark.parametrize(
    ("change", "receipts"),
    [
        ({"messageStatus": "SENDING"}, ()),
        ({"messageStatus": "FAILED", "errorCode": 4702},
         (receipt(state="undelivered", reason="unreachable", code="message-failed 4702"),)),
    ],
)  # fmt: skip
async def test_what_is_known_of_a_text_comes_with_it(change: dict[str, Any], receipts: tuple[Receipt, ...]) -> None:
    found, _, _ = await search(Answer(200, listed(change)))
    assert found == Found((MESSAGE_ID,), receipts)


@pytest.mark.parametrize(
    "page",
    [
        listed({}, {"messageId": "another"}),
        listed({"segmentCount": 2}),
        listed({"messageLength": 6}),
        listed({"messageLength": None}),
        listed({"receiveTime": "2026-11-22T11:59:00.000Z"}),
        listed({"receiveTime": "2026-11-22T12:02:00.000Z"}),
        listed({"receiveTime": "noon"}),
        listed({"receiveTime": "2026-11-22T12:00:01"}),
        listed(totalCount=1),
        {},
    ],
    ids=["two", "parts", "length", "no length", "before", "after", "no time", "no zone", "more pages", "no list"],
)
async def test_what_may_be_another_text_settles_nothing(page: Any) -> None:
    found, _, _ = await search(Answer(200, page, LATER))
    assert isinstance(found, Unknown)


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_an_error_settles_nothing(status: int) -> None:
    found, _, _ = await search(Answer(status, listed(), LATER))
    assert isinstance(found, Unknown)


async def test_characters_are_counted_either_way() -> None:
    text = outbound(text_id=65543, body="😀")
    for length in (1, 2):
        answer = HttpAnswer(200, {}, json.dumps(listed({"messageLength": length})).encode())
        assert isinstance(Bandwidth(CONFIG).found(replace(LOST, text=text), answer), Found)


@pytest.mark.parametrize(("minutes", "settled"), [(0, Unknown), (9, Unknown), (10, Absent), (60, Absent)])
def test_what_is_not_listed_is_absent_once_the_search_has_caught_up(minutes: int, settled: type[LookUp]) -> None:
    at = format_datetime(NOW + timedelta(minutes=minutes), usegmt=True)
    answer = HttpAnswer(200, {"date": at}, json.dumps(listed()).encode())
    assert isinstance(Bandwidth(CONFIG).found(LOST, answer), settled)


@pytest.mark.parametrize("headers", [{}, {"date": "noon"}, {"date": "Sun, 22 Nov 2026 13:00:00 -0000"}])
def test_an_answer_without_a_time_settles_nothing(headers: dict[str, str]) -> None:
    answer = HttpAnswer(200, headers, json.dumps(listed()).encode())
    assert isinstance(Bandwidth(CONFIG).found(LOST, answer), Unknown)


async def test_absent_over_the_wire() -> None:
    found, _, _ = await search(Answer(200, listed(), LATER))
    assert isinstance(found, Absent)

"""Twilio: what is asked, what each answer means, and whose callbacks are believed. Twilio's own library signs them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from twilio.request_validator import RequestValidator

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
from smsdesk.carriers.http_reading import basic
from smsdesk.carriers.twilio import REASONS, STATES
from smsdesk.domain.media import MediaSource
from smsdesk.domain.outcome import REASONS as ALL_REASONS
from tests.carriers.http.kit import (
    OURS,
    PHONE,
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
TAKEN = Answer(201, {"sid": "SM1", "status": "queued", "error_code": None})
MESSAGES = "/2010-04-01/Accounts/AC1/Messages.json"
FORM = {"To": PHONE, "From": OURS, "Body": "hello", "ValidityPeriod": "36000", "SmartEncoded": "false"}
LOGGED_IN = {"Authorization": basic("AC1", SECRET)}


def failure(code: int, status: int = 400) -> Answer:
    return Answer(status, {"code": code, "message": "no", "more_info": "", "status": status})


OUTGOING = [
    Outgoing("one part", outbound(), TAKEN, Accepted(("SM1",)), path=MESSAGES, form=FORM, headers=LOGGED_IN),
    Outgoing("three parts", outbound(body="x" * 307), TAKEN, Accepted(("SM1",) * 3), form={**FORM, "Body": "x" * 307}),
    Outgoing("any letter", outbound(body="Ж&=+ 😀"), TAKEN, Accepted(("SM1",)), form={**FORM, "Body": "Ж&=+ 😀"}),
    Outgoing("opted out", outbound(), failure(21610), Refused("opted_out", "21610")),
    Outgoing("no number", outbound(), failure(21211), Refused("unknown_number", "21211")),
    Outgoing("landline", outbound(), failure(21614), Refused("landline", "21614")),
    Outgoing("not ours", outbound(), failure(21606), Refused("bad_sender", "21606")),
    Outgoing("too long", outbound(), failure(21617), Refused("too_long", "21617")),
    Outgoing("a full queue", outbound(), failure(21611), Refused("queue_full", "21611", 60.0)),
    Outgoing("no login", outbound(), failure(20003, 401), Refused("carrier_error", "20003", 60.0)),
    Outgoing("a code of tomorrow", outbound(), failure(29999), Refused("unknown_error", "29999")),
    Outgoing("a fault of theirs", outbound(), failure(20500, 500), Doubtful("an answer that cannot be read: http 500")),
    Outgoing("a key without the right", outbound(), failure(29998, 403), Refused("carrier_error", "29998", 60.0)),
]


@pytest.mark.parametrize("case", OUTGOING, ids=lambda case: case.name)
async def test_outgoing(case: Outgoing) -> None:
    await check_outgoing("twilio", case, account_sid="AC1")


async def test_settings_change_what_is_asked() -> None:
    more: dict[str, Any] = {
        "account_sid": "AC1", "api_key_sid": "SK1", "api_key_secret": "key-" + SECRET, "messaging_service_sid": "MG1",
        "callback_url": ADDRESS,
    }  # fmt: skip
    form = {**FORM, "MessagingServiceSid": "MG1", "StatusCallback": f"{ADDRESS}?text=7&attempt=1"}
    headers = {"Authorization": basic("SK1", "key-" + SECRET)}
    await check_outgoing(
        "twilio", Outgoing("", outbound(), TAKEN, Accepted(("SM1",)), form=form, headers=headers), **more
    )


async def test_twilio_drops_a_text_that_waited_too_long_in_its_queue() -> None:
    text = replace(outbound(), valid_until=datetime.now(UTC) + timedelta(seconds=100.9))
    async with vendor_server(TAKEN) as vendor, line("twilio", vendor.base_url) as running:
        running.carrier.send([text])
        await vendor.until_asked(1)
        assert vendor.asked[0].form["ValidityPeriod"] in ("99", "100")


async def test_too_many_requests_rest_the_line() -> None:
    async with vendor_server(failure(20429, 429)) as vendor, line("twilio", vendor.base_url) as running:
        running.carrier.send([outbound()])
        outcome = await running.ledger.outcome_of(7)
        assert isinstance(outcome, Refused)
        assert (outcome.reason, outcome.code, running.carrier.room()) == ("queue_full", "20429", 0)


def test_each_code_and_status_has_a_word_of_ours() -> None:
    assert set(REASONS.values()) <= set(ALL_REASONS)
    assert set(STATES.values()) == {"sent", "delivered", "undelivered", "failed"}


# Callbacks.


def posted(
    fields: dict[str, str], query: str = "", token: str = SECRET, url: str = ADDRESS, **headers: str
) -> CallbackRequest:
    """What Twilio posts, signed by its own library."""
    called = f"{url}?{query}" if query else url
    signature = RequestValidator(token).compute_signature(called, fields)
    return CallbackRequest(
        "POST", "", query,
        {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature, **headers},
        urlencode(fields).encode(),
    )  # fmt: skip


def report(status: str, code: str = "", query: str = "text=65543&attempt=1") -> CallbackRequest:
    fields = {"MessageSid": "SM1", "MessageStatus": status, "To": PHONE, "From": OURS, "AccountSid": "AC1"}
    return posted({**fields, **({"ErrorCode": code} if code else {})}, query)


def receipt(state: str, reason: str | None, code: str, reference: int | None = 7) -> Receipt:
    return Receipt("SM1", state, reason, code, PHONE, reference, whole=True)


SAID = {"MessageSid": "SM9", "SmsStatus": "received", "From": PHONE, "To": OURS, "Body": "hi & bye", "NumMedia": "0"}
REPLY = Reply(PHONE, OURS, "hi & bye", "SM9", "http")
POOL = {"MessagingServiceSid": "MG1", "To": "+16285550123"}
PICTURES = {"Body": "", "NumMedia": "2", "MediaUrl0": "https://a.example/1", "MediaUrl1": "https://a.example/2"}
EMOJI = {"Body": "Ж 😀"}

INCOMING = [
    Incoming("queued", report("queued"), (receipt("sent", None, "queued"),)),
    Incoming("sent", report("sent"), (receipt("sent", None, "sent"),)),
    Incoming("delivered", report("delivered"), (receipt("delivered", None, "delivered"),)),
    Incoming("read", report("read"), (receipt("delivered", None, "read"),)),
    Incoming("a status of tomorrow", report("beamed"), (receipt("sent", None, "beamed"),)),
    Incoming("spam", report("undelivered", "30007"), (receipt("undelivered", "filtered", "undelivered 30007"),)),
    Incoming("10DLC", report("undelivered", "30034"), (receipt("undelivered", "unregistered", "undelivered 30034"),)),
    Incoming("no reason", report("failed"), (receipt("failed", "unknown_error", "failed"),)),
    Incoming("a reason of tomorrow", report("failed", "39999"), (receipt("failed", "unknown_error", "failed 39999"),)),
    Incoming("too late", report("failed", "30036"), (receipt("expired", "expired_here", "failed 30036"),)),
    Incoming("not of one text", report("sent", query=""), (receipt("sent", None, "sent", None),)),
    Incoming("a text", posted(SAID), (REPLY,)),
    Incoming("to a number of a pool", posted(SAID | POOL), (replace(REPLY, destination="+16285550123"),)),
    Incoming("to a short code", posted(SAID | {"To": "62855"}), (replace(REPLY, destination="62855"),)),
    Incoming("not GSM-7", posted(SAID | EMOJI), (replace(REPLY, body="Ж 😀", encoding="ucs2"),)),
    Incoming(
        "pictures",
        posted(SAID | PICTURES),
        (
            replace(
                REPLY, body="", media=(MediaSource("https://a.example/1", "1"), MediaSource("https://a.example/2", "2"))
            ),
        ),
    ),
    Incoming(
        "words and a picture",
        posted(SAID | PICTURES | {"Body": "hi & bye", "NumMedia": "1"}),
        (replace(REPLY, media=(MediaSource("https://a.example/1", "1"),)),),
    ),
    Incoming("the old token", posted(SAID, token="old-" + SECRET), (REPLY,)),
    Incoming("with its port", posted(SAID, url=ADDRESS.replace(".com", ".com:443")), (REPLY,)),
    Incoming("another token", posted(SAID, token="guess"), Forged),
    Incoming("another address", posted(SAID, url="https://evil.example/callbacks/acme/upstream"), Forged),
    Incoming("another query", replace(report("delivered"), query="text=8&attempt=1"), Forged),
    Incoming("another body", replace(posted(SAID), body=urlencode(SAID | {"Body": "STOP"}).encode()), Forged),
    Incoming("one field more", replace(posted(SAID), body=urlencode(SAID).encode() + b"&A=1"), Forged),
    Incoming("no signature", replace(posted(SAID), headers={}), Forged),
    Incoming("no form", replace(posted(SAID), body=b"\xff\xfe"), Forged),
    Incoming("nothing", replace(posted(SAID), body=b""), Forged),
    Incoming("signed, and of no use", posted({"A": "1"}), Unreadable),
    Incoming("from nobody", posted({"MessageSid": "SM9", "Body": "hi"}), Unreadable),
]


def config(**more: str) -> Any:
    return settings("twilio", callback_url=ADDRESS, previous_auth_token="old-" + SECRET, **more)


@pytest.mark.parametrize("case", INCOMING, ids=lambda case: case.name)
def test_incoming(case: Incoming) -> None:
    check_incoming("twilio", config(), case)
    lies = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http",
            "x-forwarded-port": "8080", "forwarded": "host=evil.example", "x-original-url": "/"}  # fmt: skip
    behind_proxies = replace(case.request, headers={**case.request.headers, **lies})
    check_incoming("twilio", config(), replace(case, request=behind_proxies))
    check_incoming("twilio", config(), case)  # and once more: the same facts, which the database knows by their name


def test_a_text_is_answered_with_twiml_that_says_nothing() -> None:
    said = check_incoming("twilio", config(), Incoming("", posted(SAID), (REPLY,)))
    assert said is not None
    assert (said.status, said.content_type, said.body) == (200, "text/xml", b"<Response/>")
    told = check_incoming("twilio", config(), INCOMING[0])
    assert told is not None
    assert (told.status, told.body) == (204, b"")


def test_a_token_that_is_no_longer_set_proves_nothing() -> None:
    case = Incoming("", posted(SAID, token="old-" + SECRET), Forged)
    check_incoming("twilio", settings("twilio", callback_url=ADDRESS), case)
    check_incoming("twilio", settings("twilio", callback_url=ADDRESS), replace(case, request=posted(SAID, token="")))


@pytest.mark.parametrize(
    ("address", "path", "called"),
    [
        ("https://desk.example.com:8443/cb", "", "https://desk.example.com:8443/cb"),
        ("https://desk.example.com:8443/cb", "", "https://desk.example.com/cb"),
        ("http://desk.example.com/cb", "", "http://desk.example.com:80/cb"),
        ("https://desk.example.com/cb", "in", "https://desk.example.com/cb/in"),
        ("https://john:doe@desk.example.com/cb", "", "https://john:doe@desk.example.com/cb"),
    ],
)
def test_twilio_signs_the_address_with_or_without_its_port(address: str, path: str, called: str) -> None:
    request = replace(posted(SAID, url=called), path=path)
    check_incoming("twilio", settings("twilio", callback_url=address), Incoming("", request, (REPLY,)))


def test_a_json_body_is_proven_by_its_hash() -> None:
    body = msgspec.json.encode({**SAID, "NumSegments": 1})
    validator = RequestValidator(SECRET)
    query = f"bodySHA256={validator.compute_hash(body.decode())}"
    headers = {"content-type": "application/json"}
    headers["x-twilio-signature"] = validator.compute_signature(f"{ADDRESS}?{query}", {})
    request = CallbackRequest("POST", "", query, headers, body)
    check_incoming("twilio", config(), Incoming("", request, (REPLY,)))
    check_incoming("twilio", config(), Incoming("", replace(request, body=body.replace(b"hi", b"ho")), Forged))


def test_a_shared_key_signs_with_sha256() -> None:
    signature = RequestValidator("shared-" + SECRET).compute_signature(ADDRESS, SAID, "HMAC_SHA256")
    more = {"x-twilio-signature": signature, "x-twilio-webhooks-signature-settings": "key=k1,algorithm=HMAC_SHA256"}
    request = posted(SAID)
    request = replace(request, headers={**request.headers, **more})
    check_incoming("twilio", config(webhook_secret="shared-" + SECRET), Incoming("", request, (REPLY,)))
    check_incoming("twilio", config(), Incoming("", request, Forged))


# Look-ups.

SENT_AT = datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)
DOUBT = Doubt(outbound(), (None,), SENT_AT)


def listed(seconds: float, body: str = "hello", sid: str = "SM1", status: str = "sent") -> dict[str, Any]:
    at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC) + timedelta(seconds=seconds)
    return {"sid": sid, "body": body, "date_created": f"{at:%a, %d %b %Y %H:%M:%S +0000}", "status": status,
            "error_code": None, "date_sent": None}  # fmt: skip


def page(*messages: dict[str, Any], more: str | None = None) -> Answer:
    return Answer(200, {"messages": list(messages), "next_page_uri": more})


NEXT = MESSAGES + "?Page=1"
FOUND = Found(("SM1",), (receipt("sent", None, "sent"),))


@pytest.mark.parametrize(
    ("answer", "settled"),
    [
        (page(listed(0)), FOUND),
        (page(listed(9, "other", "SM2"), listed(1), listed(-400, sid="SM0")), FOUND),
        (page(), Absent),
        (page(listed(1, "other")), Absent),
        (page(listed(-301)), Absent),
        (page(listed(-301), more=NEXT), Absent),
        (page(listed(-299)), Unknown),
        (page(listed(1), listed(2, sid="SM2")), Unknown),
        (page(listed(1), listed(-2, sid="SM2")), Unknown),
        (page(listed(1, "")), Unknown),
        (page(listed(1, "other"), more=NEXT), Unknown),
        (page(more=NEXT), Unknown),
        (Answer(404, {"code": 20404}), Unknown),
        (Answer(500, "oops"), Unknown),
        (Answer(200, {"messages": [{"sid": "SM1"}]}), Unknown),
        (Answer(200, {"messages": [listed(0) | {"date_created": "yesterday"}]}), Unknown),
    ],
)  # fmt: skip
async def test_look_up(answer: Answer, settled: Any) -> None:
    async with vendor_server(answer) as vendor, line("twilio", vendor.base_url, account_sid="AC1") as running:
        told = await running.carrier.look_up(DOUBT)
        assert told == settled or (isinstance(settled, type) and isinstance(told, settled)), told
        (asked,) = vendor.asked
        assert (asked.method, asked.path, dict(asked.query)) == (
            "GET", MESSAGES, {"To": PHONE, "From": OURS, "PageSize": "100"},
        )  # fmt: skip
        assert asked.headers["authorization"] == LOGGED_IN["Authorization"]


async def test_a_failed_text_is_found_with_its_failure_and_all_its_parts() -> None:
    doubt = Doubt(outbound(body="x" * 161), (None, None), SENT_AT)
    answer = page(listed(1, "x" * 161, status="undelivered") | {"error_code": 30005})
    async with vendor_server(answer) as vendor, line("twilio", vendor.base_url) as running:
        told = await running.carrier.look_up(doubt)
    assert told == Found(("SM1", "SM1"), (receipt("undelivered", "unknown_number", "undelivered 30005"),))


async def test_an_account_whose_list_shows_no_numbers_is_not_asked() -> None:
    async with vendor_server(page()) as vendor, line("twilio", vendor.base_url, look_up=False) as running:
        assert await running.carrier.look_up(DOUBT) == Unknown("this carrier cannot be asked")
        assert vendor.asked == []

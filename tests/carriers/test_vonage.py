"""Vonage's SMS API: its requests, answers, receipts and inbound texts, and both of its proofs."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from vonage_jwt import verify_signature

from smsdesk.carriers.contract import (
    Accepted,
    CallbackRequest,
    Doubt,
    Doubtful,
    Forged,
    OutboundText,
    Outcome,
    Receipt,
    Refused,
    Reply,
    Unknown,
    Unreadable,
)  # fmt: skip
from smsdesk.carriers.http import HttpAnswer
from smsdesk.carriers.vonage import Vonage, sign
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
)  # fmt: skip
from tests.carriers.payloads import payload

ADDRESS = "https://desk.example.com/callbacks/acme/vonage"
SECRET, OLD_SECRET, OTHER_SECRET = ("n" * 32, "o" * 32, "x" * 32)
CONFIG = settings(
    "vonage",
    api_key="abcd1234",
    callback_url=ADDRESS,
    signature_secret=SECRET,
    previous_signature_secret=OLD_SECRET,
)
ACCEPTED, REFUSED = payload("vonage", "accepted"), payload("vonage", "refused")
RECEIPT, INBOUND = payload("vonage", "receipt"), payload("vonage", "inbound")
OCTETS = json.dumps(RECEIPT).encode()
FIRST, SECOND = "0C000000217B7F01", "0C000000217B7F02"
LONG = "long " * 40


def answered(*statuses: str) -> HttpAnswer:
    """Vonage's answer with a status for each part."""
    parts = [{"status": status} | ({"message-id": f"id-{n}"} if status == "0" else {"error-text": "no"})
             for n, status in enumerate(statuses, 1)]  # fmt: skip
    return HttpAnswer(200, {}, json.dumps({"message-count": str(len(parts)), "messages": parts}).encode())


def token(body: bytes, secret: str = SECRET, **claims: Any) -> str:
    said = {"iat": int(NOW.timestamp()), "jti": "c5ba8f24", "iss": "Vonage", "api_key": "abcd1234",
            "payload_hash": hashlib.sha256(body).hexdigest()} | claims  # fmt: skip
    return jwt.encode({name: claim for name, claim in said.items() if claim is not None}, secret, algorithm="HS256")


def with_token(fields: Any, bearer: str | None = None, **headers: str) -> CallbackRequest:
    body = json.dumps(fields).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {bearer or token(body)}"} | headers
    return CallbackRequest("POST", "", "", headers, body)


def with_sig(fields: dict[str, str], secret: str = SECRET, age: float = 0.0, method: str = "GET") -> CallbackRequest:
    signed = fields | {"timestamp": str(int(NOW.timestamp() - age)), "nonce": "aaaaaaaa-bbbb"}
    signed["sig"] = sign(signed, secret, "sha256").upper()
    if method == "GET":
        return CallbackRequest("GET", "", urlencode(signed), {}, b"")
    return CallbackRequest("POST", "", "", {}, urlencode(signed).encode())


def receipt(**changes: Any) -> Receipt:
    return replace(Receipt(SECOND, "delivered", None, "delivered 0", PHONE, 7), **changes)


REPLY = Reply(PHONE, OURS, "Yes, at 5 = fine & good", "0A0000000123ABCD1", "http")
REQUEST = {
    "api_key": "abcd1234",
    "api_secret": "hush-hush",
    "from": "16285550199",
    "to": "14155550100",
    "text": "hello",
    "type": "text",
    "ttl": "604800000",
    "client-ref": "smsdesk-7-1",
    "callback": ADDRESS,
}
THROTTLED = {"message-count": "1", "messages": [{"status": "1", "error-text": "Throughput Rate Exceeded"}]}
UNICODE = {"text": "héllo ☎", "type": "unicode"}

OUTGOING = [
    Outgoing("a text of one part", outbound(), Answer(200, REFUSED), Refused("unknown_error", "2"),
             path="/sms/json", form=REQUEST, headers={"content-type": "application/x-www-form-urlencoded"}),
    Outgoing("two parts, a name each", outbound(body=LONG), Answer(200, ACCEPTED), Accepted((FIRST, SECOND)),
             form=REQUEST | {"text": LONG}),
    Outgoing("characters beyond GSM-7", outbound(body="héllo ☎"), Answer(200, ACCEPTED), Accepted((FIRST, SECOND)),
             form=REQUEST | UNICODE),
    Outgoing("a short code as sender", outbound(source="55501"), Answer(200, ACCEPTED), Accepted((FIRST, SECOND)),
             form=REQUEST | {"from": "55501"}),
]  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in OUTGOING])
async def test_outgoing(case: Outgoing) -> None:
    await check_outgoing("vonage", case, api_key="abcd1234", callback_url=ADDRESS)


@pytest.mark.parametrize("answer", [Answer(200, THROTTLED), Answer(429, "slow down")], ids=["200", "429"])
async def test_a_throttle_rests_the_line(answer: Answer) -> None:
    async with vendor_server(answer) as vendor, line("vonage", vendor.base_url) as running:
        running.carrier.send([outbound()])
        outcome = await running.ledger.outcome_of(7)
        assert isinstance(outcome, Refused)
        assert outcome.reason == "queue_full"
        assert outcome.retry_after is not None
        assert running.carrier.room() == 0


async def test_a_throttle_behind_a_part_that_was_taken_rests_the_line_alone() -> None:
    async with (
        vendor_server(Answer(200, answered("0", "1").body)) as vendor,
        line("vonage", vendor.base_url) as running,
    ):
        running.carrier.send([outbound(body=LONG)])
        assert await running.ledger.outcome_of(7) == Refused("queue_full", "1", None, ("id-1",))
        assert (running.carrier.room(), running.carrier.up()) == (0, True)


@pytest.mark.parametrize("status", ["4", "8", "9"])
async def test_an_account_that_vonage_refuses_with_a_200_takes_the_line_down(status: str) -> None:
    async with vendor_server(Answer(200, answered(status).body)) as vendor, line("vonage", vendor.base_url) as running:
        running.carrier.send([outbound()])
        assert await running.ledger.outcome_of(7) == Refused("carrier_error", status, 60.0)
        assert (running.carrier.room(), running.carrier.up()) == (0, False)
        assert running.carrier.state() == f"down: the vendor takes nothing from this account ({status})"


def test_the_time_to_live_is_what_is_left_within_vonages_limits() -> None:
    def ttl(seconds: float) -> str:
        text = replace(outbound(), valid_until=NOW + timedelta(seconds=seconds))
        form = Vonage(CONFIG).request(text, NOW).body.decode()
        return form.partition("ttl=")[2].partition("&")[0]

    assert [ttl(seconds) for seconds in (3600, 1, 30 * 86_400)] == ["3600000", "20000", "604800000"]


ANSWERS: list[tuple[HttpAnswer, Outcome]] = [
    (answered("0"), Accepted(("id-1",))),
    (answered("0", "0", "0"), Accepted(("id-1", "id-2", "id-3"))),
    (answered("1"), Refused("queue_full", "1")),
    (answered("2"), Refused("unknown_error", "2")),
    (answered("3"), Refused("unknown_error", "3")),
    (answered("4"), Refused("carrier_error", "4", 60.0)),
    (answered("5"), Doubtful("status 5: an internal error of Vonage's", (None,))),
    (answered("6"), Refused("unknown_number", "6")),
    (answered("7"), Refused("blocked", "7")),
    (answered("8"), Refused("carrier_error", "8", 60.0)),
    (answered("9"), Refused("carrier_error", "9", 60.0)),
    (answered("10"), Refused("queue_full", "10")),
    (answered("12"), Refused("too_long", "12")),
    (answered("15"), Refused("bad_sender", "15")),
    (answered("29"), Refused("unregistered", "29")),
    (answered("33"), Refused("unknown_number", "33")),
    (answered("777"), Refused("unknown_error", "777")),
    (answered("0", "6"), Refused("unknown_number", "6", None, ("id-1",))),
    (answered("6", "0", "6"), Refused("unknown_number", "6", None, (None, "id-2"))),
    (answered("0", "1"), Refused("queue_full", "1", None, ("id-1",))),
    (answered("0", "5"), Doubtful("status 5: an internal error of Vonage's", ("id-1", None))),
]


@pytest.mark.parametrize(("answer", "outcome"), ANSWERS)
def test_the_status_of_each_part_counts(answer: HttpAnswer, outcome: Outcome) -> None:
    assert Vonage(CONFIG).outcome(outbound(), answer) == outcome


@pytest.mark.parametrize("body", ['{"messages": []}', '{"messages": [{"status": "0"}]}', "{}", "<html>", ""])
def test_an_answer_that_names_nothing_is_none_of_vonages(body: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Vonage(CONFIG).outcome(outbound(), HttpAnswer(200, {}, body.encode()))


INCOMING = [
    Incoming("a receipt", with_token(RECEIPT), (receipt(),)),
    Incoming("a receipt by GET", with_sig(RECEIPT), (receipt(),)),
    Incoming("a receipt by form", with_sig(RECEIPT, method="POST"), (receipt(),)),
    Incoming("not ours", with_token(RECEIPT | {"client-ref": "order 66"}), (receipt(reference=None),)),
    Incoming("a text", with_token(INBOUND), (REPLY,)),
    Incoming("a text by GET", with_sig(INBOUND), (REPLY,)),
    Incoming("a text by form", with_sig(INBOUND, method="POST"), (REPLY,)),
    Incoming("an octet message", with_token({**INBOUND, "type": "binary", "text": "", "data": "0011AA"}),
             (replace(REPLY, body="0011AA"),)),
    Incoming("a text in UCS-2", with_token(INBOUND | {"text": "да", "type": "unicode"}),
             (replace(REPLY, body="да", encoding="ucs2"),)),
    Incoming("no token, no sig", CallbackRequest("GET", "", urlencode(RECEIPT), {}, b""), Forged),
    Incoming("nothing", CallbackRequest("GET", "", "", {}, b""), Forged),
    Incoming("octets", CallbackRequest("POST", "", "", {}, b"\xff\xfe\x00"), Forged),
    Incoming("half a JSON", CallbackRequest("POST", "", "", {}, b"{"), Forged),
    Incoming("a token's old secret", with_token(RECEIPT, token(OCTETS, OLD_SECRET)), (receipt(),)),
    Incoming("a token's wrong secret", with_token(RECEIPT, token(OCTETS, OTHER_SECRET)), Forged),
    Incoming("a token for another body", with_token(RECEIPT, token(b"{}")), Forged),
    Incoming("a token for any body", with_token(RECEIPT, token(b"", payload_hash=None)), Forged),
    Incoming("a token without a time", with_token(RECEIPT, token(OCTETS, iat=None)), Forged),
    Incoming("no token at all", with_token(RECEIPT, "a.b.c"), Forged),
    Incoming("a token that nobody signed",
             with_token(RECEIPT, jwt.encode({"iat": 1}, None, algorithm="none")), Forged),
    Incoming("a token with a query", CallbackRequest(
        "GET", "", urlencode(RECEIPT), {"authorization": f"Bearer {token(b'')}"}, b""), Forged),
    Incoming("a sig's old secret", with_sig(RECEIPT, OLD_SECRET), (receipt(),)),
    Incoming("a sig's wrong secret", with_sig(RECEIPT, OTHER_SECRET), Forged),
    Incoming("a sig from yesterday, pushed again", with_sig(RECEIPT, age=86_000), (receipt(),)),
    Incoming("a sig that is too old", with_sig(RECEIPT, age=90_000), Forged),
    Incoming("a sig from the future", with_sig(RECEIPT, age=-90_000), Forged),
    Incoming("proxies that lie", with_token(RECEIPT, host="evil.example", **{"x-forwarded-host": "evil.example",
             "x-forwarded-proto": "http", "x-forwarded-for": "203.0.113.9"}), (receipt(),)),
    Incoming("no name", with_token(RECEIPT | {"messageId": ""}), Unreadable),
    Incoming("no phone", with_token({name: INBOUND[name] for name in INBOUND if name != "msisdn"}), Unreadable),
    Incoming("a list", with_token([RECEIPT]), Unreadable),
]  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in INCOMING])
def test_incoming(case: Incoming) -> None:
    callback = check_incoming("vonage", CONFIG, case)
    assert callback is None or callback.status in (200, 204), "what Vonage takes for an answer"


@pytest.mark.parametrize(("age", "believed"), [(0, True), (299, True), (301, False), (-299, True), (-301, False)])
def test_a_token_is_good_for_five_minutes(age: int, believed: bool) -> None:
    request = with_token(RECEIPT, token(OCTETS, iat=int(NOW.timestamp()) - age))
    check_incoming("vonage", CONFIG, Incoming("", request, (receipt(),) if believed else Forged))


def test_the_times_of_a_token_are_held_against_the_time_that_we_are_told() -> None:
    later = NOW + timedelta(days=3650)
    request = with_token(RECEIPT, token(OCTETS, iat=int(later.timestamp()), exp=int(NOW.timestamp())))
    assert Vonage(CONFIG).callback(request, later).facts == (receipt(),)


STATUSES = [
    ("accepted", "0", "sent", None),
    ("buffered", "0", "sent", None),
    ("unknown", "1", "sent", None),
    ("held_by_customs", "0", "sent", None),
    ("delivered", "0", "delivered", None),
    ("expired", "1", "expired", "unreachable"),
    ("expired", "3", "expired", "unknown_number"),
    ("failed", "1", "undelivered", "unknown_error"),
    ("failed", "2", "undelivered", "unreachable"),
    ("failed", "3", "undelivered", "unknown_number"),
    ("failed", "4", "undelivered", "blocked"),
    ("failed", "6", "undelivered", "filtered"),
    ("failed", "8", "undelivered", "carrier_error"),
    ("failed", "9", "undelivered", "opted_out"),
    ("rejected", "9", "failed", "opted_out"),
    ("rejected", "50", "failed", "unregistered"),
    ("rejected", "51", "failed", "bad_sender"),
    ("rejected", "", "failed", "unknown_error"),
]


@pytest.mark.parametrize(("status", "error", "state", "reason"), STATUSES)
def test_every_status_of_a_receipt(status: str, error: str, state: str, reason: str | None) -> None:
    fields = RECEIPT | {"status": status, "err-code": error}
    wanted = receipt(state=state, reason=reason, code=f"{status} {error}".strip())
    assert reason is None or reason in REASONS
    check_incoming("vonage", CONFIG, Incoming("", with_token(fields), (wanted,)))


def part_of(reference: str, number: int, total: int) -> tuple[int, int, int]:
    concat = {"concat-ref": reference, "concat-part": str(number), "concat-total": str(total)}
    (fact,) = Vonage(CONFIG).callback(with_token(INBOUND | {"concat": "true"} | concat), NOW).facts
    assert isinstance(fact, Reply)
    assert fact.part is not None
    return fact.part


@pytest.mark.parametrize("reference", ["180", "08BF", ""])
def test_parts_of_a_long_text_know_each_other(reference: str) -> None:
    first, last = part_of(reference, 1, 255), part_of(reference, 255, 255)
    assert (first[1:], last[1:]) == ((1, 255), (255, 255))
    assert first[0] == last[0] != part_of("181", 1, 255)[0]
    assert 0 <= first[0] <= 0xFFFF


@pytest.mark.parametrize(("number", "total"), [("0", "3"), ("4", "3"), ("1", "1"), ("x", "3"), ("1", "999")])
def test_a_part_outside_its_text_is_a_whole_text(number: str, total: str) -> None:
    fields = INBOUND | {"concat": "true", "concat-ref": "1", "concat-part": number, "concat-total": total}
    assert Vonage(CONFIG).callback(with_token(fields), NOW).facts == (REPLY,)


def test_without_a_secret_nothing_is_believed() -> None:
    config = settings("vonage", callback_url=ADDRESS)
    for request in (with_token(RECEIPT), with_sig(RECEIPT), with_sig(RECEIPT, "")):
        check_incoming("vonage", config, Incoming("no secret", request, Forged))


def test_what_parts_the_fields_is_replaced_in_what_is_signed() -> None:
    """As Vonage's page on signing messages has it."""
    assert sign({"text": "a&b=c"}, SECRET, "sha256") == sign({"text": "a_b_c"}, SECRET, "sha256")


def test_a_name_may_not_swallow_another_field() -> None:
    """What is signed does not tell the field `a=1&b` from the two fields `a` and `b`."""
    at = str(int(NOW.timestamp()))
    apart, folded = {"a": "1", "b": "2", "timestamp": at}, {"a=1&b": "2", "timestamp": at}
    assert sign(apart, SECRET, "sha256") == sign(folded, SECRET, "sha256")
    signed = urlencode(folded | {"sig": sign(folded, SECRET, "sha256")})
    check_incoming("vonage", CONFIG, Incoming("", CallbackRequest("GET", "", signed, {}, b""), Forged))


@pytest.mark.parametrize("method", ["md5hash", "md5", "sha1", "sha256", "sha512"])
def test_signatures_are_those_of_vonages_own_library(method: str) -> None:
    """The values are those that Vonage tests its library for Python with."""
    published = {
        "md5hash": "6af838ef94998832dbfc29020b564830",
        "md5": "c15c21ced558c93a226c305f58f902f2",
        "sha1": "3e19a4e6880fdc2c1426bfd0587c98b9532f0210",
        "sha256": "a321e824b9b816be7c3f28859a31749a098713d39f613c80d455bbaffae1cd24",
        "sha512": "812a18f76680fa0fe1b8bd9ee1625466ceb1bd96242e4d050d2cfd9a7b40166c"
        "63ed26ec9702168781b6edcf1633db8ff95af9341701004eec3fcf9550572ee8",
    }
    fields = {"a": "1", "b": "2", "timestamp": "1461605396"}
    assert sign(fields, "secret", method) == published[method]
    config = settings("vonage", signature_secret="secret", signature_method=method)
    request = CallbackRequest("GET", "", urlencode(fields | {"sig": published[method]}), {}, b"")
    with pytest.raises(Forged, match="too long ago"):  # so the signature was right
        Vonage(config).callback(request, NOW)


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET, OTHER_SECRET])
def test_tokens_are_judged_as_vonages_own_library_judges_them(secret: str) -> None:
    theirs = token(OCTETS, secret, iat=1)  # that library looks at no time
    judged = [verify_signature(theirs, one) for one in (SECRET, OLD_SECRET)]
    with pytest.raises(Forged, match="too long ago" if any(judged) else "wrong token"):
        Vonage(CONFIG).callback(with_token(RECEIPT, theirs), NOW)


async def test_vonage_cannot_be_asked() -> None:
    text: OutboundText = outbound()
    async with vendor_server() as vendor, line("vonage", vendor.base_url) as running:
        assert isinstance(await running.carrier.look_up(Doubt(text, (None,), NOW)), Unknown)
        assert vendor.asked == []


def test_the_reference_of_a_receipt_is_that_of_the_text() -> None:
    text = outbound(text_id=123_456_789_012)
    form = Vonage(CONFIG).request(text, NOW).body.decode()
    given = form.partition("client-ref=")[2].partition("&")[0]
    wanted = receipt(reference=123_456_789_012 & 0xFFFF)
    check_incoming("vonage", CONFIG, Incoming("", with_token(RECEIPT | {"client-ref": given}), (wanted,)))


def test_the_page_tells_each_code_that_says_something() -> None:
    statuses, errors = {}, {}
    for code in map(str, range(1, 100)):
        outcome = Vonage(CONFIG).outcome(outbound(), answered(code))
        statuses[code] = outcome.reason if isinstance(outcome, Refused) else "ambiguous"
        (fact,) = Vonage(CONFIG).callback(with_token(RECEIPT | {"status": "failed", "err-code": code}), NOW).facts
        assert isinstance(fact, Receipt)
        errors[code] = fact.reason or ""
    told = [error_table("vonage", r"\d{1,2}"), error_table("vonage", r"\d{1,2}", "Of a receipt")]
    meant = [{code: reason for code, reason in one.items() if reason != "unknown_error"} for one in (statuses, errors)]
    assert told == meant

"""The lab's Twilio, asked and judged by Twilio's own library."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.lab.vendors.customer import HANDSET, LONG, NUMBER, Received, Stage

SID, TOKEN = "AC" + "0" * 31 + "1", "token"
MESSAGES = f"2010-04-01/Accounts/{SID}/Messages.json"


def client(stage: Stage, token: str = TOKEN) -> Client:
    made = Client(SID, token)
    # The library takes the four parts of an address for a region, so the lab is called by name.
    made.api.base_url = stage.base.replace("127.0.0.1", "localhost") + "/twilio"
    return made


def validates(received: Received, token: str) -> bool:
    return bool(RequestValidator(token).validate(received.url, received.form, received.headers["x-twilio-signature"]))


async def send(stage: Stage, **fields: Any) -> Any:
    wanted = {"to": HANDSET, "from_": NUMBER, "body": "hello"} | fields
    return await asyncio.to_thread(lambda: client(stage).messages.create(**wanted))


async def test_a_text_arrives_and_its_status_comes_signed(stage: Stage) -> None:
    await stage.account("twilio", auth_token=TOKEN)
    url = stage.customer.url("/status?text=7&attempt=1")
    sent = await send(stage, body=LONG, status_callback=url)
    assert (sent.status, sent.num_segments, sent.error_code) == ("queued", "2", None)
    callbacks = await stage.customer.take(2)
    assert [c.form["MessageStatus"] for c in callbacks] == ["sent", "delivered"]
    assert [(c.url, c.form["MessageSid"], c.form["To"]) for c in callbacks] == [(url, sent.sid, HANDSET)] * 2
    assert all(validates(c, TOKEN) for c in callbacks)
    assert not any(validates(c, "another") for c in callbacks)
    text = (await stage.rig.texts(HANDSET))[0]
    assert (text["body"], text["parts"], text["encoding"], text["via"]) == (LONG, 2, "ucs2", "twilio")
    assert (text["source"], text["carrier_ids"]) == (NUMBER, [sent.sid])


async def test_look_ups_by_sid_number_and_time(stage: Stage) -> None:
    sids = [(await send(stage, body=f"{n}")).sid for n in range(3)]
    await send(stage, to="+14155550101")

    def look() -> tuple[Any, ...]:
        messages = client(stage).messages
        yesterday = datetime.now(UTC) - timedelta(days=1)
        return (
            messages(sids[0]).fetch().body,
            [m.sid for m in messages.list(to=HANDSET, page_size=2)],
            [m.sid for m in messages.list(to=HANDSET, from_=NUMBER, date_sent_after=yesterday)],
            messages.list(to=HANDSET, date_sent_before=yesterday),
            messages.list(to=HANDSET, from_="+14155550199"),
        )

    latest_first = sids[::-1]
    assert await asyncio.to_thread(look) == ("0", latest_first, latest_first, [], [])
    with pytest.raises(TwilioRestException) as missing:
        await asyncio.to_thread(lambda: client(stage).messages("SM" + "f" * 32).fetch())
    assert (missing.value.status, missing.value.code) == (404, 20404)


REFUSED = [
    ({"Body": "b", "From": NUMBER}, 400, 21604),
    ({"To": HANDSET, "Body": "b"}, 400, 21603),
    ({"To": HANDSET, "From": NUMBER}, 400, 21602),
    ({"To": "nobody", "From": NUMBER, "Body": "b"}, 400, 21211),
    ({"To": HANDSET, "From": NUMBER, "Body": "b" * 1601}, 400, 21617),
    ({"To": HANDSET, "From": NUMBER, "Body": "#refuse:0x0B"}, 400, 21211),
    ({"To": HANDSET, "From": NUMBER, "Body": "#refuse:0x0A"}, 400, 21212),
    ({"To": HANDSET, "From": NUMBER, "Body": "#refuse:0x45"}, 400, 21610),
    ({"To": HANDSET, "From": NUMBER, "Body": "#refuse"}, 503, 20503),
    ({"To": HANDSET, "From": NUMBER, "Body": "#throttle"}, 429, 20429),
]


async def test_what_is_wrong_has_twilios_number(stage: Stage) -> None:
    for form, status, code in REFUSED:
        answer = await stage.ask("twilio", "POST", MESSAGES, data=form, auth=(SID, TOKEN))
        assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status), form
        assert ("retry-after" in answer.headers) == (status == 429)
    assert await stage.rig.texts(HANDSET) == []


async def test_credentials_are_checked_once_they_are_set(stage: Stage) -> None:
    form = {"To": HANDSET, "From": NUMBER, "Body": "b"}
    assert (await stage.ask("twilio", "POST", MESSAGES, data=form)).status_code == 401
    assert (await stage.ask("twilio", "POST", MESSAGES, data=form, auth=(SID, "any"))).status_code == 201
    await stage.account("twilio", account_sid=SID, auth_token=TOKEN)
    for user, password, status in [(SID, "any", 401), (SID, TOKEN, 201), ("SK1", "its own secret", 201)]:
        answer = await stage.ask("twilio", "POST", MESSAGES, data=form, auth=(user, password))
        assert answer.status_code == status, user
    other = MESSAGES.replace(SID, "AC2")
    assert (await stage.ask("twilio", "POST", other, data=form, auth=("AC2", TOKEN))).status_code == 401


async def test_failures_have_their_error_code(stage: Stage) -> None:
    for word, error in [("#undeliv:012", "30003"), ("#expired", "30036"), ("#rejected", "30007")]:
        await send(stage, body=word, status_callback=stage.customer.url("/"))
        last = (await stage.customer.take(2))[1]
        assert (last.form["MessageStatus"], last.form["ErrorCode"]) == ("undelivered", error)
    assert await stage.rig.texts(HANDSET) == []


async def test_a_reply_comes_whole_and_signed(stage: Stage) -> None:
    url = stage.customer.url("/inbound?tenant=acme")
    await stage.account("twilio", auth_token=TOKEN, account_sid=SID, inbound_url=url)
    await send(stage)
    await stage.rig.type(LONG, NUMBER, HANDSET)
    inbound = await stage.customer.next()
    assert (inbound.form["From"], inbound.form["To"], inbound.form["Body"]) == (HANDSET, NUMBER, LONG)
    assert (inbound.form["NumMedia"], inbound.form["NumSegments"], inbound.form["AccountSid"]) == ("0", "2", SID)
    assert validates(inbound, TOKEN)


async def test_a_messaging_service_has_a_number(stage: Stage) -> None:
    sent = await send(stage, from_=None, messaging_service_sid="MG" + "0" * 32)
    assert (sent.from_, sent.messaging_service_sid) == ("+15005550006", "MG" + "0" * 32)


async def test_tries_follow_the_addresses_overrides(stage: Stage) -> None:
    repeats = 0
    for fragment, answer, tries in [
        ("", 500, 1),
        ("#rc=2&rp=5xx", 500, 3),
        ("#rc=9&rp=all", 400, 6),
        ("#rc=3&rp=4xx", 500, 1),
    ]:
        stage.customer.answers.extend([answer] * tries)
        await send(stage, body="#noreceipt", status_callback=stage.customer.url("/s") + fragment)
        received = await stage.customer.take(tries)
        assert {r.url for r in received} == {stage.customer.url("/s")}
        assert len({r.headers["i-twilio-idempotency-token"] for r in received}) == 1
        repeats += tries - 1
        assert (await stage.counts("twilio"))["repeats"] == repeats

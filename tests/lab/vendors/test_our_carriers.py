"""smsdesk's own HTTP carriers against the lab's vendors. Each side was written from the vendor's pages, not from the
other: what both understand, the pages say."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

from smsdesk.carriers import bandwidth, kannel, telnyx, twilio, vonage
from smsdesk.carriers.contract import (
    Accepted,
    CallbackRequest,
    Doubt,
    Forged,
    Found,
    OutboundText,
    Receipt,
    Refused,
    Reply,
)
from smsdesk.carriers.http import HttpAnswer, HttpRequest, Vendor
from smsdesk.domain.segments import segment
from tests.lab.vendors.customer import HANDSET, LONG, NUMBER, Received, Stage

SECRET = "a secret of at least thirty-two octets"
CASES: dict[str, tuple[ModuleType, dict[str, Any], dict[str, Any]]] = {
    "twilio": (twilio, {"account_sid": "AC" + "1" * 32, "auth_token": SECRET}, {"auth_token": SECRET}),
    "vonage": (
        vonage,
        {"api_key": "key", "api_secret": "secret", "signature_secret": SECRET},
        {"api_key": "key", "api_secret": "secret", "signature_secret": SECRET},
    ),
    "telnyx": (telnyx, {"api_key": "KEY"}, {"api_key": "KEY"}),
    "bandwidth": (
        bandwidth,
        {"account_id": "9", "application_id": "app", "api_token": "t", "api_secret": "s", "callback_user": "u",
         "callback_password": SECRET},
        {"api_token": "t", "api_secret": "s", "callback_user": "u", "callback_password": SECRET},
    ),
    "kannel": (
        kannel,
        {"username": "u", "user_password": "p", "callback_secret": SECRET},
        {"username": "u", "password": "p", "http_method": "POST"},
    ),
}  # fmt: skip
PATHS = {"kannel": "/kannel/cgi-bin/sendsms", "telnyx": "/telnyx"}


async def made(stage: Stage, name: str) -> Vendor:
    module, settings, account = CASES[name]
    inbound = stage.customer.url(f"/callbacks?secret={SECRET.replace(' ', '+')}&from=%p&to=%P&id=%I&charset=%C")
    url = stage.customer.url("/callbacks")
    await stage.account(
        name, **account, status_url=url, inbound_url=inbound if name == "kannel" else url, numbers=[NUMBER]
    )
    more = {"messages_url": f"{stage.base}/vonage"} if name == "vonage" else {}
    if name == "telnyx":
        more = {"public_key": (await stage.rig.http.get("/vendors/telnyx/public_key")).json()["public_key"]}
    config = module.Config(base_url=stage.base + PATHS.get(name, f"/{name}"), callback_url=url, **settings, **more)
    vendor: Vendor = getattr(module, name.capitalize())(config)
    return vendor


async def ask(stage: Stage, request: HttpRequest) -> HttpAnswer:
    answer = await stage.rig.http.request(
        request.method, request.url, headers=dict(request.headers), content=request.body
    )
    return HttpAnswer(answer.status_code, lower(answer.headers), answer.content)


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def as_request(received: Received) -> CallbackRequest:
    parts = urlsplit(received.url)
    return CallbackRequest(received.method, "", parts.query, lower(received.headers), received.body)


def text(body: str, destination: str = HANDSET) -> OutboundText:
    valid_until = datetime.now(UTC) + timedelta(hours=1)
    return OutboundText(1, 70_007, 1, NUMBER, destination, segment(body), valid_until)


@pytest.mark.parametrize("name", CASES)
async def test_both_sides_understand_each_other(stage: Stage, name: str) -> None:
    vendor, began = await made(stage, name), datetime.now(UTC)
    for sent, states in (
        (text(LONG), {"delivered"}),
        (text("#undeliv:012", "+14155550101"), {"undelivered", "failed"}),
    ):
        outcome = vendor.outcome(sent, await ask(stage, vendor.request(sent, began)))
        assert isinstance(outcome, Accepted)
        assert len(outcome.part_ids) == len(sent.segments.parts)
        ended: set[str] = set()
        while not (ended if name != "vonage" else ended >= set(outcome.part_ids)):
            (receipt,) = vendor.callback(as_request(await stage.customer.next()), datetime.now(UTC)).facts
            assert isinstance(receipt, Receipt)
            assert (receipt.number, receipt.reference) == (sent.destination, 70_007 & 0xFFFF)
            assert receipt.part_id in outcome.part_ids
            if receipt.state != "sent":
                assert receipt.state in states
                ended.add(receipt.part_id)
        doubt = Doubt(sent, outcome.part_ids, began)
        if (look := vendor.look_up(doubt)) is not None:
            found = vendor.found(doubt, await ask(stage, look))
            assert isinstance(found, Found), found
            assert found.part_ids == outcome.part_ids


@pytest.mark.parametrize("name", CASES)
async def test_refusals_are_read(stage: Stage, name: str) -> None:
    vendor = await made(stage, name)
    busy = text("#refuse:0x45")
    refused = vendor.outcome(busy, await ask(stage, vendor.request(busy, datetime.now(UTC))))
    assert isinstance(refused, Refused)
    assert refused.retry_after is None


@pytest.mark.parametrize("name", CASES)
async def test_replies_are_read_and_forgeries_are_not(stage: Stage, name: str) -> None:
    vendor = await made(stage, name)
    await stage.rig.type("STOP žluťoučký", NUMBER, HANDSET)
    received = await stage.customer.next()
    (reply,) = vendor.callback(as_request(received), datetime.now(UTC)).facts
    assert isinstance(reply, Reply)
    assert (reply.source, reply.destination, reply.body) == (HANDSET, NUMBER, "STOP žluťoučký")
    assert reply.carrier_reference
    if name == "kannel":
        return
    proofs = ["wrong", "missing"] + (["old"] if name in ("vonage", "telnyx") else [])
    for proof in proofs:
        await stage.forge(name, kind="inbound", proof=proof)
        with pytest.raises(Forged):
            vendor.callback(as_request(await stage.customer.next()), datetime.now(UTC))

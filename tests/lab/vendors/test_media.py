"""Pictures between our own HTTP carriers and the lab's vendors, both ways; and what a handset shows of them."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from smsdesk.carriers import generic, generic_config
from smsdesk.carriers.contract import Accepted, Receipt, Reply
from smsdesk.carriers.http import Vendor
from smsdesk.domain.media import MediaRefused
from smsdesk.media.fetch import Access, Limits, fetch
from tests.lab.vendors.customer import HANDSET, NUMBER, Stage
from tests.lab.vendors.test_our_carriers import SECRET, as_request, ask, made, text
from tests.media import samples

CARRIERS = ("twilio", "telnyx", "bandwidth", "vonage", "generic")
PICTURE = "https://sms.example.com/media/a.jpg"
OPEN = ("telnyx", "vonage", "generic")
"""Those whose files ask for no password in the lab."""


async def carrier(stage: Stage, name: str) -> Vendor:
    if name != "generic":
        return await made(stage, name)
    url = stage.customer.url("/callbacks")
    await stage.account("generic", token="t", secret_key=SECRET, inbound_url=url, numbers=[NUMBER])
    config: dict[str, Any] = {
        "base_url": f"{stage.base}/generic/messages", "headers": {"Authorization": "Bearer t"}, "callback_url": url,
        "fields": {"from": "{source}", "to": "{destination}", "text": "{body}", "media": "{media_urls}",
                   "callback_url": "{callback_url}"},
        "answers": generic_config.Answers(message_id="id"), "callback_secret": SECRET,
        "callbacks": generic_config.Callbacks(
            proof=generic_config.Proof(timestamp_header="X-Timestamp", signed="{timestamp}.{body}"),
            report_id="id", report_status="status", statuses={"delivered": "delivered"},
            reply_id="id", reply_from="from", reply_to="to", reply_body="text", reply_media="media",
        ),
    }  # fmt: skip
    return generic.Generic(generic_config.Config(**config))


async def reply_with(stage: Stage, *files: bytes, **more: Any) -> None:
    body = {"to": NUMBER, "body": "look", "media": [base64.b64encode(one).decode() for one in files], **more}
    answer = await stage.rig.http.post(f"/handsets/{HANDSET}/reply", json=body)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("name", CARRIERS)
async def test_a_picture_is_on_the_phone(stage: Stage, name: str) -> None:
    vendor = await carrier(stage, name)
    sent = replace(text("look"), media=(PICTURE,))
    outcome = vendor.outcome(sent, await ask(stage, vendor.request(sent, datetime.now(UTC))))
    assert isinstance(outcome, Accepted)
    state = ""
    while state != "delivered":
        (receipt,) = vendor.callback(as_request(await stage.customer.next()), datetime.now(UTC)).facts
        assert isinstance(receipt, Receipt)
        assert receipt.part_id in outcome.part_ids
        state = receipt.state
    (shown,) = await stage.rig.texts(HANDSET)
    assert (shown["body"], shown["media"]) == ("look", [PICTURE])
    page = (await stage.rig.http.get(f"/?number=%2B{HANDSET[1:]}")).text
    assert f'src="{PICTURE}"' in page


@pytest.mark.parametrize("name", CARRIERS)
async def test_a_picture_comes_from_the_phone(stage: Stage, name: str) -> None:
    vendor = await carrier(stage, name)
    await reply_with(stage, samples.jpeg_with_place())
    (reply,) = vendor.callback(as_request(await stage.customer.next()), datetime.now(UTC)).facts
    assert isinstance(reply, Reply)
    assert reply.body == "look"
    (file,) = reply.media
    access = vendor.media_access()
    with_key = Access(access.base_url, access.headers)
    assert await fetch(file.url, with_key, Limits(1_000_000)) == samples.jpeg_with_place()
    without = fetch(file.url, Access(access.base_url), Limits(1_000_000))
    if name in OPEN:
        assert await without == samples.jpeg_with_place()
    else:
        with pytest.raises(MediaRefused, match="401"):
            await without


async def test_all_of_several_come(stage: Stage) -> None:
    vendor = await carrier(stage, "twilio")
    await reply_with(stage, samples.png(), samples.film(), media_urls=["http://10.0.0.1/inside"])
    received = await stage.customer.next()
    (reply,) = vendor.callback(as_request(received), datetime.now(UTC)).facts
    assert isinstance(reply, Reply)
    assert len(reply.media) == 3
    assert reply.media[2].url == "http://10.0.0.1/inside"
    assert (received.form["MediaContentType0"], received.form["MediaContentType1"]) == ("image/png", "video/mp4")


async def test_a_door_without_pictures_says_so(stage: Stage) -> None:
    body = {"to": "+16285550177", "media": [base64.b64encode(samples.png()).decode()]}
    answer = await stage.rig.http.post(f"/handsets/{HANDSET}/reply", json=body)
    assert (answer.status_code, "carries no files" in answer.json()["message"]) == (400, True)


async def test_a_page_shows_films_and_documents_and_runs_no_address(stage: Stage) -> None:
    vendor = await carrier(stage, "twilio")
    media = ("https://a.example/b.mp4", "https://a.example/c.vcf", "javascript:alert(1)", 'https://a.example/"><b>')
    sent = replace(text(""), media=media)
    assert isinstance(vendor.outcome(sent, await ask(stage, vendor.request(sent, datetime.now(UTC)))), Accepted)
    page = (await stage.rig.http.get(f"/?number=%2B{HANDSET[1:]}")).text
    assert '<video controls preload="metadata" src="https://a.example/b.mp4">' in page
    assert '<a href="https://a.example/c.vcf" rel="noreferrer">c.vcf</a>' in page
    assert "javascript:" not in page
    assert "<b>" not in page

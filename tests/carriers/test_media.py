"""Files with texts: how each vendor is asked to send them, and whose key opens what came."""

import hashlib
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import jwt
import msgspec
import pytest

from smsdesk.carriers.bandwidth import Bandwidth
from smsdesk.carriers.contract import Accepted, CallbackRequest, Forged, Receipt
from smsdesk.carriers.generic import Generic
from smsdesk.carriers.http import HttpAnswer, HttpRequest, Vendor
from smsdesk.carriers.http_reading import basic
from smsdesk.carriers.registry import CARRIERS, most_media
from smsdesk.carriers.telnyx import Telnyx
from smsdesk.carriers.twilio import Twilio
from smsdesk.carriers.vonage import Vonage
from smsdesk.domain.media import MediaSource
from tests.carriers.http.kit import NOW, OURS, PHONE, SECRET, outbound, settings

ONE, TWO = "https://sms.example.com/media/a.jpg", "https://sms.example.com/media/b.mp4"
PICTURES = replace(outbound(body="look"), media=(ONE, TWO))
KEY = "a-secret-of-more-than-32-characters"
GENERIC = {"fields": {"to": "{destination}", "text": "{body}", "files": "{media_urls}"}}


def asked(vendor: Vendor, text: Any = PICTURES) -> HttpRequest:
    return vendor.request(text, NOW)


def test_twilio_gets_an_address_for_each() -> None:
    form = parse_qsl(asked(Twilio(settings("twilio"))).body.decode())
    assert [value for name, value in form if name == "MediaUrl"] == [ONE, TWO]
    assert ("Body", "look") in form
    without_words = parse_qsl(
        asked(Twilio(settings("twilio")), replace(PICTURES, segments=outbound(body="").segments)).body
    )
    assert b"Body" not in dict(without_words)


def test_telnyx_gets_an_mms() -> None:
    said = json.loads(asked(Telnyx(settings("telnyx", public_key=""))).body)
    assert (said["type"], said["media_urls"], said["text"]) == ("MMS", [ONE, TWO], "look")
    assert "encoding" not in said


def test_bandwidth_gets_a_list() -> None:
    said = json.loads(asked(Bandwidth(settings("bandwidth"))).body)
    assert (said["media"], said["text"]) == ([ONE, TWO], "look")


def test_a_gateway_gets_them_where_its_set_up_says() -> None:
    assert json.loads(asked(Generic(settings("generic", **GENERIC))).body)["files"] == [ONE, TWO]
    form = Generic(settings("generic", **GENERIC, content_type="form"))
    assert [value for name, value in parse_qsl(asked(form).body.decode()) if name == "files"] == [ONE, TWO]


def test_a_text_alone_is_sent_as_ever() -> None:
    text = outbound(body="{media_urls}")
    assert json.loads(asked(Generic(settings("generic", **GENERIC)), text).body) == {
        "to": PHONE,
        "text": "{media_urls}",
    }
    assert b"Media" not in asked(Twilio(settings("twilio")), text).body
    assert json.loads(asked(Telnyx(settings("telnyx", public_key="")), text).body)["type"] == "SMS"
    assert "media" not in json.loads(asked(Bandwidth(settings("bandwidth")), text).body)


def test_how_many_files_each_line_carries() -> None:
    for kind in CARRIERS:
        config: dict[str, Any] = {}
        if kind not in ("smpp", "lab"):
            config = msgspec.to_builtins(settings(kind, **(GENERIC if kind == "generic" else {})))
        wanted = {"twilio": 10, "telnyx": 10, "bandwidth": 10, "generic": 10, "vonage": 1}.get(kind, 0)
        assert most_media(kind, config | {"auth_token": {"env": "NOT_SET"}} if kind == "twilio" else config) == wanted
    plain = msgspec.to_builtins(settings("generic"))
    assert most_media("generic", plain) == 0
    assert most_media("pigeon", {}) == 0


@pytest.mark.parametrize(
    ("vendor", "headers"),
    [
        (Twilio(settings("twilio", account_sid="AC1", auth_token="t")), {"Authorization": basic("AC1", "t")}),
        (Bandwidth(settings("bandwidth", api_token="u", api_secret="p")), {"Authorization": basic("u", "p")}),
        (Telnyx(settings("telnyx", public_key="")), {}),
        (Generic(settings("generic", headers={"Authorization": "Bearer {api_token}", "X-Text": "{text_id}"},
                          api_token="t")), {"Authorization": "Bearer t"}),
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_whose_key_opens_what_came(vendor: Vendor, headers: dict[str, str]) -> None:
    access = vendor.media_access()
    assert (access.base_url, dict(access.headers)) == ("http://127.0.0.1:9", headers)
    assert not headers or headers["Authorization"] not in repr(access)


@pytest.mark.parametrize(
    ("event", "urls"),
    [
        ({"photos": [{"url": ONE}, {"url": TWO}, {}]}, [ONE, TWO]),
        ({"photos": [ONE, TWO]}, [ONE, TWO]),
        ({"photos": ONE}, [ONE]),
        ({"photos": None}, []),
        ({}, []),
    ],
)
def test_a_gateway_says_where_its_files_are(event: dict[str, Any], urls: list[str]) -> None:
    callbacks = {"proof": {"kind": "bearer"}, "reply_from": "from", "reply_to": "to", "reply_media": "photos"}
    vendor = Generic(settings("generic", callbacks=callbacks, callback_token=SECRET))
    body = json.dumps({"from": PHONE, "to": OURS, **event}).encode()
    headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
    (reply,) = vendor.callback(CallbackRequest("POST", "", "", headers, body), NOW).facts
    assert [one.url for one in reply.media] == urls  # type: ignore[union-attr]


# Vonage, whose other API carries files.

VONAGE = settings(
    "vonage", api_key="key", api_secret="pass", signature_secret=KEY, messages_url="https://api.nexmo.com",
    callback_url="https://desk.example.com/callbacks/acme/vonage",
)  # fmt: skip
INBOUND = {
    "channel": "mms", "message_uuid": "uuid-1", "to": "16285550199", "from": "14155550100",
    "timestamp": "2026-11-22T12:00:00Z", "message_type": "image",
    "image": {"url": "https://api.nexmo.com/v3/media/1.jpg", "name": "1.jpg", "caption": "here"},
}  # fmt: skip
STATUS = {
    "channel": "mms", "message_uuid": "uuid-2", "to": "14155550100", "from": "16285550199", "status": "delivered",
    "timestamp": "2026-11-22T12:00:00Z", "client_ref": "smsdesk-65543-1",
}  # fmt: skip


def vonage_posts(said: dict[str, Any], secret: str = KEY) -> CallbackRequest:
    body = json.dumps(said).encode()
    claims = {"iat": int(NOW.timestamp()), "payload_hash": hashlib.sha256(body).hexdigest(), "api_key": "key"}
    headers = {"authorization": f"Bearer {jwt.encode(claims, secret, 'HS256')}", "content-type": "application/json"}
    return CallbackRequest("POST", "", "", headers, body)


@pytest.mark.parametrize(
    ("url", "kind"), [(ONE, "image"), (TWO, "video"), (ONE[:-3] + "vcf", "vcard"), (ONE[:-3] + "pdf", "file")]
)
def test_vonage_gets_a_file_by_its_messages_api(url: str, kind: str) -> None:
    request = asked(Vonage(VONAGE), replace(PICTURES, media=(url,)))
    assert (request.method, request.url) == ("POST", "https://api.nexmo.com/v1/messages")
    assert request.headers["Authorization"] == basic("key", "pass")
    assert json.loads(request.body) == {
        "channel": "mms", "message_type": kind, "from": "16285550199", "to": "14155550100",
        kind: {"url": url, "caption": "look"}, "client_ref": "smsdesk-7-1", "ttl": 259_200,
        "webhook_url": "https://desk.example.com/callbacks/acme/vonage", "webhook_version": "v1",
    }  # fmt: skip


def test_vonage_takes_a_file_or_says_no() -> None:
    vonage, text = Vonage(VONAGE), replace(PICTURES, media=(ONE,))
    taken = HttpAnswer(202, {}, b'{"message_uuid": "uuid-2"}')
    assert vonage.outcome(text, taken) == Accepted(("uuid-2",))
    for status in (200, 401, 422, 429, 500):
        with pytest.raises(ValueError, match=r"."):
            vonage.outcome(text, HttpAnswer(status, {}, b'{"title": "no"}'))


def test_vonage_brings_a_file() -> None:
    (reply,) = Vonage(VONAGE).callback(vonage_posts(INBOUND), NOW).facts
    assert (reply.source, reply.destination, reply.body) == (PHONE, OURS, "here")  # type: ignore[union-attr]
    assert reply.media == (MediaSource("https://api.nexmo.com/v3/media/1.jpg", "1.jpg"),)  # type: ignore[union-attr]
    text = {key: value for key, value in INBOUND.items() if key != "image"} | {"message_type": "text", "text": "hi"}
    (reply,) = Vonage(VONAGE).callback(vonage_posts(text), NOW).facts
    assert (reply.body, reply.media) == ("hi", ())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "state", "reason", "code"),
    [
        ({}, "delivered", None, "delivered"),
        ({"status": "submitted"}, "sent", None, "submitted"),
        ({"status": "undeliverable", "error": {"title": "1300"}}, "undelivered", "unknown_error", "undeliverable 1300"),
        ({"status": "rejected"}, "failed", "unknown_error", "rejected"),
    ],
)
def test_vonage_tells_what_became_of_it(change: dict[str, Any], state: str, reason: str | None, code: str) -> None:
    (receipt,) = Vonage(VONAGE).callback(vonage_posts(STATUS | change), NOW).facts
    assert receipt == Receipt("uuid-2", state, reason, code, PHONE, 7, whole=True)


def test_vonage_is_believed_with_its_token_alone() -> None:
    for forged in (
        vonage_posts(INBOUND, "another-secret-of-some-length-001"),
        replace(vonage_posts(INBOUND), headers={}),
    ):
        with pytest.raises(Forged):
            Vonage(VONAGE).callback(forged, NOW)

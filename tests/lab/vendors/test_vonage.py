"""The lab's Vonage, its webhooks judged by Vonage's own library and by the documented rules of `sig`."""

import hashlib
import hmac
from itertools import product
from typing import Any

import httpx
import jwt
from vonage_jwt import verify_signature

from tests.lab.vendors.customer import HANDSET, LONG, NUMBER, Received, Stage

SECRET = "a signature secret of 32 octets!"


async def send(stage: Stage, **fields: str) -> httpx.Response:
    form = {
        "api_key": "abcd1234", "api_secret": "hush", "from": NUMBER[1:], "to": HANDSET[1:], "text": "hello",
        "callback": stage.customer.url("/dlr?text=7"), "client-ref": "7-1",
    }  # fmt: skip
    return await stage.ask("vonage", "POST", "sms/json", data=form | fields)


def token(received: Received) -> str:
    return received.headers["authorization"].removeprefix("Bearer ")


async def test_each_part_has_its_id_and_its_receipt(stage: Stage) -> None:
    await stage.account("vonage", signature_secret=SECRET)
    answer = (await send(stage, text=LONG, type="unicode")).json()
    assert answer["message-count"] == "2"
    assert [(m["status"], m["to"], m["client-ref"]) for m in answer["messages"]] == [("0", HANDSET[1:], "7-1")] * 2
    receipts = await stage.customer.take(2)
    assert [r.json["messageId"] for r in receipts] == [m["message-id"] for m in answer["messages"]]
    assert {(r.json["status"], r.json["err-code"], r.json["client-ref"]) for r in receipts} == {
        ("delivered", "0", "7-1")
    }
    for receipt in receipts:
        assert receipt.url == stage.customer.url("/dlr?text=7")
        assert verify_signature(token(receipt), SECRET)
        assert not verify_signature(token(receipt), SECRET[::-1])
        claims = jwt.decode(token(receipt), SECRET, algorithms=["HS256"])
        assert claims["payload_hash"] == hashlib.sha256(receipt.body).hexdigest()
    assert (await stage.rig.texts(HANDSET))[0]["body"] == LONG


REFUSED = [
    ({"text": ""}, "2"),
    ({"api_secret": ""}, "2"),
    ({"to": "somebody"}, "3"),
    ({"text": "#throttle"}, "1"),
    ({"text": "#refuse"}, "5"),
    ({"text": "#refuse:0x0B"}, "6"),
    ({"text": "#refuse:0x0A"}, "15"),
    ({"text": "#refuse:0x45"}, "7"),
]


async def test_what_is_wrong_has_vonages_status(stage: Stage) -> None:
    for fields, status in REFUSED:
        answer = await send(stage, **fields)
        assert (answer.status_code, [m["status"] for m in answer.json()["messages"]]) == (200, [status]), fields
    assert await stage.rig.texts(HANDSET) == []


async def test_credentials_in_a_form_in_json_and_basic(stage: Stage) -> None:
    await stage.account("vonage", api_key="abcd1234", api_secret="hush")
    assert (await send(stage, api_secret="wrong")).json()["messages"][0]["status"] == "4"
    data = {"from": NUMBER, "to": HANDSET, "text": "b"}
    for more in ({"json": data}, {"data": data}, {"params": data}):
        answer = await stage.ask("vonage", "POST", "sms/json", auth=("abcd1234", "hush"), **more)
        assert answer.json()["messages"][0]["status"] == "0", more


async def test_ends_in_vonages_words(stage: Stage) -> None:
    for word, status in [("#undeliv", "failed"), ("#expired", "expired"), ("#rejected", "rejected")]:
        await send(stage, text=word)
        assert (await stage.customer.next()).json["status"] == status


def expected_sig(fields: dict[str, str], method: str) -> str:
    """Vonage's guide to signing messages: sorted `&name=value`, with `&` and `=` in values as underscores."""
    said = "".join(f"&{k}={v.replace('&', '_').replace('=', '_')}" for k, v in sorted(fields.items()) if k != "sig")
    if method == "md5hash":
        return hashlib.md5((said + SECRET).encode(), usedforsecurity=False).hexdigest()
    return hmac.new(SECRET.encode(), said.encode(), method).hexdigest()


async def test_the_older_signatures(stage: Stage) -> None:
    for method, http_method in product(["md5hash", "md5", "sha1", "sha256", "sha512"], ["GET", "POST", "POST-JSON"]):
        await stage.account(
            "vonage", signature_secret=SECRET, signature=method, http_method=http_method, numbers=[NUMBER],
            inbound_url=stage.customer.url("/in"),
        )  # fmt: skip
        await stage.rig.type("a=b&c", NUMBER, HANDSET)
        inbound = await stage.customer.next()
        read: dict[str, Any] = {"GET": inbound.query, "POST": inbound.form}.get(http_method) or inbound.json
        assert (read["msisdn"], read["to"], read["text"]) == (HANDSET[1:], NUMBER[1:], "a=b&c")
        assert read["sig"].lower() == expected_sig(read, method)


async def test_a_long_reply_comes_in_parts(stage: Stage) -> None:
    await stage.account("vonage", inbound_url=stage.customer.url("/in"), numbers=[NUMBER])
    await stage.rig.type(LONG, NUMBER, HANDSET)
    parts = [received.json for received in await stage.customer.take(2)]
    assert [(p["concat"], p["concat-total"], p["concat-part"]) for p in parts] == [
        ("true", "2", "1"),
        ("true", "2", "2"),
    ]
    assert len({p["concat-ref"] for p in parts}) == 1
    assert len({p["messageId"] for p in parts}) == 2
    assert "".join(p["text"] for p in parts) == LONG
    assert {p["type"] for p in parts} == {"unicode"}


async def test_parts_shuffled_and_lost_on_demand(stage: Stage) -> None:
    await stage.account("vonage", inbound_url=stage.customer.url("/in"), numbers=[NUMBER])
    await stage.rig.type("#losepart:1 " + LONG, NUMBER, HANDSET)
    assert [r.json["concat-part"] for r in await stage.customer.take(1)] == ["2"]
    await stage.rig.type("#shuffle " + LONG, NUMBER, HANDSET)
    assert [r.json["concat-part"] for r in await stage.customer.take(2)] == ["2", "1"]

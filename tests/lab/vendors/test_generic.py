"""The generic vendor, after docs/lab.md."""

import hmac
import time
from typing import Any

from tests.lab.vendors.customer import HANDSET, LONG, NUMBER, Received, Stage

BEARER = {"authorization": "Bearer t"}


def proven(received: Received, key: str) -> bool:
    said = received.headers["x-timestamp"].encode() + b"." + received.body
    return hmac.compare_digest(hmac.new(key.encode(), said, "sha256").hexdigest(), received.headers["x-signature"])


async def test_a_text_arrives_and_its_status_comes_signed(stage: Stage) -> None:
    await stage.account("generic", secret_key="key")
    answer = await stage.text(LONG, reference="7-1")
    shown = answer.json()
    assert (answer.status_code, shown["status"], shown["segments"]) == (202, "queued", 2)
    callbacks = await stage.customer.take(2)
    assert [c.json["status"] for c in callbacks] == ["sent", "delivered"]
    assert {(c.json["type"], c.json["id"], c.json["reference"]) for c in callbacks} == {("status", shown["id"], "7-1")}
    assert all(proven(c, "key") and not proven(c, "lab") for c in callbacks)
    assert abs(int(callbacks[0].headers["x-timestamp"]) - time.time()) < 60
    assert (await stage.rig.texts(HANDSET))[0]["body"] == LONG


async def test_look_ups(stage: Stage) -> None:
    ids = [(await stage.text(f"{n}", reference=f"r{n}")).json()["id"] for n in range(3)]

    async def found(**asked: str) -> list[str]:
        answer = await stage.ask("generic", "GET", "messages", params=asked, headers=BEARER)
        return [message["id"] for message in answer.json()["messages"]]

    assert await found(to=HANDSET) == ids[::-1]
    assert await found(reference="r1") == [ids[1]]
    assert await found(**{"from": "+14155550199"}) == []
    one = await stage.ask("generic", "GET", f"messages/{ids[0]}", headers=BEARER)
    assert (one.status_code, one.json()["id"]) == (200, ids[0])
    assert (await stage.ask("generic", "GET", "messages/none", headers=BEARER)).status_code == 404


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"from": ""}, 400, "missing_from"),
    ({"to": 1}, 400, "missing_to"),
    ({"text": None}, 400, "missing_text"),
    ({"to": "somebody"}, 400, "invalid_to"),
    ({"text": "#refuse:0x0A"}, 400, "invalid_from"),
    ({"text": "#refuse:0x0B"}, 400, "invalid_to"),
    ({"text": "#refuse:0x45"}, 403, "opted_out"),
    ({"text": "#throttle"}, 429, "busy"),
    ({"text": "#queuefull"}, 429, "busy"),
    ({"text": "#refuse"}, 503, "unavailable"),
]


async def test_what_is_wrong_has_its_word(stage: Stage) -> None:
    for fields, status, code in REFUSED:
        answer = await stage.text(**({"body": "b"} | fields))
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), fields
    bad = await stage.ask("generic", "POST", "messages", content=b"{", headers=BEARER)
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "malformed")
    await stage.account("generic", token="another")
    assert (await stage.text()).status_code == 401


async def test_a_reply_comes_whole(stage: Stage) -> None:
    await stage.account("generic", inbound_url=stage.customer.url("/in"), numbers=[NUMBER])
    await stage.rig.type(LONG, NUMBER, HANDSET)
    inbound = await stage.customer.next()
    assert (inbound.json["from"], inbound.json["to"], inbound.json["text"]) == (HANDSET, NUMBER, LONG)
    assert (inbound.json["type"], inbound.json["segments"]) == ("message", 2)
    assert proven(inbound, "lab")

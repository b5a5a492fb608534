"""The lab's Telnyx, asked by Telnyx's own library, which also reads its webhooks.

Their signatures are judged by `cryptography`: the library needs PyNaCl for that, which is not locked.
"""

import base64
import time
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from telnyx import AsyncTelnyx

from tests.lab.vendors.customer import HANDSET, LONG, NUMBER, Received, Stage


def client(stage: Stage) -> AsyncTelnyx:
    return AsyncTelnyx(api_key="KEY", base_url=stage.base + "/telnyx/v2", max_retries=0)


async def send(stage: Stage, **fields: Any) -> Any:
    async with client(stage) as telnyx:
        wanted = {"to": HANDSET, "from_": NUMBER, "text": "hello"} | fields
        return (await telnyx.messages.send(**wanted)).data


async def public_key(stage: Stage) -> str:
    key: str = (await stage.rig.http.get("/vendors/telnyx/public_key")).json()["public_key"]
    return key


def verify(hook: Received, key: str) -> None:
    """InvalidSignature unless `timestamp|body` was signed with the key, as Telnyx documents it."""
    said = hook.headers["telnyx-timestamp"].encode() + b"|" + hook.body
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
    public.verify(base64.b64decode(hook.headers["telnyx-signature-ed25519"], validate=True), said)


async def test_a_text_arrives_and_its_webhooks_verify(stage: Stage) -> None:
    sent = await send(stage, text=LONG, webhook_url=stage.customer.url("/hook?text=7"), extra_body={"tags": ["7-1"]})
    assert (sent.to[0].status, sent.parts, sent.encoding, sent.tags) == ("queued", 2, "UCS-2", ["7-1"])
    hooks = await stage.customer.take(2)
    assert [h.json["data"]["event_type"] for h in hooks] == ["message.sent", "message.finalized"]
    final = hooks[1].json["data"]["payload"]
    assert (final["id"], final["to"][0]["status"], final["tags"]) == (sent.id, "delivered", ["7-1"])
    assert hooks[1].json["meta"] == {"attempt": 1, "delivered_to": stage.customer.url("/hook?text=7")}
    key = await public_key(stage)
    for hook in hooks:
        verify(hook, key)
    await stage.account("telnyx", key_seed="another")
    with pytest.raises(InvalidSignature):
        verify(hooks[0], await public_key(stage))
    async with client(stage) as telnyx:
        read = telnyx.webhooks.unsafe_unwrap(hooks[1].body.decode()).data
    assert (read.event_type, read.payload.to[0].status, read.payload.id) == ("message.finalized", "delivered", sent.id)
    text = (await stage.rig.texts(HANDSET))[0]
    assert (text["body"], text["via"], text["system_id"]) == (LONG, "telnyx", "telnyx")


async def test_look_up_and_the_library_reads_it(stage: Stage) -> None:
    sent = await send(stage, text="#undeliv", webhook_url=stage.customer.url("/"))
    await stage.customer.take(2)
    async with client(stage) as telnyx:
        found = (await telnyx.messages.retrieve(sent.id)).data
    assert (found.id, found.to[0].status, found.errors[0].code) == (sent.id, "delivery_failed", "40008")
    missing = await stage.ask(
        "telnyx", "GET", "v2/messages/00000000-0000-0000-0000-000000000000", headers={"authorization": "Bearer KEY"}
    )
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "10005")


REFUSED = [
    ({"from": NUMBER, "text": "b"}, 422, "10004"),
    ({"from": NUMBER, "to": HANDSET}, 422, "10004"),
    ({"to": HANDSET, "text": "b"}, 422, "10004"),
    ({"from": NUMBER, "to": "4155550100x", "text": "b"}, 422, "10002"),
    ({"from": NUMBER, "to": HANDSET, "text": "#refuse:0x0B"}, 400, "40310"),
    ({"from": NUMBER, "to": HANDSET, "text": "#refuse:0x45"}, 400, "40300"),
    ({"from": NUMBER, "to": HANDSET, "text": "#refuse"}, 503, "10007"),
    ({"from": NUMBER, "to": HANDSET, "text": "#throttle"}, 429, "10011"),
    ("no object", 400, "10015"),
]


async def test_what_is_wrong_has_telnyxs_code(stage: Stage) -> None:
    for data, status, code in REFUSED:
        answer = await stage.ask("telnyx", "POST", "v2/messages", json=data, headers={"authorization": "Bearer KEY"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code), data


async def test_the_key_is_checked_once_it_is_set(stage: Stage) -> None:
    data = {"from": NUMBER, "to": HANDSET, "text": "b"}
    await stage.account("telnyx", api_key="KEY")
    for header, status in [({}, 401), ({"authorization": "Bearer x"}, 401), ({"authorization": "Bearer KEY"}, 200)]:
        assert (await stage.ask("telnyx", "POST", "v2/messages", json=data, headers=header)).status_code == status


async def test_another_seed_is_another_key(stage: Stage) -> None:
    first = await public_key(stage)
    await stage.account("telnyx", key_seed="another")
    assert await public_key(stage) != first
    official = await stage.ask("telnyx", "GET", "v2/public_key", headers={"authorization": "Bearer KEY"})
    assert official.json()["data"]["public"] == await public_key(stage)


async def test_a_reply_comes_signed_and_three_times_at_most(stage: Stage) -> None:
    await stage.account("telnyx", inbound_url=stage.customer.url("/in"), numbers=[NUMBER])
    stage.customer.answers.extend([500, 500, 500, 500])
    await stage.rig.type("STOP", NUMBER, HANDSET)
    hooks = await stage.customer.take(3)
    payload = hooks[0].json["data"]["payload"]
    assert (payload["direction"], payload["text"]) == ("inbound", "STOP")
    assert (payload["from"]["phone_number"], payload["to"][0]["phone_number"]) == (HANDSET, NUMBER)
    assert [hook.json["meta"]["attempt"] for hook in hooks] == [1, 2, 3]
    assert len({hook.json["data"]["id"] for hook in hooks}) == 1
    verify(hooks[2], await public_key(stage))
    assert abs(int(hooks[2].headers["telnyx-timestamp"]) - time.time()) < 60
    await stage.reply_is("refused")
    assert (await stage.counts("telnyx"))["given_up"] == 1

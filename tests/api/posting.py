"""A carrier type for tests of the callbacks: it posts JSON, and proves itself by an HMAC over all that it says."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

import msgspec
import pytest

from smsdesk.carriers.contract import Callback, CallbackRequest, Forged, Receipt, Reply, Unreadable
from smsdesk.carriers.registry import CARRIERS, CarrierType
from smsdesk.carriers.smpp.carrier import SmppCarrier
from tests.kit.api import CONSUMER, OURS, Answer, Api

SECRET = "a secret"
DOOR = "/callbacks/acme/web"


class Config(msgspec.Struct, frozen=True):
    """What is set for it."""

    shared_secret: str
    previous_secret: str | None = None


def prove(secret: str, path: str, query: str, body: bytes) -> str:
    """The header X-Proof of a callback."""
    return hmac.digest(secret.encode(), f"{path}?{query}|".encode() + body, hashlib.sha256).hex()


def read(config: Config, request: CallbackRequest, now: datetime) -> Callback:
    """A body is `{"receipts": [[id, state, reason], ...], "replies": [[reference, body], ...], "broken": any}`."""
    secrets = filter(None, (config.shared_secret, config.previous_secret))
    proofs = [prove(secret, request.path, request.query, request.body) for secret in secrets]
    if "x-proof" not in request.headers:
        raise Forged("the header X-Proof is missing")
    if request.headers["x-proof"] not in proofs:
        raise Forged("the header X-Proof is wrong")
    said = json.loads(request.body or b"{}")
    if not isinstance(said, dict):
        raise Unreadable("the body is no object")
    if "broken" in said:
        raise KeyError(said["broken"])
    receipts = [Receipt(one, state, why, f"said {state}", CONSUMER) for one, state, why in said.get("receipts", ())]
    replies = [Reply(said.get("from", CONSUMER), OURS, body, one, "http") for one, body in said.get("replies", ())]
    if request.method == "GET":
        return Callback((), 200, "text/plain", f"{now:%Y} {request.path} {request.query}".encode())
    return Callback((*receipts, *replies))


async def post(api: Api, said: object, *, secret: str = SECRET, door: str = DOOR) -> Answer:
    """Posts what the carrier says, with its proof."""
    body = json.dumps(said).encode()
    return await api.call("POST", door, data=body, headers={"X-Proof": prove(secret, "", "", body)}, auth=None)


async def set_up(api: Api, name: str, kind: str, config: dict[str, Any]) -> int:
    """A line of tenant 1, made or changed as `smsdesk apply` does it: its carrier_id."""
    carrier_id: int = await api.db.fetchval(
        "insert into carriers (tenant_id, name, type, config) values (1, $1, $2, $3) "
        "on conflict (tenant_id, name) do update set config = excluded.config returning carrier_id",
        name, kind, config,
    )  # fmt: skip
    await api.set()
    return carrier_id


async def sent(api: Api, carrier_id: int, part_id: str, *, number: str = CONSUMER, parts: int = 1) -> int:
    """A text to the number that the carrier has taken under this name: its message_id."""
    message_id: int = (await api.send(message="x" * (150 * parts), end_user_number=number)).json["message_id"]
    await api.db.execute(
        "update texts set state = 'sent', attempt = 1, carrier_id = $2 where message_id = $1", message_id, carrier_id
    )
    await api.db.execute(
        """
        insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, carrier_part_id,
                           claimed_at, state_at)
        select 1, t.message_id, 1, n, t.chat_id, $2, 'sent', $3, $5, $5
        from texts t, generate_series(1, $4) n where message_id = $1
        """,
        message_id, carrier_id, part_id, parts, api.clock.now,
    )  # fmt: skip
    return message_id


@pytest.fixture
async def line(api: Api, monkeypatch: pytest.MonkeyPatch) -> int:
    """The line `web` of tenant 1, of a carrier type that is there for the test: its carrier_id."""
    monkeypatch.setitem(CARRIERS, "posting", CarrierType(Config, SmppCarrier, read))
    monkeypatch.setenv("WEB_SECRET", SECRET)
    return await set_up(api, "web", "posting", {"shared_secret": {"env": "WEB_SECRET"}})

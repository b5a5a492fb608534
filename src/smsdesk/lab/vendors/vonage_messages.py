"""Vonage's Messages API, version 1, for texts with files: POST v1/messages, its status and its inbound webhook.

Source: Vonage's reference of the Messages API and its webhooks.
"""

from typing import Any
from uuid import UUID

from smsdesk.domain.segments import segment
from smsdesk.lab.reading import e164
from smsdesk.lab.vendors.exchange import Answer, Callback, Request, instant, json_answer, json_callback
from smsdesk.lab.vendors.message import Message, Order, State
from smsdesk.lab.vendors.vendor import Inbound, Sending
from smsdesk.lab.vendors.vonage_proof import VonageAccount, token

_STATUSES: dict[State, str] = {
    "sent": "submitted",
    "delivered": "delivered",
    "undelivered": "undeliverable",
    "expired": "undeliverable",
    "rejected": "rejected",
}
_KINDS = ("image", "video", "audio", "vcard", "file")


def receive(request: Request, account: VonageAccount) -> Order | Answer:
    """A text with one file."""
    key, secret = request.basic() or ("", "")
    if not key or account.api_key not in ("", key) or account.api_secret not in ("", secret):
        return _error(401, "Unauthorized")
    asked = request.object() or {}
    kind = asked.get("message_type")
    part = asked.get(kind) if kind in _KINDS else None
    if asked.get("channel") != "mms" or not isinstance(part, dict) or not asked.get("to") or not asked.get("from"):
        return _error(422, "Invalid params")
    body = str(part.get("caption") or "")
    return Order(
        system=key,
        source=e164(str(asked["from"])),
        destination=e164(str(asked["to"])),
        body=body,
        segments=segment(body),
        media=(str(part.get("url") or ""),),
        status_url=str(asked.get("webhook_url") or ""),
        reference=str(asked.get("client_ref") or ""),
    )


def accepted(message: Message) -> Answer:
    """202 and its name."""
    return json_answer(202, {"message_uuid": _name(message.number)})


def refused() -> Answer:
    """422, whatever the reason."""
    return _error(422, "Invalid params")


def status(message: Message, state: State, account: VonageAccount, sending: Sending) -> list[Callback]:
    """A message status."""
    said: dict[str, Any] = {
        "channel": "mms",
        "message_uuid": _name(message.number),
        "to": message.order.destination.lstrip("+"),
        "from": message.order.source.lstrip("+"),
        "timestamp": instant(sending.now),
        "status": _STATUSES.get(state, "submitted"),
    }
    if message.order.reference:
        said["client_ref"] = message.order.reference
    return [_signed(said, account, sending)]


def inbound(reply: Inbound, account: VonageAccount, sending: Sending) -> Callback:
    """A message with its first file: Vonage sends one webhook for each."""
    one = reply.media[0]
    kind = one.content_type.partition("/")[0]
    kind = kind if kind in _KINDS else "image" if one.elsewhere else "file"
    said = {
        "channel": "mms",
        "message_uuid": _name(reply.number),
        "to": reply.destination.lstrip("+"),
        "from": reply.source.lstrip("+"),
        "timestamp": instant(sending.now),
        "message_type": kind,
        kind: {"url": one.url, "caption": reply.body},
    }
    return _signed(said, account, sending)


def _name(number: int) -> str:
    return str(UUID(int=number))


def _signed(said: dict[str, Any], account: VonageAccount, sending: Sending) -> Callback:
    callback = json_callback(sending.url, said)
    if not sending.signed:
        return callback
    headers = {**callback.headers, "authorization": f"Bearer {token(callback, account, sending.now)}"}
    return Callback(callback.method, callback.url, headers, callback.body)


def _error(status: int, title: str) -> Answer:
    return json_answer(status, {"type": "https://developer.vonage.com/api-errors", "title": title})

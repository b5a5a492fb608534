"""Telnyx's messaging API, version 2, with its webhooks signed by ed25519.

Sources: Telnyx's API reference (messages, webhooks), its page on receiving webhooks and its lists of error codes.
"""

import base64
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from smsdesk.domain.segments import Segments, segment
from smsdesk.lab.reading import e164
from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.exchange import Answer, Callback, Request, addresses, instant, json_answer
from smsdesk.lab.vendors.message import FAILED, Book, Message, Order, State
from smsdesk.lab.vendors.vendor import Inbound, Refusal, Retries, Sending

_UNSET = ("cost", "sent_at", "completed_at", "valid_until", "webhook_url", "webhook_failover_url")
_ENCODINGS = {"gsm7": "GSM-7", "ucs2": "UCS-2"}
_ERRORS = {
    "10002": (422, "Invalid phone number", "The phone number is invalid."),
    "10004": (422, "Missing required parameter", "A required parameter was missing."),
    "10005": (404, "Resource not found", "The requested resource or URL could not be found."),
    "10007": (503, "Unexpected error", "An unexpected error occured."),
    "10009": (401, "Authentication failed", "The required authentication headers were either invalid or not included."),
    "10011": (429, "Too many requests", "You have exceeded the maximum number of allowed requests."),
    "10015": (400, "Bad Request", "The request failed because it was not well-formed."),
    "40300": (400, "Blocked due to STOP message", "Messages cannot be sent to this number: it has sent STOP."),
    "40305": (400, "Invalid 'from' address", "The 'from' address is not one of this account's."),
    "40310": (400, "Invalid 'to' address", "The 'to' address is invalid."),
}
_REFUSALS = {
    Refusal.BUSY: "10011",
    Refusal.DOWN: "10007",
    Refusal.BAD_SOURCE: "40305",
    Refusal.BAD_DESTINATION: "40310",
    Refusal.OPTED_OUT: "40300",
}
_STATUSES: dict[State, tuple[str, str, str]] = {
    "queued": ("queued", "", ""),
    "sent": ("sent", "", ""),
    "delivered": ("delivered", "", ""),
    "undelivered": ("delivery_failed", "40008", "Undeliverable"),
    "expired": ("delivery_failed", "40005", "Message expired during transmission"),
    "rejected": ("sending_failed", "40002", "Message blocked as spam"),
}


class TelnyxAccount(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account of Telnyx's."""

    api_key: str = ""
    key_seed: str = ""
    """What the key of the webhooks' signatures is made from; its public half is at /public_key."""
    proven_by: ClassVar[str] = "key_seed"


class Telnyx:
    """Telnyx, as `vendor.Vendor` wants it."""

    name = "telnyx"
    account_type = TelnyxAccount
    by_part = False
    carries_media = True

    def receive(self, request: Request, account: TelnyxAccount, book: Book) -> Order | Answer:
        """POST of /v2/messages, GET of /v2/messages/{id}; the public key at /public_key and, as Telnyx has it, at
        /v2/public_key."""
        if request.method == "GET" and request.path == "public_key":
            return json_answer(200, {"public_key": _public_key(account)})
        token = request.bearer()
        if token is None or account.api_key not in ("", token):
            return _error("10009")
        match request.method, request.path.split("/"):
            case "POST", ["v2", "messages"]:
                return _order(request.object())
            case "GET", ["v2", "messages", message_id]:
                message = book.find(message_id)
                return json_answer(200, {"data": _payload(message, message.state)}) if message else _error("10005")
            case "GET", ["v2", "public_key"]:
                return json_answer(200, {"data": {"public": _public_key(account)}})
        return _error("10005")

    def message_id(self, number: int) -> str:
        """A UUID."""
        return str(UUID(int=number))

    def accepted(self, message: Message) -> Answer:
        """The new resource, still queued."""
        return json_answer(200, {"data": _payload(message, "queued")})

    def refused(self, order: Order, refusal: Refusal) -> Answer:
        """A list of one error."""
        return _error(_REFUSALS[refusal])

    def status(self, message: Message, state: State, account: TelnyxAccount, sending: Sending) -> list[Callback]:
        """message.sent, and message.finalized at the end."""
        kind = "message.sent" if state == "sent" else "message.finalized"
        return [_event(kind, f"{message.id}-{state}", _payload(message, state), account, sending)]

    def inbound(self, reply: Inbound, account: TelnyxAccount, sending: Sending) -> Callback:
        """message.received with the whole text."""
        message_id = self.message_id(reply.number)
        payload = _written(message_id, "inbound", reply.body, reply.segments) | {
            "type": "MMS" if reply.media else "SMS",
            "media": [{"url": one.url, "content_type": one.content_type} for one in reply.media],
            "from": {"phone_number": reply.source, "line_type": "Wireless", "status": "received"},
            "to": [{"phone_number": reply.destination, "line_type": "Wireless", "status": "webhook_delivered"}],
            "received_at": instant(sending.now),
        }
        return _event("message.received", message_id, payload, account, sending)

    def retries(self, url: str, account: TelnyxAccount) -> Retries:
        """Three tries in all, each with two seconds to answer."""
        return Retries((5.0, 30.0), timeout=2.0)


def _order(asked: dict[str, Any] | None) -> Order | Answer:
    if asked is None:
        return _error("10015")
    fields = {name: asked.get(name) or "" for name in ("from", "to", "text", "webhook_url", "messaging_profile_id")}
    media = addresses(asked.get("media_urls"))
    for name in ("to", "text", "from"):
        if name == "text" and media and not fields[name]:
            continue
        if not isinstance(fields[name], str) or not fields[name]:
            return _error("10004", f"/{name}")
    destination, body = e164(fields["to"]), fields["text"]
    if not destination.startswith("+") or not destination[1:].isdecimal():
        return _error("10002", "/to")
    tags = asked.get("tags") or []
    return Order(
        system="telnyx",
        source=e164(fields["from"]),
        destination=destination,
        body=body,
        segments=segment(body),
        media=media,
        status_url=str(fields["webhook_url"]),
        reference=msgspec.json.encode([str(tag) for tag in tags]).decode() if isinstance(tags, list) else "",
    )


def _written(message_id: str, direction: str, body: str, segments: Segments) -> dict[str, Any]:
    return {
        "record_type": "message",
        "direction": direction,
        "id": message_id,
        "type": "SMS",
        "messaging_profile_id": str(UUID(int=1)),
        "organization_id": str(UUID(int=2)),
        "text": body,
        "encoding": _ENCODINGS[segments.encoding],
        "parts": len(segments.parts),
        **{name: [] for name in ("cc", "media", "tags", "errors")},
        **dict.fromkeys(_UNSET),
    }


def _payload(message: Message, state: State) -> dict[str, Any]:
    order = message.order
    word, code, title = _STATUSES[state]
    at = instant(message.updated_at)
    return _written(message.id, "outbound", order.body, order.segments) | {
        "from": {"phone_number": order.source, "carrier": "Telnyx", "line_type": "Wireless"},
        "to": [{"phone_number": order.destination, "status": word, "carrier": "", "line_type": "Wireless"}],
        "type": "MMS" if order.media else "SMS",
        "media": [{"url": url, "content_type": None} for url in order.media],
        "tags": msgspec.json.decode(order.reference or "[]"),
        "errors": [{"code": code, "title": title, "detail": title}] if code else [],
        "received_at": instant(message.created_at),
        "sent_at": None if state == "queued" else at,
        "completed_at": at if state in ("delivered", *FAILED) else None,
        "webhook_url": order.status_url or None,
    }


def _event(kind: str, name: str, payload: dict[str, Any], account: TelnyxAccount, sending: Sending) -> Callback:
    data = {
        "event_type": kind,
        "id": str(UUID(bytes=sha256(name.encode()).digest()[:16])),
        "occurred_at": instant(sending.now),
        "payload": payload,
        "record_type": "event",
    }
    body = msgspec.json.encode({"data": data, "meta": {"attempt": sending.attempt, "delivered_to": sending.url}})
    headers = {"content-type": "application/json"}
    if sending.signed:
        timestamp = str(int(sending.now))
        signature = _key(account).sign(timestamp.encode() + b"|" + body)
        headers["telnyx-timestamp"] = timestamp
        headers["telnyx-signature-ed25519"] = base64.b64encode(signature).decode()
    return Callback("POST", sending.url, headers, body)


def _key(account: TelnyxAccount) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(account.secret.encode()).digest())


def _public_key(account: TelnyxAccount) -> str:
    return base64.b64encode(_key(account).public_key().public_bytes_raw()).decode()


def _error(code: str, pointer: str = "") -> Answer:
    status, title, detail = _ERRORS[code]
    error: dict[str, Any] = {"code": code, "title": title, "detail": detail}
    if pointer:
        error["source"] = {"pointer": pointer}
    return json_answer(status, {"errors": [error]}, {"retry-after": "1"} if status == 429 else {})

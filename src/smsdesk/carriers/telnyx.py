"""Telnyx's Messaging API v2: https://developers.telnyx.com/docs/messaging/messages."""

import base64
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from smsdesk.carriers.contract import (
    Accepted,
    Callback,
    CallbackRequest,
    Doubt,
    Forged,
    Found,
    LookUp,
    MediaAccess,
    OutboundText,
    Outcome,
    Receipt,
    Refused,
    Reply,
    Unknown,
    Unreadable,
)
from smsdesk.carriers.http import HttpAnswer, HttpConfig, HttpRequest, Url
from smsdesk.carriers.http_reading import callback_address, check_fresh, read_json, read_media, read_reply, reference_in
from smsdesk.carriers.http_search import SKEW
from smsdesk.domain.media import MOST_ATTACHMENTS

T = TypeVar("T")

SIGNATURE, TIMESTAMP = "telnyx-signature-ed25519", "telnyx-timestamp"
_STOP = 40300

_LATER = 60.0
_ERRORS: dict[int, tuple[str, float | None]] = {
    code: meaning
    for meaning, codes in {
        ("carrier_error", None): (40007,),
        ("carrier_error", _LATER): (
            10009, 10010, 20002, 20006, 20012, 20013, 20014, 20015, 20016, 20017, 20100, 40311, 40312, 40313, 40314,
        ),
        ("queue_full", None): (10011, 40011, 40016, 40018),
        ("queue_full", _LATER): (40318,),
        ("bad_sender", None): (40013, 40100, 40150, 40151, 40305, 40306, 40308, 40315, 40321),
        ("bad_sender", _LATER): (40320,),
        ("unknown_number", None): (10001, 10002, 10016, 40012, 40310),
        ("unregistered", None): (10039, 40010, 40329),
        ("landline", None): (40001, 40301, 40319),
        ("unreachable", None): (40005, 40006, 40008),
        ("blocked", None): (40004, 40309),
        ("filtered", None): (40002, 40003, 40015, 40017, 40322),
        ("too_long", None): (40302, 40328),
        ("expired_here", None): (40014,),
    }.items()
    for code in codes
}  # fmt: skip
"""Error code to reason, and the seconds until another try makes sense; those that are not here say nothing."""
_PHONE_ERRORS = frozenset({10001, 10002, 10016})
"""These speak of either phone: the pointer of the error says of which."""

_STATES = {
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivery_unconfirmed": "sent",  # the network will never say
    "delivered": "delivered",
    "delivery_failed": "undelivered",
    "sending_failed": "failed",
    "expired": "expired",
    "failed": "undelivered",
    "gw_reject": "failed",
}
"""The status of a phone in a message, and the last two of a detail record, which has words of its own. Others are kept
as interim reports."""


class Config(HttpConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a line to Telnyx."""

    base_url: Url = "https://api.telnyx.com"
    api_key: str
    public_key: str = ""
    """The account's, in base64: it proves that callbacks are Telnyx's. Without it none is believed."""
    previous_public_key: str = ""
    """Its signatures are taken as well, while a new key is on its way."""
    messaging_profile_id: str = ""
    """Needed for number pools and for names as senders; else the number's own profile counts."""


class _Error(Struct):
    code: int | str
    title: str = ""
    detail: str | None = None
    source: dict[str, Any] | None = None

    @property
    def number(self) -> int:
        return int(self.code) if str(self.code).isdecimal() else 0


class _Refusal(Struct):
    errors: list[_Error]


class _Data(Struct, Generic[T]):
    data: T


class _Phone(Struct):
    phone_number: str
    status: str = ""


class _Message(Struct, rename={"from_": "from"}):
    id: str
    to: list[_Phone] = []
    from_: _Phone | None = None
    text: str | None = None
    media: list[dict[str, Any]] | None = None
    webhook_url: str | None = None
    errors: list[_Error] | None = None


class _Event(Struct):
    event_type: str
    payload: msgspec.Raw = msgspec.Raw(b"{}")


class _Record(Struct):
    uuid: str
    delivery_status_webhook_url: str | None = None
    status: str | None = None
    errors: list[str] | None = None


class Telnyx:
    """Telnyx as `http.Vendor` has it."""

    def __init__(self, config: Config) -> None:
        """ValueError where a public key is none."""
        self._config = config
        self._api = f"{config.base_url.rstrip('/')}/v2"
        keys = {"public_key": config.public_key, "previous_public_key": config.previous_public_key}
        self._keys = [_read_key(name, key) for name, key in keys.items() if key]

    def request(self, text: OutboundText, now: datetime) -> HttpRequest:
        """Creates a message. Any encoding but the counted one would change the words, or the segments."""
        fields = {
            "from": text.source,
            "to": text.destination,
            "text": "".join(text.segments.parts),
            "type": "MMS" if text.media else "SMS",
            "encoding": "" if text.media else text.segments.encoding,
            "media_urls": text.media,
            "messaging_profile_id": self._config.messaging_profile_id,
            "webhook_url": callback_address(self._config, text),
        }
        headers = self._headers() | {"Content-Type": "application/json"}
        body = msgspec.json.encode({name: value for name, value in fields.items() if value})
        return HttpRequest("POST", f"{self._api}/messages", headers, body)

    def outcome(self, text: OutboundText, answer: HttpAnswer) -> Outcome:
        """A message with its id, or a list of errors."""
        if 200 <= answer.status < 300:
            return Accepted(_part_ids(msgspec.json.decode(answer.body, type=_Data[_Message]).data.id, text))
        error = _telling(msgspec.json.decode(answer.body, type=_Refusal).errors)
        if error is None or answer.status >= 500:
            raise ValueError("nothing that speaks of the text")
        reason, retry_after = _meaning(error)
        return Refused(reason, str(error.code), retry_after)

    def look_up(self, doubt: Doubt) -> HttpRequest | None:
        """The message, where its id is known; else the detail records between the two numbers."""
        if message_id := _known_id(doubt):
            return HttpRequest("GET", f"{self._api}/messages/{quote(message_id, safe='')}", self._headers())
        if not self._config.callback_url:
            return None
        query = {
            "filter[record_type]": "messaging",
            "filter[direction]": "outbound",
            "filter[cli]": doubt.text.source,
            "filter[cld]": doubt.text.destination,
            "filter[created_at][gte]": (doubt.sent_at - SKEW).isoformat(),
            "filter[created_at][lt]": (doubt.sent_at + SKEW).isoformat(),
        }
        return HttpRequest("GET", f"{self._api}/detail_records?{urlencode(query)}", self._headers())

    def found(self, doubt: Doubt, answer: HttpAnswer) -> LookUp:
        """A record names the callback address of its attempt, so nothing is guessed. That there is none says nothing:
        records are written late."""
        if answer.status != 200:
            raise ValueError("neither a message nor records")
        if _known_id(doubt):
            return _found(doubt, msgspec.json.decode(answer.body, type=_Data[_Message]).data)
        address = callback_address(self._config, doubt.text)
        for record in msgspec.json.decode(answer.body, type=_Data[list[_Record]]).data:
            if record.delivery_status_webhook_url == address:
                phone = _Phone(doubt.text.destination, record.status or "")
                errors = [_Error(code) for code in record.errors or []]
                return _found(doubt, _Message(record.uuid, [phone], errors=errors))
        return Unknown("there is no detail record of it yet")

    def callback(self, request: CallbackRequest, now: datetime) -> Callback:
        """A webhook. What the body says is signed; the query of the address is not."""
        self._prove(request, now)
        event = read_json(request.body, _Data[_Event]).data
        if event.event_type == "message.received":
            return Callback((_reply(read_json(bytes(event.payload), _Message)),))
        if event.event_type not in ("message.sent", "message.finalized"):
            return Callback(())
        message = read_json(bytes(event.payload), _Message)
        url = message.webhook_url or ""
        ours = self._config.callback_url and url.startswith(self._config.callback_url)
        return Callback((_receipt(message, reference_in(urlsplit(url).query) if ours else None),))

    most_media = MOST_ATTACHMENTS

    def media_access(self) -> MediaAccess:
        """None: what came with a text is at public addresses, for a while."""
        return MediaAccess(self._config.base_url, {})

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._config.api_key}"}

    def _prove(self, request: CallbackRequest, now: datetime) -> None:
        """Raises Forged unless one of the keys has signed `timestamp|body` of late."""
        try:
            signature = base64.b64decode(request.headers.get(SIGNATURE, ""), validate=True)
        except ValueError:
            signature = b""
        if not signature:
            raise Forged("no telnyx-signature-ed25519")
        timestamp = request.headers.get(TIMESTAMP, "")
        signed = f"{timestamp}|".encode() + request.body
        if not any(_has_signed(key, signature, signed) for key in self._keys):
            raise Forged("wrong telnyx-signature-ed25519")
        check_fresh(timestamp, now)


def _read_key(name: str, written: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(written, validate=True))
    except ValueError:
        raise ValueError(f"{name} is no Ed25519 key in base64: copy it again from Telnyx's portal") from None


def _has_signed(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _part_ids(message_id: str, text: OutboundText) -> tuple[str, ...]:
    return (message_id,) * len(text.segments.parts)


def _known_id(doubt: Doubt) -> str | None:
    return next((part_id for part_id in doubt.part_ids if part_id), None)


def _found(doubt: Doubt, message: _Message) -> Found:
    return Found(_part_ids(message.id, doubt.text), (_receipt(message, doubt.text.text_id & 0xFFFF),))


def _telling(errors: list[_Error]) -> _Error | None:
    """The first error that the table knows, else the first."""
    known = [error for error in errors if error.number in _ERRORS or error.number == _STOP]
    return next(iter(known or errors), None)


def _meaning(error: _Error) -> tuple[str, float | None]:
    if error.number == _STOP:
        # The code speaks of other blocks as well; only the words tell which one it is.
        return ("opted_out" if "STOP" in f"{error.title} {error.detail}" else "blocked"), None
    if error.number in _PHONE_ERRORS and str((error.source or {}).get("pointer")).startswith("/from"):
        return "bad_sender", None
    return _ERRORS.get(error.number, ("unknown_error", None))


def _receipt(message: _Message, reference: int | None) -> Receipt:
    """What a message says of its text."""
    if not message.to:
        raise Unreadable("there is no phone in it")
    phone, error = message.to[0], _telling(message.errors or [])
    state, reason = _STATES.get(phone.status, "sent"), None
    if state not in ("sent", "delivered"):
        reason = _meaning(error)[0] if error else "unreachable" if state == "expired" else "unknown_error"
    code = f"{phone.status} {error.code}" if error else phone.status
    return Receipt(message.id, state, reason, code, phone.phone_number, reference, whole=True)


def _reply(message: _Message) -> Reply:
    """A text from a phone, with what came with it. Of several numbers that it went to, ours is the one
    that the webhook is for."""
    if message.from_ is None or not message.to:
        raise Unreadable("there is no from or no to in it")
    ours = next((phone for phone in message.to if phone.status == "webhook_delivered"), message.to[0])
    reply = read_reply(message.from_.phone_number, ours.phone_number, message.text or "", message.id)
    return replace(reply, media=read_media(str(one.get("url") or "") for one in message.media or []))

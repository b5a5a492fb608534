"""Vonage's SMS API, once Nexmo's: https://developer.vonage.com/en/messaging/sms/overview."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode
from zlib import crc32

import jwt
import msgspec
from msgspec import Struct

from smsdesk.carriers import vonage_messages as messages
from smsdesk.carriers.contract import (
    Accepted,
    Callback,
    CallbackRequest,
    Doubt,
    Doubtful,
    Forged,
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
from smsdesk.carriers.http_reading import basic, check_fresh, e164, is_one_of, is_same, read_form, read_json, read_reply

_LEAST_TTL, _MOST_TTL = 20_000, 604_800_000
"""Milliseconds of `ttl`."""
_REPEATED = 86_400.0 + 300.0
"""Seconds. What was not answered is pushed again for a day, and its `timestamp` is when that began. A repetition does
no harm: the ids of messages are what facts are known by."""

_TAKEN, _INTERNAL_ERROR = "0", "5"
_LATER = 60.0
_REFUSALS: dict[str, tuple[str, float | None]] = {
    code: meaning
    for meaning, codes in {
        ("queue_full", None): ("1", "10"),
        ("carrier_error", _LATER): ("4", "8", "9", "11", "14", "23", "32"),
        ("unknown_number", None): ("6", "33"),
        ("blocked", None): ("7",),
        ("too_long", None): ("12",),
        ("bad_sender", None): ("15",),
        ("unregistered", None): ("29",),
    }.items()
    for code in codes
}
"""`status` of a part in the answer to reason, and the seconds until another try makes sense."""

_STATES = {
    "accepted": "sent",
    "buffered": "sent",
    "unknown": "sent",
    "delivered": "delivered",
    "expired": "expired",
    "failed": "undelivered",
    "rejected": "failed",
}
_REASONS = {
    code: reason
    for reason, codes in {
        "opted_out": ("9",),
        "unreachable": ("2", "5", "7", "11"),
        "unknown_number": ("3", "12"),
        "blocked": ("4", "13", "14", "15", "53"),
        "filtered": ("6", "52"),
        "carrier_error": ("8",),
        "unregistered": ("50", "54"),
        "bad_sender": ("51",),
    }.items()
    for code in codes
}
"""`err-code` of a delivery receipt to reason."""


class Config(HttpConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a line to Vonage."""

    base_url: Url = "https://rest.nexmo.com"
    messages_url: Url = "https://api.nexmo.com"
    """Where the Messages API is, which texts with a file go by."""
    api_key: str
    api_secret: str
    signature_secret: str = ""
    """Proves that callbacks are Vonage's; without it none is believed."""
    previous_signature_secret: str = ""
    """Its signatures are taken as well, while a new secret is on its way."""
    signature_method: Literal["md5hash", "md5", "sha1", "sha256", "sha512"] = "sha256"
    """How `sig` is made, as the dashboard's API settings have it; a JWT is always SHA-256."""


class _Part(Struct, rename="kebab"):
    status: str
    message_id: str = ""


class _Answer(Struct):
    messages: list[_Part]


class Vonage:
    """Vonage as `http.Vendor` has it. Each part of a text has an id, a status and a receipt of its own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._secrets = [one for one in (config.signature_secret, config.previous_signature_secret) if one]

    def request(self, text: OutboundText, now: datetime) -> HttpRequest:
        """Sends an SMS, or an MMS by the Messages API; receipts give `client-ref` back."""
        left = int((text.valid_until - now).total_seconds() * 1000)
        if text.media:
            account = (self._config.api_key, self._config.api_secret)
            return messages.write(self._config.messages_url, account, text, left // 1000, self._config.callback_url)
        fields = {
            "api_key": self._config.api_key,
            "api_secret": self._config.api_secret,
            "from": text.source.removeprefix("+"),
            "to": text.destination.removeprefix("+"),
            "text": "".join(text.segments.parts),
            "type": "unicode" if text.segments.encoding == "ucs2" else "text",
            "ttl": str(min(max(left, _LEAST_TTL), _MOST_TTL)),
            "client-ref": f"smsdesk-{text.text_id}-{text.attempt}",
            "callback": self._config.callback_url,
        }
        form = urlencode({name: value for name, value in fields.items() if value})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return HttpRequest("POST", f"{self._config.base_url.rstrip('/')}/sms/json", headers, form.encode())

    def outcome(self, text: OutboundText, answer: HttpAnswer) -> Outcome:
        """Nearly all is answered with 200: the status of each part counts."""
        if text.media:
            return messages.outcome(text, answer)
        parts = msgspec.json.decode(answer.body, type=_Answer).messages
        ids = tuple(part.message_id if part.status == _TAKEN else None for part in parts)
        if not ids or "" in ids:
            raise ValueError("an answer that does not name what was taken")
        refused = [part.status for part in parts if part.status != _TAKEN]
        if not refused:
            return Accepted(tuple(part.message_id for part in parts))
        if _INTERNAL_ERROR in refused:
            return Doubtful(f"status {_INTERNAL_ERROR}: an internal error of Vonage's", ids)
        reason, retry_after = _REFUSALS.get(refused[0], ("unknown_error", None))
        if not any(ids):
            return Refused(reason, refused[0], retry_after)
        # The phone gets a piece of it: this text never goes again.
        last = max(place for place, part_id in enumerate(ids, 1) if part_id)
        return Refused(reason, refused[0], None, ids[:last])

    def look_up(self, doubt: Doubt) -> HttpRequest | None:
        """The SMS API has no such question."""
        return None

    def found(self, doubt: Doubt, answer: HttpAnswer) -> LookUp:
        """Nothing was asked."""
        return Unknown("Vonage's SMS API cannot be asked")

    def callback(self, request: CallbackRequest, now: datetime) -> Callback:
        """A delivery receipt, or a text from a phone or a part of one."""
        if messages.is_webhook(request.body):
            self._check_token(_token(request), request, now)
            return Callback((messages.read(request.body),))
        fields = self._prove(request, now)
        return Callback((_receipt(fields) if "status" in fields else _reply(fields),))

    most_media = messages.MOST_MEDIA

    def media_access(self) -> MediaAccess:
        """Files are at the host of the Messages API, for whoever may use it."""
        return MediaAccess(
            self._config.messages_url, {"Authorization": basic(self._config.api_key, self._config.api_secret)}
        )

    def _prove(self, request: CallbackRequest, now: datetime) -> dict[str, str]:
        """The fields of a request that carries a token or a `sig` of Vonage's; raises Forged."""
        if token := _token(request):
            self._check_token(token, request, now)
            return _read_fields(request)
        try:
            fields = _read_fields(request)
        except Unreadable:
            raise Forged("no token, and no fields that could be signed") from None
        self._check_sig(fields, now)
        return fields

    def _check_token(self, token: str, request: CallbackRequest, now: datetime) -> None:
        """A JWT that holds the SHA-256 of the body."""
        claims = next(filter(None, (_claims(token, secret) for secret in self._secrets)), None)
        if claims is None:
            raise Forged("wrong token")
        if request.method != "POST":
            raise Forged("a token proves no query: set the webhook format to POST")
        if not is_same(str(claims.get("payload_hash", "")).lower(), hashlib.sha256(request.body).hexdigest()):
            raise Forged("the body is not the one that was signed")
        check_fresh(str(claims.get("iat", "")), now)

    def _check_sig(self, fields: Mapping[str, str], now: datetime) -> None:
        given, method = fields.get("sig", "").lower(), self._config.signature_method
        if not given:
            raise Forged("no token and no sig")
        # A name with these in it could say other fields under the same signature.
        if any(re.search("[&=]", name) for name in fields):
            raise Forged("a name that Vonage gives no field")
        if not is_one_of(given, [sign(fields, secret, method) for secret in self._secrets]):
            raise Forged(f"wrong sig: it should be a {method} with the signature secret")
        check_fresh(fields.get("timestamp", ""), now, _REPEATED)


def _token(request: CallbackRequest) -> str:
    found = re.fullmatch(r"Bearer (\S+)", request.headers.get("authorization", ""), re.IGNORECASE)
    return found[1] if found else ""


def sign(fields: Mapping[str, str], secret: str, method: str) -> str:
    """The `sig` of fields: https://developer.vonage.com/en/getting-started/concepts/signing-messages. `md5hash` is a
    plain MD5 with the secret behind the fields, the others are HMACs."""
    pairs = sorted((name, re.sub("[&=]", "_", value)) for name, value in fields.items() if name != "sig")
    signed = "".join(f"&{name}={value}" for name, value in pairs).encode()
    if method == "md5hash":
        return hashlib.md5(signed + secret.encode(), usedforsecurity=False).hexdigest()
    return hmac.digest(secret.encode(), signed, method).hex()


def _claims(token: str, secret: str) -> dict[str, Any] | None:
    """What the token says, if it was signed with the secret; its times are for us to judge."""
    try:
        return jwt.decode(token, secret, algorithms=["HS256"], options={"verify_iat": False, "verify_exp": False})
    except jwt.PyJWTError:
        return None


def _read_fields(request: CallbackRequest) -> dict[str, str]:
    """The fields of a query, a form or a JSON object, whichever the account is set to."""
    if request.method == "GET":
        return dict(read_form(request.query))
    if not request.body.lstrip().startswith(b"{"):
        return dict(read_form(request.body))
    said = read_json(request.body, dict[str, str | int | float | bool | None])
    return {name: one if isinstance(one, str) else msgspec.json.encode(one).decode() for name, one in said.items()}


def _require(fields: Mapping[str, str], name: str) -> str:
    if not fields.get(name):
        raise Unreadable(f"there is no {name}")
    return fields[name]


def _receipt(fields: Mapping[str, str]) -> Receipt:
    """What a status says of one part."""
    message_id, number = _require(fields, "messageId"), e164(_require(fields, "msisdn"))
    status, error = fields["status"], fields.get("err-code", "")
    state, reason = _STATES.get(status, "sent"), None
    if state not in ("sent", "delivered"):
        reason = _REASONS.get(error, "unreachable" if state == "expired" else "unknown_error")
    ours = re.fullmatch(r"smsdesk-([0-9]{1,19})-[0-9]+", fields.get("client-ref", ""))
    reference = int(ours[1]) & 0xFFFF if ours else None
    return Receipt(message_id, state, reason, f"{status} {error}".rstrip(), number, reference)


def _reply(fields: Mapping[str, str]) -> Reply:
    """A text, or one part of one; of what is no text, its octets in hexadecimal."""
    source, destination = _require(fields, "msisdn"), _require(fields, "to")
    body = fields.get("text") or fields.get("data", "")
    return read_reply(source, destination, body, _require(fields, "messageId"), _part(fields))


def _part(fields: Mapping[str, str]) -> tuple[int, int, int] | None:
    """A part outside its text is a whole text (3GPP TS 23.040 section 9.2.3.24.1), and so is the only one."""
    reference, number, total = (fields.get(f"concat-{name}", "") for name in ("ref", "part", "total"))
    if not all(re.fullmatch("[0-9]{1,3}", one) for one in (number, total)):
        return None
    if not 1 <= int(number) <= int(total) <= 255 or total == "1":
        return None
    # Vonage does not say that its reference is a number.
    return crc32(reference.encode()) & 0xFFFF, int(number), int(total)

"""Twilio Programmable Messaging, API 2010-04-01: the Messages resource, its webhooks and their signatures."""

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
from msgspec import Meta, Struct

from smsdesk.carriers.contract import (
    Accepted,
    Callback,
    CallbackRequest,
    Doubt,
    Forged,
    LookUp,
    MediaAccess,
    OutboundText,
    Outcome,
    Receipt,
    Refused,
    Unreadable,
)
from smsdesk.carriers.http import HttpAnswer, HttpConfig, HttpRequest, Unsendable, Url
from smsdesk.carriers.http_reading import (
    basic,
    callback_address,
    called_url,
    e164,
    is_one_of,
    is_same,
    read_form,
    read_json,
    read_media,
    read_reply,
    reference_in,
)
from smsdesk.carriers.http_search import SKEW, Listed, settle_by_list
from smsdesk.domain.media import MOST_ATTACHMENTS, MediaSource

Word = Annotated[str, Meta(min_length=1)]

_LONGEST_BODY = 1600
_LONGEST_VALIDITY = 36_000
"""Seconds that Twilio keeps a message in its queue at most."""
_PAGE = 100
_OVERFLOW_PAUSE = 60.0
"""Seconds before a number whose queue at Twilio is full is tried again."""

STATES = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
}
"""MessageStatus in our words. Others are kept as interim reports."""

REASONS = {
    20003: "carrier_error",  # authentication
    20429: "queue_full",  # too many requests
    21211: "unknown_number",
    21212: "bad_sender",
    21265: "unknown_number",  # a short code
    21266: "unknown_number",  # to itself
    21408: "blocked",  # no permission for the region
    21603: "bad_sender",
    21604: "unknown_number",
    21606: "bad_sender",
    21608: "blocked",  # a trial account and a number that is not verified
    21610: "opted_out",
    21611: "queue_full",
    21612: "blocked",  # no way from this number to that
    21614: "landline",
    21617: "too_long",
    21635: "landline",
    21659: "bad_sender",
    21660: "bad_sender",
    21661: "bad_sender",
    21703: "bad_sender",  # a Messaging Service without senders
    21705: "bad_sender",
    30001: "queue_full",
    30002: "carrier_error",  # account suspended
    30003: "unreachable",
    30004: "blocked",
    30005: "unknown_number",
    30006: "landline",
    30007: "filtered",
    30008: "unknown_error",
    30019: "too_long",
    30022: "queue_full",  # more than the campaign's rate
    30023: "queue_full",  # more than the brand's day
    30024: "unregistered",
    30032: "unregistered",  # toll-free
    30033: "unregistered",
    30034: "unregistered",  # 10DLC
    30035: "unregistered",
    30036: "expired_here",  # ValidityPeriod
    30038: "filtered",
    30410: "carrier_error",
    30500: "carrier_error",
}
"""Twilio's error codes in our words; one that is not here is an `unknown_error`. Twilio changes the list."""


class Config(HttpConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a line to Twilio."""

    base_url: Url = "https://api.twilio.com"
    account_sid: Word
    auth_token: str
    """Signs what Twilio posts to us, and requests where no API key is given."""
    previous_auth_token: str = ""
    """Its signatures are taken as well, while a new token is on its way."""
    api_key_sid: str = ""
    api_key_secret: str = ""
    """A key for requests alone, which can be revoked by itself."""
    messaging_service_sid: str = ""
    """The Messaging Service whose rules apply. The number that sends is ours all the same, out of its pool."""
    webhook_secret: str = ""
    """The shared key of webhooks that are signed by HMAC-SHA256, where the account has one."""
    look_up: bool = True
    """Whether Twilio is asked about doubtful texts. Off for an account that redacts numbers, whose list shows none."""


class _Made(Struct):
    sid: Word


class _Error(Struct):
    code: int


class _Message(Struct):
    sid: Word
    body: str
    date_created: str
    status: str
    error_code: int | None = None


class _Page(Struct):
    messages: list[_Message]
    next_page_uri: str | None = None


class Twilio:
    """Twilio as `http.Vendor` has it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._messages = f"{config.base_url.rstrip('/')}/2010-04-01/Accounts/{quote(config.account_sid)}/Messages.json"
        user, password = config.account_sid, config.auth_token
        if config.api_key_sid:
            user, password = config.api_key_sid, config.api_key_secret
        self._authorization = basic(user, password)

    def request(self, text: OutboundText, now: datetime) -> HttpRequest:
        """Creates a Message. SmartEncoded would change the words, and with them the segments that were counted."""
        body = "".join(text.segments.parts)
        if len(body) > _LONGEST_BODY:
            raise Unsendable("too_long", f"longer than {_LONGEST_BODY} characters")
        left = int((text.valid_until - now).total_seconds())
        fields = {
            "To": text.destination,
            "From": text.source,
            "MessagingServiceSid": self._config.messaging_service_sid,
            "Body": body,
            "StatusCallback": callback_address(self._config, text),
            "ValidityPeriod": str(min(max(left, 1), _LONGEST_VALIDITY)),
            "SmartEncoded": "false",
        }
        pairs = [(name, value) for name, value in fields.items() if value]
        form = urlencode([*pairs, *(("MediaUrl", url) for url in text.media)])
        headers = {"Authorization": self._authorization, "Content-Type": "application/x-www-form-urlencoded"}
        return HttpRequest("POST", self._messages, headers, form.encode())

    def outcome(self, text: OutboundText, answer: HttpAnswer) -> Outcome:
        """A Message with its sid, or an error with its code; what else there is, its HTTP status says."""
        if 200 <= answer.status < 300:
            sid = msgspec.json.decode(answer.body, type=_Made).sid
            return Accepted((sid,) * len(text.segments.parts))
        code = msgspec.json.decode(answer.body, type=_Error).code
        if answer.status >= 500:
            raise ValueError("an error of Twilio's own says nothing of the text")
        reason = REASONS.get(code, "carrier_error" if answer.status in (401, 403) else "unknown_error")
        if code == 21611:
            return Refused(reason, str(code), _OVERFLOW_PAUSE)
        return Refused(reason, str(code), 60.0 if reason == "carrier_error" else None)

    def look_up(self, doubt: Doubt) -> HttpRequest | None:
        """Lists the latest messages between the two numbers.

        Not by DateSent, which a message has only once it has left Twilio's queue.
        """
        if not self._config.look_up:
            return None
        query = urlencode({"To": doubt.text.destination, "From": doubt.text.source, "PageSize": _PAGE})
        return HttpRequest("GET", f"{self._messages}?{query}", {"Authorization": self._authorization})

    def found(self, doubt: Doubt, answer: HttpAnswer) -> LookUp:
        """The list is the newest first."""
        if answer.status != 200:
            raise ValueError("no list")
        page = msgspec.json.decode(answer.body, type=_Page)
        listed = [
            Listed(one.sid, one.body, parsedate_to_datetime(one.date_created), (_receipt(one, doubt),))
            for one in page.messages
        ]
        complete = not page.next_page_uri or (bool(listed) and listed[-1].created_at < doubt.sent_at - SKEW)
        return settle_by_list(doubt, listed, complete=complete)

    def callback(self, request: CallbackRequest, now: datetime) -> Callback:
        """A status callback, or a text from a phone, which is answered with TwiML that says nothing."""
        fields = self._prove(request)
        sid, status = fields.get("MessageSid", ""), fields.get("MessageStatus", "")
        if not sid:
            raise Unreadable("there is no MessageSid")
        if status and status != "received":
            code = fields.get("ErrorCode", "")
            number = e164(fields.get("To", "")) or None
            return Callback((_report(sid, status, code, number, reference_in(request.query)),))
        if not fields.get("From") or not fields.get("To"):
            raise Unreadable("neither a MessageStatus nor From and To")
        reply = read_reply(fields["From"], fields["To"], fields.get("Body", ""), sid)
        return Callback((replace(reply, media=_media(fields)),), 200, "text/xml", b"<Response/>")

    most_media = MOST_ATTACHMENTS

    def media_access(self) -> MediaAccess:
        """Files are at the API's own host, which asks for the account and leads on to a place that does not."""
        return MediaAccess(self._config.base_url, {"Authorization": self._authorization})

    def _prove(self, request: CallbackRequest) -> dict[str, str]:
        """The fields of a request whose X-Twilio-Signature is right; raises Forged.

        It is an HMAC over the address that was called and the sorted fields of the body. Of a JSON body the address
        has the hash. (Twilio, "Security: validating requests")
        """
        given = request.headers.get("x-twilio-signature", "")
        if not given:
            raise Forged("no X-Twilio-Signature")
        url = called_url(self._config, request)
        digest = parse_qs(request.query).get("bodySHA256", [""])[0]
        if digest and not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            if not is_same(hashlib.sha256(request.body).hexdigest(), digest.lower()):
                raise Forged("the body is not the one that was signed")
            form: list[tuple[str, str]] = []
        else:
            form = _form(request)
        tail = "".join(name + value for name, value in sorted(set(form)))
        algorithm = "sha256" if _names_sha256(request) else "sha1"
        config = self._config
        keys = [key for key in (config.auth_token, config.previous_auth_token, config.webhook_secret) if key]
        wanted = [sign(key, spelling + tail, algorithm) for key in keys for spelling in _spellings(url)]
        if not is_one_of(given, wanted):
            raise Forged("wrong X-Twilio-Signature")
        return dict(form) if form or not digest else _plain(read_json(request.body, dict[str, Any]))


def sign(key: str, signed: str, algorithm: str = "sha1") -> str:
    """Twilio's signature: a base64 HMAC."""
    return base64.b64encode(hmac.new(key.encode(), signed.encode(), algorithm).digest()).decode()


def _form(request: CallbackRequest) -> list[tuple[str, str]]:
    try:
        return read_form(request.body)
    except Unreadable:
        raise Forged("the body is not one that Twilio signs") from None


def _names_sha256(request: CallbackRequest) -> bool:
    settings = request.headers.get("x-twilio-webhooks-signature-settings", "").upper()
    return "ALGORITHM=HMAC_SHA256" in settings.replace(" ", "").split(",")


def _spellings(url: str) -> tuple[str, str]:
    """The address without and with its port: Twilio signs one or the other."""
    parts = urlsplit(url)
    bare = re.sub(r":\d+$", "", parts.netloc)
    full = parts.netloc if bare != parts.netloc else f"{bare}:{443 if parts.scheme == 'https' else 80}"
    return parts._replace(netloc=bare).geturl(), parts._replace(netloc=full).geturl()


def _plain(fields: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items() if isinstance(value, str | int)}


def _media(fields: dict[str, str]) -> tuple[MediaSource, ...]:
    """The addresses of what came with a text."""
    count = fields.get("NumMedia", "0")
    return read_media(
        fields.get(f"MediaUrl{place}", "") for place in range(int(count) if re.fullmatch(r"\d{1,2}", count) else 0)
    )


def _receipt(message: _Message, doubt: Doubt) -> Receipt:
    code = str(message.error_code or "")
    return _report(message.sid, message.status, code, doubt.text.destination, doubt.text.text_id & 0xFFFF)


def _report(sid: str, status: str, code: str, number: str | None, reference: int | None) -> Receipt:
    """What a status says of the whole text."""
    state, reason = STATES.get(status, "sent"), None
    if state in ("undelivered", "failed"):
        reason = REASONS.get(int(code), "unknown_error") if re.fullmatch(r"\d{1,6}", code) else "unknown_error"
        state = "expired" if reason == "expired_here" else state
    return Receipt(sid, state, reason, f"{status} {code}".rstrip(), number, reference, whole=True)

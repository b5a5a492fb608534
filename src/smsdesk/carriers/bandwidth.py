"""Bandwidth's messaging API v2: https://dev.bandwidth.com/docs/messaging (messages, webhooks, errors)."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta, Struct

from smsdesk.carriers.contract import (
    Absent,
    Accepted,
    Callback,
    CallbackRequest,
    Doubt,
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
from smsdesk.carriers.http import HttpAnswer, HttpConfig, HttpRequest, Unsendable, Url
from smsdesk.carriers.http_reading import basic, check_basic, read_json, read_media, read_reply
from smsdesk.carriers.http_search import SKEW, Listed, settle_by_list
from smsdesk.domain.media import MOST_ATTACHMENTS

LONGEST = 2048
"""Characters of a text."""
_TAG = r"smsdesk-([0-9]{1,19})-[0-9]+"

_LATER = 60.0
_FIELDS = {"from": "bad_sender", "to": "unknown_number", "text": "too_long"}
"""Which field of a request was wrong, to reason."""

_NOT_CONFIRMED = 9902
"""No delivery receipt came in time: the phone may well have the text."""
_EXPIRED = 4360
_REASONS = {
    code: reason
    for reason, codes in {
        "opted_out": (4775,),
        "unreachable": (4401, 4420, 4701, 4702, 4730, 5106, 5501, 5650),
        "blocked": (4001, 4421, 4432, 4482, 4492, 4750, 4753, 4772, 4790),
        "unknown_number": (4303, 4350, 4404, 4406, 4408, 4434, 4720, 4721),
        "landline": (4700,),
        "filtered": (4470, 4770, 4771),
        "queue_full": (4780, 4781, 4785, 5600),
        "unregistered": (4773, 4774, 4791, 4792, 4793, 4795),
        "expired_here": (_EXPIRED,),
        "bad_sender": (4302, 4403, 4405, 4407, 4431, 4433, 4481, 4493, 4740),
        "too_long": (4751,),
        "carrier_error": (4451, 4452),
        "unknown_error": (5999,),
    }.items()
    for code in codes
}
"""`errorCode` to reason; all other 5xxx are faults of a service, all others say nothing."""

_STATES = {"message-sending": "sent", "message-sent": "sent", "message-delivered": "delivered"}
_SEARCHED = {"DELIVERED": "message-delivered", "FAILED": "message-failed", "UNDELIVERED": "message-failed"}
"""The status in a search that is an end, to the event that says the same."""
_SEARCH_SPAN = timedelta(minutes=15)
_NEAR = timedelta(minutes=1)
"""How long after its attempt began a text can have come in."""
_SETTLED = timedelta(minutes=10)
"""How old an attempt must be before a search that does not list it says that it never came: searches lag behind."""


class Config(HttpConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a line to Bandwidth."""

    base_url: Url = "https://messaging.bandwidth.com"
    account_id: Annotated[str, Meta(min_length=1)]
    application_id: Annotated[str, Meta(min_length=1)]
    """Of the messaging application that the numbers belong to."""
    api_token: str
    api_secret: str
    """Of a user for the API, who needs the role for messaging."""
    callback_user: str = ""
    callback_password: str = ""
    """As the application has them for its callbacks; without a password no callback is believed."""
    previous_callback_password: str = ""
    """The one before, while both are in use."""


class _Accepted(Struct):
    id: str


class _FieldError(Struct, rename="camel"):
    field_name: str


class _Error(Struct, rename="camel"):
    type: str
    field_errors: list[_FieldError] = []


class _Message(Struct, rename={"from_": "from"}):
    id: str
    from_: str = ""
    text: str | None = None
    media: list[str] | None = None
    tag: str | None = None
    direction: str = ""


class _Event(Struct, rename="camel"):
    type: str
    message: _Message
    to: str = ""
    error_code: int | None = None


class _Listed(Struct, rename="camel"):
    message_id: str
    receive_time: Annotated[datetime, Meta(tz=True)]
    message_status: str = ""
    segment_count: int | None = None
    message_length: int | None = None
    error_code: int | None = None


class _Search(Struct, rename="camel"):
    total_count: int
    messages: list[_Listed]


class Bandwidth:
    """Bandwidth as `http.Vendor` has it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._messages = f"{config.base_url.rstrip('/')}/api/v2/users/{quote(config.account_id, safe='')}/messages"

    def request(self, text: OutboundText, now: datetime) -> HttpRequest:
        """Creates a message; every callback about it gives `tag` back."""
        body = "".join(text.segments.parts)
        if len(body) > LONGEST:
            raise Unsendable("too_long", f"more than {LONGEST} characters")
        said = {
            "applicationId": self._config.application_id,
            "from": text.source,
            "to": [text.destination],
            "text": body,
            "tag": f"smsdesk-{text.text_id}-{text.attempt}",
            "expiration": _instant(text.valid_until),
        } | ({"media": text.media} if text.media else {})
        headers = self._headers() | {"Content-Type": "application/json; charset=utf-8"}
        return HttpRequest("POST", self._messages, headers, msgspec.json.encode(said))

    def outcome(self, text: OutboundText, answer: HttpAnswer) -> Outcome:
        """A message with its id, or an error. After any error of its own, 5xx included, Bandwidth sends nothing."""
        if answer.status == 202:
            message_id = msgspec.json.decode(answer.body, type=_Accepted).id
            return Accepted((message_id,) * len(text.segments.parts))
        error = msgspec.json.decode(answer.body, type=_Error)
        if answer.status in (429, 503):
            return Refused("queue_full", error.type)
        if answer.status in (401, 403) or answer.status >= 500:
            return Refused("carrier_error", error.type, _LATER)
        wrong = [_FIELDS[one.field_name] for one in error.field_errors if one.field_name in _FIELDS]
        return Refused(wrong[0] if wrong else "unknown_error", error.type)

    def look_up(self, doubt: Doubt) -> HttpRequest | None:
        """Searches the messages between the two numbers."""
        query = {
            "sourceTn": doubt.text.source,
            "destinationTn": doubt.text.destination,
            "messageDirection": "OUTBOUND",
            "fromDateTime": _instant(doubt.sent_at - SKEW),
            "toDateTime": _instant(doubt.sent_at + _SEARCH_SPAN),
        }
        return HttpRequest("GET", f"{self._messages}?{urlencode(query)}", self._headers())

    def found(self, doubt: Doubt, answer: HttpAnswer) -> LookUp:
        """A search shows neither the words nor the tag: a text is known by its length, its parts and its time, where it
        is alone."""
        if answer.status != 200:
            raise ValueError("no list")
        search = msgspec.json.decode(answer.body, type=_Search)
        listed = [_read_listed(one, doubt) for one in search.messages]
        settled = settle_by_list(doubt, listed, complete=search.total_count <= len(listed))
        if isinstance(settled, Absent) and not _is_settled(doubt, answer):
            return Unknown("not listed yet")
        return settled

    def callback(self, request: CallbackRequest, now: datetime) -> Callback:
        """A list of events."""
        passwords = (self._config.callback_password, self._config.previous_callback_password)
        check_basic(request, self._config.callback_user, passwords)
        facts = (_fact(event) for event in read_json(request.body, list[_Event]))
        return Callback(tuple(fact for fact in facts if fact is not None))

    most_media = MOST_ATTACHMENTS

    def media_access(self) -> MediaAccess:
        """Files are at the API's own host, for whoever may use it."""
        return MediaAccess(self._config.base_url, self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Authorization": basic(self._config.api_token, self._config.api_secret)}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fact(event: _Event) -> Receipt | Reply | None:
    message = event.message
    if event.type == "message-received":
        return _reply(event)
    if message.direction == "in":
        return None
    tag = re.fullmatch(_TAG, message.tag or "")
    reference = int(tag[1]) & 0xFFFF if tag else None
    return _receipt(message.id, event.type, event.error_code, event.to or None, reference)


def _receipt(message_id: str, kind: str, error: int | None, number: str | None, reference: int | None) -> Receipt:
    code = f"{kind} {error}" if error else kind
    if kind != "message-failed" or error == _NOT_CONFIRMED:
        return Receipt(message_id, _STATES.get(kind, "sent"), None, code, number, reference, whole=True)
    error = error or 0
    reason = _REASONS.get(error, "carrier_error" if 5000 <= error < 6000 else "unknown_error")
    # The second digit says who refused it: up to 5 Bandwidth, from 6 on the carrier.
    state = "expired" if error == _EXPIRED else "undelivered" if error // 100 % 10 >= 6 else "failed"
    return Receipt(message_id, state, reason, code, number, reference, whole=True)


def _reply(event: _Event) -> Reply:
    """A text from a phone, with what came with it."""
    message = event.message
    if not event.to or not message.from_:
        raise Unreadable("there is no from or no to in it")
    reply = read_reply(message.from_, event.to, message.text or "", message.id)
    return replace(reply, media=read_media(message.media or []))


def _read_listed(one: _Listed, doubt: Doubt) -> Listed:
    """What cannot be the text gets no words, as what a vendor has wiped: it settles nothing."""
    text = doubt.text
    body = "".join(text.segments.parts)
    lengths = (len(body), len(body.encode("utf-16-be")) // 2)  # characters, whichever way they are counted
    fits = (
        one.segment_count == len(text.segments.parts)
        and one.message_length in lengths
        and one.receive_time - doubt.sent_at < _NEAR
    )
    kind, reference = _SEARCHED.get(one.message_status), text.text_id & 0xFFFF
    receipt = _receipt(one.message_id, kind, one.error_code, text.destination, reference) if kind else None
    return Listed(one.message_id, body if fits else "", one.receive_time, (receipt,) if receipt else ())


def _is_settled(doubt: Doubt, answer: HttpAnswer) -> bool:
    """By the vendor's own clock."""
    try:
        return parsedate_to_datetime(answer.headers["date"]) - doubt.sent_at >= _SETTLED
    except (KeyError, ValueError, TypeError):
        return False

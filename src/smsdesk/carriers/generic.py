"""Any gateway with a plain HTTP interface, as its set-up describes it."""

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from smsdesk.carriers.contract import (
    Absent,
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
from smsdesk.carriers.generic_config import SECRETS, Config, Proof
from smsdesk.carriers.http import HttpAnswer, HttpRequest
from smsdesk.carriers.http_reading import (
    basic,
    callback_address,
    check_basic,
    check_fresh,
    e164,
    is_one_of,
    read_form,
    read_json,
    read_media,
    read_reply,
    reference_in,
)
from smsdesk.carriers.http_template import fill, in_url, names_media, pick, pick_word, spread
from smsdesk.domain.media import MOST_ATTACHMENTS

_SEARCHED = 100_000
"""Octets of an answer that patterns are searched in."""
_RETRY = 60.0


class Generic:
    """A gateway as its Config describes it, as `http.Vendor` has it."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def request(self, text: OutboundText, now: datetime) -> HttpRequest:
        """The fields, filled, the way that the gateway wants them."""
        config, values = self._config, self._values(text)
        url = fill(config.base_url, values, in_url)
        fields = fill(spread(config.fields, text.media), values)
        headers = self._headers(values)
        if config.method == "GET":
            joint = "&" if "?" in url else "?"
            return HttpRequest("GET", f"{url}{joint}{urlencode(fields, doseq=True)}" if fields else url, headers)
        if config.content_type == "form":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return HttpRequest(config.method, url, headers, urlencode(fields, doseq=True).encode())
        headers["Content-Type"] = "application/json"
        return HttpRequest(config.method, url, headers, msgspec.json.encode(fields))

    def outcome(self, text: OutboundText, answer: HttpAnswer) -> Outcome:
        """First what says no, then what says yes with a 2xx, then what the HTTP status says."""
        answers, said = self._config.answers, _said(answer)
        for pattern, reason in answers.refused.items():
            if found := re.search(pattern, said):
                return Refused(reason, found[0][:60].strip(), _RETRY if reason == "carrier_error" else None)
        if not 200 <= answer.status < 300:
            raise ValueError("no answer of the gateway's own")
        return Accepted((self._name(text, answer, said),) * len(text.segments.parts))

    def look_up(self, doubt: Doubt) -> HttpRequest | None:
        """By GET, where the set-up says how."""
        if not self._config.search.url:
            return None
        values = self._values(doubt.text)
        return HttpRequest("GET", fill(self._config.search.url, values, in_url), self._headers(values))

    def found(self, doubt: Doubt, answer: HttpAnswer) -> LookUp:
        """Found by its name in a 2xx; Absent only where the gateway says so in so many words."""
        search, said = self._config.search, _said(answer)
        if search.absent and re.search(search.absent, said):
            return Absent("the gateway has no such message")
        data = msgspec.json.decode(answer.body)
        name = pick_word(data, search.message_id)
        if not name or not 200 <= answer.status < 300:
            return Unknown("the answer names no message")
        text, status = doubt.text, pick_word(data, search.status)
        receipt = self._report(name, status, "", text.destination, text.text_id & 0xFFFF)
        return Found((name,) * len(text.segments.parts), (receipt,) if status else ())

    def callback(self, request: CallbackRequest, now: datetime) -> Callback:
        """Delivery reports and texts from phones, once the request is proven."""
        self._prove(request, now)
        callbacks = self._config.callbacks
        data = _read(request)
        events = pick(data, callbacks.events) if isinstance(data, dict) and callbacks.events else data
        facts = [self._read_event(event, request) for event in (events if isinstance(events, list) else [events])]
        return Callback(tuple(facts), callbacks.answer_status, "text/plain", callbacks.answer_body.encode())

    @property
    def most_media(self) -> int:
        """Ten where the set-up says where they go."""
        return MOST_ATTACHMENTS if names_media(self._config.fields) else 0

    def media_access(self) -> MediaAccess:
        """What opens the gateway itself; headers that speak of one text are left out."""
        known = {name: getattr(self._config, name) for name in SECRETS}
        headers = {name: fill(value, known) for name, value in self._config.headers.items()}
        if self._config.username:
            headers["Authorization"] = basic(self._config.username, self._config.user_password)
        return MediaAccess(self._config.base_url, {name: value for name, value in headers.items() if "{" not in value})

    def _values(self, text: OutboundText) -> dict[str, str]:
        config = self._config
        return {
            "source": text.source,
            "destination": text.destination,
            "source_digits": text.source.removeprefix("+"),
            "destination_digits": text.destination.removeprefix("+"),
            "body": "".join(text.segments.parts),
            "text_id": str(text.text_id),
            "attempt": str(text.attempt),
            "callback_url": callback_address(config, text),
            "encoding": text.segments.encoding,
            "api_key": config.api_key,
            "api_secret": config.api_secret,
            "api_token": config.api_token,
        }

    def _headers(self, values: dict[str, str]) -> dict[str, str]:
        headers: dict[str, str] = fill(self._config.headers, values)
        if self._config.username:
            headers["Authorization"] = basic(self._config.username, self._config.user_password)
        return headers

    def _name(self, text: OutboundText, answer: HttpAnswer, said: str) -> str:
        """The gateway's name for a text that it took; ValueError where it does not say that it did."""
        answers = self._config.answers
        if answers.taken and not re.search(answers.taken, said):
            raise ValueError("no yes")
        if answers.message_id:
            name = pick_word(msgspec.json.decode(answer.body), answers.message_id)
        elif answers.message_id_pattern:
            found = re.search(answers.message_id_pattern, said)
            name = found[1] if found else ""
        else:
            name = f"{text.text_id}-{text.attempt}"
        if not name:
            raise ValueError("no name")
        return name

    def _prove(self, request: CallbackRequest, now: datetime) -> None:
        config, proof = self._config, self._config.callbacks.proof
        if proof.kind == "basic":
            check_basic(request, proof.user, (config.callback_password, config.previous_callback_password))
        elif proof.kind == "bearer":
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not is_one_of(given, (config.callback_token, config.previous_callback_token)):
                raise Forged("wrong token" if given else "no token")
        else:
            secrets = [one for one in (config.callback_secret, config.previous_callback_secret) if one]
            timestamp = request.headers.get(proof.timestamp_header.lower(), "") if proof.timestamp_header else ""
            if not is_one_of(
                request.headers.get(proof.header.lower(), ""), _signatures(proof, secrets, timestamp, request)
            ):
                raise Forged(f"no right {proof.header}")
            if proof.timestamp_header:
                check_fresh(timestamp, now)

    def _read_event(self, event: Any, request: CallbackRequest) -> Receipt | Reply:
        callbacks = self._config.callbacks
        if status := pick_word(event, callbacks.report_status):
            name = pick_word(event, callbacks.report_id) or _own_name(request.query)
            if not name:
                raise Unreadable("a report without the name of its text")
            number = e164(pick_word(event, callbacks.report_number)) or None
            return self._report(
                name, status, pick_word(event, callbacks.report_code), number, reference_in(request.query)
            )
        source, destination = pick_word(event, callbacks.reply_from), pick_word(event, callbacks.reply_to)
        if not source or not destination:
            raise Unreadable("neither a status nor the two numbers of a text")
        body, name = pick_word(event, callbacks.reply_body), pick_word(event, callbacks.reply_id)
        listed = pick(event, callbacks.reply_media) if callbacks.reply_media else None
        media = listed if isinstance(listed, list) else [listed] if listed else []
        urls = (one if isinstance(one, str) else pick_word(one, callbacks.reply_media_url) for one in media)
        return replace(read_reply(source, destination, body, name), media=read_media(urls))

    def _report(self, name: str, status: str, code: str, number: str | None, reference: int | None) -> Receipt:
        callbacks = self._config.callbacks
        state = callbacks.statuses.get(status, "sent")
        reason = None
        if state in ("undelivered", "expired", "failed"):
            reason = callbacks.codes.get(code) or callbacks.codes.get(status) or "unknown_error"
        return Receipt(name, state, reason, f"{status} {code}".rstrip(), number, reference, whole=True)


def _said(answer: HttpAnswer) -> str:
    return f"{answer.status} {answer.body[:_SEARCHED].decode('utf-8', 'replace')}"


def _read(request: CallbackRequest) -> Any:
    """The event or events: JSON, or else the fields of the form and of the query."""
    if "json" in request.headers.get("content-type", ""):
        return read_json(request.body, Any)
    return dict([*read_form(request.query), *read_form(request.body)])


def _signatures(proof: Proof, secrets: list[str], timestamp: str, request: CallbackRequest) -> list[str]:
    """What a right signature looks like, by each secret."""
    before, _, after = proof.signed.partition("{body}")
    signed = (
        fill(before, {"timestamp": timestamp}).encode() + request.body + fill(after, {"timestamp": timestamp}).encode()
    )
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).digest() for secret in secrets]
    return [
        proof.prefix + (digest.hex() if proof.encoding == "hex" else base64.b64encode(digest).decode())
        for digest in digests
    ]


def _own_name(query: str) -> str:
    given = dict(read_form(query))
    return f"{given['text']}-{given['attempt']}" if {"text", "attempt"} <= given.keys() else ""

"""Kannel's smsbox: its sendsms interface, its delivery reports, its services (Kannel 1.4.5 User Guide, chapter 6)."""

import hashlib
import hmac
import re
from datetime import datetime
from typing import Annotated
from urllib.parse import parse_qsl

from msgspec import Meta

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
    Reply,
    Unknown,
    Unreadable,
)
from smsdesk.carriers.http import HttpAnswer, HttpConfig, HttpRequest, Url
from smsdesk.carriers.http_reading import callback_address, e164, is_one_of, read_reply
from smsdesk.carriers.smpp.outcomes import refusal

Word = Annotated[str, Meta(min_length=1)]

_DLR_MASK = 1 | 2 | 8 | 16
"""Delivered, not delivered, taken by the SMSC, refused by the SMSC. Not 4: what Kannel itself keeps in its queue."""
_GSM, _UCS2 = "0", "2"

_TAKEN = re.compile(rb"(0: Accepted for delivery|3: Queued for later delivery|Sent\.)")
_REFUSALS = (
    ("Authorization failed", "carrier_error"),
    ("Not routable", "blocked"),
    ("denied by white- and/or black-lists", "blocked"),
    ("Sender missing", "bad_sender"),
    ("receiver number", "unknown_number"),
)
"""What the smsbox says with a 4xx, in our words."""

_STATES: dict[str, tuple[str, str | None]] = {
    "1": ("delivered", None),
    "2": ("undelivered", "unknown_error"),
    "16": ("failed", "unknown_error"),
    "34": ("expired", "unreachable"),
}
"""`%d` of a delivery report in our words. Others are interim, such as 8, taken by the SMSC."""
_STATS = {"UNDELIV": "unreachable", "REJECTD": "blocked"}
"""The `stat:` of an SMPP receipt, which says more than Kannel's 2."""


class Config(HttpConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a line to a Kannel gateway."""

    base_url: Url = "http://127.0.0.1:13013/cgi-bin/sendsms"
    """The address of sendsms: the `sendsms-port` of the group `smsbox`."""
    username: Word
    user_password: Word
    """`username` and `password` of the group `sendsms-user`."""
    smsc: str = ""
    """The `smsc-id` that texts leave by; empty: as Kannel routes them."""
    callback_secret: Word
    """Any word of ours: it proves what Kannel posts to us, and stands in the `post-url` of its `sms-service`."""
    previous_callback_secret: str = ""
    report_words: bool = False
    """Whether reports bring the SMSC's own words, which say why a text failed. They come in an address, which proxies
    write into their logs, and may hold the first 20 characters of the text."""


class Kannel:
    """Kannel as `http.Vendor` has it.

    It names no message when it takes one, so texts have our own names: the text's id and its attempt, which its
    delivery reports bring back in their address.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def request(self, text: OutboundText, now: datetime) -> HttpRequest:
        """The text as the body and all else in headers, so that no word and no password is in the smsbox's log of
        addresses."""
        config = self._config
        minutes = int((text.valid_until - now).total_seconds() // 60)
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": config.username,
            "X-Kannel-Password": config.user_password,
            "X-Kannel-From": text.source,
            "X-Kannel-To": text.destination,
            "X-Kannel-SMSC": config.smsc,
            "X-Kannel-Coding": _GSM if text.segments.encoding == "gsm7" else _UCS2,
            "X-Kannel-Validity": str(max(minutes, 1)),
            "X-Kannel-DLR-Mask": str(_DLR_MASK) if config.callback_url else "",
            "X-Kannel-DLR-Url": self._report_address(text),
        }
        given = {name: value for name, value in headers.items() if value}
        return HttpRequest("POST", config.base_url, given, "".join(text.segments.parts).encode())

    def outcome(self, text: OutboundText, answer: HttpAnswer) -> Outcome:
        """Taken or kept in its queue; refused for good; 503 and others as their status says."""
        if answer.status == 202 and _TAKEN.match(answer.body):
            return Accepted((_name(str(text.text_id), str(text.attempt)),) * len(text.segments.parts))
        said = answer.body.decode("latin-1")
        if 400 <= answer.status < 500:
            for words, reason in _REFUSALS:
                if words in said:
                    return Refused(reason, words, 60.0 if reason == "carrier_error" else None)
        raise ValueError("not an answer of sendsms")

    def look_up(self, doubt: Doubt) -> HttpRequest | None:
        """Kannel cannot be asked for a message."""
        return None

    def found(self, doubt: Doubt, answer: HttpAnswer) -> LookUp:
        """Never called, since nothing is asked."""
        return Unknown("Kannel cannot be asked")

    def callback(self, request: CallbackRequest, now: datetime) -> Callback:
        """A delivery report to the address that `request` gave out, or a text by the `post-url` of a service.

        Kannel takes nothing but 200 and 202 for a yes.
        """
        # Each character is an octet: some of the escape codes give octets that are no UTF-8.
        fields = dict(parse_qsl(request.query, keep_blank_values=True, encoding="latin-1"))
        secrets = [self._config.callback_secret, self._config.previous_callback_secret]
        if "proof" in fields:
            text, attempt = fields.get("text", ""), fields.get("attempt", "")
            if not is_one_of(fields["proof"], [_prove(secret, text, attempt) for secret in secrets if secret]):
                raise Forged("wrong proof")
            return Callback((_receipt(fields, _name(text, attempt), int(text) & 0xFFFF),), 200, "text/plain")
        if not is_one_of(fields.get("secret", ""), secrets):
            raise Forged("wrong secret" if "secret" in fields else "neither a proof nor a secret")
        return Callback((_reply(fields, request),), 200, "text/plain")

    most_media = 0

    def media_access(self) -> MediaAccess:
        """None: an smsbox has words alone."""
        return MediaAccess(self._config.base_url, {})

    def _report_address(self, text: OutboundText) -> str:
        """Where the smsbox reports, with what it puts in place of its escape codes."""
        address = callback_address(self._config, text)
        if not address:
            return ""
        proof = _prove(self._config.callback_secret, str(text.text_id), str(text.attempt))
        words = "&words=%A" if self._config.report_words else ""
        return f"{address.replace('%', '%%')}&proof={proof}&state=%d&phone=%p&err=%#smpp#dlr_err#{words}"


def _name(text: str, attempt: str) -> str:
    return f"{text}-{attempt}"


def _prove(secret: str, text: str, attempt: str) -> str:
    """Proof that an address is one that we gave out: it is good for this one text."""
    return hmac.new(secret.encode(), _name(text, attempt).encode(), hashlib.sha256).hexdigest()


def _receipt(fields: dict[str, str], name: str, reference: int) -> Receipt:
    """A report on a text. Of a long one Kannel asks for the report on its first part alone."""
    state, words = fields.get("state", ""), fields.get("words", "")
    meant, reason = _STATES.get(state, ("sent", None))
    code = [f"dlr {state}"]
    if octets := fields.get("err", "").encode("latin-1"):
        code.append(f"err:{octets[1:].hex()}")  # the first is the kind of network (SMPP 3.4 section 5.3.2.31)
    if state == "2" and (stat := re.search(r"\bstat:(\w{1,10})", words)):
        reason = _STATS.get(stat[1].upper(), reason)
        code.append(stat[0])
    if state == "16" and (status := re.match(r"NACK/(0x[0-9a-fA-F]{1,8})/", words)):
        refused = refusal(int(status[1], 16))
        reason = refused.reason
        code.append(refused.code)
    return Receipt(name, meant, reason, " ".join(code), e164(fields.get("phone", "")) or None, reference, whole=True)


def _reply(fields: dict[str, str], request: CallbackRequest) -> Reply:
    source, destination = fields.get("from", ""), fields.get("to", "")
    if request.method != "POST" or not source or not destination:
        raise Unreadable("the service needs a post-url with from=%p and to=%P")
    charset = {"UTF-16BE": "utf-16-be", "8-BIT": "latin-1"}.get(fields.get("charset", ""), "utf-8")
    return read_reply(source, destination, request.body.decode(charset, "replace"), fields.get("id", ""))

"""Kannel's smsbox: sendsms over HTTP, dlr-url and get-url with their escape codes.

Sources: the user guide of Kannel 1.4.5, "Using the HTTP interface to send SMS messages", "Delivery reports", and the
table of escape codes for get-url; its answers as a real smsbox gives them.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qsl, quote

from smsdesk.domain.segments import segment
from smsdesk.lab.reading import e164
from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.exchange import FORM, Answer, Callback, Request
from smsdesk.lab.vendors.message import Book, Message, Order, State
from smsdesk.lab.vendors.vendor import Inbound, Refusal, Retries, Sending

_DELIVERED, _FAILED, _SMSC_TOOK = 1, 2, 8
_REPORTS: dict[State, tuple[int, str]] = {
    "sent": (_SMSC_TOOK, "ACK/"),
    "delivered": (_DELIVERED, "stat:DELIVRD err:000"),
    "undelivered": (_FAILED, "stat:UNDELIV err:001"),
    "expired": (_FAILED, "stat:EXPIRED err:003"),
    "rejected": (_FAILED, "stat:REJECTD err:005"),
}
_UCS2 = "2"
_CHARSETS = {_UCS2: "utf-16-be"}
_ESCAPE = re.compile("%(#[^#]*#[^#]*#|.)")
"""One letter, or a value of the meta-data as `%#group#key#`."""
_DELIVERY_ERROR = "#smpp#dlr_err#"
_NETWORK_GSM = b"\x03"
"""The kind of network before an error in it (SMPP 3.4 section 5.3.2.31)."""


class KannelAccount(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One smsbox. `inbound_url` is its get-url or post-url and `status_url` a dlr-url, all with escape codes."""

    username: str = ""
    password: str = ""
    http_request_retry: int = 0
    http_queue_delay: int = 10
    """Seconds."""
    http_method: Literal["GET", "POST"] = "GET"
    """Whether `inbound_url` is a get-url or a post-url, which gets the text as its body."""


class Kannel:
    """Kannel, as `vendor.Vendor` wants it."""

    name = "kannel"
    account_type = KannelAccount
    by_part = False
    carries_media = False

    def receive(self, request: Request, account: KannelAccount, book: Book) -> Order | Answer:
        """GET or POST of /cgi-bin/sendsms: arguments in the query or a form, or X-Kannel headers with the text as
        body."""
        if request.path != "cgi-bin/sendsms":
            return _said(404, "Unknown request.")
        given = _arguments(request)
        user = given.get("username", given.get("user", ""))
        password = given.get("password", given.get("pass", ""))
        if not user or account.username not in ("", user) or account.password not in ("", password):
            return _said(403, "Authorization failed for sendsms")
        destination = e164(given.get("to", ""))
        if not destination:
            return _said(400, "Empty receiver number not allowed, rejected")
        if not given.get("from"):
            return _said(400, "Sender missing and no global set, rejected")
        try:
            coding = given.get("coding", "")
            body = (
                given.get("text", "").encode("latin-1").decode(given.get("charset") or _CHARSETS.get(coding, "utf-8"))
            )
        except (LookupError, UnicodeDecodeError):
            return _said(400, "Charset or body misformed, rejected")
        mask = given.get("dlr-mask", "")
        return Order(
            system=user,
            source=e164(given["from"]),
            destination=destination,
            body=body,
            segments=segment(body),
            status_url=given.get("dlr-url", ""),
            receipts=int(mask) if mask.isdecimal() else 0,
        )

    def message_id(self, number: int) -> str:
        """The id that only `%I` in a dlr-url shows."""
        return f"{number:032x}"

    def accepted(self, message: Message) -> Answer:
        """202, and no id."""
        return _said(202, "0: Accepted for delivery")

    def refused(self, order: Order, refusal: Refusal) -> Answer:
        """503 where trying again is right, 403 where it is not."""
        if refusal in (Refusal.BUSY, Refusal.DOWN):
            return _said(503, "Temporal failure, try again later.")
        return _said(403, "Not routable. Do not try again.")

    def status(self, message: Message, state: State, account: KannelAccount, sending: Sending) -> list[Callback]:
        """A GET of the dlr-url, if the dlr-mask asks for this report."""
        report, said = _REPORTS.get(state, (0, ""))
        if not message.order.receipts & report:
            return []
        # A report comes from the phone: its sender is whom the text was for.
        codes: dict[str, str | bytes] = {
            **_codes(message.order.destination, message.order.source, sending.now, message.id),
            "d": str(report),
            "A": said,
            "n": message.order.system,
            _DELIVERY_ERROR: _NETWORK_GSM + int(message.error, 16).to_bytes(2, "big") if report == _FAILED else "",
        }
        return [Callback("GET", _filled(sending.url, codes))]

    def inbound(self, reply: Inbound, account: KannelAccount, sending: Sending) -> Callback:
        """A GET of the get-url, or a POST of the post-url, with the whole text."""
        is_ucs2 = reply.segments.encoding == "ucs2"
        words = reply.body.split()
        codes = _codes(reply.source, reply.destination, sending.now, self.message_id(reply.number)) | {
            "k": words[0] if words else "",
            "s": words[1] if len(words) > 1 else "",
            "r": " ".join(words[1:]),
            "a": reply.body,
            "b": reply.body,
            "c": _UCS2 if is_ucs2 else "0",
            "C": "UTF-16BE" if is_ucs2 else "UTF-8",
            "n": "lab",
        }
        if account.http_method == "GET":
            return Callback("GET", _filled(sending.url, codes))
        headers = {
            "content-type": f'text/plain; charset="{codes["C"]}"',
            "x-kannel-from": reply.source,
            "x-kannel-to": reply.destination,
            "x-kannel-coding": codes["c"],
        }
        return Callback("POST", _filled(sending.url, codes), headers, reply.body.encode(codes["C"]))

    def retries(self, url: str, account: KannelAccount) -> Retries:
        """As `http-request-retry` and `http-queue-delay` of the smsbox say; without them never."""
        return Retries(
            (float(account.http_queue_delay),) * account.http_request_retry, frozenset({"connect", "timeout"})
        )


def _arguments(request: Request) -> dict[str, str]:
    """The arguments, each octet of them as one character: their charset is among them."""
    headers = {
        name.removeprefix("x-kannel-"): value for name, value in request.headers.items() if name.startswith("x-kannel-")
    }
    given = headers | dict(parse_qsl(request.query, keep_blank_values=True, encoding="latin-1"))
    if request.headers.get("content-type", "").startswith(FORM):
        given |= dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True, encoding="latin-1"))
    elif request.body:
        given["text"] = request.body.decode("latin-1")
    return given


def _codes(sender: str, receiver: str, now: float, message_id: str) -> dict[str, str]:
    return {
        "p": sender,
        "q": sender,
        "P": receiver,
        "Q": receiver,
        "t": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S}",
        "T": str(int(now)),
        "i": "lab",
        "I": message_id,
        "F": message_id,
    }


def _filled(template: str, codes: Mapping[str, str | bytes]) -> str:
    """Escape codes become their values, `%%` a percent sign, unknown ones stay."""
    return _ESCAPE.sub(
        lambda m: "%" if m[1] == "%" else quote(codes[m[1]], safe="") if m[1] in codes else m[0], template
    )


def _said(status: int, text: str) -> Answer:
    return Answer(status, text.encode(), "text/html")

"""Twilio's Messages resource, API version 2010-04-01, its status callbacks and its inbound webhook.

Sources: Twilio's pages on the Messages resource, outbound message status, webhook security and connection overrides.
"""

import base64
import hmac
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qsl, urldefrag

from smsdesk.domain.segments import segment
from smsdesk.lab.reading import e164
from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.exchange import Answer, Callback, Request, form_callback, json_answer
from smsdesk.lab.vendors.message import Book, Message, Order, State
from smsdesk.lab.vendors.twilio_resource import STATUSES, VERSION, error, listed, one, resource
from smsdesk.lab.vendors.vendor import Inbound, Refusal, Retries, Sending

_LONGEST_BODY = 1600
_MOST_MEDIA = 10
_REFUSALS = {
    Refusal.BUSY: 20429,
    Refusal.DOWN: 20503,
    Refusal.BAD_SOURCE: 21212,
    Refusal.BAD_DESTINATION: 21211,
    Refusal.OPTED_OUT: 21610,
}
_RETRY_POLICIES = {"ct": {"connect"}, "rt": {"timeout"}, "4xx": {"4xx"}, "5xx": {"5xx"}}


class TwilioAccount(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account of Twilio's."""

    account_sid: str = ""
    auth_token: str = ""
    """The password of requests and the key of callbacks' signatures."""
    service_number: str = "+15005550006"
    """The sender of texts that name a Messaging Service and no number."""
    proven_by: ClassVar[str] = "auth_token"


class Twilio:
    """Twilio, as `vendor.Vendor` wants it."""

    name = "twilio"
    account_type = TwilioAccount
    by_part = False
    carries_media = True

    def receive(self, request: Request, account: TwilioAccount, book: Book) -> Order | Answer:
        """POST and GET of /2010-04-01/Accounts/{sid}/Messages.json, GET of .../Messages/{sid}.json."""
        match request.path.removesuffix(".json").split("/"):
            case [version, "Accounts", account_sid, "Messages", *rest] if version == VERSION and len(rest) < 2:
                if not _may(request, account, account_sid):
                    return error(20003)
                if request.method == "POST" and not rest:
                    return _order(request.form(), request.listed("MediaUrl"), account, account_sid)
                if request.method == "GET":
                    return one(book, rest[0]) if rest else listed(request, account_sid, book)
            case [version, "Accounts", account_sid, "Messages", _, "Media", number] if version == VERSION:
                # As at Twilio, the place that it leads on to asks for nothing.
                if not _may(request, account, account_sid):
                    return error(20003)
                return Answer(307, headers={"location": f"/media/{number}"})
        return error(20404)

    def message_id(self, number: int) -> str:
        """A SID."""
        return f"SM{number:032x}"

    def accepted(self, message: Message) -> Answer:
        """The new resource."""
        return json_answer(201, resource(message))

    def refused(self, order: Order, refusal: Refusal) -> Answer:
        """An error by its number."""
        return error(_REFUSALS[refusal])

    def status(self, message: Message, state: State, account: TwilioAccount, sending: Sending) -> list[Callback]:
        """A form with the new MessageStatus."""
        status, code = STATUSES[state]
        fields = {
            "AccountSid": message.order.system,
            "ApiVersion": VERSION,
            "From": message.order.source,
            "MessageSid": message.id,
            "MessageStatus": status,
            "SmsSid": message.id,
            "SmsStatus": status,
            "To": message.order.destination,
        }
        if code:
            fields["ErrorCode"] = str(code)
        return [_signed(fields, account, sending, f"{message.id}-{status}")]

    def inbound(self, reply: Inbound, account: TwilioAccount, sending: Sending) -> Callback:
        """A form with the whole text, however many parts it had."""
        sid = self.message_id(reply.number)
        fields = {
            "AccountSid": account.account_sid or f"AC{0:032x}",
            "ApiVersion": VERSION,
            "Body": reply.body,
            "From": reply.source,
            "MessageSid": sid,
            "NumMedia": str(len(reply.media)),
            "NumSegments": str(len(reply.segments.parts)),
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "To": reply.destination,
        }
        account_sid = fields["AccountSid"]
        place = f"/vendors/twilio/{VERSION}/Accounts/{account_sid}/Messages/{sid}/Media"
        for number, file in enumerate(reply.media):
            fields |= {f"MediaUrl{number}": file.within(place), f"MediaContentType{number}": file.content_type}
        return _signed(fields, account, sending, sid)

    def retries(self, url: str, account: TwilioAccount) -> Retries:
        """Once when no connection was made, or as the address's fragment says (`#rc=3&rp=all`)."""
        overrides = dict(parse_qsl(urldefrag(url).fragment))
        count = overrides.get("rc", "1")
        policies = overrides.get("rp", "ct").split(",")
        on = set().union(*(_RETRY_POLICIES.get(policy, set()) for policy in policies))
        if "all" in policies:
            on = set().union(*_RETRY_POLICIES.values())
        return Retries((1.0,) * min(int(count) if count.isdecimal() else 1, 5), frozenset(on))


def _may(request: Request, account: TwilioAccount, account_sid: str) -> bool:
    given = request.basic()
    if given is None or account.account_sid not in ("", account_sid):
        return False
    # An API key (SK...) has a secret of its own, which the lab does not know.
    return not account.auth_token or given[0].startswith("SK") or given[1] == account.auth_token


def _order(form: Mapping[str, str], media: tuple[str, ...], account: TwilioAccount, account_sid: str) -> Order | Answer:
    source = form.get("From", "") or (account.service_number if form.get("MessagingServiceSid") else "")
    destination, body = e164(form.get("To", "")), form.get("Body", "")
    missing = {21604: destination, 21603: source, 21602: body or media}
    for code, value in missing.items():
        if not value:
            return error(code)
    if not destination.lstrip("+").isdecimal():
        return error(21211)
    if len(media) > _MOST_MEDIA:
        return error(21623)
    if len(body) > _LONGEST_BODY:
        return error(21617)
    return Order(
        system=account_sid,
        source=e164(source),
        destination=destination,
        body=body,
        segments=segment(body),
        media=media,
        status_url=form.get("StatusCallback", ""),
        reference=form.get("MessagingServiceSid", ""),
    )


def _signed(fields: Mapping[str, str], account: TwilioAccount, sending: Sending, token: str) -> Callback:
    url = urldefrag(sending.url).url
    headers = {"i-twilio-idempotency-token": token}
    if sending.signed:
        said = url + "".join(name + fields[name] for name in sorted(fields))
        signature = hmac.digest(account.secret.encode(), said.encode(), "sha1")
        headers["x-twilio-signature"] = base64.b64encode(signature).decode()
    return form_callback(url, fields, headers)

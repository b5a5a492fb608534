"""Bandwidth's messaging API, version 2, its callbacks (lists of events) and its message search.

Sources: Bandwidth's pages on creating a message, message callbacks, message search and errors.
"""

from typing import Any, ClassVar

from smsdesk.domain.segments import segment
from smsdesk.lab.reading import e164
from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.bandwidth_search import STATUSES, search
from smsdesk.lab.vendors.exchange import (
    Answer,
    Callback,
    Request,
    addresses,
    basic_header,
    instant,
    json_answer,
    json_callback,
)
from smsdesk.lab.vendors.message import FAILED, Book, Message, Order, State
from smsdesk.lab.vendors.vendor import Inbound, Refusal, Retries, Sending

_ERRORS = {
    400: ("request-validation", "Your request could not be accepted"),
    401: ("unauthorized", "Authentication Failed"),
    404: ("not-found", "The requested resource does not exist"),
    415: ("unsupported-content-type", "Content-Type must be application/json"),
    429: ("too-many-requests", "Too many requests for the messaging API"),
    503: ("service-unavailable", "Service unavailable"),
}
_MEDIA = "/vendors/bandwidth/api/v2/users/lab/media"
_DESCRIPTIONS = {
    4702: "destination-subscriber-unavailable",
    4360: "message-not-sent-expiration-date-passed",
    4770: "destination-spam-detected",
}


class BandwidthAccount(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account of Bandwidth's."""

    api_token: str = ""
    api_secret: str = ""
    callback_user: str = "lab"
    callback_password: str = ""
    proven_by: ClassVar[str] = "callback_password"


class Bandwidth:
    """Bandwidth, as `vendor.Vendor` wants it."""

    name = "bandwidth"
    account_type = BandwidthAccount
    by_part = False
    carries_media = True

    def receive(self, request: Request, account: BandwidthAccount, book: Book) -> Order | Answer:
        """POST and GET of /api/v2/users/{accountId}/messages."""
        match request.path.split("/"):
            case ["api", "v2", "users", account_id, "messages"]:
                user, password = request.basic() or ("", "")
                if not user or account.api_token not in ("", user) or account.api_secret not in ("", password):
                    return _error(401)
                if request.method == "GET":
                    return search(request.asked(), account_id, book)
                if request.method == "POST":
                    return _order(request, account_id)
            case ["api", "v2", "users", account_id, "media", number] if request.method == "GET":
                user, password = request.basic() or ("", "")
                if not user or account.api_token not in ("", user) or account.api_secret not in ("", password):
                    return _error(401)
                return Answer(307, headers={"location": f"/media/{number}"})
        return _error(404)

    def message_id(self, number: int) -> str:
        """Digits and letters."""
        return f"{number}lab"

    def accepted(self, message: Message) -> Answer:
        """202 and the new message."""
        return json_answer(202, _message(message) | {"text": message.order.body})

    def refused(self, order: Order, refusal: Refusal) -> Answer:
        """An error by its type, with the field that is at fault."""
        if refusal is Refusal.BUSY:
            return _error(429)
        if refusal is Refusal.DOWN:
            return _error(503)
        field = "from" if refusal is Refusal.BAD_SOURCE else "to"
        return _error(400, **{field: f"'{field}' is not allowed"})

    def status(self, message: Message, state: State, account: BandwidthAccount, sending: Sending) -> list[Callback]:
        """message-delivered or message-failed, at the end only."""
        if state not in ("delivered", *FAILED):
            return []
        code = STATUSES[state][1]
        event: dict[str, Any] = {
            "type": "message-failed" if code else "message-delivered",
            "time": instant(sending.now),
            "description": _DESCRIPTIONS.get(code, "ok"),
            "to": message.order.destination,
            "message": _message(message) | {"text": ""},
        }
        return [_posted(event | ({"errorCode": code} if code else {}), account, sending)]

    def inbound(self, reply: Inbound, account: BandwidthAccount, sending: Sending) -> Callback:
        """message-received with the whole text."""
        at = instant(sending.now)
        event = {
            "type": "message-received",
            "time": at,
            "description": "Incoming message received",
            "to": reply.destination,
            "message": {
                "id": self.message_id(reply.number),
                "owner": reply.destination,
                "applicationId": "lab",
                "time": at,
                "segmentCount": len(reply.segments.parts),
                "direction": "in",
                "to": [reply.destination],
                "from": reply.source,
                "text": reply.body,
            }
            | ({"media": [one.within(_MEDIA) for one in reply.media]} if reply.media else {}),
        }
        return _posted(event, account, sending)

    def retries(self, url: str, account: BandwidthAccount) -> Retries:
        """For a day, with ten seconds to answer; how often, Bandwidth does not say."""
        return Retries((10.0, 60.0, 300.0, 1800.0, 7200.0, 21_600.0, 54_000.0), timeout=10.0)


def _order(request: Request, account_id: str) -> Order | Answer:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return _error(415)
    asked = request.object() or {}
    to = asked.get("to")
    phones = to if isinstance(to, list) else [to]
    source, body = (asked[name] if isinstance(asked.get(name), str) else "" for name in ("from", "text"))
    destination = e164(phones[0]) if len(phones) == 1 and isinstance(phones[0], str) else ""
    right = {
        "from": source,
        "to": destination.startswith("+") and destination[1:].isdecimal(),
        "text": body or addresses(asked.get("media")),
        "applicationId": asked.get("applicationId"),
    }
    if not all(right.values()):
        return _error(
            400, **{name: f"'{name}' is missing or wrong" for name, is_right in right.items() if not is_right}
        )
    return Order(
        system=account_id,
        source=e164(source),
        destination=destination,
        body=body,
        segments=segment(body),
        media=addresses(asked.get("media")),
        reference=str(asked.get("tag") or ""),
    )


def _message(message: Message) -> dict[str, Any]:
    order = message.order
    return {
        "id": message.id,
        "owner": order.source,
        "applicationId": "lab",
        "time": instant(message.created_at),
        "segmentCount": len(order.segments.parts),
        "direction": "out",
        "to": [order.destination],
        "from": order.source,
    } | ({"tag": order.reference} if order.reference else {})


def _posted(event: dict[str, Any], account: BandwidthAccount, sending: Sending) -> Callback:
    proof = {"authorization": basic_header(account.callback_user, account.secret)} if sending.signed else {}
    return json_callback(sending.url, [event], proof)


def _error(status: int, **fields: str) -> Answer:
    kind, description = _ERRORS[status]
    wrong = [{"fieldName": name, "description": why} for name, why in fields.items()]
    value: dict[str, Any] = {"type": kind, "description": description}
    return json_answer(
        status, value | ({"fieldErrors": wrong} if wrong else {}), {"retry-after": "1"} if status == 429 else {}
    )

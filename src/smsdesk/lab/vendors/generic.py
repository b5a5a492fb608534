"""A vendor that nobody has: plain JSON over HTTP, callbacks signed by HMAC-SHA256. docs/lab.md is its documentation."""

import hmac
from itertools import islice
from typing import Any, ClassVar

import msgspec

from smsdesk.domain.segments import segment
from smsdesk.lab.reading import e164
from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.exchange import Answer, Callback, Request, addresses, instant, json_answer
from smsdesk.lab.vendors.message import FAILED, Book, Message, Order, State
from smsdesk.lab.vendors.vendor import Inbound, Refusal, Retries, Sending

_MOST_FOUND = 100
_ERRORS = {
    "malformed": (400, "the body is a JSON object with from, to and text"),
    "missing_from": (400, "from is required"),
    "missing_to": (400, "to is required"),
    "missing_text": (400, "text is required"),
    "invalid_to": (400, "to is a phone number such as +14155550100"),
    "invalid_from": (400, "from is not a number of this account"),
    "opted_out": (403, "this phone does not want to be texted"),
    "unauthorized": (401, "send the token as Authorization: Bearer"),
    "not_found": (404, "there is no such thing"),
    "busy": (429, "too many at once, try again in a second"),
    "unavailable": (503, "try again later"),
}
_REFUSALS = {
    Refusal.BUSY: "busy",
    Refusal.DOWN: "unavailable",
    Refusal.BAD_SOURCE: "invalid_from",
    Refusal.BAD_DESTINATION: "invalid_to",
    Refusal.OPTED_OUT: "opted_out",
}


class GenericAccount(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account of the generic vendor's."""

    token: str = ""
    secret_key: str = ""
    proven_by: ClassVar[str] = "secret_key"


class Generic:
    """The generic vendor, as `vendor.Vendor` wants it."""

    name = "generic"
    account_type = GenericAccount
    by_part = False
    carries_media = True

    def receive(self, request: Request, account: GenericAccount, book: Book) -> Order | Answer:
        """POST of /messages; GET of /messages?to=&from=&reference= and of /messages/{id}."""
        token = request.bearer()
        if token is None or account.token not in ("", token):
            return _error("unauthorized")
        match request.method, request.path.split("/"):
            case "POST", ["messages"]:
                return _order(request.object())
            case "GET", ["messages"]:
                asked = request.asked()
                to, by = (e164(asked[name]) if name in asked else None for name in ("to", "from"))
                reference = asked.get("reference")
                found = (m for m in book.latest(to, by) if reference in (None, m.order.reference))
                return json_answer(200, {"messages": [_shown(message) for message in islice(found, _MOST_FOUND)]})
            case "GET", ["messages", message_id]:
                message = book.find(message_id)
                return json_answer(200, _shown(message)) if message else _error("not_found")
        return _error("not_found")

    def message_id(self, number: int) -> str:
        """A number with a prefix."""
        return f"msg-{number}"

    def accepted(self, message: Message) -> Answer:
        """202 and the text."""
        return json_answer(202, _shown(message))

    def refused(self, order: Order, refusal: Refusal) -> Answer:
        """An error by its word."""
        return _error(_REFUSALS[refusal])

    def status(self, message: Message, state: State, account: GenericAccount, sending: Sending) -> list[Callback]:
        """The text as it is now."""
        return [_posted({"type": "status"} | _shown(message) | {"status": state}, account, sending)]

    def inbound(self, reply: Inbound, account: GenericAccount, sending: Sending) -> Callback:
        """The whole text."""
        event = {
            "type": "message",
            "id": self.message_id(reply.number),
            "from": reply.source,
            "to": reply.destination,
            "text": reply.body,
            "media": [one.url for one in reply.media],
            "segments": len(reply.segments.parts),
            "at": instant(sending.now),
        }
        return _posted(event, account, sending)

    def retries(self, url: str, account: GenericAccount) -> Retries:
        """Six tries within two hours."""
        return Retries((5.0, 30.0, 300.0, 1800.0, 5400.0))


def _order(asked: dict[str, Any] | None) -> Order | Answer:
    if asked is None:
        return _error("malformed")
    for name in ("from", "to", "text"):
        if name == "text" and asked.get("media"):
            continue
        if not isinstance(asked.get(name), str) or not asked[name]:
            return _error(f"missing_{name}")
    destination, body = e164(asked["to"]), str(asked.get("text") or "")
    if not destination.lstrip("+").isdecimal():
        return _error("invalid_to")
    return Order(
        system="generic",
        source=e164(asked["from"]),
        destination=destination,
        body=body,
        segments=segment(body),
        media=addresses(asked.get("media")),
        status_url=str(asked.get("callback_url") or ""),
        reference=str(asked.get("reference") or ""),
    )


def _shown(message: Message) -> dict[str, Any]:
    order = message.order
    return {
        "id": message.id,
        "from": order.source,
        "to": order.destination,
        "status": message.state,
        "error": (message.error or message.state) if message.state in FAILED else None,
        "segments": len(order.segments.parts),
        "reference": order.reference or None,
        "at": instant(message.updated_at),
    }


def _posted(event: dict[str, Any], account: GenericAccount, sending: Sending) -> Callback:
    body = msgspec.json.encode(event)
    headers = {"content-type": "application/json"}
    if sending.signed:
        timestamp = str(int(sending.now))
        headers["x-timestamp"] = timestamp
        signature = hmac.digest(account.secret.encode(), timestamp.encode() + b"." + body, "sha256")
        headers["x-signature"] = signature.hex()
    return Callback("POST", sending.url, headers, body)


def _error(code: str) -> Answer:
    status, message = _ERRORS[code]
    return json_answer(
        status, {"error": {"code": code, "message": message}}, {"retry-after": "1"} if status == 429 else {}
    )

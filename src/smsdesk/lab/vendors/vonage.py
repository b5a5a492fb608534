"""Vonage's SMS API (once Nexmo): POST sms/json, delivery receipts and inbound messages, one for each part.

Sources: Vonage's SMS API reference, and its guides to delivery receipts, inbound SMS, signing messages and signed
webhooks.
"""

from datetime import UTC, datetime

from smsdesk.domain.segments import segment
from smsdesk.lab.reading import e164
from smsdesk.lab.vendors import vonage_messages as messages
from smsdesk.lab.vendors.exchange import Answer, Callback, Request, json_answer
from smsdesk.lab.vendors.message import Book, Message, Order, State
from smsdesk.lab.vendors.vendor import Inbound, Refusal, Retries, Sending
from smsdesk.lab.vendors.vonage_proof import VonageAccount, written

_PRICE, _BALANCE, _NETWORK = "0.00000000", "0.00000000", "00101"
_TEXTS = {
    "1": "Throughput Rate Exceeded - please wait [ 1000 ] and retry",
    "2": "Missing api_key, from, to or text",
    "3": "Invalid to address",
    "4": "Bad Credentials",
    "5": "Internal Error",
    "6": "Unroutable message - rejected",
    "7": "Number barred",
    "15": "Illegal Sender Address - rejected",
}
_REFUSALS = {
    Refusal.BUSY: "1",
    Refusal.DOWN: "5",
    Refusal.BAD_SOURCE: "15",
    Refusal.BAD_DESTINATION: "6",
    Refusal.OPTED_OUT: "7",
}
_STATUSES: dict[State, tuple[str, str]] = {
    "sent": ("accepted", "0"),
    "delivered": ("delivered", "0"),
    "undelivered": ("failed", "1"),
    "expired": ("expired", "1"),
    "rejected": ("rejected", "9"),
}
"""Status and err-code: 1 is an unknown error, 9 an illegal number."""
_MINUTES_OF_A_DAY = 1440


class Vonage:
    """Vonage, as `vendor.Vendor` wants it."""

    name = "vonage"
    account_type = VonageAccount
    by_part = True
    carries_media = True

    def receive(self, request: Request, account: VonageAccount, book: Book) -> Order | Answer:
        """POST (or GET) of /sms/json, POST of /v1/messages for what goes with a file. Vonage looks nothing up."""
        if request.path == "v1/messages" and request.method == "POST":
            return messages.receive(request, account)
        if request.path != "sms/json" or request.method not in ("POST", "GET"):
            return json_answer(404, {"error-code": "404", "error-code-label": "not found"})
        given = {**request.asked(), **request.form()}
        given.update({name: str(value) for name, value in (request.object() or {}).items()})
        key, secret = request.basic() or (given.get("api_key", ""), given.get("api_secret", ""))
        if not (key and secret and given.get("from") and given.get("to") and given.get("text")):
            return _refused("2", given.get("to", ""))
        if account.api_key not in ("", key) or account.api_secret not in ("", secret):
            return _refused("4", given["to"])
        destination = e164(given["to"])
        if not destination.lstrip("+").isdecimal():
            return _refused("3", given["to"])
        body = given["text"]
        return Order(
            system=key,
            source=e164(given["from"]),
            destination=destination,
            body=body,
            segments=segment(body),
            status_url=given.get("callback", ""),
            reference=given.get("client-ref", ""),
        )

    def message_id(self, number: int) -> str:
        """Sixteen hexadecimal digits; each part's id adds its number to the last two."""
        return f"{number:014X}"

    def accepted(self, message: Message) -> Answer:
        """An entry for each part."""
        if message.order.media:
            return messages.accepted(message)
        entries = [
            _entry(message.order.destination, "0")
            | {"message-id": part_id, "remaining-balance": _BALANCE, "message-price": _PRICE, "network": _NETWORK}
            | ({"client-ref": message.order.reference} if message.order.reference else {})
            for part_id in _part_ids(message)
        ]
        return json_answer(200, {"message-count": str(len(entries)), "messages": entries})

    def refused(self, order: Order, refusal: Refusal) -> Answer:
        """200 with one entry whose status says why."""
        if order.media:
            return messages.refused()
        return _refused(_REFUSALS[refusal], order.destination)

    def status(self, message: Message, state: State, account: VonageAccount, sending: Sending) -> list[Callback]:
        """A delivery receipt for each part, at the end only."""
        if message.order.media:
            return messages.status(message, state, account, sending)
        if state not in _STATUSES or state == "sent":
            return []
        word, code = _STATUSES[state]
        at = datetime.fromtimestamp(sending.now, UTC)
        fields = {
            "msisdn": message.order.destination.lstrip("+"),
            "to": message.order.source.lstrip("+"),
            "network-code": _NETWORK,
            "price": _PRICE,
            "status": word,
            "scts": f"{at:%y%m%d%H%M}",
            "err-code": code,
            "api-key": message.order.system,
            "message-timestamp": f"{at:%Y-%m-%d %H:%M:%S}",
        }
        if message.order.reference:
            fields["client-ref"] = message.order.reference
        return [written(fields | {"messageId": part_id}, account, sending) for part_id in _part_ids(message)]

    def inbound(self, reply: Inbound, account: VonageAccount, sending: Sending) -> Callback:
        """One part, or a text of one: with `concat` fields where there are more."""
        if reply.media:
            return messages.inbound(reply, account, sending)
        total, place = len(reply.segments.parts), reply.part or 1
        text = reply.segments.parts[place - 1]
        fields = {
            "api-key": account.api_key or "lab",
            "msisdn": reply.source.lstrip("+"),
            "to": reply.destination.lstrip("+"),
            "messageId": f"{self.message_id(reply.number)}{place:02X}",
            "text": text,
            "type": "unicode" if reply.segments.encoding == "ucs2" else "text",
            "keyword": text.split(" ", 1)[0].upper(),
            "message-timestamp": f"{datetime.fromtimestamp(sending.now, UTC):%Y-%m-%d %H:%M:%S}",
        }
        if total > 1:
            fields |= {
                "concat": "true",
                "concat-ref": str(reply.number % 256),
                "concat-total": str(total),
                "concat-part": str(place),
            }
        return written(fields, account, sending)

    def retries(self, url: str, account: VonageAccount) -> Retries:
        """Each minute for a day."""
        return Retries((60.0,) * _MINUTES_OF_A_DAY)


def _part_ids(message: Message) -> list[str]:
    return [f"{message.id}{place:02X}" for place in range(1, len(message.order.segments.parts) + 1)]


def _entry(destination: str, status: str) -> dict[str, str]:
    return {"to": destination.lstrip("+"), "status": status}


def _refused(status: str, destination: str) -> Answer:
    entry = _entry(destination, status) | {"error-text": _TEXTS[status]}
    return json_answer(200, {"message-count": "1", "messages": [entry]})

"""Bandwidth's message search."""

from itertools import islice
from typing import Any

from smsdesk.lab.reading import e164
from smsdesk.lab.vendors.exchange import Answer, instant, json_answer, since
from smsdesk.lab.vendors.message import Book, Message, State

_FOUND, _MOST_FOUND = 100, 1000
STATUSES: dict[State, tuple[str, int]] = {
    "queued": ("QUEUED", 0),
    "sent": ("SENT", 0),
    "delivered": ("DELIVERED", 0),
    "undelivered": ("FAILED", 4702),
    "expired": ("FAILED", 4360),
    "rejected": ("FAILED", 4770),
}
"""messageStatus and errorCode."""


def search(asked: dict[str, str], account_id: str, book: Book) -> Answer:
    """The answer to a search by id, or by numbers, time and status, the latest first."""
    if "messageId" in asked:
        one = book.find(asked["messageId"])
        found = iter([one] if one else [])
    else:
        to, by = (e164(asked[name]) if name in asked else None for name in ("destinationTn", "sourceTn"))
        after, before = since(asked.get("fromDateTime", "")), since(asked.get("toDateTime", ""))
        found = book.latest(to, by, after or 0.0, float("inf") if before is None else before)
    status = asked.get("messageStatus")
    fitting = [m for m in found if m.order.system == account_id and status in (None, STATUSES[m.state][0])]
    limit = min(int(asked["limit"]), _MOST_FOUND) if asked.get("limit", "").isdecimal() else _FOUND
    shown = [_found(message) for message in islice(fitting, limit)]
    return json_answer(200, {"totalCount": len(fitting), "pageInfo": {}, "messages": shown})


def _found(message: Message) -> dict[str, Any]:
    status, code = STATUSES[message.state]
    return {
        "messageId": message.id,
        "accountId": message.order.system,
        "sourceTn": message.order.source,
        "destinationTn": message.order.destination,
        "messageStatus": status,
        "messageDirection": "OUTBOUND",
        "messageType": "sms",
        "segmentCount": len(message.order.segments.parts),
        "errorCode": code,
        "receiveTime": instant(message.created_at),
        "carrierName": "other",
        "messageLength": len(message.order.body),
    }

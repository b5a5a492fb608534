"""Twilio's Message resource: how a text, a page of texts and an error look, and how texts are found."""

from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice
from urllib.parse import urlencode

from smsdesk.lab.reading import e164
from smsdesk.lab.vendors.exchange import Answer, Request, json_answer, since
from smsdesk.lab.vendors.message import Book, Message, State

VERSION = "2010-04-01"
_DAY = 86_400.0
_PAGE, _LONGEST_PAGE = 50, 1000
_ERRORS = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20503: (503, "Service unavailable"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid From Number (caller ID)"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
}
STATUSES: dict[State, tuple[str, int | None]] = {
    "queued": ("queued", None),
    "sent": ("sent", None),
    "delivered": ("delivered", None),
    "undelivered": ("undelivered", 30003),
    "expired": ("undelivered", 30036),
    "rejected": ("undelivered", 30007),
}


def one(book: Book, sid: str) -> Answer:
    """The answer to a look-up by SID."""
    message = book.find(sid)
    return json_answer(200, resource(message)) if message else error(20404)


def listed(request: Request, account_sid: str, book: Book) -> Answer:
    """A page of the texts of an account that the query asks for, the latest first."""
    asked = request.asked()
    after, before = since(asked.get("DateSent>", "")), since(asked.get("DateSent<", ""))
    day = since(asked.get("DateSent", ""))
    if day is not None:
        after, before = day, day + _DAY
    found = book.latest(
        e164(asked["To"]) if "To" in asked else None,
        e164(asked["From"]) if "From" in asked else None,
        after or 0.0,
        float("inf") if before is None else before,
    )
    number, size = (_count(asked.get(name, ""), least) for name, least in (("Page", 0), ("PageSize", _PAGE)))
    size = min(size, _LONGEST_PAGE)
    shown = list(islice((m for m in found if m.order.system == account_sid), number * size, (number + 1) * size + 1))
    same = {name: value for name, value in asked.items() if name not in ("Page", "PageSize", "PageToken")}
    path = f"/{VERSION}/Accounts/{account_sid}/Messages.json?{urlencode(same | {'PageSize': str(size)})}&Page="
    return json_answer(
        200,
        {
            "first_page_uri": f"{path}0",
            "end": number * size + min(len(shown), size) - 1,
            "messages": [resource(message) for message in shown[:size]],
            "next_page_uri": f"{path}{number + 1}" if len(shown) > size else None,
            "page": number,
            "page_size": size,
            "previous_page_uri": f"{path}{number - 1}" if number else None,
            "start": number * size,
            "uri": f"{path}{number}",
        },
    )


def _count(text: str, least: int) -> int:
    return int(text) if text.isdecimal() and int(text) else least


def resource(message: Message) -> dict[str, object]:
    """A text as Twilio shows it."""
    order = message.order
    status, code = STATUSES[message.state]
    uri = f"/{VERSION}/Accounts/{order.system}/Messages/{message.id}"
    return {
        "account_sid": order.system,
        "api_version": VERSION,
        "body": order.body,
        "date_created": _rfc2822(message.created_at),
        "date_sent": _rfc2822(message.created_at),
        "date_updated": _rfc2822(message.updated_at),
        "direction": "outbound-api",
        "error_code": code,
        "error_message": None,
        "from": order.source,
        "messaging_service_sid": order.reference or None,
        "num_media": str(len(order.media)),
        "num_segments": str(len(order.segments.parts)),
        "price": None,
        "price_unit": "USD",
        "sid": message.id,
        "status": status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": order.destination,
        "uri": f"{uri}.json",
    }


def _rfc2822(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))


def error(code: int) -> Answer:
    """The answer with the error of that number."""
    status, message = _ERRORS[code]
    more = f"https://www.twilio.com/docs/errors/{code}"
    headers = {"retry-after": "1"} if status == 429 else {}
    return json_answer(status, {"code": code, "message": message, "more_info": more, "status": status}, headers)

"""What would happen to a text and why: the answer to a dry run, decided by the same code as the send."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from smsdesk.actions.send_message import Outlook, SendMessage
from smsdesk.api.problems import answer
from smsdesk.api.v1.chat_object import ChatObject, chat_object, time
from smsdesk.domain.price import SegmentPrice
from smsdesk.domain.segments import costly_characters, segment
from smsdesk.domain.send import MOST_PARTS, check_send
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.store.forecasts import Forecast
from smsdesk.store.sends import WantedSend

REPLAY = "this Idempotency-Key was answered already: the same answer would be given again, and nothing would be sent"


class CostlyCharacterObject(msgspec.Struct):
    """A character that forces the whole text into UCS-2, and what to write instead where there is something."""

    index: int
    character: str
    name: str
    swap: str | None


class LimitObject(msgspec.Struct):
    """A limit that the text falls under: at most so many segments in any so many seconds."""

    scope: str
    name: str
    segments: int
    seconds: int


class SwappedObject(msgspec.Struct):
    """The text with each costly character swapped that has a swap."""

    segments: int
    encoding: str
    price: str | None


class QuietHoursObject(msgspec.Struct):
    """What the clocks of the consumer mean for the text."""

    category: str
    quiet_now: bool
    held: bool
    leaves_at: str
    not_after: str | None
    time_zones: list[str]
    state: str | None
    rule: str


class Explanation(msgspec.Struct, kw_only=True):
    """What a send with this body would do now. Nothing was sent, and nothing was kept."""

    would_send: bool
    reason: str | None = None
    message: str | None = None
    session: str | None = None
    chat: ChatObject | None = None
    segments: int | None = None
    most_segments: int = MOST_PARTS
    encoding: str | None = None
    units: int | None = None
    parts: list[str] = []
    costly_characters: list[CostlyCharacterObject] = []
    swapped: SwappedObject | None = None
    price: str | None = None
    currency: str | None = None
    carrier: str | None = None
    route: Literal["main", "fallback"] | None = None
    route_reason: str | None = None
    limits: list[LimitObject] = []
    on_doubt: str | None = None
    valid_until: str | None = None
    quiet_hours: QuietHoursObject | None = None


async def explain(
    send_message: SendMessage, tenant: Tenant, fields: Mapping[str, object], key: tuple[str, bytes] | None = None
) -> bytes:
    """The explanation as JSON: `would_send`, or the `message` that the send would be refused with; and the parts.

    `key` is the request's Idempotency-Key with the hash of its body: what is stored under it would be answered again.
    """
    explanation, price = Explanation(would_send=False), None
    try:
        if key is not None and await send_message.stored_answer(tenant, *key) is not None:
            explanation.session, explanation.message = "replay", REPLAY
            return msgspec.json.encode(explanation)
        wanted = WantedSend(check_send(fields, tenant), None)
        outlook = await send_message.explain(tenant, wanted)
        explanation.would_send = True
        explanation.session = "existing" if outlook.sent.appended else "new"
        if outlook.sent.appended:
            explanation.chat = chat_object(outlook.sent.chat)
        _foresee(explanation, outlook.forecast)
        explanation.quiet_hours = _quiet_hours(outlook, wanted.send.category)
        price = outlook.forecast.price
    except Problem as problem:
        explanation.reason = problem.reason
        explanation.message = msgspec.json.decode(answer(problem)[1])["message"]
    _cut(explanation, fields.get("message"), price)
    return msgspec.json.encode(explanation)


def _foresee(explanation: Explanation, forecast: Forecast) -> None:
    explanation.carrier = forecast.carrier
    explanation.route = "main" if forecast.carrier == forecast.own_carrier else "fallback"
    if explanation.route == "fallback":
        explanation.route_reason = f"{forecast.own_carrier} is left: {forecast.left_why or 'its line does not work'}"
    explanation.limits = [
        LimitObject(limit.scope, limit.name, limit.segments, int(limit.seconds)) for limit in forecast.limits
    ]
    explanation.on_doubt = forecast.on_doubt
    explanation.valid_until = time(forecast.valid_until)


def _quiet_hours(outlook: Outlook, category: str) -> QuietHoursObject:
    verdict, place = outlook.verdict, outlook.place
    not_after = None if verdict.until is None else time(verdict.until)
    return QuietHoursObject(
        category, verdict.quiet, verdict.held, time(verdict.at), not_after, list(place.zones), place.state, verdict.rule
    )


def _cut(explanation: Explanation, body: object, price: SegmentPrice | None) -> None:
    if not isinstance(body, str) or not body.strip():
        return
    segments, costly = segment(body), costly_characters(body)
    explanation.segments = len(segments.parts)
    explanation.encoding = segments.encoding
    explanation.units = segments.units
    explanation.parts = list(segments.parts)
    explanation.costly_characters = [
        CostlyCharacterObject(one.index, one.character, one.name, one.swap) for one in costly
    ]
    if price is not None:
        explanation.price, explanation.currency = price.of(len(segments.parts)), price.currency
    swaps: dict[str, str | int | None] = {one.character: one.swap for one in costly if one.swap is not None}
    if swaps:
        swapped = segment(body.translate(str.maketrans(swaps)))
        cost = None if price is None else price.of(len(swapped.parts))
        explanation.swapped = SwappedObject(len(swapped.parts), swapped.encoding, cost)

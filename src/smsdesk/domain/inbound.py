"""A text from a phone that a program hands over, in place of a line of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from smsdesk.domain.media import MOST_ATTACHMENTS, MediaSource
from smsdesk.domain.phone import NumberProblem, read_number
from smsdesk.domain.reply import InboundPart, clean
from smsdesk.domain.segments import segment
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem

LONGEST_BODY = 16_000
"""Characters: more than 100 parts, which is more than phones put together."""
LONGEST_ID = 255
SESSION = "api"
"""What stands for the connection that brought it."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A text as the program tells it."""

    id: str
    """Its name at the network or program; the same one is the same text."""
    source: str
    destination: str
    body: str
    media: Sequence[str] = ()


def read_inbound(told: HandedOver, tenant: Tenant, at: datetime) -> InboundPart:
    """The text, as one that came over the line of its number; raises Problem where it cannot be one. Who wrote may be
    of any country, or a short code."""
    if not told.id.strip() or len(told.id) > LONGEST_ID:
        raise Problem("parameter_invalid", f"id must have 1 to {LONGEST_ID} characters")
    if not told.body.strip() and not told.media:
        raise Problem("message_missing", "body is required where there are no media")
    if len(told.body) > LONGEST_BODY:
        raise Problem("message_too_long")
    number = tenant.numbers.get(_number(told.destination, "to", tenant))
    if number is None:
        raise Problem("outbound_number_unknown", "to is not one of the tenant's numbers")
    body = clean(told.body)
    return InboundPart(
        number.carrier_id, _number(told.source, "from", tenant), number.number, body, segment(body).encoding, at,
        SESSION, f"{SESSION}:{clean(told.id)}", media=_media(told.media),
    )  # fmt: skip


def _number(raw: str, name: str, tenant: Tenant) -> str:
    value = raw.strip()
    if value in tenant.numbers or (value.isascii() and value.isdecimal() and 3 <= len(value) <= 8):
        return value
    number = read_number(value, frozenset(tenant.settings.allowed_regions))
    if isinstance(number, NumberProblem):
        if number is NumberProblem.REGION and value.startswith("+") and value[1:].isascii() and value[1:].isdecimal():
            return value
        raise Problem("parameter_invalid", f"{name} is not a phone number")
    return number


def _media(urls: Sequence[str]) -> tuple[MediaSource, ...]:
    if len(urls) > MOST_ATTACHMENTS:
        raise Problem("parameter_invalid", f"media has more than {MOST_ATTACHMENTS} files")
    for url in urls:
        try:
            there = urlsplit(url)
        except ValueError:
            there = None
        if there is None or there.scheme not in ("http", "https") or not there.hostname or "\0" in url:
            raise Problem("parameter_invalid", "media must be addresses that begin with https://")
    return tuple(MediaSource(url) for url in urls)

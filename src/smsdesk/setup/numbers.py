"""The numbers of a file: how they are written, what carries them, and where replies to them go."""

import re
from collections.abc import Collection
from typing import Any

from smsdesk.domain.phone import NumberProblem, read_number
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.lists import in_line, listed
from smsdesk.setup.values import Reader, Value, boolean, mapping, nullable, text
from smsdesk.setup.wanted import Item, named_item

_SHORT_CODE = re.compile(r"[0-9]{3,8}")


def read_numbered(value: Value, regions: frozenset[str], known: Collection[str] = ()) -> Item | None:
    """Reads one entry of `numbers`; one that is `known` already may stay, whatever countries there are by now."""
    readers: dict[str, Reader[Any]] = {
        "number": lambda each: own_number(each, regions, known),
        "carrier": text(60),
        "fallbacks": listed(text(60)),
        "queue": nullable(text(400)),
        "agent": nullable(text(254)),
        "label": text(60, empty=True),
        "campaign": nullable(text(60)),
        "brand": nullable(text(60)),
        "deleted": boolean,
    }
    fields, places = mapping(value, readers)
    in_line(fields, places, "fallbacks")
    return named_item(value, "number", fields, places)


def own_number(value: Value, regions: frozenset[str], known: Collection[str] = ()) -> str:
    """A number of the tenant in E.164, or a short code of 3 to 8 digits."""
    raw = text(64)(value)
    if raw in known:
        return raw
    number = read_number(raw, regions)
    if isinstance(number, str):
        return str(number)
    if _SHORT_CODE.fullmatch(raw):
        return raw
    if number is NumberProblem.REGION:
        allowed = ", ".join(sorted(regions))
        raise WrongValue(f'"{raw}" is not a number of {allowed}: add its country to settings.allowed_regions')
    raise WrongValue(f'"{raw}" is not a phone number: write it as "+1 628-555-0199", or a short code as 62855')

"""The limits of a file: what is limited, to how many segments, in what time."""

from typing import Any

from smsdesk.domain.pace import SCOPES
from smsdesk.domain.setup import PERIODS, limit_name
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.values import Reader, Value, boolean, choice, integer, mapping, text
from smsdesk.setup.wanted import Item

MOST_SEGMENTS = 1_000_000_000
LONGEST = 31 * 86_400
"""Seconds: a month of any length."""


def read_limit(value: Value, number: Reader[str]) -> Item | None:
    """Reads one entry of `limits`; `number` reads a number of the tenant. A limit is known by all but its segments."""
    readers: dict[str, Reader[Any]] = {
        "number": number,
        "campaign": text(60),
        "brand": text(60),
        "carrier": text(60),
        "tenant": _tenant,
        "segments": integer(1, MOST_SEGMENTS),
        "per": _seconds,
        "deleted": boolean,
    }
    fields, places = mapping(value, readers)
    scopes = [scope for scope in SCOPES if scope in places]
    if len(scopes) != 1:
        value.wrong(f"must limit one thing and names {len(scopes)}: write one of {', '.join(SCOPES)}")
    deleted = bool(fields.pop("deleted", False))
    for key in ("per",) if deleted else ("segments", "per"):
        if key not in places:
            value.wrong(f"has no `{key}`: write it as {{campaign: alerts, segments: 600, per: minute}}")
    if deleted and "segments" in places:
        value.wrong("is deleted, so its segments have no meaning: remove them")
    if len(scopes) != 1 or scopes[0] not in fields or "per" not in fields:
        return None
    name = limit_name(scopes[0], fields[scopes[0]], fields["per"])
    return Item(
        "limit", name, {key: fields[key] for key in ("segments",) if key in fields}, value.place, places, deleted
    )


def _tenant(value: Value) -> str:
    if not boolean(value):
        raise WrongValue("must be true, for a limit on all texts of the tenant, or must not be there")
    return ""


def _seconds(value: Value) -> int:
    if value.is_integer:
        return integer(1, LONGEST)(value)
    return PERIODS[choice(*PERIODS)(value)]

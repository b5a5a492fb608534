"""Hours of operation as people write them, such as `mon-fri: "09:00-17:00"`, as they are stored, and in words again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from smsdesk.domain.hours import WEEKDAYS, Hours, read_zone
from smsdesk.domain.setup import ALWAYS
from smsdesk.setup.faults import WrongValue, meant
from smsdesk.setup.values import Value, choice, mapping, text

CLOSED = "closed"
_SPAN = re.compile(r"([0-9:]+)\s*-\s*([0-9:]+)")
_Spans = list[list[str]]


def hours(value: Value) -> Any:
    """Reads the hours of a queue: `always`, or a week with the days that differ, in a time zone or in the tenant's."""
    if not value.is_mapping:
        return choice(ALWAYS)(value)
    fields, places = mapping(value, {"time_zone": time_zone, "week": _week, "holidays": _holidays})
    if "week" not in places:
        raise WrongValue('has no `week`: write it as week: {mon-fri: "09:00-17:00"}')
    return fields


def time_zone(value: Value) -> str:
    """The IANA name of a time zone."""
    name = text(60)(value)
    try:
        return read_zone(name).key
    except ValueError as error:
        raise WrongValue(str(error)) from None


def _week(value: Value) -> dict[str, _Spans]:
    found: dict[str, _Spans] = {}
    before = len(value.findings.faults)
    for name, each in value.fields().items():
        spans = each.read(_spans) or []
        for day in _days(each, name):
            if day in found:
                each.wrong_key(f"{day} stands here twice: keep one of them")
            found[day] = spans
    if not any(found.values()) and len(value.findings.faults) == before:
        raise WrongValue("opens at no time: name a day with its hours, or delete the queue")
    return {day: found[day] for day in WEEKDAYS if found.get(day)}


def _days(value: Value, name: str) -> Iterator[str]:
    """The days that a key such as `mon` or `mon-fri` names."""
    first, _, last = name.partition("-")
    for day in (first, last or first):
        if day not in WEEKDAYS:
            value.wrong_key(f'"{day}" is no day.{meant(day, WEEKDAYS)}')
            return
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    yield from (WEEKDAYS[(begin + ahead) % 7] for ahead in range((end - begin) % 7 + 1))


def _holidays(value: Value) -> dict[str, _Spans]:
    found: dict[str, _Spans] = {}
    for name, each in value.fields().items():
        try:
            day = date.fromisoformat(name).isoformat()
        except ValueError:
            each.wrong_key(f'"{name}" is no date: write it as 2026-12-25')
            continue
        if day in found:
            each.wrong_key(f"{day} stands here twice: keep one of them")
        found[day] = each.read(_spans) or []
    return dict(sorted(found.items()))


def _spans(value: Value) -> _Spans:
    """The opening times of a day: one, or a list of them, or `closed`."""
    if value.is_list:
        return [span for each in value.entries() if (span := each.read(_span)) is not None]
    return [] if value.is_scalar and value.node.value == CLOSED else [_span(value)]


def _span(value: Value) -> list[str]:
    written = text(20)(value)
    found = _SPAN.fullmatch(written)
    if not found:
        raise WrongValue(f'"{written}" is no opening time: write it as "09:00-17:00", or {CLOSED}')
    try:
        Hours("UTC", {"mon": [(found[1], found[2])]})
    except ValueError as error:
        raise WrongValue(str(error)) from None
    return [found[1], found[2]]


def hours_in_words(stored: str | Mapping[str, Any]) -> str:
    """Hours on one line, such as `mon-fri 09:00-17:00, sat 10:00-14:00, 2026-12-25 closed (America/New_York)`."""
    if isinstance(stored, str):
        return stored
    week = stored.get("week", {})
    days = groupby(WEEKDAYS, key=lambda day: week.get(day, []))
    parts = [f"{_range(list(names))} {_times(spans)}" for spans, names in days if spans]
    parts += [f"{day} {_times(spans)}" for day, spans in stored.get("holidays", {}).items()]
    zone = f" ({stored['time_zone']})" if "time_zone" in stored else ""
    return ", ".join(parts) + zone


def _range(days: Sequence[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}"


def _times(spans: Sequence[Sequence[str]]) -> str:
    return " and ".join("-".join(span) for span in spans) or CLOSED

"""Reads the settings of quiet hours: what a text without a category is, and when which texts are held."""

import re
from dataclasses import asdict
from typing import Any

from smsdesk.domain.quiet_hours import CATEGORIES, QuietHours
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.values import Reader, Value, boolean, choice, integer, mapping, text

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_HELD = tuple(category for category in CATEGORIES if category != "urgent")
MOST_LIVE_MINUTES = 24 * 60


def _time(value: Value) -> str:
    written = text(10)(value)
    if not _TIME.fullmatch(written):
        raise WrongValue(f'"{written}" is no time of day: write it as "21:00"')
    return written


def _categories(value: Value) -> list[str]:
    return [choice(*_HELD)(each) for each in value.entries()]


_KEYS: dict[str, Reader[Any]] = {
    "begin": _time,
    "end": _time,
    "categories": _categories,
    "state_rules": boolean,
    "live_minutes": integer(0, MOST_LIVE_MINUTES),
}


def _quiet_hours(value: Value) -> dict[str, Any]:
    """All of it, the defaults where a key is left out: what the file says is all that holds."""
    given, _ = mapping(value, _KEYS)
    return {**asdict(QuietHours()), "categories": list(QuietHours().categories), **given}


QUIET_SETTINGS: dict[str, Reader[Any]] = {
    "default_category": choice(*CATEGORIES),
    "quiet_hours": _quiet_hours,
}

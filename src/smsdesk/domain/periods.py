"""Periods of history: an id says in which month (UTC) it was handed out.

The chats of a month, and all that belongs to them, lie together and go together (docs/adr/0033-periods.md).
"""

from datetime import UTC, datetime

IDS = 10**11
"""Ids of a period: 7,700 sends a second, of five ids each, all month. One that needs more runs on into the next."""
BEGINNING = 2020
"""The year whose January is period 1. Period 0 is all that is older, and all ids from before there were periods.
Ids stay below 2**53, which a JavaScript number bears, for 7,500 years."""


def period_of(moment: datetime) -> int:
    """The period of a moment: its month, counted; 0 for all before BEGINNING. The moment names its zone."""
    at = moment.astimezone(UTC)
    return max(0, (at.year - BEGINNING) * 12 + at.month)


def first_id(period: int) -> int:
    """The first id of a period; the period ends before the first of the next."""
    return period * IDS


def period_of_id(number: int) -> int:
    """The period in whose range this id lies."""
    return max(0, number) // IDS


def began_at(period: int) -> datetime:
    """When a period begins; it ends when the next does. Period 0 has no beginning: the least moment there is."""
    if period < 1:
        return datetime.min.replace(tzinfo=UTC)
    return datetime(BEGINNING + (period - 1) // 12, (period - 1) % 12 + 1, 1, tzinfo=UTC)


def month_of(period: int) -> str:
    """How people name it: 2026-11; `before` for period 0."""
    return f"{began_at(period):%Y-%m}" if period > 0 else "before"

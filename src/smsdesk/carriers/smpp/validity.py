"""validity_period: how long a text is worth delivering (SMPP 3.4 sections 5.2.16 and 7.1.1)."""

from functools import lru_cache

_LONGEST = 100 * 86_400 - 1
"""Seconds: the field holds 99 days, and months would have to be counted in somebody's calendar."""


@lru_cache(maxsize=1024)
def relative_time(seconds: int) -> str:
    """The time format relative to when the SMSC gets it, `YYMMDDhhmmss000R`: so long and no longer, at least a second,
    for zero would be the SMSC's own."""
    minutes, second = divmod(min(max(seconds, 1), _LONGEST), 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"0000{day:02}{hour:02}{minute:02}{second:02}000R"

"""Times as SMPP writes them (SMPP 3.4 section 7.1.1). Pure."""

import re
from datetime import datetime, timedelta, timezone

_DAY = 86_400
_RELATIVE = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)000R").fullmatch
_ABSOLUTE = re.compile(r"(\d{12})(\d)(\d\d)([+-])").fullmatch
_FORM = "a time is written YYMMDDhhmmsstnnp"
_MOST_QUARTERS = 48
"""Of an hour, ahead of or behind UTC."""
_SECONDS = (365 * _DAY, 30 * _DAY, _DAY, 3600, 60, 1)
"""Of a relative time's years, months, days, hours, minutes and seconds; the standard leaves the first two open."""


def read_time(written: str, now: float) -> float | None:
    """Seconds since 1970 of a schedule_delivery_time or validity_period; None for an empty one. ValueError for what
    is no time."""
    if not written:
        return None
    if relative := _RELATIVE(written):
        return now + sum(int(value) * seconds for value, seconds in zip(relative.groups(), _SECONDS, strict=True))
    absolute = _ABSOLUTE(written)
    if not absolute or int(absolute[3]) > _MOST_QUARTERS:
        raise ValueError(_FORM)
    digits, tenths, quarters, sign = absolute.groups()
    ahead = timedelta(minutes=15 * int(quarters) * (1 if sign == "+" else -1))
    try:
        local = datetime.strptime(digits, "%y%m%d%H%M%S").replace(tzinfo=timezone(ahead))
    except ValueError:
        raise ValueError(_FORM) from None
    return local.timestamp() + int(tenths) / 10

"""How the supervisor's pages write durations, shares and what a file of figures may hold."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BOM = "\ufeff"
"""What makes spreadsheets read a file as UTF-8."""


def duration(seconds: float | None) -> str:
    """Seconds as a clock counts them, such as 2:05 or 1:00:07; a dash where there are none to tell of."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def share(part: float, whole: float) -> float | None:
    """Part of whole; None where there is no whole."""
    return part / whole if whole else None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins in a zone, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def quarters(day: date, zone: ZoneInfo) -> list[datetime]:
    """The beginnings of the quarters of an hour of a day: 92 or 100 where the clocks are changed in it."""
    at, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    return [at + timedelta(minutes=15 * step) for step in range(round((end - at).total_seconds() / 900))]


def csv_line(fields: Iterable[object]) -> str:
    """A line of RFC 4180. A field that a spreadsheet would take for a formula begins with an apostrophe (OWASP: CSV
    Injection); numbers stay numbers."""
    return ",".join(map(_field, fields)) + "\r\n"


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    text = str(value)
    if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text

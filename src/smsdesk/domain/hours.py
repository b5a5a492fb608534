"""Hours of operation: a week of opening times in one time zone, with the days that differ.

They hold by the clock on the wall there: open whenever it shows a time of the day's opening times. So an hour that the
clocks skip is no opening time, and one that they repeat is so twice.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Span = tuple[str, str]
"""From a time of day until before another: `("09:00", "17:00")`. One that does not end later than it begins passes
midnight; `24:00` is the end of the day."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD = 800
"""Days that a next opening or closing is looked for: two years of closed days, and some."""

_DAY = 24 * 60
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_Minutes = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening times; ValueError for a zone, a day or a time that there is not."""

    time_zone: str
    """An IANA zone, such as America/New_York."""
    week: Mapping[str, Sequence[Span]]
    """By `mon` to `sun`; a day that is missing or empty is closed."""
    holidays: Mapping[date, Sequence[Span]] = field(default_factory=dict)
    """Days with times of their own, none for a closed one. They end at midnight what began the evening before."""
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)
    _week: tuple[_Minutes, ...] = field(init=False, repr=False, compare=False)
    _holidays: Mapping[date, _Minutes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.week) - set(WEEKDAYS)):
            raise ValueError(f'"{unknown[0]}" is no day: use {", ".join(WEEKDAYS)}')
        object.__setattr__(self, "_zone", read_zone(self.time_zone))
        object.__setattr__(self, "_week", tuple(_minutes(self.week.get(day, ())) for day in WEEKDAYS))
        object.__setattr__(self, "_holidays", {day: _minutes(spans) for day, spans in self.holidays.items()})

    def _shows_open(self, local: datetime) -> bool:
        minute, today = local.hour * 60 + local.minute, local.date()
        if any(opens <= minute < closes for opens, closes in self._of(today)):
            return True
        if today in self._holidays or today == date.min:
            return False
        return any(minute < closes - _DAY for _, closes in self._of(today - timedelta(days=1)))

    def _of(self, day: date) -> _Minutes:
        holiday = self._holidays.get(day)
        return self._week[day.weekday()] if holiday is None else holiday

    def _changes(self, at: datetime) -> Iterator[datetime]:
        """Moments after `at`, in order: where the hours begin or end there is one, and there may be others."""
        first = at.astimezone(self._zone).date()
        for ahead in range(-1, LOOK_AHEAD):
            day = first + timedelta(days=ahead)
            spans = *self._of(day), *self._of(day - timedelta(days=1))
            clock = {0, *(minute % _DAY for span in spans for minute in span)}
            moments = {self._moment(day, minute, fold) for minute in clock for fold in (0, 1)}
            # A time that the clocks skip there may turn out as one of another day.
            moments = {moment for moment in moments if moment.astimezone(self._zone).date() == day}
            if change := self._clock_change(day):
                moments.add(change)
            yield from sorted(moment for moment in moments if moment > at)

    def _moment(self, day: date, minute: int, fold: int = 0) -> datetime:
        local = datetime.combine(day, time(minute // 60, minute % 60, fold=fold), self._zone)
        return local.astimezone(UTC)

    def _clock_change(self, day: date) -> datetime | None:
        """When the clocks are put forward or back in this day, or None."""
        before, after = self._moment(day, 0), self._moment(day + timedelta(days=1), 0)
        offset = self._offset(before)
        if self._offset(after) == offset:
            return None
        while after - before > timedelta(seconds=1):
            middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
            before, after = (middle, after) if self._offset(middle) == offset else (before, middle)
        return after

    def _offset(self, at: datetime) -> timedelta | None:
        return at.astimezone(self._zone).utcoffset()


def read_zone(name: str) -> ZoneInfo:
    """The zone of this name; ValueError if there is none."""
    # The trees posix/ and right/ beside the zones are the same ones, the latter with leap seconds.
    if not name.startswith(("posix", "right/")):
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(name)
    raise ValueError(f'"{name}" is no time zone: use an IANA name, such as America/New_York')


def is_open(hours: Hours | None, at: datetime) -> bool:
    """Whether it is open at this moment (one with a zone); no hours at all are always open."""
    return hours is None or hours._shows_open(at.astimezone(hours._zone))


def next_open(hours: Hours | None, at: datetime) -> datetime | None:
    """The first moment from `at` on at which it is open, `at` itself if it is; None if there is none in LOOK_AHEAD
    days."""
    if hours is None or is_open(hours, at):
        return at
    return next((moment for moment in hours._changes(at) if is_open(hours, moment)), None)


def next_close(hours: Hours | None, at: datetime) -> datetime | None:
    """The first moment from `at` on at which it is closed, `at` itself if it is; None if there is none in LOOK_AHEAD
    days."""
    if hours is None:
        return None
    if not is_open(hours, at):
        return at
    return next((moment for moment in hours._changes(at) if not is_open(hours, moment)), None)


def _minutes(spans: Sequence[Span]) -> _Minutes:
    """The spans in minutes from midnight; one that passes midnight ends after 1,440."""
    found = []
    for opens, closes in spans:
        begin, end = _minute(opens), _minute(closes)
        if begin == _DAY:
            raise ValueError("24:00 is the end of a day: nothing opens then, use 00:00 of the next one")
        found.append((begin, end if end > begin else end + _DAY))
    return tuple(sorted(found))


def _minute(written: str) -> int:
    if not _TIME.fullmatch(written):
        raise ValueError(f'"{written}" is no time of day: write it as 09:00, up to 24:00')
    hours, _, minutes = written.partition(":")
    return int(hours) * 60 + int(minutes)

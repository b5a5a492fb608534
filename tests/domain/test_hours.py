"""Hours of operation against the clock on the wall, where clocks change as well."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.domain.hours import LOOK_AHEAD, WEEKDAYS, Hours, is_open, next_close, next_open

OFFICE = {day: [("09:00", "17:00")] for day in WEEKDAYS[:5]}
QUARTER = timedelta(minutes=15)


def moment(written: str, zone: str = "America/New_York") -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("local", "opened"),
    [
        ("2026-11-23 08:59:59", False),
        ("2026-11-23 09:00", True),
        ("2026-11-23 16:59:59", True),
        ("2026-11-23 17:00", False),
        ("2026-11-22 12:00", False),  # a Sunday
        ("2026-07-06 09:00", True),  # in summer the same hour on the wall
    ],
)
def test_open_by_the_clock_on_the_wall(local: str, opened: bool) -> None:
    assert is_open(Hours("America/New_York", OFFICE), moment(local)) is opened


def test_the_next_opening_and_closing() -> None:
    hours = Hours("America/New_York", OFFICE)
    friday_night, monday = moment("2026-11-20 18:30"), moment("2026-11-23 09:00")
    assert next_open(hours, friday_night) == monday
    assert next_open(hours, monday) == monday
    assert next_close(hours, monday) == moment("2026-11-23 17:00")
    assert next_close(hours, friday_night) == friday_night


def test_a_night_shift_passes_midnight_and_a_break_closes() -> None:
    hours = Hours("Europe/Rome", {"fri": [("22:00", "02:00"), ("09:00", "12:00"), ("13:00", "18:00")]})
    assert is_open(hours, moment("2026-11-21 01:59", "Europe/Rome"))
    assert not is_open(hours, moment("2026-11-21 02:00", "Europe/Rome"))
    assert not is_open(hours, moment("2026-11-20 01:00", "Europe/Rome")), "Thursday has no night shift"
    assert not is_open(hours, moment("2026-11-20 12:30", "Europe/Rome"))
    assert next_close(hours, moment("2026-11-20 23:00", "Europe/Rome")) == moment("2026-11-21 02:00", "Europe/Rome")


def test_holidays_are_closed_or_have_times_of_their_own() -> None:
    week = {**OFFICE, "wed": [("22:00", "06:00")]}
    holidays = {date(2026, 11, 26): [], date(2026, 11, 27): [("10:00", "12:00")]}
    hours = Hours("America/New_York", week, holidays)
    eve = moment("2026-11-25 23:00")
    assert next_close(hours, eve) == moment("2026-11-26 00:00"), "the closed day ends the shift of its eve"
    assert next_open(hours, moment("2026-11-26 00:00")) == moment("2026-11-27 10:00")
    assert next_close(hours, moment("2026-11-27 10:00")) == moment("2026-11-27 12:00")


def test_the_hour_that_is_skipped_and_the_hour_that_comes_twice() -> None:
    hours = Hours("America/New_York", {"sun": [("01:30", "02:30")]})
    spring = next_open(hours, moment("2026-03-08 00:00"))
    assert spring == datetime(2026, 3, 8, 6, 30, tzinfo=UTC)
    assert next_close(hours, spring) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC), "02:00 is already 03:00"
    autumn = next_open(hours, moment("2026-11-01 00:00"))
    assert autumn == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert next_close(hours, autumn) == datetime(2026, 11, 1, 6, 0, tzinfo=UTC), "01:59 is followed by 01:00"
    assert next_open(hours, datetime(2026, 11, 1, 6, 0, tzinfo=UTC)) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_a_day_that_a_country_left_out() -> None:
    hours = Hours("Pacific/Apia", {"fri": [("09:00", "17:00")]})
    assert next_open(hours, moment("2011-12-29 12:00", "Pacific/Apia")) == moment("2012-01-06 09:00", "Pacific/Apia")


def test_always_and_never() -> None:
    now = moment("2026-11-22 03:00")
    assert (is_open(None, now), next_open(None, now), next_close(None, now)) == (True, now, None)
    always = Hours("America/New_York", {day: [("00:00", "24:00")] for day in WEEKDAYS})
    assert (next_open(always, now), next_close(always, now)) == (now, None)
    never = Hours("America/New_York", {})
    assert (next_open(never, now), next_close(never, now)) == (None, now)
    once = Hours("America/New_York", {}, {date(2027, 11, 22): [("09:00", "10:00")]})
    assert next_open(once, now) == moment("2027-11-22 09:00")
    assert next_open(once, now - timedelta(days=LOOK_AHEAD)) is None


@pytest.mark.parametrize(
    ("zone", "week", "says"),
    [
        ("America/Springfield", {}, "no time zone"),
        ("", {}, "no time zone"),
        ("../etc/passwd", {}, "no time zone"),
        ("right/UTC", {}, "no time zone"),
        ("UTC", {"monday": []}, "no day"),
        ("UTC", {"mon": [("9:00", "17:00")]}, "no time of day"),
        ("UTC", {"mon": [("09:00", "24:01")]}, "no time of day"),
        ("UTC", {"mon": [("24:00", "09:00")]}, "nothing opens then"),
    ],
)
def test_what_cannot_be_is_refused(zone: str, week: dict[str, list[tuple[str, str]]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Hours(zone, week)


CLOCK_CHANGES = {
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "America/Havana": (datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC)),
    "America/Nuuk": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    "Pacific/Apia": (datetime(2011, 12, 30, 10, tzinfo=UTC),),
}  # fmt: skip
A_TIME = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
SPANS = st.lists(st.tuples(A_TIME, st.one_of(A_TIME, st.just("24:00"))), max_size=3)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_each_moment_is_as_the_wall_shows_it_and_the_next_is_the_first(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(sorted(CLOCK_CHANGES)))
    change = data.draw(st.sampled_from(CLOCK_CHANGES[zone]))
    week = data.draw(st.dictionaries(st.sampled_from(WEEKDAYS), SPANS))
    local_day = change.astimezone(ZoneInfo(zone)).date()
    days = st.sampled_from([local_day + timedelta(days=ahead) for ahead in (-1, 0, 1)])
    holidays = data.draw(st.dictionaries(days, SPANS, max_size=2))
    hours = Hours(zone, week, holidays)
    start = change - data.draw(st.integers(0, 150)) * QUARTER
    quarters = [start + step * QUARTER for step in range(300)]
    shown = [wall_shows(week, holidays, at.astimezone(ZoneInfo(zone))) for at in quarters]
    assert [is_open(hours, at) for at in quarters] == shown
    for wanted, answer in ((True, next_open(hours, start)), (False, next_close(hours, start))):
        first = quarters[shown.index(wanted)] if wanted in shown else None
        assert answer == first or (first is None and (answer is None or answer > quarters[-1]))


def wall_shows(
    week: dict[str, list[tuple[str, str]]], holidays: dict[date, list[tuple[str, str]]], local: datetime
) -> bool:
    """Said once more, by comparing written times."""

    def spans(day: date) -> list[tuple[str, str]]:
        return holidays.get(day, week.get(WEEKDAYS[day.weekday()], []))

    shown, today = f"{local:%H:%M}", local.date()
    return any(
        opens <= shown and (shown < closes or closes <= opens) for opens, closes in spans(today)
    ) or (
        today not in holidays
        and any(closes <= opens and shown < closes for opens, closes in spans(today - timedelta(days=1)))
    )  # fmt: skip

"""R17: in no minute of the two weeks in which clocks change may a text that is held leave for an area code while it is
quiet in any of its zones, and each waits for the first minute in which it may."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.domain.quiet_hours import (
    CATEGORIES,
    LIVE_ANSWER,
    STATE_HOURS,
    QuietHours,
    earliest,
    earliest_answer,
)
from smsdesk.domain.zones import Place, place_of

MINUTE = timedelta(minutes=1)
FORWARD, BACK = datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 10, 29, tzinfo=UTC)
"""Weeks around 2026-03-08 and 2026-11-01, when the clocks of the United States change."""
WEEK, AFTER = 7 * 24 * 60, 2 * 24 * 60
FEDERAL = (8, 21, 8)
HOURS = {"FL": (8, 20, 8), "WA": (8, 20, 8), "OK": (8, 20, 8), "CT": (9, 20, 9), "MD": (8, 20, 8), "TX": (9, 21, 12)}
"""From, until, and from on Sundays, as the laws have them."""
MARKETING = QuietHours()


@cache
def shown(zone: str, begin: datetime) -> list[tuple[int, bool]]:
    """The hour on the wall in each minute, and whether it is Sunday."""
    local = [(begin + step * MINUTE).astimezone(ZoneInfo(zone)) for step in range(WEEK + AFTER)]
    return [(at.hour, at.weekday() == 6) for at in local]


@cache
def loud(zone: str, state: str | None, begin: datetime) -> list[bool]:
    """In which minutes the federal rule and the state's let a text in."""
    rules = [FEDERAL] + ([HOURS[state]] if state else [])
    return [
        all((since if not sunday else on_sundays) <= hour < until for since, until, on_sundays in rules)
        for hour, sunday in shown(zone, begin)
    ]


def firsts(minutes: Sequence[bool]) -> list[int]:
    """For each minute the first one from it on that is true."""
    found, last = [len(minutes)] * len(minutes), len(minutes)
    for index in range(len(minutes) - 1, -1, -1):
        last = index if minutes[index] else last
        found[index] = last
    return found


def alike(begin: datetime) -> dict[tuple[object, ...], list[Place]]:
    """All places of area codes; together those where the same clocks and the same rules hold."""
    found: dict[tuple[object, ...], list[Place]] = {}
    for area in range(200, 1000):
        place = place_of(f"+1{area}5550100")
        state = place.state if place.state in HOURS else None
        clocks = frozenset(tuple(hour for hour, _ in shown(zone, begin)[::30]) for zone in place.zones)
        found.setdefault((clocks, state), []).append(place)
    return found


@pytest.mark.parametrize("begin", [FORWARD, BACK], ids=["forward", "back"])
def test_nothing_leaves_for_any_area_code_in_any_quiet_minute(begin: datetime) -> None:
    groups = alike(begin)
    assert sum(map(len, groups.values())) == 800
    held = 0
    for (_, state), places in groups.items():
        place = places[0]
        minutes = [all(each) for each in zip(*(loud(zone, state, begin) for zone in place.zones), strict=True)]  # type: ignore[arg-type]
        first, end = firsts(minutes), firsts([not minute for minute in minutes])
        for index in range(WEEK):
            now = begin + index * MINUTE
            verdict = earliest(now, place, MARKETING, "marketing")
            assert verdict is not None
            assert verdict.at == begin + first[index] * MINUTE
            assert verdict.until == begin + end[first[index]] * MINUTE
            assert verdict.held == (not minutes[index])
            held += verdict.held
        for other in set(places):
            for index in range(0, WEEK, 179):
                same = earliest(begin + index * MINUTE, other, MARKETING, "marketing")
                assert same is not None
                assert same.at == begin + first[index] * MINUTE, other
    assert held > len(groups) * WEEK // 3


def leaves(number: str, local: str, zone: str, category: str = "marketing") -> str:
    """When a text at this local time may leave, in the same zone."""
    now = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    verdict = earliest(now.astimezone(UTC), place_of(number), MARKETING, category)
    assert verdict is not None
    return f"{verdict.at.astimezone(ZoneInfo(zone)):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("number", "zone", "local", "at"),
    [
        ("+14155550100", "America/Los_Angeles", "2026-07-01 20:59", "07-01 20:59"),
        ("+14155550100", "America/Los_Angeles", "2026-07-01 21:00", "07-02 08:00"),
        ("+14155550100", "America/Los_Angeles", "2026-07-01 07:59", "07-01 08:00"),
        # Arizona keeps its clocks: in summer those of Los Angeles, in winter those of Denver.
        ("+16025550100", "America/Los_Angeles", "2026-07-01 07:30", "07-01 08:00"),
        ("+16025550100", "America/Denver", "2026-12-01 07:30", "12-01 08:00"),
        # Where the Navajo Nation may be meant, the later opening and the earlier end count.
        ("+19285550100", "America/Phoenix", "2026-07-01 07:30", "07-01 08:00"),
        ("+19285550100", "America/Phoenix", "2026-07-01 20:30", "07-02 08:00"),
        ("+13175550100", "America/New_York", "2026-07-01 07:59", "07-01 08:00"),
        ("+18125550100", "America/New_York", "2026-07-01 08:30", "07-01 09:00"),  # 08:00 in Evansville
        ("+18085550100", "Pacific/Honolulu", "2026-07-01 21:00", "07-02 08:00"),
        ("+17875550100", "America/New_York", "2026-12-01 20:00", "12-02 07:00"),  # San Juan is an hour ahead in winter
        ("+16715550100", "Pacific/Guam", "2026-07-01 21:00", "07-02 08:00"),
        ("+18505550100", "America/New_York", "2026-07-01 08:30", "07-01 09:00"),  # 08:00 in Pensacola
        ("+18505550100", "America/New_York", "2026-07-01 20:00", "07-02 09:00"),  # Florida: 20:00
        ("+12065550100", "America/Los_Angeles", "2026-07-01 20:00", "07-02 08:00"),
        ("+17135550100", "America/Chicago", "2026-07-04 08:30", "07-04 09:00"),
        ("+17135550100", "America/Chicago", "2026-07-05 09:30", "07-05 12:00"),  # Sunday in Texas
        ("+18005550100", "America/New_York", "2026-12-01 12:00", "12-01 17:00"),  # 08:00 of the next day in Guam
        # 02:00 to 03:00 is left out, 01:00 to 02:00 comes twice: the morning is the same on the wall.
        ("+12125550100", "America/New_York", "2026-03-08 01:30", "03-08 08:00"),
        ("+12125550100", "America/New_York", "2026-11-01 01:30", "11-01 08:00"),
    ],
)
def test_by_hand(number: str, zone: str, local: str, at: str) -> None:
    assert leaves(number, local, zone) == at


def test_a_known_zone_narrows_it() -> None:
    now = datetime(2026, 7, 1, 13, 30, tzinfo=UTC)  # 09:30 in New York, 08:30 in Chicago
    knoxville, nashville = (place_of("+14235550100", zone) for zone in ("America/New_York", "America/Chicago"))
    at = now - timedelta(hours=1)
    assert earliest(at, knoxville, MARKETING, "marketing").at == at  # type: ignore[union-attr]
    assert earliest(at, nashville, MARKETING, "marketing").at == at + timedelta(minutes=30)  # type: ignore[union-attr]


def test_states_hold_from_their_day_on_and_where_the_tenant_wants_them() -> None:
    assert {one.state for one in STATE_HOURS} == set(HOURS)
    miami, before = place_of("+13055550100"), datetime(2021, 6, 30, 0, 30, tzinfo=UTC)  # 20:30 in Miami
    assert earliest(before, miami, MARKETING, "marketing").held is False  # type: ignore[union-attr]
    after = datetime(2021, 7, 2, 0, 30, tzinfo=UTC)
    verdict = earliest(after, miami, MARKETING, "marketing")
    assert verdict is not None
    assert verdict.held
    assert verdict.rule == (
        "marketing: 08:00-21:00; FL since 2021-07-01 (Fla. Stat. 501.616(6)(a)); in America/New_York"
    )
    assert earliest(after, miami, QuietHours(state_rules=False), "marketing").held is False  # type: ignore[union-attr]


def test_categories_are_held_as_the_tenant_says_and_urgent_ones_never() -> None:
    night, place = datetime(2026, 7, 1, 8, 0, tzinfo=UTC), place_of("+14155550100")
    everything = QuietHours(categories=CATEGORIES)
    for hours, held in ((MARKETING, ["marketing"]), (everything, ["transactional", "marketing"])):
        verdicts = {category: earliest(night, place, hours, category) for category in CATEGORIES}
        assert [category for category, verdict in verdicts.items() if verdict and verdict.held] == held
        assert all(verdict and verdict.quiet for verdict in verdicts.values())
    urgent = earliest(night, place, everything, "urgent")
    assert urgent is not None
    assert (urgent.at, urgent.until, urgent.rule) == (night, None, "urgent: not held")


def test_a_place_that_is_not_known_and_rules_without_a_common_minute_have_no_answer() -> None:
    now = datetime(2026, 7, 1, 18, 0, tzinfo=UTC)
    assert earliest(now, place_of("+80012345678"), MARKETING, "marketing") is None
    narrow = QuietHours(begin="09:00", end="08:00")
    assert earliest(now, place_of("+18505550100"), narrow, "marketing") is None
    assert earliest(now, place_of("+18505550100"), narrow, "transactional") is not None
    none_of_its_own = QuietHours(begin="08:00", end="08:00", state_rules=False)
    free = earliest(now, place_of("+14155550100"), none_of_its_own, "marketing")
    assert free is not None
    assert (free.at, free.until) == (now, None)


def test_an_agent_answers_who_has_just_written_at_any_hour() -> None:
    night, place = datetime(2026, 7, 1, 8, 0, tzinfo=UTC), place_of("+14155550100")
    strict = QuietHours(categories=("transactional", "marketing"), live_minutes=30)
    live = earliest_answer(night, place, strict, night - timedelta(minutes=29))
    assert live is not None
    assert (live.at, live.held, live.quiet, live.rule) == (night, False, True, LIVE_ANSWER)
    assert live.until == night + MINUTE, "an answer that is stuck is not live any more"
    for wrote_at in (night - timedelta(minutes=30), None):
        late = earliest_answer(night, place, strict, wrote_at)
        assert late is not None
        assert late.held
    by_day = earliest_answer(night + timedelta(hours=8), place, strict, night + timedelta(hours=8))
    assert by_day is not None
    assert by_day.rule != LIVE_ANSWER, "no exemption was needed"
    loose = earliest_answer(night, place, MARKETING, night)
    assert loose is not None
    assert (loose.until, loose.rule) == (None, LIVE_ANSWER)


ZONES = [
    "America/New_York",
    "America/Phoenix",
    "America/St_Johns",
    "Pacific/Guam",
    "Australia/Lord_Howe",
    "Europe/Rome",
]
A_TIME = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")


def allowed(at: datetime, zones: Sequence[str], hours: QuietHours) -> bool:
    walls = [f"{at.astimezone(ZoneInfo(zone)):%H:%M}" for zone in zones]
    if hours.end <= hours.begin:
        return all(hours.end <= wall < hours.begin for wall in walls)
    return all(wall >= hours.end or wall < hours.begin for wall in walls)


def minutes_from(now: datetime) -> Iterator[datetime]:
    minute = datetime.combine(now.date(), time(now.hour, now.minute), UTC)
    yield now
    yield from (minute + step * MINUTE for step in range(1, 3 * 24 * 60))


@settings(max_examples=60, deadline=None)
@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    begin=A_TIME,
    end=A_TIME,
)
def test_the_first_minute_is_the_first_and_the_last_the_last(
    now: datetime, zones: list[str], begin: str, end: str
) -> None:
    hours = QuietHours(begin, end)
    verdict = earliest(now, Place(tuple(zones)), hours, "marketing")
    if begin == end:
        assert verdict is not None
        assert (verdict.at, verdict.until) == (now, None)
        return
    first = next((at for at in minutes_from(now) if allowed(at, zones, hours)), None)
    if verdict is None or first is None:
        assert first is None
        assert verdict is None or verdict.at > now + timedelta(days=2)
        return
    assert verdict.at == first
    assert verdict.held == (first != now)
    assert verdict.until is not None
    assert not allowed(verdict.until, zones, hours)
    steps = int((verdict.until - first) / MINUTE)
    assert all(allowed(first + step * MINUTE, zones, hours) for step in range(steps))


def test_each_rule_of_a_state_has_its_day_and_its_law() -> None:
    for one in STATE_HOURS:
        assert one.law
        assert date(2021, 1, 1) < one.since < date(2026, 11, 22)
        assert len(one.week) == 7

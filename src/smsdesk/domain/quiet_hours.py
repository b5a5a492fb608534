"""Quiet hours: when a text may reach a phone, by the clock of every zone where its owner may be.

The federal rule is 47 CFR 64.1200(c)(1): no telephone solicitation before 08:00 or after 21:00 at the called party's
location. States are stricter, each in its own way and from its own day on: they are rows of STATE_HOURS. A text may
leave when all rules allow it in all plausible zones; until then it is held for the first common minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from smsdesk.domain.hours import WEEKDAYS, Hours, Span, next_close, next_open
from smsdesk.domain.zones import Place

CATEGORIES = ("transactional", "marketing", "urgent")
"""What a text is for: what its reader is owed or waits for; what is to sell; what is worth nothing later, such as a
one-time code, and is never held."""
LIVE_ANSWER = "live_answer"
"""An exemption: an agent answers somebody who has just written."""
ANSWER_TO_REPLY = "answer_to_reply"
"""An exemption: the system answers what somebody has just written, such as STOP or HELP."""
NO_COMMON_MINUTE = "no common minute"
"""No rule let it leave when it was judged; it is judged again after LOOK_AGAIN, for rules may be changed."""
LOOK_AGAIN = timedelta(hours=1)
LOOK_AHEAD = timedelta(days=15)
"""How far a first common minute is looked for. Rules repeat each week, and clocks change once in two at most."""

_Week = tuple[tuple[Span, ...], ...]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A tenant's own rule."""

    begin: str = "21:00"
    end: str = "08:00"
    """Nothing that is held leaves from `begin` until `end`, each day; the same time twice is no quiet hours."""
    categories: tuple[str, ...] = ("marketing",)
    """What is held. The law is about solicitations; holding `transactional` too is a choice."""
    state_rules: bool = True
    """Whether the stricter hours of states hold as well."""
    live_minutes: int = 60
    """For so long after a consumer wrote, agents may answer him at any hour."""


@dataclass(frozen=True, slots=True)
class StateHours:
    """When a state lets solicitations through, from a day on."""

    state: str
    since: date
    week: _Week
    """From Monday to Sunday."""
    law: str


def _daily(opens: str, closes: str, sunday: str | None = None) -> _Week:
    return (((opens, closes),),) * 6 + (((sunday or opens, closes),),)


STATE_HOURS = (
    StateHours("FL", date(2021, 7, 1), _daily("08:00", "20:00"), "Fla. Stat. 501.616(6)(a)"),
    StateHours("WA", date(2022, 6, 9), _daily("08:00", "20:00"), "RCW 80.36.390, HB 1497"),
    StateHours("OK", date(2022, 11, 1), _daily("08:00", "20:00"), "15 O.S. 775C.4, HB 3168"),
    StateHours("CT", date(2023, 10, 1), _daily("09:00", "20:00"), "Conn. Gen. Stat. 42-288a, P.A. 23-98"),
    StateHours("MD", date(2024, 1, 1), _daily("08:00", "20:00"), "Stop the Spam Calls Act of 2023"),
    StateHours("TX", date(2025, 9, 1), _daily("09:00", "21:00", sunday="12:00"), "Bus. & Com. Code 301.051, SB 140"),
)
"""From the laws and lawyers' reports of them; to be confirmed by one's own counsel, as is what is missing here."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """When a text may leave, and by which rule."""

    at: datetime
    """Now, or the first minute that all zones and rules allow."""
    until: datetime | None
    """When it may not leave any more; None where no hours hold it."""
    held: bool
    """Whether it has to wait."""
    quiet: bool
    """Whether it is quiet now for what is held, in one of the zones at least."""
    rule: str
    """Which rules decided and where, or which exemption did: what is kept with the message."""


def earliest(now: datetime, place: Place, hours: QuietHours, category: str) -> Verdict | None:
    """When a text of this category may leave for there; None where nothing is known of the place, or where its zones
    and rules have no minute in common."""
    today = _day(place, hours, now.astimezone(UTC).date())
    window = next((one for one in today.windows if one[1] is None or now < one[1]), None)
    quiet = window is None or now < window[0]
    if category == "urgent" or category not in hours.categories:
        return Verdict(now, None, False, quiet, f"{category}: not held")
    if window is None:
        return None
    opens, closes = window
    return Verdict(max(now, opens), closes, quiet, quiet, f"{category}: {today.rule}")


def earliest_answer(
    now: datetime, place: Place, hours: QuietHours, wrote_at: datetime | None, exemption: str = LIVE_ANSWER
) -> Verdict | None:
    """When an answer may leave: at any hour if the consumer wrote within `live_minutes`, which is the `exemption`, else
    as any transactional text; None as in `earliest`."""
    verdict = earliest(now, place, hours, "transactional")
    live = timedelta(minutes=hours.live_minutes)
    if wrote_at is None or now >= wrote_at + live or (verdict is not None and not verdict.quiet):
        return verdict
    return Verdict(now, wrote_at + live if "transactional" in hours.categories else None, False, True, exemption)


def never(now: datetime) -> Verdict:
    """For a text that is in the queue already where there is no earliest minute: it stays there, and does not leave."""
    return Verdict(now + LOOK_AGAIN, now + LOOK_AGAIN, True, True, NO_COMMON_MINUTE)


@dataclass(frozen=True, slots=True)
class _Day:
    """What holds in a day (UTC) for the phones of a place."""

    rule: str
    windows: tuple[tuple[datetime, datetime | None], ...]
    """When texts may leave, from the beginning of the day to the first time after its end; an end that is None is none
    within LOOK_AHEAD."""


@lru_cache(maxsize=4096)
def _day(place: Place, hours: QuietHours, day: date) -> _Day:
    """Kept, for the texts of a day go to few places."""
    weeks: list[tuple[str, _Week]] = []
    if hours.begin != hours.end:
        weeks.append((f"{hours.end}-{hours.begin}", _daily(hours.end, hours.begin)))
    if hours.state_rules:
        of_state = [one for one in STATE_HOURS if one.state == place.state and one.since <= day]
        weeks += [(f"{one.state} since {one.since} ({one.law})", one.week) for one in of_state]
    begin = datetime.combine(day, time(), UTC)
    each = [Hours(zone, dict(zip(WEEKDAYS, week, strict=True))) for zone in place.zones for _, week in weeks]
    rule = "; ".join(name for name, _ in weeks) or "no hours"
    return _Day(f"{rule}; in {' '.join(place.zones)}", tuple(_windows(each, begin)) if place.zones else ())


def _windows(each: list[Hours], begin: datetime) -> Iterator[tuple[datetime, datetime | None]]:
    at: datetime | None = begin
    while at is not None and at < begin + timedelta(days=1):
        opens = _common(each, at)
        if opens is None:
            return
        closes = [next_close(hours, opens) for hours in each]
        at = min((moment for moment in closes if moment is not None), default=None)
        yield opens, at


def _common(each: list[Hours], at: datetime) -> datetime | None:
    """The first moment from `at` on at which all of them are open."""
    last = at + LOOK_AHEAD
    while at <= last:
        moments = [next_open(hours, at) for hours in each]
        if None in moments:
            return None
        latest = max((moment for moment in moments if moment is not None), default=at)
        if latest == at:
            return at
        at = latest
    return None

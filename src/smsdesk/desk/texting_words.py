"""Whether a person may be texted now, and what time it is where he may be: in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from smsdesk.desk.visitor import Visitor
from smsdesk.desk.words import Words
from smsdesk.domain.quiet_hours import earliest, earliest_answer
from smsdesk.domain.zones import Place, place_of
from smsdesk.store.person import OptOut, Person


@dataclass(frozen=True, slots=True)
class LocalTime:
    """What the clock says where a phone may be."""

    said: str
    zones: tuple[str, ...]
    sure: bool
    """Whether the zone is known of the person, or the only one that his number can be in."""


@dataclass(frozen=True, slots=True)
class MayText:
    """A sentence of whether he may be texted now. `tone` is `good`, `warn` or `bad`."""

    tone: str
    said: str
    more: tuple[str, ...] = ()


def local_time(words: Words, number: str, time_zone: str | None, now: datetime) -> LocalTime:
    """The time of day there: one, or from the earliest to the latest of all zones where the phone may be."""
    place = place_of(number, time_zone)
    times = sorted({now.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for zone in place.zones})
    said = [words.clock(at.replace(tzinfo=ZoneInfo("UTC")), ZoneInfo("UTC")) for at in times]
    if not said:
        return LocalTime("", (), sure=False)
    if len(said) == 1:
        return LocalTime(said[0], place.zones, sure=True)
    both = words.say("{first} to {last}, one of {number} zones", first=said[0], last=said[-1], number=len(said))
    return LocalTime(both, place.zones, sure=False)


def may_text(
    visitor: Visitor, person: Person, opt_outs: Sequence[OptOut], in_doubt: bool, now: datetime
) -> MayText:  # fmt: skip
    """What stands in the way of a text to him now, the gravest first."""
    say = visitor.words.say
    if person.blocked_at is not None:
        return MayText("bad", say("No: this number is blocked."))
    if opt_outs:
        return MayText("bad", say("No: this person has opted out."))
    place = place_of(person.number, person.time_zone)
    said = _by_the_clock(visitor, place, person.said_at, now)
    if in_doubt:
        more = (say("A notice waits until somebody has decided; your answer may go."),)
        return MayText("warn", say("In doubt: he may have asked for no more texts."), more)
    return said


def _by_the_clock(visitor: Visitor, place: Place, said_at: datetime | None, now: datetime) -> MayText:
    words, hours = visitor.words, visitor.tenant.settings.quiet_hours
    say, zone = words.say, visitor.zone
    answer = earliest_answer(now, place, hours, said_at)
    selling = earliest(now, place, hours, "marketing") if "marketing" in hours.categories else None
    more: tuple[str, ...] = ()
    if selling is not None and selling.held:
        more = (say("It is quiet there: marketing waits until {time}.", time=words.brief(selling.at, zone, now)),)
    if answer is None:
        return MayText("bad", say("No: nothing is known of where he is, and quiet hours leave no minute."), more)
    if answer.held:
        return MayText("warn", say("Not before {time}: quiet hours.", time=words.brief(answer.at, zone, now)))
    if answer.until is None:
        return MayText("good", say("Yes."), more)
    return MayText("good", say("Yes, until {time}.", time=words.brief(answer.until, zone, now)), more)


def source_words(words: Words, source: str) -> str:
    """From where we know of an opt-out."""
    say = words.say
    return {
        "text": say("by text"),
        "api": say("told by another program"),
        "agent": say("told to an agent"),
        "file": say("from a list"),
        "carrier": say("told by the carrier"),
    }.get(source, source)


def scope_words(words: Words, scope: str, of: str) -> str:
    """Which numbers of ours an opt-out covers."""
    say = words.say
    if scope == "all":
        return say("all our numbers")
    return say("our brand {name}", name=of) if scope == "brand" else of

"""What is looked at on the health page: how it is, and what to do about it."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from smsdesk.desk.words import Words
from smsdesk.setup.secrets import unresolvable
from smsdesk.store.carriers import CarrierSetup
from smsdesk.store.desk_health import LineHealth, Machine, Node, Open
from smsdesk.store.health import Server

Grade = Literal["good", "info", "warn", "bad"]

LITTLE_DISK, NO_DISK = 1 << 30, 100 << 20
"""Bytes free below which we warn, and below which nothing will be accepted for long."""
CLOCK_WARNING, CLOCK_BROKEN = 2.0, 60.0
"""Seconds between our clock and the database's."""
LATE, TOO_LATE = timedelta(seconds=30), timedelta(minutes=5)
"""How long a text may wait that could leave, before we warn, and before something is wrong."""
MOST_NAMED = 5
_RANKS: Mapping[Grade, int] = {"bad": 0, "warn": 1, "info": 2, "good": 3}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    grade: Grade
    says: str
    remedy: str = ""
    path: str = ""
    """Where in the desk it can be mended."""


def worst(findings: list[Finding]) -> Grade:
    """The most serious grade."""
    return min((one.grade for one in findings), key=_RANKS.__getitem__, default="good")


def look_at_workers(nodes: list[Node], now: datetime, words: Words) -> Iterator[Finding]:
    """The processes that send."""
    say, alive = words.say, [one for one in nodes if one.alive_until > now]
    if not alive:
        remedy = say("Start one: smsdesk serve, or smsdesk serve --role worker. Accepted texts wait and are not lost.")
        yield Finding(say("Workers"), "bad", say("No process sends texts."), remedy)
        return
    names = ", ".join(one.name for one in alive[:MOST_NAMED])
    says = words.count("{number} at work: {names}", "{number} at work: {names}", len(alive), names=names)
    yield Finding(say("Workers"), "good", says)


def look_at_line(
    line: LineHealth, setup: CarrierSetup | None, environ: Mapping[str, str], now: datetime, words: Words
) -> Iterator[Finding]:
    """A carrier's line, and what waits for it."""
    say, check = words.say, words.say("Carrier {name}", name=line.name)
    missing = unresolvable(setup.config, environ) if setup else []
    for each in missing:
        yield Finding(check, "bad", each, say("Set it where this server runs, and start it again."))
    if line.sick:
        remedy = say("It is tried again by itself; ask the carrier if it lasts.")
        yield Finding(check, "bad", say("Its line does not work: {why}", why="; ".join(line.sick)), remedy)
    wait = now - line.oldest if line.oldest else timedelta()
    queued = words.count("{number} text waits", "{number} texts wait", line.queued)
    if wait > LATE:
        says = say("{queued}; the oldest for {seconds} s", queued=queued, seconds=int(wait.total_seconds()))
        remedy = say("Look at its line and its limits, or let a second carrier help: fallbacks of the number.")
        yield Finding(check, "bad" if wait > TOO_LATE else "warn", says, remedy, "/desk/board")
    if line.doubtful:
        says = words.count("{number} text is in doubt", "{number} texts are in doubt", line.doubtful)
        yield Finding(check, "warn", says, say("Decide what became of them."), "/desk/doubtful")
    if not (missing or line.sick or wait > LATE or line.doubtful):
        yield Finding(check, "good", say("It works; {queued}", queued=queued) if line.queued else say("It works."))


def look_at_open(found: Open, words: Words) -> Iterator[Finding]:
    """What waits for somebody, and what the set-up lacks."""
    say, count = words.say, words.count
    if not found.numbers:
        yield Finding(say("Numbers"), "warn", say("There is none to text from."), say("Add one."), "/desk/admin")
    if found.homeless:
        says = say("Replies to {numbers} reach no queue.", numbers=_some(found.homeless))
        yield Finding(say("Numbers"), "warn", says, say("Give each a queue."), "/desk/admin")
    if found.queues_alone:
        says = say("Nobody works in {queues}.", queues=_some(found.queues_alone))
        yield Finding(say("Queues"), "warn", says, say("Give each an agent."), "/desk/admin")
    if not found.tokens:
        remedy = say("Make one where a program is to send.")
        yield Finding(say("Tokens"), "info", say("There is none: only people send."), remedy, "/desk/admin/tokens")
    if found.holds:
        says = count("{number} reply is in doubt", "{number} replies are in doubt", found.holds)
        yield Finding(say("Consent"), "warn", says, say("Read and decide: no text leaves until then."), "/desk/board")
    if found.crm_failed:
        says = count("{number} ticket was not written", "{number} tickets were not written", found.crm_failed)
        yield Finding(
            say("CRM"), "warn", says, say("Over the API: POST /apps/api/v1/tickets/jobs/retry tries them again.")
        )
    if found.media_waiting:
        says = count("{number} file is late", "{number} files are late", found.media_waiting)
        yield Finding(
            say("Pictures"), "warn", says, say("Is the carrier's file server in reach? They are tried again.")
        )
    if not (found.homeless or found.queues_alone) and found.numbers:
        yield Finding(say("Set-up"), "good", say("Every number leads to people."))


def look_at_database(server: Server, machine: Machine, missing: int, now: datetime, words: Words) -> Iterator[Finding]:
    """The database's version, promises, clock, schema and room."""
    say = words.say
    size = say("PostgreSQL {version}, {size} MB", version=server.version, size=words.number(machine.octets >> 20))
    yield Finding(say("Database"), "good", size)
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if getattr(server, name) == "off":
            remedy = say("alter system set {name} = on: a crash would lose accepted texts.", name=name)
            yield Finding(say("Database"), "bad", say("{name} is off.", name=name), remedy)
    if missing:
        yield Finding(say("Database"), "bad", say("Its schema is older than this server."), "smsdesk migrate")
    apart = abs((server.clock - now).total_seconds())
    grade: Grade = "bad" if apart > CLOCK_BROKEN else "warn" if apart > CLOCK_WARNING else "good"
    remedy = "" if grade == "good" else say("Let both machines take their time from one source (NTP).")
    says = say("{seconds} s from the database's", seconds=words.number(round(apart, 1)))
    yield Finding(say("Clock"), grade, says, remedy)
    yield from _disk(machine, words)


def look_at_versions(words: Words) -> Iterator[Finding]:
    """What runs here."""
    python = ".".join(map(str, sys.version_info[:3]))
    says = words.say("smsdesk {version}, Python {python}", version=version("smsdesk"), python=python)
    yield Finding(words.say("Version"), "good", says)


def _disk(machine: Machine, words: Words) -> Iterator[Finding]:
    # Of another machine's database nothing is known: a folder of the same name here would be told instead.
    place = Path(machine.folder) if machine.folder else None
    try:
        if place is None or not (place / "PG_VERSION").exists():
            return
        free = shutil.disk_usage(place).free
    except OSError:
        return
    grade: Grade = "bad" if free < NO_DISK else "warn" if free < LITTLE_DISK else "good"
    says = words.say("{size} GB free", size=words.number(round(free / (1 << 30), 1)))
    yield Finding(words.say("Disk"), grade, says, "" if grade == "good" else words.say("Make room."))


def _some(names: Any) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" + {more:,}" if more > 0 else "")

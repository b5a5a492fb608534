"""A chat as the desk shows it: what was said with how each text stands, and what happened in between, in its order.

What happened is kept as what it was and who was in it; the desk says it in the reader's language.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from smsdesk.domain.chat_life import ENDED, WAITING, WITH_AN_AGENT


@dataclass(frozen=True, slots=True)
class Line:
    """What one side said. What follows `created_at` is a text's: None, zero or false for others."""

    message_id: int
    sender: str
    """`end_user`, `agent`, `api`, `system` or `note`."""
    agent_id: int | None
    body: str
    """Its beginning, where it is very long."""
    length: int
    """Characters of all of it."""
    encoding: str
    parts: int
    created_at: datetime
    state: str | None = None
    reason: str | None = None
    code: str | None = None
    state_at: datetime | None = None
    ended: bool = False
    delivered: int = 0
    """Parts that have arrived."""
    due_at: datetime | None = None
    """From when on it may leave, while it waits; None where that is not known."""
    aside: bool = False
    """It waits for a person to decide whether its consumer may be texted."""
    quiet_rule: str | None = None
    line_down: bool = False
    """The line that it waits for does not work now."""
    behind: bool = False
    """It waits behind another text to the same phone."""

    @property
    def is_text(self) -> bool:
        """Whether it went, or is to go, to the consumer's phone."""
        return self.sender not in ("end_user", "note")


@dataclass(frozen=True, slots=True)
class Gone:
    """What a chat was from a time on."""

    status: str
    agent_id: int | None
    queue_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """An agent who was asked to take the chat, and declined or missed it."""

    agent_id: int
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Transferred:
    """A transfer."""

    kind: str
    status: str
    fail_reason: str
    at: datetime
    ended_at: datetime | None
    from_agent_id: int | None
    to_agent_id: int | None
    to_queue_id: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Presence:
    """A supervisor's part in the chat."""

    agent_id: int
    at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Happened:
    """All that happened in a chat beside what was said."""

    was: tuple[Gone, ...]
    """What it was, in order, and last what it is."""
    direction: str
    created_at: datetime
    ends_at: datetime | None
    disconnected_by: str
    fail_reason: str | None
    asked: tuple[Asked, ...] = ()
    transfers: tuple[Transferred, ...] = ()
    supervisors: tuple[Presence, ...] = ()


Kind = Literal[
    "began", "began_with", "declined", "missed", "transferred", "transfer_failed", "transfer_cancelled", "waits",
    "resumed", "dismissed", "has", "joined", "left", "ended",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, and who or what was in it."""

    at: datetime
    kind: Kind
    agent_id: int | None = None
    to_agent_id: int | None = None
    queue_id: int | None = None
    word: str = ""
    """How or why: a direction, the kind of a transfer, a reason, who ended it."""
    note: str = ""
    """What the one who did it wrote to it."""
    status: str = ""


def events(happened: Happened) -> list[Event]:
    """What is told of a chat beside its words, in order: what somebody did before what the chat became of it."""
    told = [*_done(happened), *_became(happened)]
    told.sort(key=lambda event: event.at)
    first = happened.was[0]
    begins = Event(
        happened.created_at, "began_with" if first.status in WITH_AN_AGENT and first.agent_id else "began",
        first.agent_id, word=happened.direction,
    )  # fmt: skip
    return [begins, *told]


def _done(happened: Happened) -> Iterator[Event]:
    for one in happened.asked:
        yield Event(one.at, "declined" if one.state == "declined" else "missed", one.agent_id)
    for each in happened.transfers:
        by, queue = each.from_agent_id, each.to_queue_id
        # Who took it out of a queue is in the transfer too; it was not meant for him.
        to = None if each.to_queue_id else each.to_agent_id
        yield Event(each.at, "transferred", by, to, queue, each.kind, each.note)
        if each.ended_at and each.status in ("cancelled", "failed"):
            kind: Kind = "transfer_failed" if each.status == "failed" else "transfer_cancelled"
            why = "" if each.fail_reason == "nothing" else each.fail_reason
            yield Event(each.ended_at, kind, by, to, queue, why)
    for present in happened.supervisors:
        yield Event(present.at, "joined", present.agent_id)
        if present.ended_at and present.ended_at != happened.ends_at:
            yield Event(present.ended_at, "left", present.agent_id)


def _became(happened: Happened) -> Iterator[Event]:
    for before, now in pairwise(happened.was):
        if now.status in ENDED:
            continue
        if now.status == "dismissed":
            yield Event(now.at, "dismissed")
        elif now.status in WAITING:
            yield Event(now.at, "resumed" if now.status == "resumed" else "waits", queue_id=now.queue_id)
        elif now.agent_id is not None and now.agent_id != before.agent_id:
            yield Event(now.at, "has", now.agent_id)
    if happened.ends_at is not None:
        yield Event(
            happened.ends_at, "ended", word=happened.disconnected_by, note=happened.fail_reason or "",
            status=happened.was[-1].status,
        )  # fmt: skip


def between(told: list[Event], begins: datetime | None, ends: datetime | None) -> list[Event]:
    """Those of a page of the chat: from its first message on, and before the first of the next page."""
    return [one for one in told if (begins is None or one.at >= begins) and (ends is None or one.at < ends)]


def merge(said: list[Line], told: list[Event]) -> list[Line | Event]:
    """Both in their order. Of one moment what was said comes first, for it made happen what happened; but nothing
    before the beginning."""
    first = [one for one in told if one.kind in ("began", "began_with")]
    rest: list[Line | Event] = [*said, *(one for one in told if one not in first)]
    rest.sort(key=lambda one: (one.created_at, 0) if isinstance(one, Line) else (one.at, 1))
    return [*first, *rest]

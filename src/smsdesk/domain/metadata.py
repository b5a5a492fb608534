"""How long a chat was where, and how soon it was answered: worked out from its spans, which cover its life without a
gap, so that the durations add up to it.

Times are whole seconds since the beginning of the chat, cut off, and durations are their differences: the parts of a
whole never make a second more or less than the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from smsdesk.domain.chat_life import ENDED, WAITING, WITH_AN_AGENT
from smsdesk.domain.chat_record import ChatRecord, Span


@dataclass(frozen=True, slots=True)
class Durations:
    """Where a chat's seconds went; they add up to `total`."""

    selecting: int
    waiting: int
    handled: int
    dismissed: int
    total: int


@dataclass(frozen=True, slots=True)
class Handled:
    """A time in which one agent had the chat."""

    agent_id: int
    queue_id: int | None
    started_at: datetime
    ended_at: datetime | None
    duration: int
    after_call_work: int
    """Seconds that he took for it after the end; 0 but for the last agent."""
    transfer_id: int | None
    """The transfer by which he got it."""
    responses: tuple[int, ...]
    """How long the consumer waited for each of his answers, in seconds."""
    until_spoken: int | None
    """From getting it to his first words; None where he said nothing."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A time in which the chat waited in one queue."""

    queue_id: int | None
    agent_id: int | None
    """Who had it next."""
    started_at: datetime
    ended_at: datetime | None
    duration: int
    target: int | None
    transferred_cold: bool

    @property
    def in_time(self) -> bool | None:
        """Whether it waited no longer than the queue's target; None without a target."""
        return None if self.target is None else self.duration <= self.target


def durations(record: ChatRecord, now: datetime) -> Durations:
    """Where its seconds went until its end, or until now."""
    end = record.chat.ends_at or now
    parts = {"selecting": 0, "waiting": 0, "handled": 0, "dismissed": 0}
    for span in _living(record):
        name = span.status if span.status in parts else "waiting" if span.status in WAITING else "handled"
        parts[name] += _seconds(record, span.started_at, span.ended_at or end)
    return Durations(**parts, total=_seconds(record, record.chat.created_at, end))


def handled(record: ChatRecord, now: datetime) -> list[Handled]:
    """The times with agents, in order."""
    runs = _runs(record, WITH_AN_AGENT)
    last = len(runs) - 1
    return [_handled(record, run, now, is_last=place == last) for place, run in enumerate(runs)]


def queued(record: ChatRecord, now: datetime) -> list[Queued]:
    """The times in queues, in order."""
    found = []
    for run in _runs(record, WAITING):
        first, ended_at = run[0], run[-1].ended_at
        later = [span for span in record.spans if ended_at and span.started_at >= ended_at]
        cold = [one for one in record.chat.transfers if one.kind == "cold" and one.created_at == first.started_at]
        found.append(
            Queued(
                first.queue_id, later[0].agent_id if later and later[0].status in WITH_AN_AGENT else None,
                first.started_at, ended_at,
                _seconds(record, first.started_at, ended_at or record.chat.ends_at or now),
                record.targets.get(first.queue_id) if first.queue_id is not None else None, bool(cold),
            )
        )  # fmt: skip
    return found


def _handled(record: ChatRecord, run: Sequence[Span], now: datetime, *, is_last: bool) -> Handled:
    agent_id, started_at, ended_at = run[0].agent_id, run[0].started_at, run[-1].ended_at
    assert agent_id is not None, "a chat that an agent has names him"
    end = ended_at or record.chat.ends_at or now
    after = [
        int((one.ended_at - one.started_at).total_seconds())
        for one in record.wrap_ups
        if one.agent_id == agent_id and one.ended_at and is_last
    ]
    got = [
        one.transfer_id
        for one in record.chat.transfers
        if one.assigned_at == started_at and one.to_agent and one.to_agent.agent_id == agent_id
    ]
    words = [one.at for one in record.said if one.agent_id == agent_id and one.sender == "agent"]
    spoken = [at for at in words if started_at <= at <= end]
    return Handled(
        agent_id, run[0].queue_id, started_at, ended_at, _seconds(record, started_at, end), sum(after),
        got[0] if got else None, _responses(record, agent_id, started_at, end),
        _seconds(record, started_at, spoken[0]) if spoken else None,
    )  # fmt: skip


def _responses(record: ChatRecord, agent_id: int, start: datetime, end: datetime) -> tuple[int, ...]:
    """An answer ends the wait that the first of the texts before it began, or that began when he got the chat."""
    waits, since = [], None
    for one in record.said:
        if one.sender == "end_user" and since is None:
            since = one.at
        elif one.sender == "agent":
            if since is not None and one.agent_id == agent_id and start <= one.at <= end:
                waits.append(_seconds(record, max(since, start), one.at))
            since = None
    return tuple(waits)


def _runs(record: ChatRecord, statuses: Sequence[str]) -> list[list[Span]]:
    """Spans of these statuses that follow each other, each run of one agent or one queue."""
    by_place = groupby(_living(record), lambda span: (span.status in statuses, span.agent_id, span.queue_id))
    if statuses == WITH_AN_AGENT:
        by_place = groupby(_living(record), lambda span: (span.status in statuses, span.agent_id, None))
    return [list(run) for (wanted, *_), run in by_place if wanted]


def _living(record: ChatRecord) -> list[Span]:
    return [span for span in record.spans if span.status not in ENDED]


def _seconds(record: ChatRecord, start: datetime, end: datetime) -> int:
    begin = record.chat.created_at
    return int((end - begin).total_seconds()) - int((start - begin).total_seconds())

"""What a tenant's chats and texts of a time come to, by day, queue, agent, number or kind of chat.

`docs/reports.md` says how each figure is counted. A chat belongs to the time in which it began, a text to that in which
it was written; of groups other than days a text belongs to the group of its chat.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from smsdesk.store.db import Connection, Database

Grouping: TypeAlias = Literal["day", "queue", "agent", "number", "type"]

_GROUPS: Mapping[Grouping, str] = {
    "day": "to_char(c.created_at at time zone $4, 'YYYY-MM-DD')",
    "queue": "coalesce(c.queue_id::text, '')",
    "agent": "coalesce(c.agent_id::text, '')",
    "number": "c.outbound_number",
    "type": "coalesce(c.chat_type, 'Messaging (SMS)')",
}


@dataclass(frozen=True, slots=True)
class Period:
    """From the one time until before the other, with days as a zone has them."""

    since: datetime
    until: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class ChatFigures:
    """What the chats of a group come to. Times are in seconds; None where there is nothing to measure."""

    opened: int = 0
    inbound: int = 0
    answered: int = 0
    """Those that an agent had."""
    still_open: int = 0
    abandoned: int = 0
    unanswered: int = 0
    """Those of ours that the consumer never answered."""
    by_agent: int = 0
    by_consumer: int = 0
    by_system: int = 0
    transfers: int = 0
    dismissed: int = 0
    rated: int = 0
    rating: float | None = None
    wait: float | None = None
    wait_most: float | None = None
    first_answer: float | None = None
    first_answer_most: float | None = None
    length: float | None = None

    @property
    def outbound(self) -> int:
        """Those that we began."""
        return self.opened - self.inbound


@dataclass(frozen=True, slots=True)
class TextFigures:
    """What the texts of ours in a group come to."""

    texts: int = 0
    parts: int = 0
    delivered: int = 0
    failed: int = 0
    doubtful: int = 0
    costs: Mapping[str, Decimal] = field(default_factory=dict)
    """By currency."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A line of a report."""

    chats: ChatFigures = field(default_factory=ChatFigures)
    texts: TextFigures = field(default_factory=TextFigures)
    opt_outs: int | None = None
    """Only of days, and of all: an opt-out is a number's, not a chat's."""


@dataclass(frozen=True, slots=True)
class Report:
    """The groups by their keys, and all of them together."""

    groups: Mapping[str, Figures]
    total: Figures
    dispositions: tuple[tuple[str, int], ...]
    """What the chats were about, the most frequent first."""


_MINE = """c.tenant_id = $1 and c.created_at > '2000-01-01' and c.created_at >= $2 and c.created_at < $3"""
_SECONDS = "extract(epoch from {})::float"
# A chat of ours may begin with an agent's text: his first answer is the first text after the consumer's first words.
_CHATS = f"""
with answers as (
    select s.chat_id, s.asked,
           case when s.answered >= s.asked then s.answered else (
               select min(m.created_at) from messages m
               where m.tenant_id = $1 and m.chat_id = s.chat_id and m.sender = 'agent' and m.created_at >= s.asked)
           end as answered
    from (
        select c.chat_id, min(m.created_at) filter (where m.sender = 'end_user') as asked,
               min(m.created_at) filter (where m.sender = 'agent') as answered
        from chats c join messages m on m.tenant_id = $1 and m.chat_id = c.chat_id
        where {_MINE} and c.agent_said_at is not null and c.end_user_said_at is not null
          and m.sender in ('agent', 'end_user')
        group by 1
    ) s
), moved as (
    select t.chat_id, count(*) as transfers from chats c join transfers t on t.tenant_id = $1 and t.chat_id = c.chat_id
    where {_MINE} and t.status in ('connected', 'transferring') group by 1
), aside as (
    select distinct s.chat_id from chats c join spans s on s.tenant_id = $1 and s.chat_id = c.chat_id
    where {_MINE} and c.assigned_at is not null and s.status = 'dismissed'
), one as (
    select {{group}} as key, c.direction, c.status, c.fail_reason, c.disconnected_by, c.assigned_at, c.ends_at,
           c.rating,
           {_SECONDS.format("c.assigned_at - c.queued_at")} as wait,
           {_SECONDS.format("a.answered - a.asked")} as first_answer,
           {_SECONDS.format("c.ends_at - c.assigned_at")} as length,
           coalesce(m.transfers, 0) as transfers, x.chat_id is not null or c.status = 'dismissed' as aside
    from chats c
    left join answers a on a.chat_id = c.chat_id
    left join moved m on m.chat_id = c.chat_id
    left join aside x on x.chat_id = c.chat_id
    where {_MINE} and ($4::text is not null)
)
select key, grouping(key) = 1,
       count(*), count(*) filter (where direction = 'inbound'), count(assigned_at),
       count(*) filter (where ends_at is null),
       count(*) filter (where status = 'abandoned'), count(*) filter (where fail_reason = 'no_response'),
       count(*) filter (where ends_at is not null and disconnected_by = 'disconnected_by_agent'),
       count(*) filter (where ends_at is not null and disconnected_by = 'disconnected_by_end_user'),
       count(*) filter (where ends_at is not null and disconnected_by = 'disconnected_by_system'),
       sum(transfers)::int, count(*) filter (where aside), count(rating), avg(rating)::float,
       percentile_cont(array[0.5, 0.9]) within group (order by wait),
       percentile_cont(array[0.5, 0.9]) within group (order by first_answer),
       percentile_cont(0.5) within group (order by length)
from one group by grouping sets ((key), ())
"""
_TEXTS = """
with one as (
    select {group} as key, coalesce(m.state, t.state) as state, m.parts, m.price, coalesce(m.currency, '') as currency
    from messages {name}
    {chats}
    left join lateral (
        select * from texts t where t.tenant_id = $1 and t.message_id = m.message_id and m.state is null offset 0
    ) t on true
    where m.tenant_id = $1 and m.created_at > '2000-01-01' and m.created_at >= $2 and m.created_at < $3
      and m.sender not in ('end_user', 'note') and ($4::text is not null)
)
select key, grouping(key) = 1, currency, count(*), sum(parts)::int, count(*) filter (where state = 'delivered'),
       count(*) filter (where state in ('undelivered', 'failed', 'expired')),
       count(*) filter (where state = 'doubtful'), sum(price)
from one group by grouping sets ((key, currency), (currency))
"""
_OPT_OUTS = """
select to_char(at at time zone $4, 'YYYY-MM-DD'), count(*) from consent_history
where tenant_id = $1 and at > '2000-01-01' and at >= $2 and at < $3 and kind = 'opted_out' group by 1
"""
_DISPOSITIONS = f"""
select w.disposition, count(*) from chats c join wrap_ups w on w.tenant_id = $1 and w.chat_id = c.chat_id
where {_MINE} and c.assigned_at is not null and w.disposition <> '' group by 1 order by 2 desc, 1 limit 100
"""


async def read_report(db: Database, tenant_id: int, period: Period, by: Grouping) -> Report:
    """The report of a tenant: a statement for the chats and, beside it, one for the texts; they take the longest."""
    asked = (tenant_id, period.since, period.until)

    async def rest() -> tuple[dict[str | None, TextFigures], dict[str, int], tuple[tuple[str, int], ...]]:
        async with db.connection() as conn:
            texts = await _read_texts(conn, (*asked, period.zone), by)
            opt_outs = {row[0]: row[1] for row in await conn.fetch(_OPT_OUTS, *asked, period.zone)}
            return texts, opt_outs, tuple((row[0], row[1]) for row in await conn.fetch(_DISPOSITIONS, *asked))

    async def first() -> dict[str | None, ChatFigures]:
        async with db.connection() as conn:
            return await _read_chats(conn, (*asked, period.zone), by)

    chats, (texts, opt_outs, dispositions) = await asyncio.gather(first(), rest())
    days = opt_outs if by == "day" else {}
    keys = [key for key in chats.keys() | texts.keys() | days.keys() if key is not None]
    groups = {
        key: Figures(
            chats.get(key, ChatFigures()), texts.get(key, TextFigures()), days.get(key, 0) if by == "day" else None
        )
        for key in keys
    }
    total = Figures(chats.get(None, ChatFigures()), texts.get(None, TextFigures()), sum(opt_outs.values()))
    return Report(groups, total, dispositions)


async def _read_chats(conn: Connection, asked: tuple[object, ...], by: Grouping) -> dict[str | None, ChatFigures]:
    """By group; None is all of them."""
    found: dict[str | None, ChatFigures] = {}
    for row in await conn.fetch(_CHATS.format(group=_GROUPS[by]), *asked):
        *counted, waits, answers, length = tuple(row)[2:]
        wait, first = waits or (None, None), answers or (None, None)
        found[None if row[1] else row[0]] = ChatFigures(*[*counted, *wait, *first, length])
    return found


async def _read_texts(conn: Connection, asked: tuple[object, ...], by: Grouping) -> dict[str | None, TextFigures]:
    # A day is that of the text itself: its chat need not be looked at.
    chats = "" if by == "day" else "join chats c on c.tenant_id = $1 and c.chat_id = m.chat_id"
    group = _GROUPS[by].replace("c.", "m.") if by == "day" else _GROUPS[by]
    sums: dict[str | None, TextFigures] = {}
    for row in await conn.fetch(_TEXTS.format(group=group, name="m", chats=chats), *asked):
        key, is_total, currency, *counts, price = tuple(row)
        key = None if is_total else key
        before = sums.get(key, TextFigures())
        numbers = [getattr(before, name) for name in ("texts", "parts", "delivered", "failed", "doubtful")]
        costs = {**before.costs, **({currency: price} if currency and price is not None else {})}
        sums[key] = TextFigures(*[*(one + more for one, more in zip(numbers, counts, strict=True)), costs])
    return sums

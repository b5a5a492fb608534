"""What became of a tenant's texts lately, by line and by number, and how they came over a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The texts that were written in a time, of one line or from one number of ours, as they stand now."""

    texts: int = 0
    delivered: int = 0
    failed: int = 0
    doubtful: int = 0
    delay: float | None = None
    """Seconds from the taking of a text to its delivery, the middle one of all."""
    reasons: tuple[tuple[str, int], ...] = ()
    """Why those failed that did, the most frequent first."""

    @property
    def on_the_way(self) -> int:
        """Those that have no end yet, or whose carrier never told it."""
        return self.texts - self.delivered - self.failed - self.doubtful


@dataclass(frozen=True, slots=True)
class Delivery:
    """All of it: by the id of the line (None: no line was ever asked), and by number."""

    by_carrier: dict[int | None, Outcomes]
    by_number: dict[str, Outcomes]


# The line is that of the latest attempt: in flight the text's own, later that of the ledger.
_LATELY = """
with lately as (
    select coalesce(t.carrier_id, (select p.carrier_id from parts p where p.tenant_id = $1
                                   and p.message_id = m.message_id order by p.attempt desc limit 1)) as carrier_id,
           c.outbound_number as number, coalesce(m.state, t.state) as state, coalesce(m.reason, t.reason) as reason,
           case when m.state = 'delivered' then extract(epoch from m.ended_at - m.created_at)::float end as delay
    from messages m
    join chats c on c.tenant_id = $1 and c.chat_id = m.chat_id
    left join lateral (
        select * from texts t where t.tenant_id = $1 and t.message_id = m.message_id and m.state is null offset 0
    ) t on true
    where m.tenant_id = $1 and m.created_at > '2000-01-01' and m.created_at >= $2
      and m.sender not in ('end_user', 'note')
)
"""
_FAILED = "state in ('undelivered', 'failed', 'expired')"


async def read_delivery(conn: Connection, tenant_id: int, since: datetime) -> Delivery:
    """What became of the texts that were written since then."""
    rows = await conn.fetch(
        f"""
        {_LATELY}
        select grouping(carrier_id) as by_number, carrier_id, number, count(*),
               count(*) filter (where state = 'delivered'), count(*) filter (where {_FAILED}),
               count(*) filter (where state = 'doubtful'),
               percentile_cont(0.5) within group (order by delay)
        from lately group by grouping sets ((carrier_id), (number)) order by 1, 4 desc, number
        """,
        tenant_id, since,
    )  # fmt: skip
    why = await conn.fetch(
        f"""
        {_LATELY}
        select grouping(carrier_id) as by_number, carrier_id, number, coalesce(reason, 'unknown_error'), count(*)
        from lately where {_FAILED} group by grouping sets ((carrier_id, 4), (number, 4)) order by 5 desc, 4
        """,
        tenant_id, since,
    ) if any(row[5] for row in rows) else []  # fmt: skip
    reasons: dict[tuple[int, int | None, str | None], list[tuple[str, int]]] = {}
    for by_number, carrier_id, number, reason, count in why:
        reasons.setdefault((by_number, carrier_id, number), []).append((reason, count))
    found = {
        (row[0], row[1], row[2]): Outcomes(*[*tuple(row)[3:], tuple(reasons.get((row[0], row[1], row[2]), ()))])
        for row in rows
    }
    return Delivery(
        {key[1]: one for key, one in found.items() if not key[0]},
        {str(key[2]): one for key, one in found.items() if key[0]},
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A line to a network, and what waits for it now."""

    carrier_id: int
    name: str
    type: str
    sick_since: datetime | None
    """Since when a node at work does not trust it with texts."""
    why: str | None
    waiting: int
    oldest: datetime | None
    """When the oldest of those was put into the queue that may leave by now."""
    doubtful: int


async def list_lines(conn: Connection, tenant_id: int, now: datetime) -> list[Line]:
    """The tenant's lines by name."""
    rows = await conn.fetch(
        """
        select c.carrier_id, c.name, c.type, s.since, s.why, q.waiting, q.oldest,
               (select count(*) from texts d where d.tenant_id = $1 and d.carrier_id = c.carrier_id
                                               and d.state = 'doubtful')
        from carriers c
        left join lateral (
            select min(l.since) as since, min(l.why) as why from sick_lines l
            where l.tenant_id = $1 and l.carrier_id = c.carrier_id
        ) s on true
        cross join lateral (
            select count(*) as waiting, min(t.queued_at) filter (where t.due_at <= $2) as oldest from texts t
            where t.tenant_id = $1 and t.carrier_id = c.carrier_id and t.state = 'queued'
        ) q
        where c.tenant_id = $1 order by c.name
        """,
        tenant_id, now,
    )  # fmt: skip
    return [Line(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Quarter:
    """What was said in a quarter of an hour."""

    at: datetime
    incoming: int
    outgoing: int
    failed: int
    """Texts of ours that were written in it and did not arrive; `outgoing` is of all others."""


async def list_quarters(conn: Connection, tenant_id: int, since: datetime, until: datetime) -> list[Quarter]:
    """The quarters of an hour, counted from `since`, in which something was said."""
    rows = await conn.fetch(
        f"""
        select date_bin('15 minutes', created_at, $2), count(*) filter (where sender = 'end_user'),
               count(*) filter (where sender <> 'end_user' and not coalesce({_FAILED}, false)),
               count(*) filter (where sender <> 'end_user' and {_FAILED})
        from messages
        where tenant_id = $1 and created_at > '2000-01-01' and created_at >= $2 and created_at < $3 and sender <> 'note'
        group by 1 order by 1
        """,
        tenant_id, since, until,
    )  # fmt: skip
    return [Quarter(*row) for row in rows]


async def list_waits(conn: Connection, tenant_id: int, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
    """How many chats waited for an agent at each quarter of an hour from `since` to `until`, as their spans have it.
    Who waited since then is in an open chat, or in one that has ended since."""
    rows = await conn.fetch(
        """
        with mine as (
            select chat_id, status, since from chats
            where tenant_id = $1 and ends_at is null and expires_at is null and queued_at is not null
            union all
            select chat_id, null, null from chats
            where tenant_id = $1 and ends_at is not null and ends_at >= $2 and queued_at is not null
        ), waits as (
            select s.started_at, s.ended_at from mine
            join spans s on s.tenant_id = $1 and s.chat_id = mine.chat_id
            where s.status in ('queued', 'resumed', 'transferred') and s.ended_at >= $2
            union all
            select since, 'infinity' from mine where status in ('queued', 'resumed', 'transferred')
        ), steps as (
            select at, 1 as sign from (select greatest(started_at, $2) as at from waits) b
            union all
            select ended_at, -1 from waits where ended_at <= $3
        )
        select q.at, coalesce((select sum(sign) from steps where steps.at <= q.at), 0)::int
        from generate_series($2::timestamptz, $3::timestamptz, $4::interval) q (at)
        """,
        tenant_id, since, until, timedelta(minutes=15),
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]

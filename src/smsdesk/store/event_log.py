"""What happened lately, from a request to its receipt, read from the rows that say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection

Place = tuple[datetime, int]
"""Where a page of the log ends: the time and the id of its oldest message."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `who` is an agent or a credential; `what` and `more` are told by `kind`."""

    at: datetime
    kind: str
    chat_id: int | None
    message_id: int | None
    who: str
    what: str
    more: str


@dataclass(frozen=True, slots=True)
class Log:
    """Events, the latest first; `older` is where the page before it begins, None at the beginning of all."""

    events: list[Event]
    older: Place | None


_MESSAGES = """
select m.message_id, m.chat_id, m.created_at from messages m
where m.tenant_id = $1 and m.created_at > '2000-01-01' and m.sender <> 'note'
  and ($2::timestamptz is null or (m.created_at, m.message_id) < ($2, $3::bigint))
order by m.created_at desc, m.message_id desc limit $4
"""
_OF_CHAT = """
select m.message_id, m.chat_id, m.created_at from messages m
where m.tenant_id = $1 and m.chat_id = $5 and m.sender <> 'note'
  and ($2::timestamptz is null or (m.created_at, m.message_id) < ($2, $3::bigint))
order by m.created_at desc, m.message_id desc limit $4
"""
_ENDED = """
select chat_id from chats where tenant_id = $1 and ends_at is not null and ends_at >= $2 and ends_at < $3
order by ends_at desc limit $4
"""
# $2 the messages of the page as (chat, message) pairs, $4 the chats of them, $5 and $6 the time between.
_TEXTS = """
with page as materialized (
    select m.* from unnest($2::bigint[], $3::bigint[]) u (chat_id, message_id)
    join messages m on m.tenant_id = $1 and m.chat_id = u.chat_id and m.message_id = u.message_id
), ledger as materialized (
    select p.*, coalesce(l.name, '') as carrier, v.body from page v
    join parts p on p.tenant_id = $1 and p.message_id = v.message_id
    left join carriers l on l.tenant_id = $1 and l.carrier_id = p.carrier_id
)
select v.created_at, case v.sender when 'end_user' then 'reply' else v.sender end, v.chat_id, v.message_id,
       coalesce(k.name, nullif(trim(a.first_name || ' ' || a.last_name), ''), a.email, ''),
       left(shown_body($1, v.chat_id, v.message_id, v.body), 200), e.number
from page v
join chats c on c.tenant_id = $1 and c.chat_id = v.chat_id
join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
left join credentials k on k.tenant_id = $1 and k.credential_id = v.credential_id
left join agents a on a.tenant_id = $1 and a.agent_id = v.agent_id
union all
select p.claimed_at, 'handed', p.chat_id, p.message_id, p.carrier, p.part::text, coalesce(p.carrier_part_id, '')
from ledger p where p.state <> 'unsent'
union all
select p.state_at, p.state, p.chat_id, p.message_id, p.carrier, p.part::text,
       concat_ws(' · ', p.carrier_part_id, p.code)
from ledger p where p.state <> 'sending'
union all
select v.ended_at, 'given up', v.chat_id, v.message_id, '', coalesce(v.reason, v.state), ''
from page v where v.ended_at is not null and v.state <> 'delivered'
  and not exists (select from ledger p where p.message_id = v.message_id)
union all
select t.state_at, 'doubtful', t.chat_id, t.message_id, '', coalesce(t.reason, ''), ''
from page v join texts t on t.tenant_id = $1 and t.message_id = v.message_id and t.state = 'doubtful'
union all
select s.at, 'settled', v.chat_id, v.message_id, s.settled_by, s.verdict, ''
from page v join settlements s on s.tenant_id = $1 and s.message_id = v.message_id
union all
select o.at, 'moved', v.chat_id, v.message_id, '', coalesce(l.name, ''), o.why
from page v join moves o on o.tenant_id = $1 and o.message_id = v.message_id
left join carriers l on l.tenant_id = $1 and l.carrier_id = o.to_carrier_id
"""
_CHATS = """
with named as materialized (
    select c.*, e.number from unnest($2::bigint[]) u (chat_id)
    join chats c on c.tenant_id = $1 and c.chat_id = u.chat_id
    join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
), happened (at, kind, chat_id, agent_id, queue_id, what) as (
    select created_at, 'opened', chat_id, null::bigint, null::bigint, direction from named
    union all
    select ends_at, 'ended', chat_id, agent_id, null, concat_ws(' · ', status, fail_reason) from named
    where ends_at is not null
    union all
    select since, 'became', chat_id, agent_id, queue_id, status from named
    where ends_at is null and since is not null and since > created_at
    union all
    select s.started_at, 'became', s.chat_id, s.agent_id, s.queue_id, s.status
    from named c join spans s on s.tenant_id = $1 and s.chat_id = c.chat_id where s.started_at > c.created_at
    union all
    select o.offered_at, 'offered', o.chat_id, o.agent_id, null, ''
    from named c join offers o on o.tenant_id = $1 and o.chat_id = c.chat_id
    union all
    select o.ended_at, 'offer', o.chat_id, o.agent_id, null, o.state
    from named c join offers o on o.tenant_id = $1 and o.chat_id = c.chat_id where o.ended_at is not null
    union all
    select t.created_at, 'transfer', t.chat_id, t.to_agent_id, t.to_queue_id, t.kind
    from named c join transfers t on t.tenant_id = $1 and t.chat_id = c.chat_id
    union all
    select h.at, h.kind, c.chat_id, null, null, h.words
    from (select distinct on (number) number, chat_id from named order by number, chat_id desc) c
    join consent_history h on h.tenant_id = $1 and h.number = c.number and h.at >= $3 and h.at <= $4
)
select h.at, h.kind, h.chat_id, null::bigint,
       coalesce(nullif(trim(a.first_name || ' ' || a.last_name), ''), a.email, ''), left(h.what, 200),
       coalesce(q.name, '')
from happened h
left join agents a on a.tenant_id = $1 and a.agent_id = h.agent_id
left join queues q on q.tenant_id = $1 and q.queue_id = h.queue_id
where h.at >= $3 and h.at < $4
"""


async def read_log(
    conn: Connection, tenant_id: int, before: Place | None, limit: int, chat_id: int | None = None
) -> Log:
    """What happened to the latest `limit` messages before a place, and to their chats meanwhile; of one chat where
    `chat_id` says so. What happened later to an older message stands on its page."""
    at, message_id = before or (None, None)
    if chat_id is None:
        rows = await conn.fetch(_MESSAGES, tenant_id, at, message_id, limit + 1)
    else:
        rows = await conn.fetch(_OF_CHAT, tenant_id, at, message_id, limit + 1, chat_id)
    shown = rows[:limit]
    if not shown:
        return Log([], None)
    more = len(rows) > limit
    last = shown[-1]
    since = last["created_at"]
    until = at or await conn.fetchval("select 'infinity'::timestamptz")
    chats = {row["chat_id"] for row in shown}
    if chat_id is None:
        chats |= {row[0] for row in await conn.fetch(_ENDED, tenant_id, since, until, limit)}
    texts = await conn.fetch(_TEXTS, tenant_id, [row["chat_id"] for row in shown], [row["message_id"] for row in shown])
    told = await conn.fetch(_CHATS, tenant_id, sorted(chats), since, until)
    return Log(_in_order([*texts, *told]), (since, last["message_id"]) if more else None)


_FIRST = ("opened", "reply", "api", "agent", "system", "became", "offered", "handed")
"""What comes first of what has the same time: it was written in one transaction, in this order."""


def _in_order(rows: Sequence[object]) -> list[Event]:
    events = [Event(*row) for row in rows]  # type: ignore[misc]
    ranks = {kind: rank for rank, kind in enumerate(_FIRST)}
    return sorted(events, key=lambda one: (one.at, ranks.get(one.kind, len(ranks)), one.message_id or 0), reverse=True)

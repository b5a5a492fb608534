"""The person of a chat, as the desk shows him beside it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Person:
    """The consumer of a chat and what is known of the chat. Names are those of whom his phone was merged into."""

    chat_id: int
    end_user_id: int
    person_id: int
    """Whom the phone belongs to: another id than `end_user_id` where it was merged."""
    number: str
    other_numbers: tuple[str, ...]
    identifier: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    time_zone: str | None
    outbound_number: str
    label: str
    """What our number is called; empty where it has no name, or is not ours any more."""
    queue_path: tuple[str, ...]
    ticket_id: str | None
    out_ticket_id: str | None
    out_ticket_url: str | None
    lang: str
    verified: bool
    rating: int | None
    feedback: str | None
    blocked_at: datetime | None
    blocked_note: str | None
    blocked_by: str | None
    said_at: datetime | None
    """When the consumer wrote last in this chat."""

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.first_name, self.last_name)))


_PERSON = """
with recursive up as (
    select q.queue_id, q.parent_id, array[q.name] as names
    from chats c join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
    where c.tenant_id = $1 and c.chat_id = $2
    union all
    select q.queue_id, q.parent_id, q.name || up.names
    from up join queues q on q.tenant_id = $1 and q.queue_id = up.parent_id
)
select c.chat_id, e.end_user_id, p.end_user_id as person_id, e.number,
       array(select o.number from end_users o
             where o.tenant_id = $1 and o.end_user_id <> e.end_user_id
               and (o.end_user_id = p.end_user_id or o.merged_into = p.end_user_id and o.merged_into is not null)
             order by o.number),
       p.identifier, d.first_name, d.last_name, d.email, coalesce(e.time_zone, p.time_zone),
       c.outbound_number, coalesce(n.label, ''), coalesce((select names from up where parent_id is null), '{}'),
       c.ticket_id, c.out_ticket_id, c.out_ticket_url, c.lang, c.verified, c.rating, c.feedback,
       b.at, b.note, b.actor, c.end_user_said_at
from chats c
join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
join end_users p on p.tenant_id = $1 and p.end_user_id = coalesce(e.merged_into, e.end_user_id)
left join end_user_names d on d.tenant_id = $1 and d.end_user_id = p.end_user_id
left join numbers n on n.tenant_id = $1 and n.number = c.outbound_number
left join blocked_numbers b on b.tenant_id = $1 and b.number = e.number
where c.tenant_id = $1 and c.chat_id = $2
"""


async def find_person(conn: Connection, tenant_id: int, chat_id: int) -> Person | None:
    """The person of this chat."""
    row = await conn.fetchrow(_PERSON, tenant_id, chat_id)
    if row is None:
        return None
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in row]
    return Person(*values)


@dataclass(frozen=True, slots=True)
class OptOut:
    """An opt-out that keeps a number of ours from texting him: within which scope, since when, and how it came."""

    scope: str
    of: str
    at: datetime
    source: str
    actor: str | None
    words: str


async def find_opt_outs(conn: Connection, tenant_id: int, number: str, our_number: str) -> list[OptOut]:
    """Those between these two numbers, the widest first."""
    rows = await conn.fetch(
        """
        select o.scope, o.scope_of, o.at, o.source, h.actor, coalesce(h.words, '')
        from opt_outs_between($1, $2, $3) o
        left join lateral (
            select h.words, h.actor from consent_history h
            where h.tenant_id = $1 and h.number = $2 and h.scope = o.scope and h.scope_of = o.scope_of
              and h.kind = 'opted_out'
            order by h.at desc, h.event_id desc limit 1
        ) h on true
        order by o.scope
        """,
        tenant_id, number, our_number,
    )  # fmt: skip
    return [OptOut(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class EarlierChat:
    """A chat of the person that has ended."""

    chat_id: int
    created_at: datetime
    ends_at: datetime
    status: str
    fail_reason: str | None
    disconnected_by: str
    agent: str
    """The name of whose it was; empty where it was nobody's."""
    number: str
    outbound_number: str
    disposition: str | None
    notes: str


_EARLIER = """
select c.chat_id, c.created_at, c.ends_at, c.status, c.fail_reason, c.disconnected_by,
       trim(coalesce(a.first_name, '') || ' ' || coalesce(a.last_name, '')), e.number, c.outbound_number,
       w.disposition, coalesce(w.notes, '')
from end_users e
cross join lateral (
    select * from chats c
    where c.tenant_id = $1 and c.end_user_id = e.end_user_id and c.ends_at is not null and c.chat_id <> $3
      and ($4::timestamptz is null or c.ends_at <= $4 and (c.ends_at, c.chat_id) < ($4, $5))
    order by c.ends_at desc, c.chat_id desc limit $6
) c
left join agents a on a.tenant_id = $1 and a.agent_id = c.agent_id
left join lateral (
    select w.disposition, w.notes from wrap_ups w where w.tenant_id = $1 and w.chat_id = c.chat_id
    order by w.started_at desc, w.agent_id limit 1
) w on true
where e.tenant_id = $1 and (e.end_user_id = $2 or e.merged_into = $2 and e.merged_into is not null)
order by c.ends_at desc, c.chat_id desc limit $6
"""


async def list_earlier(
    conn: Connection, tenant_id: int, person: Person, before: tuple[datetime, int] | None, limit: int
) -> list[EarlierChat]:
    """The chats over all his phones that ended before this one's end and id, the latest first; without the chat that is
    looked at."""
    at, chat_id = before or (None, None)
    rows = await conn.fetch(_EARLIER, tenant_id, person.person_id, person.chat_id, at, chat_id, limit)
    return [EarlierChat(*row) for row in rows]

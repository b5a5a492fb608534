"""A page of a chat's messages with how each text stands, and what happened in the chat: for the desk's thread.

Only the messages of the page are read with what belongs to them: a chat of years costs no more than a new one.
"""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.thread import Asked, Gone, Happened, Line, Presence, Transferred
from smsdesk.store.db import Connection

_PAGE = """
select m.message_id, m.sender, m.agent_id, left(shown_body($1, $2, m.message_id, m.body), $6), length(m.body),
       m.encoding, m.parts::int, m.created_at, coalesce(m.state, t.state), coalesce(m.reason, t.reason),
       coalesce(m.code, t.code), coalesce(m.ended_at, t.state_at), m.state is not null, coalesce(p.delivered, 0),
       nullif(t.due_at, 'infinity'), coalesce(t.due_at = 'infinity', false), m.quiet_rule,
       coalesce(t.state = 'queued' and exists (
           select from sick_lines s where s.tenant_id = $1 and s.carrier_id = t.carrier_id
       ), false),
       coalesce(t.state = 'queued' and exists (
           select from texts_to($1, t.destination) o
           where o.state in ('queued', 'sending') and o.source = t.source and o.priority <= t.priority
             and (o.queued_at, o.message_id) < (t.queued_at, t.message_id)
       ), false)
from (
    select * from messages
    where tenant_id = $1 and chat_id = $2 and ($3::timestamptz is null or (created_at, message_id) < ($3, $4))
    order by created_at desc, message_id desc limit $5
) m
left join lateral (select * from texts t where t.tenant_id = $1 and t.message_id = m.message_id offset 0) t on true
left join lateral (
    select max(a.delivered)::int as delivered from (
        select count(*) filter (where p.state = 'delivered') as delivered
        from parts p where p.tenant_id = $1 and p.message_id = m.message_id group by p.attempt
    ) a
) p on m.sender not in ('end_user', 'note')
order by m.created_at, m.message_id
"""


# One statement: a thread is read anew with each line that comes.
_HAPPENED = """
select row(c.status, c.agent_id, c.queue_id, coalesce(c.since, c.created_at)),
       row(c.direction, c.created_at, c.ends_at, c.disconnected_by, c.fail_reason),
       array(select row(s.status, s.agent_id, s.queue_id, s.started_at) from spans s
             where s.tenant_id = $1 and s.chat_id = $2 order by s.number),
       array(select row(o.agent_id, o.state, o.ended_at) from offers o
             where o.tenant_id = $1 and o.chat_id = $2 and o.state in ('declined', 'missed') and o.ended_at is not null
             order by o.ended_at, o.offer_id),
       array(select row(t.kind, t.status, t.fail_reason, t.created_at, t.ended_at, t.from_agent_id, t.to_agent_id,
                        t.to_queue_id, t.note)
             from transfers t where t.tenant_id = $1 and t.chat_id = $2 order by t.transfer_id),
       array(select row(p.user_id, p.connected_at, p.ended_at) from participants p
             where p.tenant_id = $1 and p.chat_id = $2 and p.role = 'supervisor' and p.user_id is not null
             order by p.connected_at, p.participant_id)
from chats c where c.tenant_id = $1 and c.chat_id = $2
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Before which message a page ends."""

    at: datetime
    message_id: int


async def read_page(
    conn: Connection, tenant_id: int, chat_id: int, before: Place | None, limit: int, longest: int
) -> list[Line]:
    """The last messages before a place, or of all, in their order; of each at most so many characters."""
    rows = await conn.fetch(
        _PAGE, tenant_id, chat_id, before.at if before else None, before.message_id if before else 0, limit, longest
    )
    return [Line(*row) for row in rows]


async def read_body(conn: Connection, tenant_id: int, chat_id: int, message_id: int) -> str | None:
    """All words of a message of a chat; None where the chat has no such message."""
    found: str | None = await conn.fetchval(
        """
        select shown_body(tenant_id, chat_id, message_id, body) from messages
        where tenant_id = $1 and chat_id = $2 and message_id = $3
        """,
        tenant_id, chat_id, message_id,
    )  # fmt: skip
    return found


async def read_happened(conn: Connection, tenant_id: int, chat_id: int) -> Happened:
    """What happened in a chat beside what was said."""
    row = await conn.fetchrow(_HAPPENED, tenant_id, chat_id)
    assert row is not None, "the chat was found in this transaction"
    is_now, (direction, created_at, ends_at, by, why), spans, asked, moved, present = row
    return Happened(
        (*(Gone(*one) for one in spans), Gone(*is_now)), direction, created_at, ends_at, by, why,
        tuple(Asked(*one) for one in asked), tuple(Transferred(*one) for one in moved),
        tuple(Presence(*one) for one in present),
    )  # fmt: skip


async def read_queue_paths(conn: Connection, tenant_id: int, queue_ids: set[int]) -> dict[int, str]:
    """The way to each queue from the top, such as `Support/Billing`."""
    if not queue_ids:
        return {}
    rows = await conn.fetch(
        """
        with recursive up as (
            select q.queue_id as leaf, q.name, q.parent_id, 0 as depth from queues q
            where q.tenant_id = $1 and q.queue_id = any ($2)
            union all
            select up.leaf, q.name, q.parent_id, up.depth + 1 from up
            join queues q on q.tenant_id = $1 and q.queue_id = up.parent_id
        )
        select leaf, string_agg(name, '/' order by depth desc) as path from up group by leaf
        """,
        tenant_id, list(queue_ids),
    )  # fmt: skip
    return {row["leaf"]: row["path"] for row in rows}


async def count_earlier(
    conn: Connection, tenant_id: int, end_user_id: int, chat_id: int
) -> tuple[int, datetime | None]:
    """How many other chats the consumer had, up to 100, and when the last of them began."""
    row = await conn.fetchrow(
        """
        select count(*), max(e.created_at) from (
            select c.created_at from chats c
            where c.tenant_id = $1 and c.end_user_id = $2 and c.chat_id <> $3 and c.ends_at is not null
            order by c.ends_at desc limit 100
        ) e
        """,
        tenant_id, end_user_id, chat_id,
    )  # fmt: skip
    assert row is not None
    return row[0], row[1]


async def find_failed(
    conn: Connection, tenant_id: int, chat_id: int, message_id: int, reasons: list[str]
) -> str | None:
    """The words of a text of an agent that ended for one of these reasons, of which no part arrived; None where there
    is no such text, or files or a secret went with it."""
    found: str | None = await conn.fetchval(
        """
        select m.body from messages m
        where m.tenant_id = $1 and m.chat_id = $2 and m.message_id = $3 and m.sender in ('agent', 'api')
          and m.state in ('undelivered', 'failed', 'expired') and coalesce(m.reason, 'unknown_error') = any ($4)
          and not exists (select from parts p where p.tenant_id = $1 and p.message_id = $3 and p.state = 'delivered')
          and not exists (select from media f where f.tenant_id = $1 and f.chat_id = $2 and f.message_id = $3)
          and shown_body($1, $2, $3, m.body) = m.body
        """,
        tenant_id, chat_id, message_id, reasons,
    )  # fmt: skip
    return found


async def find_ticket(conn: Connection, tenant_id: int, chat_id: int) -> str:
    """The chat's ticket; empty where it has none."""
    found: str | None = await conn.fetchval(
        "select coalesce(out_ticket_id, ticket_id) from chats where tenant_id = $1 and chat_id = $2", tenant_id, chat_id
    )
    return found or ""

"""Timers of chats: taken out in the transaction that obeys them, so that each fires once, whichever node gets there."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer whose time has come, and the chat whose row is locked with it."""

    chat_id: int
    kind: str


async def take_due(conn: Connection, tenant_id: int, now: datetime) -> DueTimer | None:
    """Takes out the timer that is due first, with its chat locked; None where none is due, or others see to all."""
    row = await conn.fetchrow(
        """
        with due as (
            select t.chat_id, t.kind from timers t
            join chats c on c.tenant_id = $1 and c.chat_id = t.chat_id
            where t.tenant_id = $1 and t.due_at <= $2 and t.due_at > '2000-01-01'
            order by t.due_at limit 1 for no key update of c skip locked
        )
        delete from timers t using due where t.tenant_id = $1 and t.chat_id = due.chat_id and t.kind = due.kind
        returning t.chat_id, t.kind
        """,
        tenant_id, now,
    )  # fmt: skip
    return None if row is None else DueTimer(*row)


async def put_off(conn: Connection, tenant_id: int, now: datetime, until: datetime) -> None:
    """Puts the timer that is due first off until then: it could not be obeyed, and the others are due too."""
    await conn.execute(
        """
        update timers t set due_at = $3 from (
            select chat_id, kind from timers where tenant_id = $1 and due_at <= $2 and due_at > '2000-01-01'
            order by due_at limit 1 for no key update skip locked
        ) first
        where t.tenant_id = $1 and t.chat_id = first.chat_id and t.kind = first.kind
        """,
        tenant_id, now, until,
    )  # fmt: skip


async def find_orphans(conn: Connection, tenant_id: int, now: datetime, limit: int) -> list[int]:
    """Chats whose consumer waits for an agent who cannot answer: disabled, or away from his desk longer than the queue
    lets a consumer wait, counted from when he got the chat; to one who has not spoken in it yet the consumer waits even
    if another agent had the last word. Locked; those that somebody holds are passed over."""
    rows = await conn.fetch(
        """
        select c.chat_id from agents a
        left join agent_statuses s on s.tenant_id = $1 and s.agent_id = a.agent_id
        cross join lateral (
            select c.chat_id from chats c left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
            where c.tenant_id = $1 and c.agent_id = a.agent_id and c.agent_id is not null and c.ends_at is null
              and c.status in ('assigned', 'ongoing') and c.end_user_said_at is not null
              and (c.status = 'assigned' or c.agent_said_at is null or c.agent_said_at < c.end_user_said_at)
              and (a.disabled_at is not null or greatest(s.since, c.end_user_said_at, c.since)
                   <= $2::timestamptz - make_interval(mins => coalesce((q.effective ->> 'orphan_minutes')::int, 5)))
            limit $3 for no key update of c skip locked
        ) c
        where a.tenant_id = $1 and (a.disabled_at is not null or s.status in ('offline', 'unresponsive')) limit $3
        """,
        tenant_id, now, limit,
    )  # fmt: skip
    return [row[0] for row in rows]


async def find_vanished(conn: Connection, tenant_id: int, now: datetime) -> list[int]:
    """Agents whose desk has not been heard of in time, in the order of their ids."""
    rows = await conn.fetch(
        """
        select agent_id from agent_statuses
        where tenant_id = $1 and present_until is not null and present_until <= $2
          and status not in ('offline', 'unresponsive') order by agent_id
        """,
        tenant_id, now,
    )  # fmt: skip
    return [row[0] for row in rows]

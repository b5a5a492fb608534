"""What goes on at a tenant's floor now and since the day began: what its supervisors look at all the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection

MOST_IN_HAND = 2000


@dataclass(frozen=True, slots=True)
class QueueDay:
    """A queue since the day began, and what agents have of it."""

    in_hand: int = 0
    ended: int = 0
    waited: int = 0
    """Chats whose wait ended: an agent took them, or they ended without one."""
    in_time: int = 0
    """Those of them that an agent took within the queue's target."""

    def plus(self, other: "QueueDay") -> "QueueDay":
        """Both together, as a menu has what is below it."""
        return QueueDay(
            self.in_hand + other.in_hand, self.ended + other.ended, self.waited + other.waited,
            self.in_time + other.in_time,
        )  # fmt: skip


async def read_queue_days(conn: Connection, tenant_id: int, since: datetime) -> dict[int, QueueDay]:
    """The queues that had anything to do, by id. A queue without a target has no `waited`."""
    rows = await conn.fetch(
        """
        with targets as (
            select queue_id, (effective ->> 'target_seconds')::int as seconds from queues
            where tenant_id = $1 and (effective ->> 'target_seconds')::int > 0
        ), counted as (
            select queue_id, 1 as in_hand, 0 as ended, 0 as waited, 0 as in_time from chats
            where tenant_id = $1 and agent_id is not null and ends_at is null and status in ('assigned', 'ongoing')
            union all
            select queue_id, 0, 1, 0, 0 from chats where tenant_id = $1 and ends_at is not null and ends_at >= $2
            union all
            select c.queue_id, 0, 0, 1, (c.assigned_at - c.queued_at <= t.seconds * interval '1 s')::int
            from targets t join chats c on c.tenant_id = $1 and c.queue_id = t.queue_id and c.queued_at is not null
              and c.assigned_at is not null and c.assigned_at >= $2
            union all
            select c.queue_id, 0, 0, 1, 0 from targets t join chats c on c.tenant_id = $1 and c.queue_id = t.queue_id
            where c.ends_at is not null and c.ends_at >= $2 and c.queued_at is not null and c.assigned_at is null
        )
        select queue_id, sum(in_hand)::int, sum(ended)::int, sum(waited)::int, sum(in_time)::int
        from counted where queue_id is not null group by 1
        """,
        tenant_id, since,
    )  # fmt: skip
    return {row[0]: QueueDay(*tuple(row)[1:]) for row in rows}


@dataclass(frozen=True, slots=True)
class ChatAtDesk:
    """A chat that an agent has, as a link to it reads."""

    agent_id: int
    chat_id: int
    number: str
    name: str
    waiting_since: datetime | None
    """Since when the consumer waits for an answer."""
    target_seconds: int


async def list_at_desks(conn: Connection, tenant_id: int, agent_ids: Sequence[int] | None = None) -> list[ChatAtDesk]:
    """The chats that agents (all of them, where none is named) have in hand and whose consumers have said something,
    the longest wait first."""
    rows = await conn.fetch(
        """
        select c.agent_id, c.chat_id, e.number,
               trim(coalesce(n.first_name, '') || ' ' || coalesce(n.last_name, '')),
               case when c.agent_said_at is null or c.agent_said_at < c.end_user_said_at then c.end_user_said_at end,
               coalesce((q.effective ->> 'target_seconds')::int, 0)
        from chats c
        join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
        left join end_user_names n on n.tenant_id = $1 and n.end_user_id = c.end_user_id
        left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
        where c.tenant_id = $1 and c.ends_at is null and c.end_user_said_at is not null and c.agent_id is not null
          and c.status in ('assigned', 'ongoing') and ($2::bigint[] is null or c.agent_id = any ($2))
        order by 5 nulls last, c.chat_id limit $3
        """,
        tenant_id, agent_ids, MOST_IN_HAND,
    )  # fmt: skip
    return [ChatAtDesk(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Cares:
    """What a person has to see to."""

    opt_outs: int
    """Since the day began."""
    holds: int
    """Replies of which somebody is to say whether their writers want no more texts."""
    doubtful: int
    failed_jobs: int
    """Of the CRM."""
    lost_files: int
    """Files of chats that could not be kept, since the day began."""


async def read_cares(conn: Connection, tenant_id: int, since: datetime) -> Cares:
    """How many there are of each."""
    row = await conn.fetchrow(
        """
        select (select count(*) from consent_history where tenant_id = $1 and at > '2000-01-01' and at >= $2
                                                       and kind = 'opted_out'),
               (select count(*) from consent_holds where tenant_id = $1 and decided_at is null),
               (select count(*) from texts where tenant_id = $1 and state = 'doubtful'),
               (select count(*) from crm_jobs where tenant_id = $1 and state in ('queued', 'failed')
                                                and state = 'failed'),
               (select count(*) from messages m join media f on f.tenant_id = $1 and f.chat_id = m.chat_id
                                                            and f.message_id = m.message_id
                where m.tenant_id = $1 and m.created_at > '2000-01-01' and m.created_at >= $2 and f.state = 'refused')
        """,
        tenant_id, since,
    )  # fmt: skip
    assert row is not None, "a select without a table has one row"
    return Cares(*row)


@dataclass(frozen=True, slots=True)
class AgentDay:
    """What an agent has done since the day began."""

    taken: int
    ended: int
    answers: int
    missed: int
    """Offers that he let pass."""


async def read_agent_day(conn: Connection, tenant_id: int, agent_id: int, since: datetime) -> AgentDay:
    """The agent's day so far."""
    row = await conn.fetchrow(
        """
        select count(*) filter (where c.assigned_at >= $3), count(*) filter (where c.ends_at >= $3),
               coalesce(sum((select count(*) from messages m where m.tenant_id = $1 and m.chat_id = c.chat_id
                             and m.sender = 'agent' and m.agent_id = $2 and m.created_at >= $3)), 0)::int,
               (select count(*) from agent_status_history h where h.tenant_id = $1 and h.agent_id = $2 and h.at >= $3
                  and h.status = 'missed_chat')
        from chats c
        where c.tenant_id = $1 and c.agent_id = $2 and c.agent_id is not null
          and (c.ends_at is null or c.created_at >= $3::timestamptz - interval '30 days' and c.ends_at >= $3)
        """,
        tenant_id, agent_id, since,
    )  # fmt: skip
    assert row is not None, "an aggregate has one row"
    return AgentDay(*row)

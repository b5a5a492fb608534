"""Agents and what they have in hand, as the desk and its supervisors see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.domain.tenant import Agent
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class AgentLine:
    """An agent of a list."""

    agent: Agent
    status: str
    reason: str | None
    since: datetime | None
    """When that began; None where he has never worked."""
    leaving: bool
    ready: bool
    present_until: datetime | None
    load: int
    places: int
    chats: int
    """Open chats that are his, also those whose consumers are silent and take no place."""
    wrap_ups: int
    queue_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AgentFilter:
    """Which agents are meant; None does not filter."""

    agent_id: int | None = None
    queue_id: int | None = None
    status: str | None = None
    disabled: bool | None = None


_FROM = """
from agents a
join tenants t on t.tenant_id = $1
left join agent_statuses s on s.tenant_id = $1 and s.agent_id = a.agent_id
where a.tenant_id = $1
  and ($2::bigint is null or a.agent_id = $2)
  and ($3::bigint is null or exists (
      select from agent_queues p where p.tenant_id = $1 and p.agent_id = a.agent_id and p.queue_id = $3))
  and ($4::text is null or coalesce(s.status, 'offline') = $4)
  and ($5::boolean is null or (a.disabled_at is not null) = $5)
"""


async def list_agents(
    conn: Connection, tenant_id: int, wanted: AgentFilter, limit: int, offset: int
) -> list[AgentLine]:
    """Agents in the order of their ids."""
    rows = await conn.fetch(
        f"""
        select a.agent_id, a.email, a.agent_number, a.first_name, a.last_name, a.avatar_url, a.disabled_at is not null,
               a.role, a.max_chats, a.skills,
               coalesce(s.status, 'offline'), s.reason, s.since, coalesce(s.leaving, false), coalesce(s.ready, false),
               s.present_until, coalesce(s.load, 0), coalesce(a.max_chats, (t.settings ->> 'chats_per_agent')::int, 3),
               (select count(*) from chats c where c.tenant_id = $1 and c.agent_id = a.agent_id
                                               and c.agent_id is not null and c.ends_at is null),
               (select count(*) from wrap_ups w where w.tenant_id = $1 and w.agent_id = a.agent_id
                                                  and w.ended_at is null),
               array(select p.queue_id from agent_queues p join queues q on q.tenant_id = $1 and q.queue_id = p.queue_id
                     where p.tenant_id = $1 and p.agent_id = a.agent_id and q.deleted_at is null order by 1)
        {_FROM} order by a.agent_id limit $6 offset $7
        """,
        tenant_id, wanted.agent_id, wanted.queue_id, wanted.status, wanted.disabled, limit, offset,
    )  # fmt: skip
    return [_line(tuple(row)) for row in rows]


def _line(row: tuple[Any, ...]) -> AgentLine:
    *who, skills = row[:10]
    *what, queue_ids = row[10:]
    return AgentLine(*[Agent(*[*who, tuple(skills)]), *what, tuple(queue_ids)])


async def count_agents(conn: Connection, tenant_id: int, wanted: AgentFilter) -> int:
    """How many agents are meant."""
    count: int = await conn.fetchval(
        f"select count(*) {_FROM}", tenant_id, wanted.agent_id, wanted.queue_id, wanted.status, wanted.disabled
    )
    return count


@dataclass(frozen=True, slots=True)
class PastStatus:
    """What an agent did from a time on."""

    at: datetime
    ended_at: datetime | None
    """When he did something else; None of the present status."""
    status: str
    reason: str | None


async def list_history(conn: Connection, tenant_id: int, agent_id: int, limit: int, offset: int) -> list[PastStatus]:
    """What an agent did, the latest first."""
    rows = await conn.fetch(
        """
        select at, lead(at) over (order by at, status) as ended_at, status, reason from agent_status_history
        where tenant_id = $1 and agent_id = $2 order by at desc, status desc limit $3 offset $4
        """,
        tenant_id, agent_id, limit, offset,
    )  # fmt: skip
    return [PastStatus(*row) for row in rows]


async def count_history(conn: Connection, tenant_id: int, agent_id: int) -> int:
    """How many lines an agent's history has."""
    count: int = await conn.fetchval(
        "select count(*) from agent_status_history where tenant_id = $1 and agent_id = $2", tenant_id, agent_id
    )
    return count


@dataclass(frozen=True, slots=True)
class ChatInHand:
    """An open chat that an agent is in, with what he has to know before he opens it."""

    chat_id: int
    status: str
    participation: str
    """`owner`, or, in another's chat, `waiting`, `connected` or `monitoring`."""
    end_user_id: int
    queue_id: int | None
    queue_name: str | None
    created_at: datetime
    last_message_id: int | None
    last_message_sender: str | None
    last_message_body: str | None
    last_message_at: datetime | None
    unread: int
    """What the consumer has written since an agent wrote to him."""
    waiting_since: datetime | None
    """Since when he waits for an answer; None where he does not."""


_HAND = """
with mine as (
    select c.chat_id, 'owner' as participation from chats c
    where c.tenant_id = $1 and c.agent_id = $2 and c.agent_id is not null and c.ends_at is null
    union
    select p.chat_id, p.status from participants p
    join chats c on c.tenant_id = $1 and c.chat_id = p.chat_id and c.ends_at is null and c.agent_id is distinct from $2
    where p.tenant_id = $1 and p.user_id = $2 and p.user_id is not null and p.ended_at is null
)
"""


async def list_in_hand(conn: Connection, tenant_id: int, agent_id: int, limit: int, offset: int) -> list[ChatInHand]:
    """The open chats that an agent is in: first those whose consumers wait for an answer, the longest wait first."""
    rows = await conn.fetch(
        f"""
        {_HAND}
        select c.chat_id, c.status, mine.participation, c.end_user_id, c.queue_id, q.name, c.created_at,
               m.message_id, m.sender, m.body, m.created_at, coalesce(u.unread, 0), u.since
        from mine
        join chats c on c.tenant_id = $1 and c.chat_id = mine.chat_id
        left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
        left join lateral (
            select m.message_id, m.sender, shown_body($1, m.chat_id, m.message_id, m.body) as body, m.created_at
            from messages m
            where m.tenant_id = $1 and m.chat_id = c.chat_id order by m.created_at desc, m.message_id desc limit 1
        ) m on true
        left join lateral (
            select count(*) as unread, min(m.created_at) as since from messages m
            where m.tenant_id = $1 and m.chat_id = c.chat_id and m.sender = 'end_user'
              and m.created_at > coalesce(c.agent_said_at, '-infinity')
        ) u on true
        order by u.since nulls last, m.created_at desc, c.chat_id limit $3 offset $4
        """,
        tenant_id, agent_id, limit, offset,
    )  # fmt: skip
    return [ChatInHand(*row) for row in rows]


async def count_in_hand(conn: Connection, tenant_id: int, agent_id: int) -> int:
    """How many open chats an agent is in."""
    count: int = await conn.fetchval(f"{_HAND} select count(*) from mine", tenant_id, agent_id)
    return count

"""What the desk reads to show what can be done with a chat, and to whom it can be given."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


async def find_ending(conn: Connection, tenant_id: int, chat_id: int) -> tuple[str | None, str]:
    """Why a chat that has ended failed, and who ended it."""
    row = await conn.fetchrow(
        "select fail_reason, disconnected_by from chats where tenant_id = $1 and chat_id = $2", tenant_id, chat_id
    )
    return (row[0], row[1]) if row else (None, "")


async def list_present(conn: Connection, tenant_id: int, chat_id: int) -> list[tuple[int, str, str]]:
    """Who of the desk is in a chat now: ids, statuses and roles, in the order in which they came."""
    rows = await conn.fetch(
        """
        select user_id, status, role from participants
        where tenant_id = $1 and chat_id = $2 and user_id is not null and ended_at is null
        order by connected_at, participant_id
        """,
        tenant_id, chat_id,
    )  # fmt: skip
    return [tuple(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent to whom a chat can be given."""

    agent_id: int
    name: str
    status: str
    reason: str | None
    ready: bool
    load: int
    places: int


async def list_colleagues(
    conn: Connection, tenant_id: int, but: int | None, search: str, limit: int
) -> list[Colleague]:  # fmt: skip
    """Agents whose name or address has the words in it, those who are ready first; `but` is not among them."""
    rows = await conn.fetch(
        """
        select a.agent_id, coalesce(nullif(trim(a.first_name || ' ' || a.last_name), ''), a.email),
               coalesce(s.status, 'offline'), s.reason, coalesce(s.ready, false), coalesce(s.load, 0),
               coalesce(a.max_chats, (t.settings ->> 'chats_per_agent')::int, 3)
        from agents a
        join tenants t on t.tenant_id = $1
        left join agent_statuses s on s.tenant_id = $1 and s.agent_id = a.agent_id
        where a.tenant_id = $1 and a.disabled_at is null and a.agent_id is distinct from $2
          and strpos(lower(a.first_name || ' ' || a.last_name || ' ' || a.email), lower($3)) > 0
        order by coalesce(s.ready, false) desc, coalesce(s.status, 'offline') = 'offline', 2, 1 limit $4
        """,
        tenant_id, but, search, limit,
    )  # fmt: skip
    return [Colleague(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class NextChat:
    """A chat of the agent's whose consumer waits for an answer."""

    chat_id: int
    name: str
    """Empty where he has none that is known."""
    number: str
    since: datetime


async def find_next_chat(conn: Connection, tenant_id: int, agent_id: int, but: int) -> NextChat | None:
    """The one that has waited longest; `but` is not meant."""
    row = await conn.fetchrow(
        """
        select c.chat_id, trim(coalesce(d.first_name, '') || ' ' || coalesce(d.last_name, '')), e.number,
               c.end_user_said_at
        from chats c
        join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
        left join end_user_names d on d.tenant_id = $1 and d.end_user_id = coalesce(e.merged_into, e.end_user_id)
        where c.tenant_id = $1 and c.agent_id = $2 and c.ends_at is null and c.end_user_said_at is not null
          and c.status in ('assigned', 'ongoing') and c.chat_id <> $3
          and (c.agent_said_at is null or c.agent_said_at < c.end_user_said_at)
        order by c.end_user_said_at, c.chat_id limit 1
        """,
        tenant_id, agent_id, but,
    )  # fmt: skip
    return NextChat(*row) if row else None

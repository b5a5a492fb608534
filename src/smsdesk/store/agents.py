"""Agents as they stand: who they are, what they do, how much they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.errors import Problem
from smsdesk.store.db import Connection
from smsdesk.store.moves import refresh_agent


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent and what decides about him at this moment."""

    agent_id: int
    role: str
    disabled: bool
    status: str
    leaving: bool
    ready: bool
    load: int
    """How many of his places are taken."""
    places: int

    @property
    def supervises(self) -> bool:
        return self.role in ("supervisor", "administrator")

    @property
    def full(self) -> bool:
        return self.load >= self.places


_AGENT = """
select a.agent_id, a.role, a.disabled_at is not null, coalesce(s.status, 'offline'),
       coalesce(s.leaving, false), coalesce(s.ready, false), coalesce(s.load, 0),
       coalesce(a.max_chats, (t.settings ->> 'chats_per_agent')::int, 3)
from agents a
join tenants t on t.tenant_id = $1
left join agent_statuses s on s.tenant_id = $1 and s.agent_id = a.agent_id
where a.tenant_id = $1 and a.agent_id = $2
"""


async def find_agent(conn: Connection, tenant_id: int, agent_id: int) -> AgentRow | None:
    """An agent, disabled or not."""
    row = await conn.fetchrow(_AGENT, tenant_id, agent_id)
    return None if row is None else AgentRow(*row)


async def require_agent(conn: Connection, tenant_id: int, agent_id: int) -> AgentRow:
    """An agent who may work; raises Problem `agent_unknown`."""
    agent = await find_agent(conn, tenant_id, agent_id)
    if agent is None or agent.disabled:
        raise Problem("agent_unknown")
    return agent


async def require_supervisor(conn: Connection, tenant_id: int, agent_id: int) -> AgentRow:
    """A supervisor or administrator; raises Problem `agent_unknown` or `forbidden`."""
    agent = await require_agent(conn, tenant_id, agent_id)
    if not agent.supervises:
        raise Problem("forbidden")
    return agent


async def lock_asked(conn: Connection, tenant_id: int, chat_id: int, agent_id: int, now: datetime) -> AgentRow:
    """The agent who is to get a chat, as he stands once all whom the change concerns are locked: he, the chat's agent,
    and who is being asked for it. Raises Problem `agent_unknown`.

    The chat's row is locked before; agents are locked in the order of their ids, so that nobody waits crosswise.
    """
    await require_agent(conn, tenant_id, agent_id)
    await _keep_row(conn, tenant_id, agent_id, now)
    await conn.execute(
        """
        select 1 from agent_statuses s
        where s.tenant_id = $1 and s.agent_id = any(array(
            select o.agent_id from offers o where o.tenant_id = $1 and o.chat_id = $2 and o.state = 'open'
            union select c.agent_id from chats c where c.tenant_id = $1 and c.chat_id = $2
            union select $3))
        order by s.agent_id for no key update of s
        """,
        tenant_id, chat_id, agent_id,
    )  # fmt: skip
    return await require_agent(conn, tenant_id, agent_id)


async def _keep_row(conn: Connection, tenant_id: int, agent_id: int, now: datetime) -> None:
    await conn.execute(
        """
        insert into agent_statuses (tenant_id, agent_id, status, since, idle_since) values ($1, $2, 'offline', $3, $3)
        on conflict do nothing
        """,
        tenant_id, agent_id, now,
    )  # fmt: skip


async def is_in_queue(conn: Connection, tenant_id: int, agent_id: int, queue_id: int) -> bool:
    """Whether the agent works in this queue."""
    found = await conn.fetchval(
        "select 1 from agent_queues where tenant_id = $1 and agent_id = $2 and queue_id = $3",
        tenant_id, agent_id, queue_id,
    )  # fmt: skip
    return found is not None


async def find_team(conn: Connection, tenant_id: int, queue_ids: Sequence[int]) -> list[int]:
    """Who works in any of these queues and is not disabled."""
    rows = await conn.fetch(
        """
        select distinct a.agent_id from agent_queues p
        join agents a on a.tenant_id = $1 and a.agent_id = p.agent_id and a.disabled_at is null
        where p.tenant_id = $1 and p.queue_id = any($2) order by 1
        """,
        tenant_id, list(queue_ids),
    )  # fmt: skip
    return [row[0] for row in rows]


async def set_status(
    conn: Connection, tenant_id: int, agent_id: int, status: str, reason: str | None, now: datetime
) -> str:
    """Puts an agent into a status, with its line in the history, and works out anew whether he is asked: the status
    that he was in. The same status again changes nothing, and `missed_chat` is only for one who is available.

    One who says what he does is at his desk, whatever `present_until` said.
    """
    before = await conn.fetchrow(
        "select status, reason, leaving from agent_statuses where tenant_id = $1 and agent_id = $2 for no key update",
        tenant_id, agent_id,
    )  # fmt: skip
    was, because, leaving = tuple(before) if before else ("offline", None, False)
    if (was, because, leaving) != (status, reason, False) and not (status == "missed_chat" and was != "available"):
        await conn.execute(
            """
            insert into agent_statuses as s (tenant_id, agent_id, status, reason, since, idle_since)
            values ($1, $2, $3, $4, $5, $5)
            on conflict (tenant_id, agent_id) do update set
                status = $3, reason = $4, leaving = false, since = case when s.status = $3 then s.since else $5 end,
                present_until = case when $3 <> 'offline' and s.present_until > $5 then s.present_until end
            """,
            tenant_id, agent_id, status, reason, now,
        )  # fmt: skip
        await conn.execute(
            """
            insert into agent_status_history as h (tenant_id, agent_id, at, status, reason) values ($1, $2, $3, $4, $5)
            on conflict (tenant_id, agent_id, at, status) do update set reason = excluded.reason
            """,
            tenant_id, agent_id, now, status, reason,
        )  # fmt: skip
    await refresh_agent(conn, tenant_id, agent_id, now)
    return str(was)


async def set_leaving(conn: Connection, tenant_id: int, agent_id: int, now: datetime) -> None:
    """Logs an agent out: at once where he has nothing, else when what he has is done. He is asked for no more."""
    await conn.execute(
        "update agent_statuses set leaving = true where tenant_id = $1 and agent_id = $2 and status <> 'offline'",
        tenant_id, agent_id,
    )  # fmt: skip
    await refresh_agent(conn, tenant_id, agent_id, now)


async def set_present(conn: Connection, tenant_id: int, agent_id: int, until: datetime, now: datetime) -> None:
    """Notes until when an agent's desk is known to be there."""
    await _keep_row(conn, tenant_id, agent_id, now)
    await conn.execute(
        "update agent_statuses set present_until = $3 where tenant_id = $1 and agent_id = $2",
        tenant_id, agent_id, until,
    )  # fmt: skip
    # Said three times a minute by each desk: who is told of it sees to that it changed something.
    await conn.execute("select refresh_agent($1, $2, $3)", tenant_id, agent_id, now)

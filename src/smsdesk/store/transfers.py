"""Transfers: a chat on its way from one agent to another, or to a queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.tenant import Agent
from smsdesk.domain.transfer import Transfer
from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell


@dataclass(frozen=True, slots=True)
class OpenTransfer:
    """A transfer that is not decided yet. A chat has one at most."""

    transfer_id: int
    kind: str
    """`cold`: its agent has let go of the chat. `warm`: he keeps it until the transfer is completed."""
    connected_at: datetime | None
    """When whom it is meant for came into the chat."""
    from_agent_id: int | None
    to_agent_id: int | None
    from_queue_id: int | None
    to_queue_id: int | None


async def find_open(conn: Connection, tenant_id: int, chat_id: int) -> OpenTransfer | None:
    """The transfer that a chat is in; the chat's row is locked by the caller."""
    row = await conn.fetchrow(
        """
        select transfer_id, kind, connected_at, from_agent_id, to_agent_id, from_queue_id, to_queue_id
        from transfers where tenant_id = $1 and chat_id = $2 and status = 'transferring'
        """,
        tenant_id, chat_id,
    )  # fmt: skip
    return None if row is None else OpenTransfer(*row)


async def find_status(conn: Connection, tenant_id: int, chat_id: int, transfer_id: int) -> str | None:
    """How a transfer of this chat stands."""
    status: str | None = await conn.fetchval(
        "select status from transfers where tenant_id = $1 and chat_id = $2 and transfer_id = $3",
        tenant_id, chat_id, transfer_id,
    )  # fmt: skip
    return status


async def find_unanswered(conn: Connection, tenant_id: int, limit: int) -> list[int]:
    """Chats on their way to an agent who is not being asked for them any more."""
    rows = await conn.fetch(
        """
        select t.chat_id from transfers t
        where t.tenant_id = $1 and t.status = 'transferring' and t.to_agent_id is not null and t.connected_at is null
          and not exists (select from offers o where o.tenant_id = $1 and o.chat_id = t.chat_id
                                                 and o.agent_id = t.to_agent_id and o.state = 'open')
        order by t.chat_id limit $2
        """,
        tenant_id, limit,
    )  # fmt: skip
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class NewTransfer:
    """A transfer as it begins."""

    transfer_id: int
    kind: str
    from_agent_id: int | None
    to_agent_id: int | None
    from_queue_id: int | None
    to_queue_id: int | None
    note: str


async def add(conn: Connection, tenant_id: int, chat_id: int, new: NewTransfer, now: datetime) -> None:
    """Writes a transfer down as begun."""
    await conn.execute(
        """
        insert into transfers (tenant_id, chat_id, transfer_id, kind, status, created_at, from_agent_id, to_agent_id,
                               from_queue_id, to_queue_id, note)
        values ($1, $2, $3, $4, 'transferring', $5, $6, $7, $8, $9, $10)
        """,
        tenant_id, chat_id, new.transfer_id, new.kind, now, new.from_agent_id, new.to_agent_id, new.from_queue_id,
        new.to_queue_id, new.note,
    )  # fmt: skip
    concerned = [agent for agent in (new.from_agent_id, new.to_agent_id) if agent is not None]
    await tell(conn, tenant_id, Hint("chat", chat_id, concerned))


async def connect(conn: Connection, tenant_id: int, chat_id: int, now: datetime) -> None:
    """Notes that whom the chat's warm transfer is meant for has come into it."""
    await conn.execute(
        "update transfers set connected_at = $3 where tenant_id = $1 and chat_id = $2 and status = 'transferring'",
        tenant_id, chat_id, now,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("chat", chat_id))


async def end(conn: Connection, tenant_id: int, chat_id: int, status: str, reason: str, now: datetime) -> None:
    """Ends the chat's transfer as `connected`, `cancelled` or `failed`; `reason` is `nothing` where it did not fail."""
    ended = await conn.fetch(
        """
        update transfers set status = $3, fail_reason = $4, ended_at = $5
        where tenant_id = $1 and chat_id = $2 and status = 'transferring' returning from_agent_id, to_agent_id
        """,
        tenant_id, chat_id, status, reason, now,
    )  # fmt: skip
    concerned = [agent for row in ended for agent in row if agent is not None]
    await tell(conn, tenant_id, Hint("chat", chat_id, concerned))


async def find_ready(conn: Connection, tenant_id: int, queue_id: int, but: int | None) -> int | None:
    """The agent of a queue who is ready and has been idle longest, locked; `but` is not meant."""
    agent_id: int | None = await conn.fetchval(
        """
        select p.agent_id from agent_queues p join agent_statuses s on s.tenant_id = $1 and s.agent_id = p.agent_id
        where p.tenant_id = $1 and p.queue_id = $2 and p.ready and s.ready and p.agent_id is distinct from $3
        order by p.idle_since, p.agent_id limit 1 for no key update of s skip locked
        """,
        tenant_id, queue_id, but,
    )  # fmt: skip
    return agent_id


_ROWS = """
with moved as (
    select t.*, c.ends_at,
           lead(t.created_at) over (partition by t.chat_id order by t.created_at, t.transfer_id) as next_at,
           case when t.status = 'connected' and t.kind = 'warm' then t.ended_at
                when t.status = 'connected' then t.connected_at end as assigned_at
    from transfers t join chats c on c.tenant_id = $1 and c.chat_id = t.chat_id
    where t.tenant_id = $1 and t.chat_id = any($2)
)
select m.transfer_id, m.chat_id, m.kind, m.status, m.fail_reason, m.created_at, m.connected_at, m.assigned_at,
       m.ended_at, m.from_queue_id, m.to_queue_id,
       case when f.agent_id is not null then
            row(f.agent_id, f.email, f.agent_number, f.first_name, f.last_name, f.avatar_url) end as from_agent,
       case when a.agent_id is not null then
            row(a.agent_id, a.email, a.agent_number, a.first_name, a.last_name, a.avatar_url) end as to_agent,
       m.note,
       case when m.assigned_at is null then null
            when exists (select from offers o
                         where o.tenant_id = $1 and o.chat_id = m.chat_id and o.agent_id = m.to_agent_id
                           and o.state = 'accepted' and o.ended_at = m.connected_at) then 'manual'
            else 'auto' end as answer_type,
       coalesce(floor(extract(epoch from coalesce(m.connected_at, m.ended_at) - m.created_at)), 0)::int,
       coalesce(floor(extract(epoch from coalesce(m.next_at, m.ends_at) - m.assigned_at)), 0)::int
from moved m
left join agents f on f.tenant_id = $1 and f.agent_id = m.from_agent_id
left join agents a on a.tenant_id = $1 and a.agent_id = m.to_agent_id
order by m.created_at, m.transfer_id
"""


async def find_transfers(conn: Connection, tenant_id: int, chat_ids: Sequence[int]) -> dict[int, list[Transfer]]:
    """All transfers of these chats, by chat, in their order."""
    found: dict[int, list[Transfer]] = {chat_id: [] for chat_id in chat_ids}
    for row in await conn.fetch(_ROWS, tenant_id, list(found)):
        values = dict(zip(Transfer.__dataclass_fields__, tuple(row), strict=True))
        for side in ("from_agent", "to_agent"):
            values[side] = None if values[side] is None else Agent(*values[side])
        found[row["chat_id"]].append(Transfer(**values))
    return found

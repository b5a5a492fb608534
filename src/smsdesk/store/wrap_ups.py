"""Wrap-ups: what an agent notes after a chat, and the time that he has for it."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell


@dataclass(frozen=True, slots=True)
class WrapUpRow:
    """An agent's work after a chat. It takes one of his places until it ends."""

    chat_id: int
    agent_id: int
    started_at: datetime
    due_at: datetime | None
    """When it ends by itself."""
    ended_at: datetime | None
    disposition: str | None
    notes: str


async def find_last(conn: Connection, tenant_id: int, chat_id: int) -> WrapUpRow | None:
    """What was noted after the chat."""
    row = await conn.fetchrow(
        """
        select w.chat_id, w.agent_id, w.started_at, t.due_at, w.ended_at, w.disposition, w.notes
        from wrap_ups w
        left join timers t on t.tenant_id = $1 and t.chat_id = w.chat_id and t.kind = 'wrap_up' and w.ended_at is null
        where w.tenant_id = $1 and w.chat_id = $2 order by w.started_at desc, w.agent_id limit 1
        """,
        tenant_id, chat_id,
    )  # fmt: skip
    return None if row is None else WrapUpRow(*row)


async def begin(conn: Connection, tenant_id: int, chat_id: int, agent_id: int, now: datetime) -> None:
    """Begins an agent's work after the chat."""
    await conn.execute(
        """
        insert into wrap_ups (tenant_id, chat_id, agent_id, started_at) values ($1, $2, $3, $4) on conflict do nothing
        """,
        tenant_id, chat_id, agent_id, now,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("chat", chat_id, [agent_id]))


@dataclass(frozen=True, slots=True)
class Noted:
    """What an agent says that a chat was about; None leaves what was said before."""

    disposition: str | None
    notes: str | None


async def write(conn: Connection, tenant_id: int, chat_id: int, agent_id: int, noted: Noted, now: datetime) -> None:
    """Writes down what an agent noted; one who had no time for it after the chat gets a row that has ended."""
    await conn.execute(
        """
        insert into wrap_ups as w (tenant_id, chat_id, agent_id, started_at, ended_at, disposition, notes)
        values ($1, $2, $3, $6, $6, $4, coalesce($5, ''))
        on conflict (tenant_id, chat_id, agent_id) do update set
            disposition = coalesce($4, w.disposition), notes = coalesce($5, w.notes)
        """,
        tenant_id, chat_id, agent_id, noted.disposition, noted.notes, now,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("chat", chat_id, [agent_id]))


async def finish(conn: Connection, tenant_id: int, chat_id: int, now: datetime) -> list[int]:
    """Ends the work after a chat: whose it was."""
    rows = await conn.fetch(
        """
        update wrap_ups set ended_at = $3 where tenant_id = $1 and chat_id = $2 and ended_at is null returning agent_id
        """,
        tenant_id, chat_id, now,
    )  # fmt: skip
    agents = sorted(row[0] for row in rows)
    await tell(conn, tenant_id, Hint("chat", chat_id, agents))
    return agents

"""What an agent has at a chat: how far he has read, what he has written and not sent, and what he sent last."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class DeskChat:
    """An agent's own row of a chat."""

    read_at: datetime | None = None
    draft: str = ""
    note_draft: str = ""
    updated_at: datetime | None = None
    """When he last wrote at one of the drafts, or sent one."""
    sent_key: str | None = None
    """The form that he sent last, and the message that it became."""
    sent_message_id: int | None = None


async def find_desk_chat(conn: Connection, tenant_id: int, chat_id: int, agent_id: int) -> DeskChat:
    """What the agent has there; an empty one where he has nothing."""
    row = await conn.fetchrow(
        """
        select read_at, draft, note_draft, updated_at, sent_key, sent_message_id from desk_chats
        where tenant_id = $1 and chat_id = $2 and agent_id = $3
        """,
        tenant_id, chat_id, agent_id,
    )  # fmt: skip
    return DeskChat() if row is None else DeskChat(*row)


async def mark_read(conn: Connection, tenant_id: int, chat_id: int, agent_id: int, now: datetime) -> bool:
    """Notes that he has read what the consumer wrote; False, without a write, where there was nothing new."""
    new = await conn.fetchval(
        """
        insert into desk_chats as d (tenant_id, chat_id, agent_id, read_at, updated_at)
        select $1, $2, $3, $4, $4
        from chats c
        left join desk_chats o on o.tenant_id = $1 and o.chat_id = $2 and o.agent_id = $3
        where c.tenant_id = $1 and c.chat_id = $2 and c.end_user_said_at is not null
          and (o.read_at is null or o.read_at < c.end_user_said_at)
        on conflict (tenant_id, chat_id, agent_id) do update set read_at = greatest(d.read_at, excluded.read_at)
        returning true
        """,
        tenant_id, chat_id, agent_id, now,
    )  # fmt: skip
    return new is not None


async def save_draft(
    conn: Connection, tenant_id: int, where: tuple[int, int], words: str, now: datetime, *, note: bool = False
) -> None:
    """Keeps what an agent has written in a chat, named as (chat, agent), and not sent: for the consumer, or as a note
    for the desk."""
    column = "note_draft" if note else "draft"
    await conn.execute(
        f"""
        insert into desk_chats (tenant_id, chat_id, agent_id, {column}, updated_at) values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, chat_id, agent_id) do update set {column} = $4, updated_at = $5
        """,
        tenant_id, *where, words, now,
    )  # fmt: skip


async def note_sent(
    conn: Connection, tenant_id: int, where: tuple[int, int], sent: tuple[str, int], now: datetime
) -> None:
    """Notes that a form of an agent in a chat, named as (chat, agent), became a message: (form, message). There is no
    draft any more."""
    await conn.execute(
        """
        insert into desk_chats as d (tenant_id, chat_id, agent_id, read_at, updated_at, sent_key, sent_message_id)
        values ($1, $2, $3, $6, $6, $4, $5)
        on conflict (tenant_id, chat_id, agent_id) do update
        set draft = '', read_at = greatest(d.read_at, $6), updated_at = $6, sent_key = $4, sent_message_id = $5
        """,
        tenant_id, *where, *sent, now,
    )  # fmt: skip


async def count_answers(conn: Connection, tenant_id: int, chat_id: int) -> int:
    """How often the chat's consumer was answered by people, or written to by the API."""
    count: int = await conn.fetchval(
        "select count(*) from messages where tenant_id = $1 and chat_id = $2 and sender in ('agent', 'api')",
        tenant_id, chat_id,
    )  # fmt: skip
    return count

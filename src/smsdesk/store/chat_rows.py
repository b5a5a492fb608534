"""A chat's own row, locked, with what decides about it: what steps and actions work on."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from smsdesk.errors import Problem
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A chat as it stands, and whether its consumer may be texted. It stays so until the transaction ends."""

    chat_id: int
    status: str
    end_user_id: int
    end_user_number: str
    outbound_number: str
    direction: str
    lang: str
    queue_id: int | None
    agent_id: int | None
    menu_id: int | None
    menu_tries: int
    created_at: datetime
    since: datetime
    queued_at: datetime | None
    assigned_at: datetime | None
    ends_at: datetime | None
    end_user_said_at: datetime | None
    agent_said_at: datetime | None
    preferred_agent_id: int | None
    previous_chat_id: int | None
    verified: bool
    opted_out: bool
    blocked: bool


_COLUMNS = ", ".join(
    {
        "end_user_number": "e.number",
        "since": "coalesce(c.since, c.created_at)",
        "opted_out": "opted_out($1, e.number, c.outbound_number)",
        "blocked": "exists (select from blocked_numbers b where b.tenant_id = $1 and b.number = e.number)",
    }.get(name, f"c.{name}")
    for name in ChatRow.__dataclass_fields__
)
_ROW = f"""
select {_COLUMNS}
from chats c join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
where c.tenant_id = $1 and
"""


async def lock_chat_row(conn: Connection, tenant_id: int, chat_id: int) -> ChatRow | None:
    """Locks a chat, open or ended, against every other change."""
    return _read(await conn.fetchrow(f"{_ROW} c.chat_id = $2 for no key update of c", tenant_id, chat_id))


async def find_chat_row(conn: Connection, tenant_id: int, chat_id: int) -> ChatRow | None:
    """A chat, open or ended, not locked: for those who only look."""
    return _read(await conn.fetchrow(f"{_ROW} c.chat_id = $2", tenant_id, chat_id))


async def find_open_row(conn: Connection, tenant_id: int, end_user_id: int) -> ChatRow | None:
    """The chat that a consumer is in, not locked."""
    return _read(await conn.fetchrow(f"{_ROW} c.end_user_id = $2 and c.ends_at is null", tenant_id, end_user_id))


async def lock_open_chat(conn: Connection, tenant_id: int, end_user_id: int) -> ChatRow | None:
    """Locks the chat that a consumer is in."""
    row = await conn.fetchrow(
        f"{_ROW} c.end_user_id = $2 and c.ends_at is null for no key update of c", tenant_id, end_user_id
    )
    return _read(row)


async def require_open(conn: Connection, tenant_id: int, chat_id: int) -> ChatRow:
    """Locks an open chat; raises Problem `not_found` or `chat_ended`."""
    chat = await lock_chat_row(conn, tenant_id, chat_id)
    if chat is None:
        raise Problem("not_found")
    if chat.ends_at is not None:
        raise Problem("chat_ended")
    return chat


async def find_ended(conn: Connection, tenant_id: int, end_user_id: int) -> ChatRow | None:
    """The consumer's chat that ended last, not locked."""
    row = await conn.fetchrow(
        f"{_ROW} c.end_user_id = $2 and c.ends_at is not null order by c.ends_at desc limit 1", tenant_id, end_user_id
    )
    return _read(row)


async def note_said(conn: Connection, tenant_id: int, chat_id: int, now: datetime, *, by_agent: bool) -> None:
    """Notes when a side of the chat spoke last. A chat whose consumer has spoken does not close as unanswered."""
    column = "agent_said_at = $3" if by_agent else "end_user_said_at = $3, expires_at = null"
    await conn.execute(f"update chats set {column} where tenant_id = $1 and chat_id = $2", tenant_id, chat_id, now)


@dataclass(frozen=True, slots=True)
class NewChat:
    """A chat that a consumer begins."""

    chat_id: int
    end_user_id: int
    outbound_number: str
    chat_type: str
    previous_chat_id: int | None = None


async def open_inbound(conn: Connection, tenant_id: int, chat: NewChat, now: datetime) -> bool:
    """Opens it, with the consumer in it; False where he got into another chat in this moment."""
    opened = await conn.fetchval(
        """
        insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, chat_type,
                           previous_chat_id)
        values ($1, $2, $3, $4, 'inbound', 'selecting', $5, $6, $7)
        on conflict (tenant_id, end_user_id) where ends_at is null do nothing returning 1
        """,
        tenant_id, chat.chat_id, chat.end_user_id, chat.outbound_number, now, chat.chat_type, chat.previous_chat_id,
    )  # fmt: skip
    if opened is None:
        return False
    await conn.execute(
        """
        insert into participants (tenant_id, chat_id, participant_id, type, end_user_id, connected_at)
        values ($1, $2::bigint, $2::bigint + 1, 'end_user', $3, $4)
        """,
        tenant_id, chat.chat_id, chat.end_user_id, now,
    )  # fmt: skip
    return True


def _read(row: asyncpg.Record | None) -> ChatRow | None:
    return None if row is None else ChatRow(*row)

"""Chats as replies and time move them: found, opened, queued, ended."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.errors import Problem
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Line:
    """Where replies to a number of ours go, and what leaves from it."""

    queue_id: int | None
    carrier_id: int


async def find_line(conn: Connection, tenant_id: int, number: str) -> Line | None:
    """The set-up of a number; None where it is not the tenant's. A queue that was deleted is none."""
    row = await conn.fetchrow(
        """
        select q.queue_id, n.carrier_id from numbers n
        left join queues q on q.tenant_id = $1 and q.queue_id = n.queue_id and q.deleted_at is null
        where n.tenant_id = $1 and n.number = $2
        """,
        tenant_id, number,
    )  # fmt: skip
    return None if row is None else Line(*row)


@dataclass(frozen=True, slots=True)
class OpenChat:
    """The chat that a consumer is in."""

    chat_id: int
    outbound_number: str


async def find_open_chat(conn: Connection, tenant_id: int, end_user_id: int) -> OpenChat | None:
    """The consumer's open chat, locked."""
    row = await conn.fetchrow(
        """
        select chat_id, outbound_number from chats
        where tenant_id = $1 and end_user_id = $2 and ends_at is null for no key update
        """,
        tenant_id, end_user_id,
    )  # fmt: skip
    return None if row is None else OpenChat(*row)


async def open_inbound(conn: Connection, tenant_id: int, chat: OpenChat, end_user_id: int, now: datetime) -> bool:
    """Opens a chat that the consumer began; False where he got into one in this moment."""
    opened = await conn.fetchval(
        """
        insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at)
        values ($1, $2, $3, $4, 'inbound', 'selecting', $5)
        on conflict (tenant_id, end_user_id) where ends_at is null do nothing returning 1
        """,
        tenant_id, chat.chat_id, end_user_id, chat.outbound_number, now,
    )  # fmt: skip
    if opened is None:
        return False
    await conn.execute(
        """
        insert into participants (tenant_id, chat_id, participant_id, type, end_user_id, connected_at)
        values ($1, $2::bigint, $2::bigint + 1, 'end_user', $3, $4)
        """,
        tenant_id, chat.chat_id, end_user_id, now,
    )  # fmt: skip
    return True


async def bring_to_a_person(
    conn: Connection, tenant_id: int, chat_id: int, queue_id: int | None, now: datetime
) -> None:
    """The consumer answered: a chat that nobody has goes into the queue, and none closes by itself any more."""
    await conn.execute(
        """
        update chats set expires_at = null,
            status = case when status = 'selecting' and $3::bigint is not null then 'queued' else status end,
            queued_at = case when status = 'selecting' and $3::bigint is not null then $4 else queued_at end,
            queue_id = case when status = 'selecting' then $3::bigint else queue_id end
        where tenant_id = $1 and chat_id = $2
        """,
        tenant_id, chat_id, queue_id, now,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChatEnd:
    """How a chat ended, in the words of the imitated API."""

    status: str
    fail_reason: str | None = None
    disconnected_by: str = "disconnected_by_unknown"


async def end_chat(conn: Connection, tenant_id: int, chat_id: int, end: ChatEnd, now: datetime) -> None:
    """Ends an open chat and everybody's part in it."""
    await conn.execute(
        """
        update chats set status = $3, fail_reason = $4, disconnected_by = $5, ends_at = $6
        where tenant_id = $1 and chat_id = $2 and ends_at is null
        """,
        tenant_id, chat_id, end.status, end.fail_reason, end.disconnected_by, now,
    )  # fmt: skip
    await _finish_participants(conn, tenant_id, [chat_id], now)


async def expire_chats(conn: Connection, tenant_id: int, now: datetime, limit: int) -> int:
    """Ends chats that nobody answered in time: how many, at most `limit`. One that is being answered is left alone."""
    rows = await conn.fetch(
        """
        with due as (
            select chat_id from chats where tenant_id = $1 and ends_at is null and expires_at <= $2
            order by expires_at limit $3 for no key update skip locked
        )
        update chats c set status = 'failed', fail_reason = 'no_response', ends_at = $2
        from due where c.tenant_id = $1 and c.chat_id = due.chat_id returning c.chat_id
        """,
        tenant_id, now, limit,
    )  # fmt: skip
    await _finish_participants(conn, tenant_id, [row["chat_id"] for row in rows], now)
    return len(rows)


async def _finish_participants(conn: Connection, tenant_id: int, chat_ids: list[int], now: datetime) -> None:
    await conn.execute(
        """
        update participants set status = 'finished', ended_at = $3
        where tenant_id = $1 and chat_id = any ($2) and ended_at is null
        """,
        tenant_id, chat_ids, now,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What one side of a chat said."""

    message_id: int
    chat_id: int
    sender: str
    body: str
    encoding: str
    parts: int
    agent_id: int | None = None


async def add_message(conn: Connection, tenant_id: int, said: Said, now: datetime) -> None:
    """Adds it to the chat."""
    await conn.execute(
        """
        insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at, agent_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        tenant_id, said.chat_id, said.message_id, said.sender, said.body, said.encoding, said.parts, now, said.agent_id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wording:
    """What the tenant's automatic answers say."""

    company: str
    help_text: str
    lang: str
    """That of the chat's queue, else of the number's, else of the chat."""


async def read_wording(conn: Connection, tenant_id: int, chat_id: int, our_number: str) -> Wording:
    """The company's name, the subdomain where it has none; its own help text if any; the language to speak."""
    row = await conn.fetchrow(
        """
        select coalesce(nullif(t.settings->>'company_name', ''), t.subdomain), coalesce(t.settings->>'help_text', ''),
               coalesce(q.effective->>'lang', n.effective->>'lang', c.lang)
        from tenants t join chats c on c.tenant_id = $1 and c.chat_id = $2
        left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
        left join (
            select q.effective from numbers n join queues q on q.tenant_id = $1 and q.queue_id = n.queue_id
            where n.tenant_id = $1 and n.number = $3
        ) n on true
        where t.tenant_id = $1
        """,
        tenant_id, chat_id, our_number,
    )  # fmt: skip
    if row is None:
        raise Problem("not_found", f"there is no tenant {tenant_id}")
    return Wording(*row)

"""What was said in a chat, and how each text of ours ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.segments import Segments
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said. `state` is a text's: where it is, or how it ended; None for the consumer's own."""

    message_id: int
    chat_id: int
    sender: str
    agent_id: int | None
    body: str
    encoding: str
    parts: int
    created_at: datetime
    state: str | None
    reason: str | None
    code: str | None
    state_at: datetime | None


_MESSAGES = """
select m.message_id, m.chat_id, m.sender, m.agent_id, m.body, m.encoding, m.parts, m.created_at,
       coalesce(m.state, t.state) as state, coalesce(m.reason, t.reason) as reason, coalesce(m.code, t.code) as code,
       coalesce(m.ended_at, t.state_at) as state_at
from messages m left join texts t on t.tenant_id = m.tenant_id and t.message_id = m.message_id
"""


async def list_messages(
    conn: Connection, tenant_id: int, chat_id: int, limit: int | None = None, offset: int = 0
) -> list[Message]:
    """A chat's messages in the order in which they were said."""
    rows = await conn.fetch(
        f"{_MESSAGES} where m.tenant_id = $1 and m.chat_id = $2 order by m.created_at, m.message_id limit $3 offset $4",
        tenant_id,
        chat_id,
        limit,
        offset,
    )
    return [Message(*row) for row in rows]


async def count_messages(conn: Connection, tenant_id: int, chat_id: int) -> int:
    """How many messages a chat has."""
    count: int = await conn.fetchval(
        "select count(*) from messages where tenant_id = $1 and chat_id = $2", tenant_id, chat_id
    )
    return count


@dataclass(frozen=True, slots=True)
class NewText:
    """A message of ours with the text that carries it."""

    message_id: int
    chat_id: int
    sender: str
    agent_id: int | None
    credential_id: int | None
    body: str
    segments: Segments
    kind: str
    carrier_id: int
    source: str
    destination: str
    at: datetime
    valid_until: datetime


async def add_texts(conn: Connection, tenant_id: int, texts: Sequence[NewText]) -> None:
    """Writes messages and puts their texts in the queue."""
    for text in texts:
        await conn.execute(
            """
            insert into messages (tenant_id, chat_id, message_id, sender, agent_id, credential_id, body, encoding,
                                  parts, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """,
            tenant_id, text.chat_id, text.message_id, text.sender, text.agent_id, text.credential_id, text.body,
            text.segments.encoding, len(text.segments.parts), text.at,
        )  # fmt: skip
        await conn.execute(
            """
            insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,
                               valid_until, state_at)
            values ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $9, $8)
            """,
            tenant_id, text.message_id, text.chat_id, text.carrier_id, text.kind, text.source, text.destination,
            text.at, text.valid_until,
        )  # fmt: skip

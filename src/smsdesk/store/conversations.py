"""What a conversation is made of: the lines to its numbers, what was said in it, the tenant's words."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.errors import Problem
from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell


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
    await tell(conn, tenant_id, Hint("message", said.chat_id))


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

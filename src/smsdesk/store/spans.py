"""What a chat was before."""

from datetime import datetime

from smsdesk.store.db import Connection


async def last_end(conn: Connection, tenant_id: int, chat_id: int, status: str) -> datetime | None:
    """When a chat was of this status for the last time."""
    at: datetime | None = await conn.fetchval(
        "select max(ended_at) from spans where tenant_id = $1 and chat_id = $2 and status = $3",
        tenant_id, chat_id, status,
    )  # fmt: skip
    return at

"""Outbound chats that nobody answered close by themselves, so that the next notice can go out."""

from datetime import datetime

from smsdesk.store import moves
from smsdesk.store.db import Database

_GROUP = 500


async def expire_chats(db: Database, tenant_id: int, now: datetime) -> int:
    """Ends the tenant's chats past their time as `failed`, `no_response`: how many."""
    total = 0
    while True:
        async with db.transaction() as conn:
            ended = await moves.expire_chats(conn, tenant_id, now, _GROUP)
        total += ended
        if ended < _GROUP:
            return total

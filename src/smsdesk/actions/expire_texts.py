"""Texts past their time end where they wait, also on a line that is down and claims nothing."""

from datetime import datetime

from smsdesk.store import texts
from smsdesk.store.db import Database

_GROUP = 500


async def expire_texts(db: Database, tenant_id: int, now: datetime) -> int:
    """Ends the tenant's queued texts past their time as `expired`: how many."""
    total = 0
    while True:
        async with db.connection() as conn:
            ended = await texts.end_expired(conn, tenant_id, now, _GROUP)
        total += ended
        if ended < _GROUP:
            return total

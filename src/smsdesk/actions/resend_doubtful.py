"""Texts whose sender would rather have them twice than not at all are sent again out of doubt, and only those."""

from datetime import datetime, timedelta

from smsdesk.store import doubtful
from smsdesk.store.db import Database

_GROUP = 500


async def resend_doubtful(db: Database, now: datetime) -> list[int]:
    """Puts texts with `on_doubt: resend` back into the queue once their receipt has had its time: gives the tenants
    that have something to send because of it."""
    async with db.connection() as conn:
        waiting = await doubtful.find_resending(conn)
    woken = []
    for tenant_id, minutes in waiting:
        async with db.connection() as conn:
            if await doubtful.resend(conn, tenant_id, now, now - timedelta(minutes=minutes), _GROUP):
                woken.append(tenant_id)
    return woken

"""Texts that the carrier took and never reported on are not waited for any longer."""

from datetime import datetime, timedelta

from smsdesk.store import texts
from smsdesk.store.db import Database

RECEIPT_WAIT = timedelta(hours=72)
"""Longer than carriers try to reach a phone. A receipt that comes later still counts."""
_GROUP = 500


async def end_silent_texts(db: Database, tenant_id: int, now: datetime) -> int:
    """Ends the tenant's texts that have waited 72 hours as `sent`, which is what is known: how many."""
    total = 0
    while True:
        async with db.connection() as conn:
            ended = await texts.end_silent(conn, tenant_id, now, now - RECEIPT_WAIT, _GROUP)
        total += ended
        if ended < _GROUP:
            return total
